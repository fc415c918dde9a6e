"""The border of the proxy engine: objects, bytes, secrets, threads."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from silkline import (
    InvalidHeader,
    InvalidPool,
    InvalidProxiedRequest,
    InvalidProxyOptions,
    InvalidSessionId,
    InvalidSetting,
    InvalidSnapshot,
    NotSubmitted,
    ProxyApi,
    ProxyEngine,
    ProxyJobError,
    ProxyOptions,
    ProxyServiceError,
    Request,
    UnknownRequest,
)
from silkline.engine import (
    Abort,
    Idle,
    ProxyEndpoint,
    ProxyFinished,
    ProxyIncomplete,
    ProxySend,
    ProxySessionLost,
    ProxyStopped,
    WaitUntil,
)
from silkline.schedule import Budget, RetryPolicy, Rule

API = ProxyApi("secret-key")


def engine(**settings: Any) -> ProxyEngine:
    return ProxyEngine(API, **{"seed": 1, **settings})


def sent(machine: ProxyEngine, now: float = 0.0) -> ProxySend:
    output = machine.poll(now)
    assert isinstance(output, ProxySend), output
    return output


def finished(machine: ProxyEngine, now: float = 0.0) -> ProxyFinished:
    output = machine.poll(now)
    assert isinstance(output, ProxyFinished), output
    return output


def headers(session: str = "7", **more: str) -> dict[str, str]:
    return {"X-Crawlera-Session": session, "X-Crawlera-Version": "1", **more}


@pytest.mark.parametrize("size", [1, 100_000])
def test_a_body_is_the_callers_own_object(size: int) -> None:
    machine = engine()
    machine.submit_many(["http://a.example/", "http://b.example/"], 0.0)
    first, second = sent(machine), sent(machine)
    bodies = [bytes([number]) * size for number in range(2)]
    assert (
        machine.handle_response(first.request_id, 200, headers("1"), bodies[0], 1.0) == "accepted"
    )
    machine.handle_response(second.request_id, 403, headers("2"), bodies[1], 1.0)
    for number, status in enumerate((200, 403)):
        end = finished(machine, 1.0)
        assert end.response is not None
        assert end.response.body is bodies[number]
        assert (end.response.status, end.response.session) == (status, str(number + 1))
        assert (end.ok, end.error, end.attempts, end.billed) == (True, None, 1, 1)


def test_what_to_send_and_through_what() -> None:
    machine = engine(options=ProxyOptions(profile="desktop"), creation="call", warm_up=1)
    call = sent(machine)
    assert (call.kind, call.proxy, call.job, call.session) == ("create_session", None, None, None)
    assert (call.request.method, call.request.url) == ("POST", f"{API.endpoint}/sessions")
    machine.handle_response(call.request_id, 200, {}, b"77", 0.5)
    job = machine.submit("https://example.com/", 0.5, options=ProxyOptions(max_retries=0))
    send = sent(machine, 0.5)
    assert (send.kind, send.job, send.session, send.session_name) == ("fetch", job, "77", None)
    assert send.proxy is not None
    assert (send.proxy.url, send.proxy.authorization) == (API.endpoint, API.authorization())
    assert send.connect is not None
    assert send.connect.method == "CONNECT"
    assert send.request.headers["X-Crawlera-Profile"] == "desktop"
    assert send.request.headers["X-Crawlera-Max-Retries"] == "0"
    assert send.request is send.request
    for shown in (machine, send, send.proxy, send.request, send.connect):
        assert "secret" not in repr(shown)
        assert API.authorization() not in repr(shown)


def test_patterns_take_every_output_apart() -> None:
    def kind(output: object) -> str:
        match output:
            case ProxySend(request_id, request, ProxyEndpoint(url, _), None):
                return f"send {request_id} {request.url} {url == API.endpoint}"
            case ProxyFinished(job, key, None, error):
                return f"finished {job} {key} {error.code if error else None}"
            case ProxySessionLost(name, session, cause):
                return f"lost {name} {session} {cause}"
            case ProxyStopped(error):
                return f"stopped {error.code}"
            case Abort(request_id):
                return f"abort {request_id}"
            case WaitUntil(_, reason) | Idle(reason):
                return reason
        return "other"

    machine = engine(size=2)
    machine.submit("http://a.example/", 0.0, session="login", key="a")
    machine.submit("http://a.example/2", 0.0, session="login")
    assert [kind(output) for output in machine.poll_batch(0.0, 9)] == [
        "send 1 http://a.example/ True",
        "answers",
    ]
    machine.handle_response(1, 200, headers("5"), b"", 1.0)
    assert kind(machine.poll(1.0)) == "other"
    assert kind(machine.poll(1.0)) == "session_cooling"
    assert kind(machine.poll(20.0)) == "send 2 http://a.example/2 True"
    machine.handle_response(2, 400, {"X-Crawlera-Error": "bad_session_id"}, b"", 21.0)
    assert [kind(output) for output in machine.poll_batch(21.0, 9)] == [
        "lost login 5 gone",
        "finished 2 None session_lost",
        "empty",
    ]
    machine.submit("http://a.example/3", 21.0)
    assert kind(machine.poll(21.0)) == "send 3 http://a.example/3 True"
    machine.handle_response(3, 403, {"X-Crawlera-Error": "user_suspended"}, b"", 22.0)
    assert [kind(output) for output in machine.poll_batch(22.0, 9)] == [
        "stopped user_suspended",
        "stopped",
    ]
    machine.resume(22.0)
    send = sent(machine, 22.0)
    assert machine.cancel(3, 22.0)
    outputs = [kind(output) for output in machine.poll_batch(22.0, 2)]
    assert sorted(outputs) == [f"abort {send.request_id}", "finished 3 None job_cancelled"]


def test_every_error_of_a_job_is_an_exception_with_a_code() -> None:
    policy = RetryPolicy("smart_proxy")
    for name in ("ban", "target"):
        rule = policy.rule(name)
        policy = policy.with_rule(name, Rule(rule.wait, Budget("retries", 0)))
    machine = engine(policy=policy)
    machine.submit_many([f"http://{name}.example/" for name in "abc"], 0.0)
    ban, target, closed = (sent(machine) for _ in range(3))
    machine.handle_response(ban.request_id, 200, headers("1"), b"captcha", 1.0, banned=True)
    error = {"X-Crawlera-Error": "econnrefused"}
    machine.handle_response(target.request_id, 502, error, b"", 1.0)
    machine.close(1.0, 0)
    ends = {it.job: it for it in machine.poll_batch(1.0, 9) if isinstance(it, ProxyFinished)}
    assert closed.job is not None
    assert {job: end.error.code for job, end in ends.items() if end.error} == {
        ban.job: "job_banned",
        target.job: "econnrefused",
        closed.job: "job_closed",
    }
    assert isinstance(ends[1].error, ProxyJobError)
    assert ends[1].response is not None
    assert (ends[1].response.body, ends[1].response.status) == (b"captcha", 200)
    assert isinstance(ends[2].error, ProxyServiceError)
    with pytest.raises(NotSubmitted) as caught:
        machine.submit("http://a.example/", 1.0)
    assert (caught.value.code, machine.room) == ("engine_closed", 0)


def test_what_cannot_be_sent_is_refused_at_once() -> None:
    machine = engine()
    with pytest.raises(InvalidProxiedRequest):
        machine.submit("ftp://example.com/", 0.0)
    with pytest.raises(InvalidProxyOptions):
        machine.submit("http://example.com/", 0.0, options=ProxyOptions(session="7"))
    with pytest.raises(InvalidProxyOptions):
        engine(options=ProxyOptions(session="create"))
    with pytest.raises(InvalidHeader):
        machine.submit(Request("GET", "http://example.com/", {"a b": "c"}), 0.0)
    with pytest.raises(ValueError, match="no session to name"):
        machine.submit("http://example.com/", 0.0, session="a", outside_sessions=True)
    with pytest.raises(TypeError):
        machine.submit(7, 0.0)  # type: ignore[arg-type]
    with pytest.raises(InvalidPool):
        engine(size=0)
    with pytest.raises(InvalidSetting) as caught:
        engine(warm_up=5001)
    assert caught.value.setting == "warm_up"
    with pytest.raises(UnknownRequest):
        machine.handle_sent(1, 0.0)
    assert machine.stats().submitted == 0


def test_secrets_stay_out_of_a_snapshot_unless_asked_for() -> None:
    request = Request("POST", "http://a.example/", {"Cookie": "a=secret"}, b"secret body")
    for keep in (False, True):
        machine = engine(keep_secrets=keep)
        job = machine.submit(request, 0.0, key="k")
        saved = machine.snapshot(0.0)
        assert b"secret-key" not in saved
        assert (b"a=secret" in saved) is keep
        again = ProxyEngine.restore(API, saved, 5.0, None, keep_secrets=keep)
        if not keep:
            output = again.poll(5.0)
            assert isinstance(output, ProxyIncomplete), output
            assert (output.job, output.key, output.body) == (job, "k", True)
            assert output.headers == ["Cookie"]
            assert again.poll(5.0) == Idle("incomplete")
            assert again.supply(job, request, 5.0)
            assert not again.supply(job, request, 5.0)
        send = sent(again, 5.0)
        assert send.request.body == b"secret body"
        assert send.request.headers["Cookie"] == "a=secret"
    with pytest.raises(InvalidSnapshot):
        ProxyEngine.restore(API, b"{}", 0.0)


def test_sessions_rest_as_long_as_their_domain_says() -> None:
    machine = engine(size=1, delay=5, domain_delays={"slow.example": 50}, margin=None)
    machine.submit_many(["http://www.slow.example/", "http://b.example/"], 0.0)
    machine.handle_response(sent(machine).request_id, 200, headers(), b"", 1.0)
    assert isinstance(machine.poll(1.0), ProxyFinished)
    assert machine.poll(1.0) == WaitUntil(51.0, "session_cooling")
    assert sent(machine, 51.0).session == "7"


def test_what_follows_a_request_stays_in_its_session() -> None:
    machine = engine(delay=1, margin=None)
    machine.submit_many(["http://a.example/", "http://b.example/"], 0.0)
    for session, send in zip("12", [sent(machine), sent(machine)], strict=True):
        machine.handle_response(send.request_id, 200, headers(session), b"", 0.5)
    assert [it.ok for it in (finished(machine, 0.5), finished(machine, 0.5))] == [True, True]
    for _ in range(2):
        machine.submit("http://a.example/next", 5.0, stay_in="2")
    send = sent(machine, 5.0)
    assert (send.session, send.session_name) == ("2", None)
    with pytest.raises(InvalidSessionId):
        machine.submit("http://a.example/", 5.0, stay_in="..")
    with pytest.raises(ValueError, match="none to stay in"):
        machine.submit("http://a.example/", 5.0, stay_in="2", outside_sessions=True)
    with pytest.raises(ValueError, match="not both"):
        machine.submit("http://a.example/", 5.0, stay_in="2", session="a")


def test_named_sessions_end_when_told_to() -> None:
    machine = engine()
    machine.submit("http://a.example/", 0.0, session="login")
    machine.handle_response(sent(machine).request_id, 200, headers("5"), b"", 1.0)
    assert finished(machine, 1.0).ok
    assert machine.end_session("login", 1.0)
    assert not machine.end_session("login", 1.0)
    call = sent(machine, 1.0)
    assert (call.kind, call.session) == ("delete_session", "5")


def test_threads_share_an_engine() -> None:
    """Each job ends exactly once, whoever submits, sends, answers and looks."""
    jobs, workers = 200, 4
    machine = engine(size=5000, concurrency=64, delay=0)
    ends: list[ProxyFinished] = []
    broken: list[BaseException] = []
    done = threading.Event()

    def guarded(run: Any) -> threading.Thread:
        def call() -> None:
            try:
                run()
            except BaseException as error:  # noqa: BLE001
                broken.append(error)
                done.set()

        return threading.Thread(target=call)

    def submit(part: int) -> None:
        for number in range(jobs // workers):
            machine.submit(f"http://{number}.example/{part}", 0.0)

    def drive() -> None:
        while not done.is_set():
            for output in machine.poll_batch(0.0, 8):
                match output:
                    case ProxySend(request_id, request):
                        session = output.session or f"s{request_id}"
                        # Small bodies are taken with the interpreter held, big ones without.
                        body = request.url.encode() * (5000 if request_id % 20 == 0 else 1)
                        machine.handle_response(request_id, 200, headers(session), body, 0.0)
                    case ProxyFinished(_, _, response):
                        assert response is not None
                        assert response.body.startswith(output.request.url.encode())
                        ends.append(output)
            if len(ends) >= jobs:
                done.set()

    def look() -> None:
        while not done.is_set():
            machine.stats()
            machine.snapshot(0.0)

    threads = [guarded(lambda part=part: submit(part)) for part in range(workers)]
    threads += [guarded(drive) for _ in range(workers)] + [guarded(look)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "the threads wait for each other"
    assert not broken, broken
    assert sorted(end.job for end in ends) == list(range(1, jobs + 1))
    assert machine.stats().succeeded == jobs
