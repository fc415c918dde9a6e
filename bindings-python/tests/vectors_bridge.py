"""The operations of `bridge`, for the vectors: the older services' words on one side, Zyte API's on
the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import silkline
from silkline import ExtractionApi, Query, Result, ServiceError, SilklineError
from silkline.bridge import BridgedQuery, BridgeRelay, BridgeSend, BridgeTunnel, ProxyBridge
from silkline.service import ExtractionService, FetchQuery, ServiceAnswer, ServiceFetch
from vectors import Given, Json, body, check_keys, headers_json, pairs, request_json, run, told
from vectors_service import answer_json, authorized, check_step, moment, stats_json

API = ExtractionApi("NEW-KEY", dialect="zyte_api")


# --- the Automatic Extraction API ---


def extraction(given: Given) -> Json:
    """The requests that go to Zyte API for a request of a program, and the program's answer, given
    what Zyte API says to each."""
    check_keys(given, "seed", "key", "headers", "queries", "body", "upstream")
    front = ExtractionService(seed=given["seed"])
    headers = [*authorized(given, "Authorization"), ("Content-Type", "application/json")]
    content = body({"json": given["queries"]} if "queries" in given else given["body"])
    step = front.handle_request("POST", "/v1/extract", headers, content, 0.0)
    replies = iter(given.get("upstream", []))
    sent: list[Json] = []
    if isinstance(step, ServiceFetch):
        told_to = (
            front.handle_fetched(step.ticket, query.index, bridged(query, sent, replies), 0.0)
            for query in step.queries
        )
        step = next(answer for answer in told_to if answer is not None)
    assert next(replies, None) is None, "more was said than asked"
    counts = json.loads(front.stats_json())
    return {
        "upstream": sent,
        "answer": versionless(answer_json(step)),
        "billed": counts["billed"],
        "unbilled": counts["unbilled"],
    }


def versionless(answer: Json) -> Json:
    """Without the version of the algorithms that results name, which is that of this library."""
    version = json.dumps(silkline.__version__)
    return json.loads(json.dumps(answer).replace(version, '"VERSION"'))


def bridged(query: FetchQuery, sent: list[Json], replies: Iterator[Given]) -> BridgedQuery:
    try:
        found = asked(query, sent, replies)
    except ServiceError as error:
        return BridgedQuery.of_error(error.code, str(error), error.retry_after)
    except SilklineError as error:
        return BridgedQuery.of_error(error.code, str(error))
    if isinstance(found, str):
        return BridgedQuery.of_error(found, "no answer")
    return BridgedQuery.of_result(found)


def asked(query: FetchQuery, sent: list[Json], replies: Iterator[Given]) -> Result | str:
    """The result, or the code of an error that left no answer."""
    newer = Query(
        query.url,
        query.page_type,
        full_html=query.full_html or None,
        custom_html=query.custom_html,
        dialect="zyte_api",
    )
    sent.append(request_json(API.request([newer])))
    reply = next(replies)
    check_keys(reply, "status", "headers", "body", "failure")
    if "failure" in reply:
        return str(reply["failure"])
    headers, content = pairs(reply.get("headers")), body(reply.get("body"))
    return API.results([newer], reply["status"], headers, content)[0]


# --- Smart Proxy Manager ---


class Proxy:
    def __init__(self, given: Given) -> None:
        check_keys(given, "upstream", "keys", "seed", "steps")
        upstream, keys = given.get("upstream"), given.get("keys")
        self.bridge = ProxyBridge("NEW-KEY", upstream, keys=keys, seed=given["seed"])
        self.tunnel: BridgeTunnel | None = None

    def step(self, step: Given) -> Json:
        found = getattr(self, step["call"])(step, moment(step))
        return {"answer": answer_json(found)} if isinstance(found, ServiceAnswer) else found

    def connect(self, step: Given, now: float) -> Json:
        check_step(step, "authority", "key", "headers")
        headers = authorized(step, "Proxy-Authorization")
        found = self.bridge.handle_connect(step["authority"], headers, now)
        if not isinstance(found, BridgeTunnel):
            return found
        self.tunnel = found
        headers_shown = headers_json(found.headers)
        return {"tunnel": {"authority": found.authority, "headers": headers_shown}}

    def request(self, step: Given, now: float) -> Json:
        check_step(step, "method", "url", "key", "headers", "tunnelled")
        method, url = step.get("method", "GET"), step.get("url", "http://example.com/")
        tunnel = self.tunnel if step.get("tunnelled") else None
        headers = authorized(step, "Proxy-Authorization")
        if tunnel is not None:
            headers = pairs(step.get("headers"))
        found = self.bridge.handle_request(method, url, headers, now, tunnel)
        return {"send": send_json(found)} if isinstance(found, BridgeSend) else found

    def response(self, step: Given, now: float) -> Json:
        check_step(step, "ticket", "status", "headers", "body")
        headers, start = pairs(step.get("headers")), body(step.get("body"))
        found = self.bridge.handle_response(step["ticket"], step["status"], headers, start, now)
        if not isinstance(found, BridgeRelay):
            return found
        return {"pass": {"status": found.status, "headers": headers_json(found.headers)}}

    def connect_refused(self, step: Given, now: float) -> Json:
        check_step(step, "ticket", "status", "headers")
        headers = pairs(step.get("headers"))
        return self.bridge.handle_connect_refused(step["ticket"], step["status"], headers, now)

    def failed(self, step: Given, now: float) -> Json:
        check_step(step, "ticket", "failure")
        return self.bridge.handle_failed(step["ticket"], step["failure"], now)

    def closed(self, step: Given, now: float) -> Json:
        check_step(step, "ticket")
        return self.bridge.handle_closed(step["ticket"], now)

    def api(self, step: Given, now: float) -> Json:
        check_step(step, "method", "path", "key", "headers")
        headers = authorized(step, "Authorization")
        return self.bridge.handle_api(step["method"], step["path"], headers, now)

    def unreadable(self, step: Given, now: float) -> Json:
        check_step(step, "too_large")
        return self.bridge.handle_unreadable(step["too_large"], now)

    def stats(self, step: Given, _now: float) -> Json:
        check_step(step)
        return stats_json(self.bridge.stats_json())


def send_json(send: BridgeSend) -> Json:
    connect = send.connect_headers
    return told(
        ticket=send.ticket,
        method=send.method,
        url=send.url,
        headers=headers_json(send.headers),
        connect_headers=None if connect is None else headers_json(connect),
    )


def proxy(given: Given) -> Json:
    bridge = Proxy(given)
    return [run(bridge.step, step) for step in given["steps"]]


OPERATIONS: dict[str, Callable[[Given], Json]] = {
    "bridge.extraction": extraction,
    "bridge.proxy": proxy,
}
