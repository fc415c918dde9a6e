"""The operations of `engine` on the proxy engine, for the vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from silkline import ProxyApi, ProxyEngine, Request
from silkline.engine import (
    Abort,
    Idle,
    ProxyFinished,
    ProxyIncomplete,
    ProxySend,
    ProxySessionLost,
    ProxyStopped,
    WaitUntil,
)
from vectors import Given, Json, body, check_keys, headers_json, micros, pairs, run, told
from vectors_proxy import options
from vectors_schedule import maybe_seconds, policy, pool_settings, seconds


def config(given: Given) -> Given:
    check_keys(
        given,
        *("pool", "creation", "warm_up", "delay_us", "domain_delays_us", "concurrency"),
        *("call_concurrency", "queue_size", "deadline_us", "policy", "options", "requeue"),
        *("keep_secrets", "adopt_all", "delete_on_close"),
    )
    config: Given = {}
    for name, value in given.items():
        match name:
            case "pool":
                config |= pool_settings(value)
            case "delay_us" | "deadline_us":
                config[name.removesuffix("_us")] = seconds(value)
            case "domain_delays_us":
                delays = {domain: seconds(delay) for domain, delay in value.items()}
                config["domain_delays"] = delays
            case "policy":
                check_keys(value, "preset", "rules")
                config["policy"] = policy(value)
            case "options":
                config["options"] = options(value)
            case _:
                config[name] = value
    return config


def target(given: Json) -> Request | str:
    """A request: a URL, or an object with more."""
    if isinstance(given, str):
        return given
    check_keys(given, "method", "url", "headers", "body")
    headers, content = pairs(given.get("headers")), body(given.get("body"))
    return Request(given.get("method", "GET"), given["url"], headers, content)


def job(step: Given) -> Given:
    match step.get("session"):
        case None:
            found: Given = {}
        case "outside":
            found = {"outside_sessions": True}
        case {"stay": str(session)}:
            check_keys(step["session"], "stay")
            found = {"stay_in": session}
        case named:
            check_keys(named, "name", "replace")
            found = {"session": named["name"], "replace_session": named.get("replace", False)}
    found |= {name: step[name] for name in ("priority", "key") if name in step}
    return found | ({"options": options(step["options"])} if "options" in step else {})


class Run:
    """A run of the proxy engine."""

    def __init__(self, given: Given) -> None:
        check_keys(given, "config", "seed", "now_us", "steps", "dialect")
        self.api = ProxyApi("key", dialect=given.get("dialect", "smart_proxy_manager"))
        self.config = config(given.get("config") or {})
        self.engine = ProxyEngine(
            self.api, **self.config, seed=given["seed"], now=seconds(given["now_us"])
        )

    def step(self, step: Given) -> Json:
        return getattr(self, f"step_{step['call']}")(step, seconds(step["at_us"]))

    def step_submit(self, step: Given, now: float) -> Json:
        check_keys(step, "at_us", "call", "job", "options", "session", "priority", "key")
        return self.engine.submit(target(step["job"]), now, **job(step))

    def step_supply(self, step: Given, now: float) -> Json:
        check_keys(step, "at_us", "call", "id", "job")
        return self.engine.supply(step["id"], target(step["job"]), now)

    def step_cancel(self, step: Given, now: float) -> Json:
        check_keys(step, "at_us", "call", "id")
        return self.engine.cancel(step["id"], now)

    def step_end_session(self, step: Given, now: float) -> Json:
        check_keys(step, "at_us", "call", "name")
        return self.engine.end_session(step["name"], now)

    def step_poll(self, step: Given, now: float) -> Json:
        check_keys(step, "at_us", "call")
        return show(self.engine.poll(now))

    def step_drain(self, step: Given, now: float) -> Json:
        check_keys(step, "at_us", "call", "most")
        return list(map(show, self.engine.poll_batch(now, step.get("most", 1_000))))

    def step_sent(self, step: Given, now: float) -> Json:
        check_keys(step, "at_us", "call", "request")
        return self.engine.handle_sent(step["request"], now)

    def step_respond(self, step: Given, now: float) -> Json:
        check_keys(
            step, "at_us", "call", "request", "status", "headers", "body", "banned", "connect"
        )
        return self.engine.handle_response(
            step["request"],
            step["status"],
            pairs(step.get("headers")),
            body(step.get("body")),
            now,
            banned=step.get("banned", False),
            connect=step.get("connect", False),
        )

    def step_fail(self, step: Given, now: float) -> Json:
        check_keys(step, "at_us", "call", "request", "failure")
        return self.engine.handle_failure(step["request"], step["failure"], now)

    def step_stats(self, step: Given, _: float) -> Json:
        """The numbers that are not zero."""
        check_keys(step, "at_us", "call")
        stats = self.engine.stats()
        names = {name for name in dir(stats) if not name.startswith("_")} - {"pool"}
        numbers = {name: int(getattr(stats, name)) for name in names}
        numbers["sessions"] = stats.pool.sessions
        return {name: value for name, value in numbers.items() if value}

    def step_resume(self, step: Given, now: float) -> Json:
        check_keys(step, "at_us", "call")
        self.engine.resume(now)

    def step_close(self, step: Given, now: float) -> Json:
        check_keys(step, "at_us", "call", "grace_us")
        self.engine.close(now, seconds(step.get("grace_us", 0)))

    def step_restart(self, step: Given, now: float) -> Json:
        """The process ends, and another one goes on at `to_us` of its own clock."""
        check_keys(step, "at_us", "call", "to_us", "downtime_us")
        saved = self.engine.snapshot(now)
        downtime = maybe_seconds(step.get("downtime_us"))
        to = seconds(step["to_us"])
        self.engine = ProxyEngine.restore(self.api, saved, to, downtime, **self.config)
        return {"has_secret": b"secret" in saved}


def show(
    output: ProxySend
    | Abort
    | ProxyFinished
    | ProxyIncomplete
    | ProxySessionLost
    | ProxyStopped
    | WaitUntil
    | Idle,
) -> Json:
    match output:
        case ProxySend():
            return {"send": send_json(output)}
        case Abort(request_id):
            return {"abort": request_id}
        case ProxyFinished():
            return {"finished": finished_json(output)}
        case ProxyIncomplete(job, key, request):
            shown = told(
                job=job,
                key=key,
                url=request.url,
                headers=headers_json(request.headers),
                missing_headers=output.headers,
                missing_body=output.body,
                missing_url=output.url,
            )
            return {"incomplete": shown}
        case ProxySessionLost(name, session, cause):
            return {"session_lost": {"name": name, "session": session, "cause": cause}}
        case ProxyStopped(error):
            return {"stopped": error.code}
        case WaitUntil(at, reason):
            return {"wait_until": {"at_us": micros(at), "reason": reason}}
        case Idle(reason):
            return {"idle": reason}


def send_json(send: ProxySend) -> Json:
    """What a send says; of its request, method, URL and the header of its session."""
    requests = [send.request] if send.connect is None else [send.request, send.connect]
    names = ("X-Crawlera-Session", "Zyte-Session-ID")
    found = (request.headers.get(name) for request in requests for name in names)
    header = next((value for value in found if value is not None), None)
    return told(
        request=send.request_id,
        kind=send.kind,
        job=send.job,
        method=send.request.method,
        url=send.request.url,
        connect=send.connect and send.connect.url,
        proxy=send.proxy and send.proxy.url,
        session_header=header,
        session=send.session,
        session_name=send.session_name,
        deadline_us=micros(send.deadline),
    )


def finished_json(finished: ProxyFinished) -> Json:
    fetched = finished.response if finished.ok else None
    return told(
        job=finished.job,
        key=finished.key,
        url=finished.request.url,
        error=finished.error and finished.error.code,
        request=fetched and fetched.request_id,
        status=fetched and fetched.status,
        session=fetched and fetched.session,
        outgoing=fetched and fetched.outgoing,
        attempts=finished.attempts,
        billed=finished.billed,
        possibly_billed=finished.possibly_billed,
        elapsed_us=micros(finished.elapsed),
    )


def proxy(given: Given) -> Json:
    engine = Run(given)
    return [run(engine.step, step) for step in given["steps"]]


OPERATIONS: dict[str, Callable[[Given], Any]] = {"engine.proxy.run": proxy}
