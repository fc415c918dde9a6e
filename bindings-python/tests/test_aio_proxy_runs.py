"""Whole runs of the async client for sessions: how they end, sources of any length, other threads."""

from __future__ import annotations

import asyncio
import doctest
import gc
import importlib
import inspect
import time
import tracemalloc
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from conftest import Web
from quick_proxy import TRANSPORTS, client, counts, sandbox, service
from silkline import (
    InvalidProxiedRequest,
    NotSubmitted,
    ProxyJobError,
    Request,
)
from silkline.aio import (
    Outcome,
    SessionProxy,
)
from silkline.sandbox import Sandbox


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_cancelling_and_leaving_leave_nothing_behind(
    web: Web, ca_directory: Path, transport: str
) -> None:
    async def main() -> None:
        async with sandbox(ca_directory) as box:
            before = asyncio.all_tasks()
            async with client(box, transport=transport) as proxy:
                tasks = [
                    asyncio.create_task(proxy.get(f"{url}/slow/60"))
                    for url in (web.http, web.https)
                    for _ in range(5)
                ]
                await asyncio.sleep(0.5)
                assert proxy.stats().in_flight == 10
                for task in tasks:
                    task.cancel()
                assert all(
                    isinstance(end, asyncio.CancelledError)
                    for end in await asyncio.gather(*tasks, return_exceptions=True)
                )
                await asyncio.sleep(0.1)
                stats = proxy.stats()
                assert (stats.in_flight, stats.unfinished, stats.cancelled) == (0, 0, 10)
                async with aclosing(proxy.results([f"{web.http}/headers"] * 50)) as results:
                    async for _ in results:
                        break
            with pytest.raises(RuntimeError):
                await proxy.get(web.http)
            assert proxy.stats().unfinished == 0
            for _ in range(200):  # the sandbox's side notices that the connections are closed
                if asyncio.all_tasks() <= before:
                    break
                await asyncio.sleep(0.02)
            assert asyncio.all_tasks() <= before

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        asyncio.run(main(), debug=True)
        gc.collect()
    # The sandbox's own connections are not asked about: they leave from other addresses.
    texts = [str(warning.message) for warning in told]
    mine = [text for text in texts if "transport" not in text and "laddr=(" not in text]
    assert mine + [text for text in texts if "laddr=('127.0.0.1'" in text] == []


def test_closing_deletes_sessions_and_ends_what_waits(web: Web, ca_directory: Path) -> None:
    async def main() -> None:
        async with sandbox(ca_directory) as box:
            proxy = client(box, sessions=2)
            async with proxy:
                under_way = [
                    asyncio.create_task(proxy.get(f"{web.http}/slow/0.5")) for _ in range(2)
                ]
                waiting = [asyncio.create_task(proxy.get(web.http)) for _ in range(3)]
                await asyncio.sleep(0.2)
                await proxy.close(grace=10)
                assert [(await task).status for task in under_way] == [200, 200]
                for task in waiting:
                    with pytest.raises(ProxyJobError) as caught:
                        await task
                    assert caught.value.code == "job_closed"
            stats = counts(box)
            assert (stats["sessions_created"], stats["sessions_deleted"]) == (2, 2)
            async with client(box, keep_sessions=True) as keeping:
                await keeping.get(web.http)
            assert counts(box)["sessions_living"] == 1

    asyncio.run(main())


def test_a_service_that_does_not_answer_does_not_keep_the_program(web: Web) -> None:
    answer = b"HTTP/1.1 200 OK\r\nX-Crawlera-Session: 7\r\nX-Crawlera-Version: 1\r\nContent-Length: 0\r\n\r\n"

    async def main() -> float:
        async with service(answer, b"") as (url, seen):
            async with SessionProxy("KEY", endpoint=url, delete_timeout=0.3) as proxy:
                await proxy.get(web.http)
                held = asyncio.create_task(proxy.get(web.http, session="a"))
                await asyncio.sleep(0.1)
                before = time.monotonic()
            with pytest.raises(ProxyJobError):
                await held
            assert any(head.startswith("DELETE /sessions/7 ") for head in seen)
            return time.monotonic() - before

    assert asyncio.run(main()) < 2


def test_a_full_queue_makes_requests_wait(web: Web, ca_directory: Path) -> None:
    async def main() -> None:
        async with sandbox(ca_directory) as box, client(box, sessions=5) as proxy:
            proxy._engine = proxy._entered()._engine = proxy._entered()._machine = small(box)
            calls = [asyncio.create_task(proxy.get(f"{web.http}/slow/0.1")) for _ in range(20)]
            await asyncio.sleep(0.05)
            assert proxy.stats().unfinished == 4
            calls.pop().cancel()
            assert all(response.ok for response in await asyncio.gather(*calls))
            blocked = [asyncio.create_task(proxy.get(f"{web.http}/slow/5")) for _ in range(6)]
            await asyncio.sleep(0.05)
            await proxy.close()
            ends = await asyncio.gather(*blocked, return_exceptions=True)
            kinds = Counter(type(end) for end in ends)
            assert kinds == {ProxyJobError: 4, NotSubmitted: 2}

    def small(box: Sandbox) -> Any:
        from silkline import ProxyApi, ProxyEngine

        return ProxyEngine(ProxyApi("KEY", box.proxy_url), queue_size=4, delay=0)

    asyncio.run(main())


