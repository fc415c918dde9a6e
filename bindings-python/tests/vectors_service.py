"""The operations of `service`, for the vectors: scripts of calls, with what each call gives."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

from silkline import ExtractionApi, Headers, ProxyApi, Request, basic_authorization
from silkline.service import (
    ProxyFetch,
    ProxyRelay,
    ProxyTunnel,
    ProxyWait,
    ServiceAnswer,
    ZyteApiFetch,
    ZyteApiPage,
    ZyteApiService,
    ZyteProxyService,
)
from vectors import OPERATIONS as EXTRACTION
from vectors import Given, Json, body, check_keys, headers_json, micros, pairs, run, text, told
from vectors_proxy import OPERATIONS as PROXY
from vectors_proxy import options

Settings = dict[str, Any]
SHARED = {
    *("keys", "disabled_keys", "rate", "system_rate", "domain_rate"),
    *("forbidden_domains", "bans", "faults"),
}


def settings(config: Given, *known: str) -> Settings:
    """Settings under their names in the package, times in seconds."""
    check_keys(config, *SHARED, *known)
    found: Settings = {}
    for name, value in config.items():
        match name.removesuffix("_us"):
            case "faults":
                found[name] = json.dumps(value)
            case "bans":
                found[name] = [(domain, statuses, texts) for domain, statuses, texts in value]
            case "occupied" as short:
                found[short] = {domain: time / 1_000_000 for domain, time in value.items()}
            case short:
                found[short] = value / 1_000_000 if name.endswith("_us") else value
    return found


def authorized(step: Given, header: str) -> list[tuple[str, str]]:
    """The headers of a step, after the authorization by its key, `KEY` if it says nothing."""
    key = step.get("key", "KEY")
    own = [] if key is None else [(header, basic_authorization(key))]
    return [*own, *pairs(step.get("headers"))]


def answer_json(answer: ServiceAnswer) -> Json:
    """An answer: its body as JSON where it is said to be, else as text."""
    content: Json = answer.body.decode() or None
    if content and "json" in (answer.headers.get("Content-Type") or ""):
        with contextlib.suppress(ValueError):
            content = {"json": json.loads(content)}
    return told(
        status=answer.status,
        headers=headers_json(answer.headers),
        body=content,
        dropped=answer.dropped or None,
        truncated=answer.truncated,
    )


def stats_json(counts: str) -> Json:
    """The counts that are not zero."""
    return {name: count for name, count in json.loads(counts).items() if count not in (0, {})}


def check_step(step: Given, *known: str) -> None:
    check_keys(step, "at_us", "call", *known)


def moment(step: Given) -> float:
    return float(step["at_us"]) / 1_000_000


class Script:
    """Calls of a machine by their names."""

    def __init__(self) -> None:
        self.last: Given = {}

    def step(self, step: Given) -> Json:
        return getattr(self, step["call"])(step, moment(step))

    def answered(self, answer: ServiceAnswer) -> Json:
        self.heard(answer.status, answer.headers, answer.body)
        return {"answer": answer_json(answer)}

    def heard(self, status: int, headers: Headers, content: bytes = b"") -> None:
        """Keeps an answer for what reads it."""
        self.last = {"status": status, "headers": list(headers), "body": content.decode()}


# --- POST /v1/extract ---


class Extract(Script):
    def __init__(self, given: Given) -> None:
        super().__init__()
        check_keys(given, "config", "seed", "steps")
        known = ("occupied_us", "max_payload", "timeout_us")
        config = settings(given.get("config", {}), *known)
        self.service = ZyteApiService(seed=given["seed"], **config)
        self.queries: Json = None

    def request(self, step: Given, now: float) -> Json:
        request = self.request_of(step)
        found = self.service.handle_request(
            request.method, request.url, request.headers, request.body, now
        )
        if isinstance(found, ServiceAnswer):
            return self.answered(found)
        return {"fetch": wish_json(found)}

    def request_of(self, step: Given) -> Request:
        """A request: of the older vocabulary's query by the dialect, or as it is given."""
        if "query" in step:
            check_step(step, "query")
            self.queries = [step["query"]]
            return ExtractionApi("KEY", dialect="zyte_api").request(self.queries)
        check_step(step, "method", "url", "key", "headers", "body")
        headers = authorized(step, "Authorization")
        if "headers" not in step:
            headers.append(("Content-Type", "application/json"))
        url = step.get("url", "/v1/extract")
        return Request(step.get("method", "POST"), url, headers, body(step.get("body")))

    def fetched(self, step: Given, now: float) -> Json:
        check_step(step, "ticket", "page", "failure")
        outcome = step["failure"] if "failure" in step else page(step["page"])
        answer = self.service.handle_fetched(step["ticket"], outcome, now)
        return answer and self.answered(answer)

    def malformed(self, step: Given, now: float) -> Json:
        check_step(step)
        return self.answered(self.service.handle_malformed(now))

    def closed(self, step: Given, now: float) -> Json:
        check_step(step, "ticket")
        return self.service.handle_closed(step["ticket"], now)

    def poll(self, step: Given, now: float) -> Json:
        check_step(step)
        found = self.service.poll(now)
        if isinstance(found, ServiceAnswer):
            return {"ticket": found.ticket, **self.answered(found)}
        return None if found is None else {"wait_until_us": micros(found)}

    def read(self, step: Given, _now: float) -> Json:
        check_step(step, "query")
        queries = [step["query"]] if "query" in step else self.queries
        return run(EXTRACTION["zyte_api.results"], {**self.last, "queries": queries})

    def stats(self, step: Given, _now: float) -> Json:
        check_step(step)
        return stats_json(self.service.stats_json())


