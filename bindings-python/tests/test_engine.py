"""The border of the engines: objects, bytes, types, threads."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from silkline import (
    ExtractionApi,
    ExtractionEngine,
    ExtractionJobError,
    InvalidRate,
    InvalidSetting,
    NotSubmitted,
    Query,
    QueryError,
    Request,
    Result,
    ServiceError,
    UnknownRequest,
)
from silkline.engine import (
    Abort,
    ExtractionFinished,
    ExtractionSend,
    ExtractionStopped,
    Idle,
    WaitUntil,
)
from silkline.schedule import Rate, RetryPolicy

API = ExtractionApi("secret-key")
JSON = {"Content-Type": "application/json"}


def page(number: int) -> dict[str, str]:
    return {"url": f"https://example.com/{number}", "pageType": "article"}


def engine(**settings: Any) -> ExtractionEngine:
    return ExtractionEngine(API, **{"rate": 1_000_000, "burst": 1_000_000, "seed": 1, **settings})


def answer(send: ExtractionSend, *, size: int = 1) -> bytes:
    results = [
        {"query": {"userQuery": query}, "article": {"headline": query["url"], "body": "x" * size}}
        for query in json.loads(send.request.body)
    ]
    return json.dumps(results).encode()


def sent(machine: ExtractionEngine, now: float = 0.0) -> ExtractionSend:
    output = machine.poll(now)
    assert isinstance(output, ExtractionSend), output
    return output


def finished(machine: ExtractionEngine, now: float = 0.0) -> ExtractionFinished:
    output = machine.poll(now)
    assert isinstance(output, ExtractionFinished), output
    return output


@pytest.mark.parametrize("size", [1, 200_000])
def test_results_are_views_of_the_callers_own_bytes(size: int) -> None:
    machine = engine(batch_size=3)
    machine.submit_many(map(page, range(3)), 0.0)
    send = sent(machine)
    body = answer(send, size=size)
    assert machine.handle_response(send.request_id, 200, JSON, body, 1.0) == "accepted"
    ends = [finished(machine, 1.0) for _ in range(3)]
    for number, end in enumerate(ends):
        assert end.ok
        assert end.query == Query(page(number)["url"], "article")
        assert end.result is not None
        assert end.result.query is end.query
        assert end.result.item_bytes is not None
        assert end.result.item_bytes.obj is body
        assert end.result.item is not None
        assert end.result.item["headline"] == page(number)["url"]
        assert (end.attempts, end.billed, end.possibly_billed, end.elapsed) == (1, 1, 0, 1.0)
        assert end.error is None


def test_bodies_of_all_kinds_are_kept_until_their_events_are_out() -> None:
    machine = engine()
    machine.submit_many(map(page, range(3)), 0.0)
    sends = [sent(machine) for _ in range(3)]
    bodies = [answer(send) for send in sends]
    machine.handle_response(sends[0].request_id, 200, JSON, bytearray(bodies[0]), 0.0)
    machine.handle_response(sends[1].request_id, 200, JSON, memoryview(bodies[1]), 0.0)
    machine.handle_response(sends[2].request_id, 200, JSON, bodies[2], 0.0)
    saved = machine.snapshot(0.0)
    again = ExtractionEngine.restore(API, saved, 0.0)
    for found in (machine, again):
        for number, body in enumerate(bodies):
            result = finished(found).result
            assert result is not None
            assert result.raw is not None
            assert bytes(result.raw) == body[1:-1], number
    assert b"secret-key" not in saved
    assert "secret-key" not in repr(machine) + repr(sends[0])


def test_every_error_of_a_job_has_a_code() -> None:
    machine = engine(policy=RetryPolicy())
    machine.submit_many(map(page, range(4)), 0.0)
    sends = [sent(machine) for _ in range(4)]
    url = json.loads(sends[0].request.body)
    error = json.dumps([{"query": {"userQuery": url[0]}, "error": "malformed URL"}]).encode()
    machine.handle_response(sends[0].request_id, 200, JSON, error, 0.0)
    machine.handle_response(sends[1].request_id, 413, {}, b"", 0.0)
    assert machine.cancel(3, 0.0)
    assert not machine.cancel(3, 0.0)
    machine.handle_failure(sends[3].request_id, "timeout", 0.0)
    machine.close(0.0, 5)
    outputs = machine.poll_batch(0.0, 64)
    ends = {it.job: it for it in outputs if isinstance(it, ExtractionFinished)}
    assert isinstance(ends[1].error, QueryError)
    assert ends[1].result is not None
    assert ends[1].result.error == ends[1].error
    assert isinstance(ends[2].error, ServiceError)
    assert (ends[2].error.status, ends[2].error.usage.unbilled) == (413, 1)
    assert isinstance(ends[3].error, ExtractionJobError)
    assert [ends[job].error.code for job in (1, 2, 3, 4)] == [  # type: ignore[union-attr]
        "malformed_url",
        "error_body_empty",
        "job_cancelled",
        "job_closed",
    ]
    assert Abort(sends[2].request_id) in outputs
    assert outputs[-1] == Idle("closed")
    late = machine.handle_response(sends[2].request_id, 200, JSON, answer(sends[2]), 1.0)
    assert late == "late"
    with pytest.raises(NotSubmitted) as caught:
        machine.submit(page(1), 1.0)
    assert (caught.value.code, machine.room) == ("engine_closed", 0)


def test_patterns_take_every_output_apart() -> None:
    def kind(output: object) -> str:
        match output:
            case ExtractionSend(request_id, request):
                return f"send {request_id} {request.method}"
            case ExtractionFinished(job, key, None, error):
                return f"finished {job} {key} {error.code if error else None}"
            case Abort(request_id):
                return f"abort {request_id}"
            case ExtractionStopped(error):
                return f"stopped {error.code}"
            case WaitUntil(at, "answers"):
                return f"wait {at}"
            case Idle(reason):
                return f"idle {reason}"
        return "other"

    machine = engine(deadline=10)
    machine.submit(page(0), 0.0, key="a")
    machine.submit(page(1), 0.0)
    found = [kind(output) for output in machine.poll_batch(0.0, 64)]
    assert found == ["send 1 POST", "send 2 POST", "wait 10.0"]
    machine.cancel(1, 0.0)
    machine.handle_response(2, 401, {}, b"", 0.0)
    assert [kind(output) for output in machine.poll_batch(0.0, 64)] == [
        "finished 1 a job_cancelled",
        "abort 1",
        "stopped error_body_empty",
        "idle stopped",
    ]
    machine.resume(0.0)
    assert kind(machine.poll(0.0)) == "send 3 POST"


def test_queries_requests_and_errors_are_taken_apart_too() -> None:
    machine = engine()
    machine.submit(page(0), 0.0)
    match sent(machine).request:
        case Request(method, url, headers, body):
            assert (method, url) == ("POST", API.endpoint)
            assert headers["Content-Type"] == "application/json"
            query = json.loads(body)[0]
    error = json.dumps([{"query": {"userQuery": query}, "error": "malformed URL"}]).encode()
    machine.handle_response(1, 200, JSON, error, 0.0)
    match machine.poll(0.0):
        case ExtractionFinished(1, None, Result(query=Query(url, "article")), QueryError(code, _)):
            assert (url, code) == (query["url"], "malformed_url")
        case other:
            raise AssertionError(other)


def test_a_batch_of_outputs_ends_at_its_length_or_with_a_rest() -> None:
    machine = engine()
    machine.submit_many(map(page, range(5)), 0.0)
    assert [len(machine.poll_batch(0.0, most)) for most in (0, 2, 2, 9)] == [0, 2, 2, 2]


def test_the_order_is_by_priority_and_keys_are_any_text() -> None:
    machine = engine()
    low = machine.submit(page(0), 0.0, priority=-1)
    high = machine.submit(page(1), now=0.0, priority=2**31 - 1, key="é \ud800")
    assert low in machine
    assert 99 not in machine
    assert json.loads(sent(machine).request.body)[0]["url"].endswith("/1")
    assert machine.cancel(high, 0.0)
    assert finished(machine).key == "é \ufffd"


def test_settings_are_the_cores_to_judge() -> None:
    for settings in ({"concurrency": 0}, {"queue_size": 0}, {"batch_size": 101}):
        with pytest.raises(InvalidSetting) as caught:
            engine(**settings)
        assert caught.value.setting == next(iter(settings))
    for rate in (0, -1, float("nan"), float("inf")):
        with pytest.raises(InvalidRate):
            engine(rate=rate)
    with pytest.raises(InvalidRate):
        engine(burst=0)
    for name in ("deadline", "now"):
        with pytest.raises(ValueError, match="must be a number of seconds"):
            engine(**{name: -1})
    assert engine(rate=Rate(1, 3)).poll(0) == Idle("empty")
    with pytest.raises(ValueError, match="`lost` is none of: network, not_sent, timeout"):
        engine().handle_failure(1, "lost", 0.0)  # type: ignore[arg-type]
    with pytest.raises(UnknownRequest) as unknown:
        engine().handle_sent(2**64 - 1, 0.0)
    assert unknown.value.id == 2**64 - 1


def test_a_wrong_query_in_the_middle_leaves_those_before_it() -> None:
    machine = engine()
    with pytest.raises(TypeError):
        machine.submit_many([page(0), 7, page(1)], 0.0)  # type: ignore[list-item]
    assert machine.stats().submitted == 1
    assert machine.submit_many([page(2)], 0.0) == [2]


def test_an_iterator_may_call_the_engine() -> None:
    machine = engine()

    def pages() -> Any:
        for number in range(3):
            machine.submit(page(100 + number), 0.0, priority=1)
            yield page(number)

    assert machine.submit_many(pages(), 0.0) == [2, 4, 6]


def test_values_compare_and_can_be_pickled() -> None:
    for value in (Abort(3), WaitUntil(1.5, "rate"), Idle("closed")):
        again = pickle.loads(pickle.dumps(value))
        assert again == value
        assert hash(again) == hash(value)
    assert WaitUntil(1.5, "rate") != WaitUntil(1.5, "budget")
    with pytest.raises(ValueError, match="`never` is none of"):
        Idle("never")  # type: ignore[arg-type]


def test_threads_share_an_engine() -> None:
    """Each job ends exactly once, whoever submits, sends, answers, cancels and looks."""
    jobs, workers = 400, 4
    machine = engine(concurrency=64, batch_size=4)
    ends: list[ExtractionFinished] = []
    broken: list[BaseException] = []
    done = threading.Event()

    def guarded(run: Any) -> Any:
        def call() -> None:
            try:
                run()
            except BaseException as error:  # noqa: BLE001
                broken.append(error)
                done.set()

        return threading.Thread(target=call)

    def submit(part: int) -> None:
        for number in range(jobs // workers):
            machine.submit(page(part * jobs + number), 0.0, key=f"{part}-{number}")
        machine.submit_many(map(page, range(part * jobs, part * jobs + 10)), 0.0)

    def drive() -> None:
        while not done.is_set():
            for output in machine.poll_batch(0.0, 8):
                match output:
                    case ExtractionSend(request_id, _):
                        # Small ones are read with the interpreter held, big ones without.
                        size = 100_000 if request_id % 20 == 0 else 1
                        body = answer(output, size=size)
                        machine.handle_response(request_id, 200, JSON, body, 0.0)
                    case ExtractionFinished():
                        assert output.result is not None
                        assert output.result.item is not None
                        assert output.result.item["headline"] == output.query.url
                        ends.append(output)
            if len(ends) >= jobs + 10 * workers:
                done.set()

    def look() -> None:
        while not done.is_set():
            machine.stats()
            machine.snapshot(0.0)
            repr(machine)
            gc.collect()

    threads = [guarded(lambda part=part: submit(part)) for part in range(workers)]
    threads += [guarded(drive) for _ in range(workers)] + [guarded(look)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "the threads wait for each other"
    assert not broken, broken
    assert sorted(end.job for end in ends) == list(range(1, jobs + 10 * workers + 1))
    assert machine.stats().succeeded == len(ends)


def test_the_documented_driver_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[1] / "docs" / "engines.md").read_text()
    _, _, rest = page.partition("```python\n")
    program, _, _ = rest.partition("```")
    asked: list[str] = []

    def request(_: str, url: str, *, data: bytes, **options: Any) -> SimpleNamespace:
        assert url == ExtractionApi.DEFAULT_ENDPOINT
        assert 600 < options["timeout"] <= 605
        [query] = json.loads(data)
        asked.append(query["url"])
        if query["url"].endswith("/1") and asked.count(query["url"]) == 1:
            return SimpleNamespace(status_code=413, headers={}, content=b"")
        result = [{"query": {"userQuery": query}, "article": {"headline": "A"}}]
        return SimpleNamespace(
            status_code=200, headers=options["headers"], content=json.dumps(result).encode()
        )

    client = SimpleNamespace(request=request, RequestException=OSError)
    monkeypatch.setitem(sys.modules, "requests", client)
    exec(compile(program, "engines.md", "exec"), {})
    assert sorted(capsys.readouterr().out.splitlines()) == [
        "https://example.com/0 {'headline': 'A'}",
        "https://example.com/1 error_body_empty 1 0",
        "https://example.com/2 {'headline': 'A'}",
    ]


def test_stub_literals_are_the_names_of_the_core() -> None:
    """Each name in the stub is one that the core takes."""
    for preset in ("aggressive", "default", "smart_proxy", "zyte_api"):
        policy = RetryPolicy(preset)
        assert repr(policy) == f"RetryPolicy('{preset}')"
        assert copy.deepcopy(policy) == copy.copy(policy) == policy
        assert copy.deepcopy(policy.rule("ban")) == policy.rule("ban")
    assert RetryPolicy("zyte_api_aggressive") == RetryPolicy("aggressive")
    with pytest.raises(ValueError, match="none of") as caught:
        policy.rule("other")  # type: ignore[arg-type]
    names = str(caught.value).partition(": ")[2].split(", ")
    assert len(names) == 12
    for name in names:
        policy.rule(name)  # type: ignore[arg-type]