def test_results_of_a_source_of_any_length(web: Web, ca_directory: Path) -> None:
    taken = most = 0

    def source() -> Iterator[Any]:
        nonlocal taken
        while True:
            taken += 1
            url = f"{web.http}/bytes/50000?{taken}"
            yield [url, Request("GET", url), {"url": url, "session": "a"}][taken % 3]

    async def main() -> None:
        nonlocal most
        done = 0
        peaks = []
        async with sandbox(ca_directory) as box, client(box, sessions=50) as proxy:
            async with aclosing(proxy.results(source(), queue_size=40)) as results:
                async for outcome in results:
                    done += 1
                    most = max(most, taken - done)
                    assert outcome.ok
                    assert outcome.response is not None
                    assert len(outcome.response.body) == 50_000
                    if done == 150:
                        await asyncio.sleep(0.3)  # a reader that rests
                    if done == 300:
                        gc.collect()
                        tracemalloc.start()
                    if done > 300 and done % 100 == 0:
                        gc.collect()
                        peaks.append(tracemalloc.get_traced_memory()[1])
                        tracemalloc.reset_peak()
                    if done == 1000:
                        break
            tracemalloc.stop()
            assert proxy.stats().unfinished == 0
        # 35 MB of bodies went through; what is held does not grow with them.
        assert max(peaks) < 15_000_000
        assert max(peaks[4:]) < 1.5 * max(peaks[:4])

    asyncio.run(main())
    assert most <= 40


def test_failures_of_a_source_and_in_it(web: Web, ca_directory: Path) -> None:
    async def main() -> None:
        async with sandbox(ca_directory) as box, client(box) as proxy:

            async def source() -> AsyncIterator[Any]:
                yield f"{web.http}/status/404"
                yield "ftp://example.com/"
                yield {"url": f"{web.http}/headers", "method": "POST", "json": [1]}

            found = {str(outcome.target): outcome async for outcome in proxy.results(source())}
            assert len(found) == 3
            missing, refused, posted = (found[key] for key in found)
            errors = {type(it.error) for it in found.values()}
            assert errors == {type(None), InvalidProxiedRequest}
            assert sum(it.ok for it in (missing, refused, posted)) == 1

            async def read(requests: Any, into: list[Outcome]) -> None:
                async for outcome in proxy.results(requests):
                    into.append(outcome)  # noqa: PERF401 -- they count if an exception follows

            outcomes: list[Outcome] = []
            with pytest.raises(ZeroDivisionError):
                await read((web.http for n in range(5) if 6 // (3 - n)), outcomes)
            assert len(outcomes) == 3
            with pytest.raises(TypeError, match="no argument 'colour'"):
                await read([{"url": web.http, "colour": 1}], outcomes)
            wrongs: list[Any] = [web.http, {"url": web.http}, Request("GET", web.http)]
            for wrong in wrongs:
                with pytest.raises(TypeError):
                    proxy.results(wrong)

    asyncio.run(main())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_more_requests_than_a_client_has_connections(
    web: Web, ca_directory: Path, transport: str
) -> None:
    async def main() -> None:
        async with (
            sandbox(ca_directory) as box,
            client(box, sessions=150, concurrency=150, transport=transport) as proxy,
        ):
            calls = [asyncio.create_task(proxy.get(f"{web.http}/slow/60")) for _ in range(150)]
            for _ in range(600):
                if counts(box)["requests"] == 150:
                    break
                await asyncio.sleep(0.05)
            assert counts(box)["requests"] == 150
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    asyncio.run(main())


def test_wrong_settings_are_told() -> None:
    wrongs: list[dict[str, Any]]
    wrongs = [{"transport": "pigeon"}, {"queue_size": 0}, {"sessions": 0}, {"concurrency": 0}]
    for wrong in wrongs:
        with pytest.raises(ValueError, match=next(iter(wrong)).removesuffix("s") + "|pool size"):
            SessionProxy("KEY", **wrong)

    async def main() -> None:
        with pytest.raises(RuntimeError):
            await SessionProxy("KEY").get("http://example.com/")

    asyncio.run(main())


# --- documentation --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["redirects", "proxy_requests", "response", "session_proxy"])
def test_the_examples_of_the_docstrings(name: str) -> None:
    module = importlib.import_module(f"silkline.aio.{name}")
    assert doctest.testmod(module).failed == 0
    for public in module.__all__:
        item = getattr(module, public)
        assert inspect.getdoc(item)
        for member, value in vars(item).items() if inspect.isclass(item) else ():
            if callable(value) and not member.startswith("_"):
                assert inspect.getdoc(value), member