def page(given: Given) -> ZyteApiPage:
    check_keys(given, "url", "status", "headers", "body", "browser_html", "item")
    item = text(given["item"]) if "item" in given else None
    return ZyteApiPage(
        given["url"],
        given["status"],
        pairs(given.get("headers")),
        body(given.get("body")),
        browser_html=given.get("browser_html"),
        item=item,
    )


def wish_json(fetch: ZyteApiFetch) -> Json:
    if fetch.url is None:
        return {"ticket": fetch.ticket}
    return told(
        ticket=fetch.ticket,
        method=fetch.method,
        url=fetch.url,
        headers=headers_json(fetch.headers) or None,
        body=fetch.body.decode() or None,
        follow_redirects=fetch.follow_redirects,
        item=fetch.item,
        browser_html=fetch.browser_html,
    )


# --- proxy mode ---


class Proxy(Script):
    def __init__(self, given: Given) -> None:
        super().__init__()
        check_keys(given, "config", "seed", "steps")
        config = settings(
            given.get("config", {}),
            *("outgoing", "sessions_per_address", "max_sessions", "session_life_us"),
            *("session_idle_us", "session_bans", "retries", "max_redirects"),
            *("max_header_bytes", "max_body_bytes"),
        )
        self.service = ZyteProxyService(seed=given["seed"], **config)
        self.tunnel: ProxyTunnel | None = None

    def connect(self, step: Given, now: float) -> Json:
        check_step(step, "authority", "key", "headers")
        headers = authorized(step, "Proxy-Authorization")
        found = self.service.handle_connect(step["authority"], headers, now)
        if isinstance(found, ServiceAnswer):
            return self.answered(found)
        self.tunnel = found
        headers_shown = headers_json(found.headers)
        return {"tunnel": {"authority": found.authority, "headers": headers_shown}}

    def request(self, step: Given, now: float) -> Json:
        request = proxied(step)
        tunnel = self.tunnel if step.get("tunnelled") else None
        found = self.service.handle_request(
            request.method, request.url, request.headers, now, tunnel
        )
        return self.show(step, found)

    def responded(self, step: Given, now: float) -> Json:
        check_step(step, "ticket", "status", "headers", "body", "full")
        headers, start = pairs(step.get("headers")), body(step.get("body"))
        found = self.service.handle_responded(step["ticket"], step["status"], headers, start, now)
        return self.show(step, found)

    def failed(self, step: Given, now: float) -> Json:
        check_step(step, "ticket", "failure", "full")
        return self.show(step, self.service.handle_failed(step["ticket"], step["failure"], now))

    def finished(self, step: Given, now: float) -> Json:
        check_step(step, "ticket", "bytes")
        return self.service.handle_finished(step["ticket"], step["bytes"], now)

    def closed(self, step: Given, now: float) -> Json:
        check_step(step, "ticket")
        return self.service.handle_closed(step["ticket"], now)

    def api(self, step: Given, now: float) -> Json:
        check_step(step, "method", "path", "key", "headers")
        headers = authorized(step, "Authorization")
        return self.answered(self.service.handle_api(step["method"], step["path"], headers, now))

    def unreadable(self, step: Given, now: float) -> Json:
        check_step(step, "too_large")
        return self.answered(self.service.handle_unreadable(step["too_large"], now))

    def poll(self, step: Given, now: float) -> Json:
        check_step(step, "full")
        found = self.service.poll(now)
        if isinstance(found, ProxyFetch):
            return {"fetch": fetch_json(step, found)}
        return None if found is None else {"wait_until_us": micros(found)}

    def read(self, step: Given, _now: float) -> Json:
        check_step(step)
        return run(PROXY["zyte_api.proxy_read"], self.last)

    def stats(self, step: Given, _now: float) -> Json:
        check_step(step)
        return stats_json(self.service.stats_json())

    def show(self, step: Given, found: ServiceAnswer | ProxyFetch | ProxyRelay | ProxyWait) -> Json:
        match found:
            case ServiceAnswer():
                return self.answered(found)
            case ProxyFetch():
                return {"fetch": fetch_json(step, found)}
            case ProxyRelay():
                self.heard(found.status, found.headers)
                return {
                    "relay": told(
                        ticket=found.ticket,
                        status=found.status,
                        headers=headers_json(found.headers),
                        truncated=found.truncated,
                    )
                }
            case ProxyWait():
                return {"wait": found.ticket}


