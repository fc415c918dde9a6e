"""Many requests at a time: a window over a source of any length."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import NamedTuple

from silkline.exceptions import SilklineError

from .errors import ProxyAccountRefused
from .proxy_requests import AnyTarget, TargetSource
from .response import Response

__all__ = ["Outcome", "Window"]

# A source that never waits gives way to other tasks after so many requests.
_TURN = 50


class Outcome(NamedTuple):
    """What came of a request: a ``response``, or an ``error`` with a ``code``."""

    target: AnyTarget
    """The request, as the source gave it."""
    response: Response | None
    """The answer of the target, whatever its status; `None` if there is an error."""
    error: SilklineError | None
    """Why there is none."""

    @property
    def ok(self) -> bool:
        """Whether the target answered with a status below 400."""
        return self.response is not None and self.response.ok


Fetch = Callable[[AnyTarget], Awaitable[Response]]


class Window:
    """The requests of one iteration: up to ``size`` that are under way or not taken out."""

    def __init__(self, fetch: Fetch, size: int) -> None:
        self._fetch = fetch
        self._room = asyncio.Semaphore(size)
        self._ready = asyncio.Event()
        self._tasks: dict[asyncio.Task[None], AnyTarget] = {}
        self._outcomes: deque[Outcome] = deque()
        self._feeder: asyncio.Task[None] | None = None
        self._fed = False
        self._end: BaseException | None = None
        self._refusal: ProxyAccountRefused | None = None
        self._unfinished: list[AnyTarget] = []

    def start(self, source: TargetSource) -> None:
        """Begins to take from the source."""
        self._feeder = asyncio.get_running_loop().create_task(self._feed(source))

    def stop_feeding(self) -> None:
        """Takes nothing more from the source."""
        if self._feeder is not None:
            self._feeder.cancel()
            self._fed = True
            self._ready.set()

    async def _feed(self, source: TargetSource) -> None:
        """Takes from the source when there is room."""
        loop = asyncio.get_running_loop()
        targets = _each(source)
        try:
            while self._end is None and self._refusal is None:
                await self._room.acquire()
                try:
                    target = await anext(targets)
                except StopAsyncIteration:
                    return
                task = loop.create_task(self._run(target))
                self._tasks[task] = target
                task.add_done_callback(self._done)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 -- the source's own
            self._end = self._end or error
        finally:
            self._fed = True
            self._ready.set()

    async def _run(self, target: AnyTarget) -> None:
        try:
            self._outcomes.append(Outcome(target, await self._fetch(target), None))
        except ProxyAccountRefused as refusal:
            self._refusal = refusal
            self._unfinished.append(target)
        except SilklineError as error:
            self._outcomes.append(Outcome(target, None, error))
        except Exception as error:  # noqa: BLE001 -- the application's own
            self._end = self._end or error

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        self._ready.set()

    async def next(self) -> Outcome | None:
        """The next outcome; ``None`` after the last one."""
        while not self._outcomes:
            stopped = self._fed or self._end is not None or self._refusal is not None
            if stopped and not self._tasks:
                if self._end is not None:
                    raise self._end
                if self._refusal is not None:
                    raise ProxyAccountRefused.of(self._refusal, tuple(self._unfinished))
                return None
            self._ready.clear()
            await self._ready.wait()
        self._room.release()
        return self._outcomes.popleft()

    async def close(self) -> None:
        """Gives up what is under way."""
        self.stop_feeding()
        tasks = [*self._tasks, *filter(None, [self._feeder])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _each(source: TargetSource) -> AsyncIterator[AnyTarget]:
    if isinstance(source, AsyncIterable):
        async for target in source:
            yield target
        return
    for number, target in enumerate(source, 1):
        yield target
        if number % _TURN == 0:
            await asyncio.sleep(0)
