"""What drives an engine: sends what it says, tells it what came back, and wakes it when it asks to.

This is what the drivers of both engines have in common: the clock, one timer, and the tasks.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from silkline.engine import Abort, Idle, WaitUntil

# So many outputs are dealt with before other tasks get their turn.
_OUTPUTS = 64

FinishedT = TypeVar("FinishedT")
_FinishedT_contra = TypeVar("_FinishedT_contra", contravariant=True)
_OutputT = TypeVar("_OutputT")
_OutputT_co = TypeVar("_OutputT_co", covariant=True)
_SendT = TypeVar("_SendT")


class Submitter(Protocol[_FinishedT_contra]):
    """Who wants to hear what came of a job."""

    def finished(self, outcome: _FinishedT_contra) -> None:
        """One of its jobs ended."""

    def halted(self, reason: Callable[[tuple[Any, ...]], Exception]) -> None:
        """Nothing more will be sent; the reason is told of what is left."""

    def room_made(self) -> None:
        """The engine has room again."""


class Engine(Protocol[_OutputT_co]):
    """What both engines have, with what only one of them says."""

    @property
    def room(self) -> int:
        """How many further jobs are taken in."""
        ...

    def poll_batch(
        self, now: float, most: int, /
    ) -> Sequence[_OutputT_co | Abort | WaitUntil | Idle]:
        """What to do next."""
        ...

    def cancel(self, job: int, now: float, /) -> bool:
        """Ends a job as cancelled."""
        ...

    def resume(self, now: float, /) -> None:
        """Goes on after a stop."""

    def close(self, now: float, grace: float, /) -> None:
        """Begins to end everything."""


class Driver(ABC, Generic[FinishedT, _OutputT]):
    """The IO of one engine, on one event loop."""

    def __init__(self, engine: Engine[_OutputT]) -> None:
        self._machine = engine
        self._loop = asyncio.get_running_loop()
        self._zero = self._loop.time()
        self._timer: asyncio.Handle | None = None
        self._soon = False
        self._requests: dict[int, asyncio.Task[None]] = {}
        self._submitters: dict[int, Submitter[FinishedT]] = {}
        self._waiting_for_room: set[Submitter[FinishedT]] = set()
        self._closed = asyncio.Event()
        self._stopped = False
        self._bug: BaseException | None = None

    def now(self) -> float:
        """The moment, on the engine's clock."""
        return self._loop.time() - self._zero

    # --- commands -----------------------------------------------------------------------------

    def _submitted(self, job: int, submitter: Submitter[FinishedT]) -> int:
        self._submitters[job] = submitter
        self.wake()
        return job

    def _check(self) -> None:
        """Raises what the driver broke down with."""
        if self._bug is not None:
            raise self._bug

    def has_room(self, submitter: Submitter[FinishedT]) -> bool:
        """Whether the engine takes a job; if not, the submitter will hear when it does."""
        if self._machine.room:
            return True
        self._waiting_for_room.add(submitter)
        return False

    def forget(self, submitter: Submitter[FinishedT], jobs: Iterable[int]) -> None:
        """Cancels what a submitter does not wait for any more."""
        self._waiting_for_room.discard(submitter)
        jobs = list(jobs)
        for job in jobs:
            self._submitters.pop(job, None)
            self._machine.cancel(job, self.now())
        if jobs:
            self.wake()

    def resume(self) -> None:
        """Goes on after the account was refused."""
        self._machine.resume(self.now())
        self.wake()

    def close(self, grace: float) -> None:
        """Begins to end everything: what is under way has so many seconds to finish."""
        self._machine.close(self.now(), grace)
        self.wake()

    async def closed(self) -> None:
        """Waits until everything ended."""
        try:
            await self._closed.wait()
        finally:
            self._stopped = True
            self._stop_timer()
            requests = list(self._requests.values())
            for request in requests:
                request.cancel()
            await asyncio.gather(*requests, return_exceptions=True)

    # --- the engine ---------------------------------------------------------------------------

    def wake(self) -> None:
        """Asks the engine what to do next, once the current task rests."""
        if not self._soon and not self._stopped:
            self._stop_timer()
            self._soon = True
            self._timer = self._loop.call_soon(self._run)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._soon = False

    def _run(self) -> None:
        self._timer = None
        self._soon = False
        try:
            for output in self._machine.poll_batch(self.now(), _OUTPUTS):
                match output:
                    case Abort(request_id):
                        self._abort(request_id)
                    case WaitUntil(at):
                        if not self._soon:  # else there is more to ask about already
                            self._timer = self._loop.call_at(self._zero + at, self._run)
                        return
                    case Idle(reason):
                        self._rest(reason)
                        return
                    case _:
                        self._take(output)
            self.wake()
        except Exception as error:  # noqa: BLE001 -- whoever waits for results has to hear of it
            self._break(error)

    @abstractmethod
    def _take(self, output: _OutputT) -> None:
        """Does what only this engine says: sends and events."""

    @abstractmethod
    def _rest(self, reason: str) -> None:
        """The engine has nothing to do."""

    def _finished(self, job: int, outcome: FinishedT) -> None:
        submitter = self._submitters.pop(job, None)
        if submitter is not None:
            submitter.finished(outcome)
        while self._waiting_for_room:
            self._waiting_for_room.pop().room_made()

    def _halt(self, reason: Callable[[tuple[Any, ...]], Exception]) -> None:
        for submitter in dict.fromkeys((*self._submitters.values(), *self._waiting_for_room)):
            submitter.halted(reason)

    def _break(self, error: BaseException) -> None:
        self._bug = error
        self._closed.set()
        self._halt(lambda _: RuntimeError(f"the driver broke down: {error!r}"))

    # --- requests -----------------------------------------------------------------------------

    def _begin(
        self, request_id: int, send: Callable[[_SendT], Coroutine[Any, Any, None]], what: _SendT
    ) -> None:
        self._requests[request_id] = self._loop.create_task(self._watch(request_id, send, what))

    def _abort(self, request_id: int) -> None:
        task = self._requests.pop(request_id, None)
        if task is not None:
            task.cancel()

    async def _watch(
        self, request_id: int, send: Callable[[_SendT], Coroutine[Any, Any, None]], what: _SendT
    ) -> None:
        try:
            await send(what)
        except Exception as error:  # noqa: BLE001 -- a bug of the transport
            self._break(error)
        finally:
            self._requests.pop(request_id, None)
        self.wake()
