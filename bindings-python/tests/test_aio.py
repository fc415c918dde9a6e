"""The asyncio client and the blocking one, against the sandbox."""

from __future__ import annotations

import asyncio
import gc
import json
import math
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import aiohttp
import httpx
import pytest

from quick import FAULTS, pages, queries, quick_policy
from silkline import InvalidQuery, Query, Request, ServiceError
from silkline.aio import (
    AccountRefused,
    AiohttpTransport,
    Answer,
    Extractor,
    HttpxTransport,
    OutOfBudget,
    QuerySource,
    Transport,
)
from silkline.engine import ExtractionFinished
from silkline.sandbox import Sandbox


async def collect(client: Extractor, source: QuerySource, found: list[ExtractionFinished]) -> None:
    async for outcome in client.results(source):
        found.append(outcome)  # noqa: PERF401 -- they count if an exception follows


def extractor(box: Sandbox, **options: Any) -> Extractor:
    given = {"endpoint": box.extraction_url, "rate": math.inf, "policy": quick_policy(), **options}
    return Extractor("KEY", **given)


@pytest.mark.parametrize("transport", ["aiohttp", "httpx"])
@pytest.mark.parametrize("batch_size", [1, 7])
def test_each_query_has_one_outcome_whatever_happens(transport: str, batch_size: int) -> None:
    async def main() -> list[ExtractionFinished]:
        async with (
            Sandbox(rate=math.inf, faults=FAULTS, occupied={"s3.example": 1}) as box,
            extractor(box, transport=transport, batch_size=batch_size) as client,
        ):
            outcomes = [outcome async for outcome in client.results(queries(300))]
            stats = client.stats()
            assert (stats.succeeded, stats.queued, stats.requests_in_flight) == (300, 0, 0)
            assert stats.retries >= 10
            usage = stats.usage
            # What a dropped connection cost, nobody can tell.
            assert usage.billed <= box.stats()["billed"] <= usage.billed + usage.unknown
            assert usage.unknown <= 11 * batch_size
        return outcomes

    with pages():
        outcomes = asyncio.run(main())
    assert Counter(outcome.query.url for outcome in outcomes) == {
        query["url"]: 1 for query in queries(300)
    }
    for outcome in outcomes:
        assert outcome.ok
        assert outcome.error is None
        assert outcome.result is not None
        assert outcome.result.item == {"url": outcome.query.url}
        assert outcome.attempts >= 1
        assert outcome.billed == 1


def test_failures_are_data_with_their_cost() -> None:
    async def main() -> None:
        async with (
            Sandbox(rate=math.inf, blacklist=["no.example"]) as box,
            extractor(box) as client,
        ):
            urls = ["http://a.example/missing", "http://no.example/"]
            found = {
                outcome.query.url: outcome
                async for outcome in client.results(Query(url, "article") for url in urls)
            }
            missing, refused = (found[url] for url in urls)
            assert missing.error is not None
            assert refused.error is not None
            assert (missing.error.code, missing.billed) == ("downloader_http", 1)
            assert refused.billed == 0
            assert missing.result is not None
            assert json.loads(bytes(missing.result.raw or b""))["error"] == str(missing.error)

    with pages():
        asyncio.run(main())


def test_nothing_is_taken_from_the_source_before_there_is_room() -> None:
    taken = 0
    most = 0

    def source() -> Iterator[Query]:
        nonlocal taken
        for number in range(100_000):
            taken += 1
            yield Query(f"http://s{number % 9}.example/{number}", "article")

    async def main() -> None:
        nonlocal most
        async with Sandbox(rate=math.inf) as box, extractor(box, queue_size=50) as client:
            done = 0
            async with aclosing(client.results(source())) as results:
                async for _ in results:
                    done += 1
                    most = max(most, taken - done)
                    if done == 300:
                        await asyncio.sleep(0.5)  # a reader that rests
                    if done == 400:
                        break
            stats = client.stats()
            assert stats.submitted == taken
            assert stats.queued + stats.requests_in_flight == 0

    with pages():
        asyncio.run(main())
    assert most <= 50
    assert taken <= 450


def test_async_sources_and_results_of_what_comes_later() -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def source() -> AsyncIterator[dict[str, Any]]:
            yield queries(1)[0]
            await gate.wait()
            yield queries(2)[1]

        async with Sandbox(rate=math.inf) as box, extractor(box) as client:
            found = []
            async for outcome in client.results(source()):
                found.append(outcome.query.url)
                gate.set()  # so the first came while the source was waiting
            assert found == [query["url"] for query in queries(2)]

    with pages():
        asyncio.run(asyncio.wait_for(main(), 20))


