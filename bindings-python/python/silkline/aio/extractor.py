"""The client."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from silkline import ExtractionApi, ExtractionEngine, Query
from silkline.engine import ExtractionFinished, ExtractionStats, ExtractionUnmatched

from .extraction_driver import AnyQuery, ExtractionDriver
from .transports import Transport, named

if TYPE_CHECKING:
    from typing_extensions import Self

    from silkline.schedule import Rate, RetryPolicy

_log = logging.getLogger("silkline.aio")

QuerySource: TypeAlias = "Iterable[AnyQuery] | AsyncIterable[AnyQuery]"
"""Where queries come from: `silkline.Query` objects, or mappings in the service's own spelling."""

_NO_LIMIT = 1e6
# A source that never waits gives way to other tasks after so many queries.
_TURN = 50
_END = object()


class Extractor:
    """Extracts pages, for as long as the block lasts.

    >>> import asyncio
    >>> from silkline.aio import Extractor
    >>> async def main(key, endpoint):
    ...     async with Extractor(key, endpoint=endpoint, rate=5, concurrency=100) as extractor:
    ...         query = {"url": "https://example.com/", "pageType": "article"}
    ...         async for outcome in extractor.results([query]):
    ...             if outcome.ok:
    ...                 print(outcome.result.item)
    ...             else:
    ...                 print(outcome.error.code, outcome.attempts, outcome.billed)

    With ``dialect="zyte_api"`` the same queries go to the successor, and its answers come back as
    if they were the older service's.

    What is left out is as `silkline.ExtractionEngine` has it; ``rate`` may be ``math.inf``, and
    ``cap`` is how many queries may be billed. ``transport`` is ``"aiohttp"``, ``"httpx"``, or any
    `Transport`. ``queue_size`` is how many queries each `results` takes from its source ahead of
    what its reader took out: more queries keep a crawl of many domains at pace, and cost memory.
    ``grace`` is how many seconds queries under way may take when the block is left.
    ``on_unmatched`` is called with each result that belongs to no query; left out, it is logged.
    """

    def __init__(
        self,
        api_key: str,
        *,
        endpoint: str | None = None,
        dialect: Literal["automatic_extraction", "zyte_api"] = "automatic_extraction",
        rate: float | Rate | None = None,
        burst: int | None = None,
        concurrency: int | None = None,
        batch_size: int | None = None,
        deadline: float | None = None,
        policy: RetryPolicy | None = None,
        cap: int | None = None,
        queue_size: int = 1_000,
        transport: str | Transport = "aiohttp",
        grace: float = 0.0,
        seed: int | None = None,
        on_unmatched: Callable[[ExtractionUnmatched], object] | None = None,
    ) -> None:
        if queue_size < 1:
            raise ValueError(f"queue_size is {queue_size}, it must be at least 1")
        self._engine = ExtractionEngine(
            ExtractionApi(api_key, endpoint, dialect),
            rate=_NO_LIMIT if rate == math.inf else rate,
            burst=burst,
            concurrency=concurrency,
            batch_size=batch_size,
            deadline=deadline,
            policy=policy,
            cap=cap,
            seed=seed,
        )
        self._queue_size = queue_size
        self._transport = named(transport) if isinstance(transport, str) else transport
        self._grace = grace
        self._on_unmatched = on_unmatched or _warn
        self._driver: ExtractionDriver | None = None
        self._streams: set[_Stream] = set()
        self._closing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._driver is not None:
            raise RuntimeError("an extractor is entered once")
        await self._transport.start()
        self._driver = ExtractionDriver(self._engine, self._transport, self._on_unmatched)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close(0.0 if error is not None else self._grace)

    async def close(self, grace: float = 0.0) -> None:
        """Takes and sends nothing more, and gives up what is under way after so many seconds.

        Iterations that are going on end with what they took in: with results, or with the error
        ``job_closed``. A second call can shorten the grace of the first.
        """
        if self._driver is None:
            return
        for stream in self._streams:
            stream.stop_feeding()
        self._driver.close(grace)
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._close(self._driver))
        try:
            await asyncio.shield(self._closing)
        except asyncio.CancelledError:
            self._driver.close(0.0)
            await self._closing
            raise

    async def _close(self, driver: ExtractionDriver) -> None:
        try:
            await driver.closed()
        finally:
            await self._transport.close()

    def stats(self) -> ExtractionStats:
        """The engine's numbers, of all iterations together."""
        return self._engine.stats()

    def resume(self) -> None:
        """Goes on after `AccountRefused`, as if the account were well again."""
        self._entered().resume()

    def start_cycle(self) -> None:
        """Begins a billing cycle: what was billed counts no longer against the cap."""
        self._entered().start_cycle()

    async def results(
        self, queries: QuerySource, *, queue_size: int | None = None
    ) -> AsyncGenerator[ExtractionFinished, None]:
        """Gives the outcome of each query as soon as it is there, in any order.

        Queries are taken from the source when there is room for them. A plain iterable must not
        block. Several iterations at a time share one pace. When the account is refused, or the cap
        is reached, `AccountRefused` or `OutOfBudget` is raised after the outcomes that are there;
        an exception of the source is raised after the outcomes of what it had given. Leaving the
        iteration cancels what it waits for: best with `contextlib.aclosing`.
        """
        if isinstance(queries, (str, bytes, Query, Mapping)):
            raise TypeError("results() takes an iterable of queries, not a single one")
        stream = _Stream(self._entered(), queue_size or self._queue_size)
        self._streams.add(stream)
        try:
            stream.start(queries)
            while (outcome := await stream.next()) is not None:
                yield outcome
        finally:
            self._streams.discard(stream)
            await stream.close()

    def _entered(self) -> ExtractionDriver:
        if self._driver is None:
            raise RuntimeError("an extractor works inside of its `async with` block")
        if self._closing is not None:
            raise RuntimeError("the extractor is closed")
        return self._driver


