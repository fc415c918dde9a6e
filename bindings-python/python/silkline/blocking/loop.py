"""An event loop on a thread, in which one of the clients of `silkline.aio` lives."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Coroutine,
    Generator,
    Iterable,
)
from concurrent.futures import Future
from contextlib import aclosing
from typing import Any, Generic, Protocol, TypeVar

_T = TypeVar("_T")
_Source = TypeVar("_Source")
_Outcome = TypeVar("_Outcome")
_END: Any = object()


class Client(Protocol):
    """What all clients have."""

    async def __aenter__(self) -> Any:
        """Begins."""
        ...

    async def close(self, grace: float = 0.0) -> None:
        """Ends."""


class LoopThread:
    """Runs a client on a thread of its own; threads may share it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins."""
        started: Future[asyncio.AbstractEventLoop] = Future()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._main(started)), name="silkline", daemon=True
        )
        self._thread.start()
        self._loop = started.result()

    async def _main(self, started: Future[asyncio.AbstractEventLoop]) -> None:
        try:
            await self._client.__aenter__()
        except BaseException as error:  # noqa: BLE001 -- raised where it was asked for
            started.set_exception(error)
            return
        started.set_result(asyncio.get_running_loop())
        await self._stop.wait()

    def stop(self, grace: float) -> None:
        """Ends."""
        loop, self._loop = self._loop, None
        if loop is None or self._thread is None:
            return
        try:
            asyncio.run_coroutine_threadsafe(self._client.close(grace), loop).result()
        finally:
            loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    @property
    def running(self) -> asyncio.AbstractEventLoop:
        """The loop, inside of the block."""
        if self._loop is None:
            raise RuntimeError("the client works inside of its `with` block")
        return self._loop

    def run(self, coroutine: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """Runs a coroutine on the loop; an interrupt of the calling thread cancels it."""
        loop = self.running
        future = asyncio.run_coroutine_threadsafe(coroutine(), loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def call(self, function: Callable[[], _T]) -> _T:
        """Calls a function on the loop."""

        async def called() -> _T:
            return function()

        return self.run(called)


class Iteration(Generic[_Source, _Outcome]):
    """Outcomes of a source that is read in the calling thread, one iteration."""

    def __init__(
        self,
        thread: LoopThread,
        results: Callable[[AsyncIterator[_Source], int], AsyncGenerator[_Outcome, None]],
        room: int,
    ) -> None:
        self._thread = thread
        self._results = results
        self._room = room
        self._out: queue.SimpleQueue[tuple[_Outcome | None, BaseException | None]]
        self._out = queue.SimpleQueue()

    def outcomes(self, source: Iterable[_Source]) -> Generator[_Outcome, None, None]:
        """Gives the outcomes, and reads the source when there is room and no outcome to give."""
        loop = self._thread.running
        given: asyncio.Queue[_Source] = self._thread.call(asyncio.Queue)
        reading = asyncio.run_coroutine_threadsafe(self._pump(given), loop)
        iterator = iter(source)
        fed, room = False, self._room

        def feed() -> None:
            nonlocal fed, room
            item = next(iterator, _END)
            fed = item is _END
            room -= 1
            loop.call_soon_threadsafe(given.put_nowait, item)

        try:
            while True:
                while not fed and room and self._out.empty():
                    feed()
                outcome, error = self._out.get()
                if error is not None:
                    raise error
                if outcome is None:
                    return
                room += 1
                yield outcome
                # A reader slower than the service must not leave the engine without work.
                if not fed and room and not self._out.empty():
                    feed()
        finally:
            reading.cancel()

    async def _pump(self, given: asyncio.Queue[_Source]) -> None:
        try:
            async with aclosing(self._results(_source(given), self._room)) as results:
                async for outcome in results:
                    self._out.put((outcome, None))
            self._out.put((None, None))
        except BaseException as error:
            self._out.put((None, error))
            if not isinstance(error, Exception):
                raise


async def _source(given: asyncio.Queue[_Source]) -> AsyncGenerator[_Source, None]:
    while (item := await given.get()) is not _END:
        yield item