def test_an_error_of_the_source_comes_after_the_outcomes() -> None:
    async def main() -> None:
        async with Sandbox(rate=math.inf) as box, extractor(box) as client:
            found: list[ExtractionFinished] = []
            wrong = {"url": "x", "pageType": "article"}
            with pytest.raises(InvalidQuery):
                await collect(client, [*queries(5), wrong], found)
            assert len(found) == 5
            failing = (query for query in queries(5) if 1 // (query["url"][-1] < "3"))
            with pytest.raises(ZeroDivisionError):
                await collect(client, failing, found)
            assert len(found) == 8
            with pytest.raises(TypeError):
                await collect(client, wrong, found)  # type: ignore[arg-type]

    with pages():
        asyncio.run(main())


def test_iterations_share_one_pace() -> None:
    async def main() -> None:
        async with Sandbox(rate=math.inf) as box, extractor(box, rate=50) as client:

            async def read(number: int) -> int:
                found = [
                    outcome
                    async for outcome in client.results(
                        Query(f"http://{number}.example/{page}", "article") for page in range(20)
                    )
                ]
                assert all(f"//{number}." in outcome.query.url for outcome in found)
                return len(found)

            before = time.monotonic()
            assert await asyncio.gather(*map(read, range(5))) == [20] * 5
            assert time.monotonic() - before >= 99 / 50

    with pages():
        asyncio.run(main())


def test_a_reader_that_rests_does_not_stop_another() -> None:
    async def main() -> None:
        async with Sandbox(rate=math.inf) as box, extractor(box, queue_size=5) as client:
            first = client.results(queries(50))
            await anext(first)
            assert len([1 async for _ in client.results(queries(30))]) == 30
            assert len([1 async for _ in first]) == 49

    with pages():
        asyncio.run(asyncio.wait_for(main(), 30))


@pytest.mark.parametrize("transport", ["aiohttp", "httpx"])
def test_cancelling_and_leaving_leave_nothing_behind(transport: str) -> None:
    async def main() -> None:
        async with Sandbox(rate=math.inf) as box:
            before = asyncio.all_tasks()
            async with extractor(box, transport=transport) as client:

                async def read() -> None:
                    async for _ in client.results(queries(100)):
                        pass

                task = asyncio.create_task(read())
                await asyncio.sleep(0.3)
                assert client.stats().requests_in_flight > 0
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                await asyncio.sleep(0.1)
                stats = client.stats()
                assert (stats.requests_in_flight, stats.queued, stats.cancelled) == (0, 0, 100)
                assert stats.usage.unknown == stats.requests
            with pytest.raises(RuntimeError):
                await anext(client.results([]))
            for _ in range(100):  # the sandbox's side notices that the connections are closed
                if asyncio.all_tasks() <= before:
                    break
                await asyncio.sleep(0.02)
            assert asyncio.all_tasks() <= before

    with pages(seconds=60), warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(main(), debug=True)
        gc.collect()


def test_closing_ends_iterations_with_what_they_have() -> None:
    async def main() -> None:
        async with Sandbox(rate=math.inf) as box:
            client = extractor(box, rate=20)
            codes: Counter[str] = Counter()

            async def read() -> None:
                async for outcome in client.results(queries(100)):
                    codes["ok" if outcome.error is None else outcome.error.code] += 1

            async with client:
                task = asyncio.create_task(read())
                await asyncio.sleep(0.6)
                await client.close(grace=10)
                await task
            stats = client.stats()
            assert codes == {"ok": stats.succeeded, "job_closed": stats.closed}
            assert stats.succeeded == stats.requests > 5  # what was under way was waited for
            assert sum(codes.values()) == 100

    with pages(seconds=0.5):
        asyncio.run(main())


def test_a_grace_that_passes_gives_up() -> None:
    async def main() -> float:
        async with Sandbox(rate=math.inf) as box, extractor(box) as client:
            task = asyncio.create_task(anext(client.results(queries(1))))
            await asyncio.sleep(0.3)
            before = time.monotonic()
            await client.close(grace=0.5)
            outcome = await task
            assert outcome.error is not None
            assert (outcome.error.code, outcome.possibly_billed) == ("job_closed", 1)
            return time.monotonic() - before

    with pages(seconds=60):
        assert 0.4 < asyncio.run(main()) < 5


def test_a_refused_account_is_raised_after_the_outcomes() -> None:
    faults = [
        {"when": {"request": 11}, "then": {"problem": "account-disabled", "status": 403}},
    ]

    async def main() -> None:
        async with (
            Sandbox(rate=math.inf, faults=json.dumps(faults)) as box,
            extractor(box, concurrency=1) as client,
        ):
            found: list[ExtractionFinished] = []
            with pytest.raises(AccountRefused) as caught:
                await collect(client, queries(30), found)
            error = caught.value
            assert isinstance(error, ServiceError)
            assert error.status == 403
            assert error.retry == "account"
            assert len(found) == 10
            assert len(error.unfinished) == 20
            done = {outcome.query.url for outcome in found}
            left = [query for query in queries(30) if query["url"] not in done]
            assert list(error.unfinished) == left
            with pytest.raises(AccountRefused):
                await anext(client.results(queries(1)))
            client.resume()
            assert len([1 async for _ in client.results(error.unfinished)]) == 20

    with pages():
        asyncio.run(main())


def test_a_bad_key_is_refused() -> None:
    async def main() -> None:
        async with (
            Sandbox(rate=math.inf, keys=["OTHER"]) as box,
            Extractor("WRONG-SECRET", endpoint=box.extraction_url) as client,
        ):
            with pytest.raises(AccountRefused) as caught:
                await anext(client.results(queries(3)))
            assert (caught.value.status, len(caught.value.unfinished)) == (401, 3)
            assert "WRONG" not in repr(caught.value) + repr(vars(caught.value))

    asyncio.run(main())


def test_the_cap_is_kept() -> None:
    async def main() -> None:
        async with Sandbox(rate=math.inf) as box, extractor(box, cap=12, batch_size=5) as client:
            found: list[ExtractionFinished] = []
            with pytest.raises(OutOfBudget) as caught:
                await collect(client, queries(30), found)
            assert (len(found), len(caught.value.unfinished)) == (12, 18)
            assert box.stats()["billed"] == 12
            client.start_cycle()
            assert len([1 async for _ in client.results(queries(12))]) == 12

    with pages():
        asyncio.run(main())


def test_an_occupied_domain_does_not_slow_the_others() -> None:
    rate, others, each = 50, 10, 10

    async def main() -> float:
        mixed = [
            {"url": f"http://{name}.example/{number}", "pageType": "article"}
            for number in range(each)
            for name in ["busy", *(f"s{index}" for index in range(others))]
        ]
        async with (
            Sandbox(rate=math.inf, occupied={"busy.example": 60}) as box,
            Extractor("KEY", endpoint=box.extraction_url, rate=rate) as client,
        ):
            left = others * each
            before = time.monotonic()
            async with aclosing(client.results(mixed)) as results:
                async for outcome in results:
                    assert outcome.ok
                    left -= 1
                    if not left:
                        break
            assert client.stats().occupied >= 1
            return time.monotonic() - before

    with pages():
        took = asyncio.run(main())
    # A query of the occupied domain finds out; hardly more than that is lost.
    assert took < (others * each + 5) / rate + 1


def test_the_clients_own_limits_are_off() -> None:
    async def main() -> None:
        with pages(seconds=1.0):
            async with Sandbox(rate=math.inf) as box:
                # More requests than the connections of any client, and time limits of a session.
                short = aiohttp.ClientTimeout(total=0.2)
                async with aiohttp.ClientSession(timeout=short) as session:
                    own: list[Transport] = [AiohttpTransport(session), AiohttpTransport()]
                    async with httpx.AsyncClient(timeout=0.2) as client:
                        own += [HttpxTransport(client), HttpxTransport()]
                        for transport in own:
                            async with extractor(box, transport=transport) as extract:
                                async for outcome in extract.results(queries(1)):
                                    assert outcome.ok
                                    assert outcome.attempts == 1
                        assert not client.is_closed
                    assert not session.closed
                async with extractor(box, concurrency=250) as extract:
                    task = asyncio.create_task(anext(extract.results(queries(250))))
                    await task
                    assert extract.stats().requests == 250

    asyncio.run(main())


def test_a_request_that_never_left_costs_nothing() -> None:
    async def main() -> None:
        for transport in ("aiohttp", "httpx"):
            endpoint = "http://127.0.0.1:9/v1/extract"
            async with Extractor("KEY", endpoint=endpoint, transport=transport) as client:
                task = asyncio.create_task(anext(client.results(queries(1))))
                await asyncio.sleep(0.5)
                stats = client.stats()
                assert (stats.requests, stats.waiting, stats.usage.queries) == (1, 1, 0)
                task.cancel()

    asyncio.run(main())


def test_a_transport_with_a_bug_is_told() -> None:
    class Broken:
        async def start(self) -> None: ...

        async def send(self, request: Request) -> Answer:
            raise KeyError(request.method)

        async def close(self) -> None: ...

    async def main() -> None:
        async with Extractor("KEY", transport=Broken()) as client:
            with pytest.raises(RuntimeError, match="POST"):
                await anext(client.results(queries(2)))

    asyncio.run(asyncio.wait_for(main(), 10))


def test_wrong_settings_are_told() -> None:
    for wrong in (
        {"transport": "carrier pigeon"},
        {"queue_size": 0},
        {"batch_size": 101},
        {"rate": 0},
    ):
        with pytest.raises(ValueError, match=r"transport|queue_size|batch_size|rate"):
            Extractor("KEY", **wrong)

    async def main() -> None:
        with pytest.raises(RuntimeError):
            await anext(Extractor("KEY").results([]))

    asyncio.run(main())


# --- imports --------------------------------------------------------------------------------------


def test_the_import_needs_no_client() -> None:
    program = """
import sys
sys.modules.update(aiohttp=None, httpx=None, tqdm=None)
import silkline, silkline.aio, silkline.blocking, silkline.cli
silkline.cli.parser()
try:
    silkline.blocking.Extractor("KEY").__enter__()
except ModuleNotFoundError as error:
    print(error.name)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "aiohttp\n"