def _warn(unmatched: ExtractionUnmatched) -> None:
    error = unmatched.result.error
    code = error.code if error is not None else "no error"
    _log.warning("a result belongs to no query: %s, %s", code, unmatched.result.url)


class _Stream:
    """One iteration: its source, its jobs, and the outcomes that nobody took yet."""

    def __init__(self, driver: ExtractionDriver, size: int) -> None:
        self._driver = driver
        self._size = size
        self._jobs: dict[int, AnyQuery] = {}
        self._outcomes: deque[ExtractionFinished] = deque()
        self._space = asyncio.Event()
        self._ready = asyncio.Event()
        self._end: Exception | None = None
        self._fed = False
        self.feeder: asyncio.Task[None] | None = None

    # --- the source ---------------------------------------------------------------------------

    def start(self, queries: QuerySource) -> None:
        self.feeder = asyncio.get_running_loop().create_task(self._follow(queries))

    async def _follow(self, queries: QuerySource) -> None:
        try:
            if isinstance(queries, AsyncIterable):
                await self._feed_slow(queries)
            else:
                await self._feed(queries)
        except asyncio.CancelledError:
            pass
        except Exception as error:  # noqa: BLE001 -- the reader's, after the outcomes
            self._end = self._end or error
        finally:
            self._fed = True
            self._ready.set()

    async def _feed(self, queries: Iterable[AnyQuery]) -> None:
        iterator = iter(queries)
        turn = 0
        while True:
            await self._room()
            query: Any = next(iterator, _END)
            if query is _END:
                return
            self._submit(query)
            turn += 1
            if turn % _TURN == 0:
                await asyncio.sleep(0)

    async def _feed_slow(self, queries: AsyncIterable[AnyQuery]) -> None:
        iterator = aiter(queries)
        while True:
            await self._room()
            try:
                query = await anext(iterator)
            except StopAsyncIteration:
                return
            self._submit(query)

    async def _room(self) -> None:
        while len(self._jobs) + len(self._outcomes) >= self._size or not self._driver.has_room(
            self
        ):
            self._space.clear()
            await self._space.wait()

    def _submit(self, query: AnyQuery) -> None:
        self._jobs[self._driver.submit(query, self)] = query

    def stop_feeding(self) -> None:
        """Takes nothing more from the source."""
        if self.feeder is not None:
            self.feeder.cancel()

    # --- what the driver says -----------------------------------------------------------------

    def finished(self, outcome: ExtractionFinished) -> None:
        self._jobs.pop(outcome.job, None)
        self._outcomes.append(outcome)
        self._ready.set()

    def halted(self, reason: Callable[[tuple[AnyQuery, ...]], Exception]) -> None:
        self._end = reason(tuple(self._jobs.values()))
        self._drop()
        self.stop_feeding()
        self._ready.set()

    def room_made(self) -> None:
        self._space.set()

    # --- the reader ---------------------------------------------------------------------------

    async def next(self) -> ExtractionFinished | None:
        while not self._outcomes:
            if self._fed and not self._jobs:
                if self._end is not None:
                    raise self._end
                return None
            self._ready.clear()
            await self._ready.wait()
        outcome = self._outcomes.popleft()
        self._space.set()
        return outcome

    def _drop(self) -> None:
        jobs = list(self._jobs)
        self._jobs.clear()
        self._driver.forget(self, jobs)

    async def close(self) -> None:
        self._drop()
        if self.feeder is not None:
            self.feeder.cancel()
            await asyncio.gather(self.feeder, return_exceptions=True)
