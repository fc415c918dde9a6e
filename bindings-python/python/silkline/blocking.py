"""The same as `silkline.aio` for programs without asyncio.

>>> from silkline.blocking import Extractor
>>> def main(urls, key, endpoint):
...     with Extractor(key, endpoint=endpoint) as extractor:
...         queries = ({"url": url, "pageType": "article"} for url in urls)
...         for outcome in extractor.results(queries):
...             print(outcome.query.url, outcome.result.item if outcome.ok else outcome.error.code)
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable
from concurrent.futures import Future
from contextlib import aclosing
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from silkline import aio

if TYPE_CHECKING:
    from typing_extensions import Self

    from silkline.aio.driver import AnyQuery
    from silkline.engine import ExtractionFinished, ExtractionStats, ExtractionUnmatched
    from silkline.schedule import Rate, RetryPolicy

__all__ = ["Extractor"]

_T = TypeVar("_T")
_END = object()


class Extractor:
    """Extracts pages, for as long as the block lasts: `silkline.aio.Extractor` on a thread.

    It takes the same arguments. Threads may share it.
    """

    def __init__(
        self,
        api_key: str,
        *,
        endpoint: str | None = None,
        rate: float | Rate | None = None,
        burst: int | None = None,
        concurrency: int | None = None,
        batch_size: int | None = None,
        deadline: float | None = None,
        policy: RetryPolicy | None = None,
        cap: int | None = None,
        queue_size: int = 1_000,
        transport: str | aio.Transport = "aiohttp",
        grace: float = 0.0,
        seed: int | None = None,
        on_unmatched: Callable[[ExtractionUnmatched], object] | None = None,
    ) -> None:
        self._queue_size = queue_size
        self._extractor = aio.Extractor(
            api_key,
            endpoint=endpoint,
            rate=rate,
            burst=burst,
            concurrency=concurrency,
            batch_size=batch_size,
            deadline=deadline,
            policy=policy,
            cap=cap,
            queue_size=queue_size,
            transport=transport,
            grace=grace,
            seed=seed,
            on_unmatched=on_unmatched,
        )
        self._grace = grace
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        started: Future[asyncio.AbstractEventLoop] = Future()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._main(started)), name="silkline", daemon=True
        )
        self._thread.start()
        self._loop = started.result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        loop, self._loop = self._loop, None
        if loop is None or self._thread is None:
            return
        grace = 0.0 if error is not None else self._grace
        try:
            asyncio.run_coroutine_threadsafe(self._extractor.close(grace), loop).result()
        finally:
            loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    async def _main(self, started: Future[asyncio.AbstractEventLoop]) -> None:
        try:
            await self._extractor.__aenter__()
        except BaseException as error:  # noqa: BLE001 -- raised where it was asked for
            started.set_exception(error)
            return
        started.set_result(asyncio.get_running_loop())
        await self._stop.wait()

    def close(self, grace: float = 0.0) -> None:
        """Takes and sends nothing more, and gives up what is under way after so many seconds."""
        self._call(self._extractor.close(grace))

    def stats(self) -> ExtractionStats:
        """The engine's numbers, of all iterations together."""
        return self._extractor.stats()

    def resume(self) -> None:
        """Goes on after `silkline.aio.AccountRefused`, as if the account were well again."""
        self._call(_made_async(self._extractor.resume))

    def start_cycle(self) -> None:
        """Begins a billing cycle: what was billed counts no longer against the cap."""
        self._call(_made_async(self._extractor.start_cycle))

    def results(
        self, queries: Iterable[AnyQuery], *, queue_size: int | None = None
    ) -> Generator[ExtractionFinished, None, None]:
        """Gives the outcome of each query as soon as it is there, in any order.

        The source is read in the calling thread, when there is room for its queries and no outcome
        to give. For the rest see `silkline.aio.Extractor.results`.
        """
        room = queue_size or self._queue_size
        out: queue.SimpleQueue[tuple[ExtractionFinished | None, BaseException | None]]
        out = queue.SimpleQueue()
        loop = self._running()
        given: asyncio.Queue[Any] = self._call(_made_async(asyncio.Queue))
        pump = self._pump(_source(given), room, out)
        reading = asyncio.run_coroutine_threadsafe(pump, loop)
        iterator = iter(queries)
        fed = False
        try:
            while True:
                while not fed and room and out.empty():
                    query: Any = next(iterator, _END)
                    fed = query is _END
                    room -= 1
                    loop.call_soon_threadsafe(given.put_nowait, query)
                outcome, error = out.get()
                if error is not None:
                    raise error
                if outcome is None:
                    return
                room += 1
                yield outcome
                # A reader slower than the service must not leave the engine without queries.
                if not fed and room and not out.empty():
                    query = next(iterator, _END)
                    fed = query is _END
                    room -= 1
                    loop.call_soon_threadsafe(given.put_nowait, query)
        finally:
            reading.cancel()

    async def _pump(
        self,
        source: AsyncGenerator[AnyQuery, None],
        size: int,
        out: queue.SimpleQueue[tuple[ExtractionFinished | None, BaseException | None]],
    ) -> None:
        try:
            async with aclosing(self._extractor.results(source, queue_size=size)) as results:
                async for outcome in results:
                    out.put((outcome, None))
            out.put((None, None))
        except BaseException as error:
            out.put((None, error))
            if not isinstance(error, Exception):
                raise

    def _call(self, call: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(call, self._running()).result()

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise RuntimeError("an extractor works inside of its `with` block")
        return self._loop


async def _made_async(call: Callable[[], _T]) -> _T:
    return call()


async def _source(given: asyncio.Queue[Any]) -> AsyncGenerator[AnyQuery, None]:
    while (query := await given.get()) is not _END:
        yield query