def proxied(step: Given) -> Request:
    """A request for a target: with options, as the dialect writes it, or as it is given."""
    check_step(step, "method", "url", "key", "headers", "options", "tunnelled", "full")
    method, url = step.get("method", "GET"), step.get("url", "http://example.com/")
    if "options" in step:
        target = Request(method, url, pairs(step.get("headers")))
        api = ProxyApi("KEY", dialect="zyte_api")
        return api.request(target, options(step["options"])).request
    if step.get("tunnelled"):
        return Request(method, url, pairs(step.get("headers")))
    return Request(method, url, authorized(step, "Proxy-Authorization"))


def fetch_json(step: Given, fetch: ProxyFetch) -> Json:
    """A fetch; its headers where the step asks for all of it."""
    shown = {
        "ticket": fetch.ticket,
        "outgoing": fetch.outgoing,
        "method": fetch.method,
        "url": fetch.url,
    }
    if step.get("full"):
        shown["headers"] = headers_json(fetch.headers)
        shown["timeout_us"] = micros(fetch.timeout)
        shown["inspect_body"] = fetch.inspect_body
    return shown


def script(machine: type[Extract | Proxy]) -> Callable[[Given], Json]:
    def operation(given: Given) -> Json:
        started = machine(given)
        return [run(started.step, step) for step in given["steps"]]

    return operation


OPERATIONS: dict[str, Callable[[Given], Json]] = {
    "service.zyte_api.extract": script(Extract),
    "service.zyte_api.proxy": script(Proxy),
}
