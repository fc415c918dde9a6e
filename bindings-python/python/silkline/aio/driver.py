"""Drives an engine: sends what it says, tells it what came back, and wakes it when it asks to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from silkline.engine import (
    Abort,
    ExtractionFinished,
    ExtractionSend,
    ExtractionStopped,
    ExtractionUnmatched,
    Idle,
    WaitUntil,
)

from .errors import AccountRefused, OutOfBudget
from .transports import NotSent, Transport

if TYPE_CHECKING:
    from silkline import ExtractionEngine, Query, ServiceError

AnyQuery: TypeAlias = "Query | Mapping[str, Any]"

# So many outputs are dealt with before other tasks get their turn.
_OUTPUTS = 64


class Submitter(Protocol):
    """Who wants to hear what came of a job."""

    def finished(self, outcome: ExtractionFinished) -> None:
        """One of its jobs ended."""

    def halted(self, reason: Callable[[tuple[AnyQuery, ...]], Exception]) -> None:
        """Nothing more will be sent; the reason is told of the queries that are left."""

    def room_made(self) -> None:
        """The engine has room again."""


class Driver:
    """The IO of one engine, on one event loop."""

    def __init__(
        self,
        engine: ExtractionEngine,
        transport: Transport,
        on_unmatched: Callable[[ExtractionUnmatched], object],
    ) -> None:
        self._engine = engine
        self._transport = transport
        self._on_unmatched = on_unmatched
        self._loop = asyncio.get_running_loop()
        self._zero = self._loop.time()
        self._timer: asyncio.Handle | None = None
        self._soon = False
        self._requests: dict[int, asyncio.Task[None]] = {}
        self._submitters: dict[int, Submitter] = {}
        self._waiting_for_room: set[Submitter] = set()
        self._refusal: ServiceError | None = None
        self._closed = asyncio.Event()
        self._stopped = False
        self._bug: BaseException | None = None

    def now(self) -> float:
        """The moment, on the engine's clock."""
        return self._loop.time() - self._zero

    # --- commands -----------------------------------------------------------------------------

    def submit(self, query: AnyQuery, submitter: Submitter) -> int:
        """Passes a query on and gives the id of its job."""
        if self._bug is not None:
            raise self._bug
        job = self._engine.submit(query, self.now())
        self._submitters[job] = submitter
        self.wake()
        return job

    def has_room(self, submitter: Submitter) -> bool:
        """Whether the engine takes a query; if not, the submitter will hear when it does."""
        if self._engine.room:
            return True
        self._waiting_for_room.add(submitter)
        return False

    def forget(self, submitter: Submitter, jobs: list[int]) -> None:
        """Cancels what a submitter does not wait for any more."""
        self._waiting_for_room.discard(submitter)
        for job in jobs:
            self._submitters.pop(job, None)
            self._engine.cancel(job, self.now())
        if jobs:
            self.wake()

    def resume(self) -> None:
        """Goes on after the account was refused."""
        self._engine.resume(self.now())
        self.wake()

    def start_cycle(self) -> None:
        """Begins a billing cycle."""
        self._engine.start_cycle(self.now())
        self.wake()

    def close(self, grace: float) -> None:
        """Begins to end everything: what is under way has so many seconds to finish."""
        self._engine.close(self.now(), grace)
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
            outputs = self._engine.poll_batch(self.now(), _OUTPUTS)
            for output in outputs:
                self._do(output)
            if not isinstance(outputs[-1], (WaitUntil, Idle)):
                self.wake()
        except Exception as error:  # noqa: BLE001 -- whoever waits for results has to hear of it
            self._break(error)

    def _do(self, output: object) -> None:
        match output:
            case ExtractionSend():
                task = self._loop.create_task(self._send(output))
                self._requests[output.request_id] = task
            case ExtractionFinished():
                submitter = self._submitters.pop(output.job, None)
                if submitter is not None:
                    submitter.finished(output)
                while self._waiting_for_room:
                    self._waiting_for_room.pop().room_made()
            case Abort():
                task_of = self._requests.pop(output.request_id, None)
                if task_of is not None:
                    task_of.cancel()
            case ExtractionStopped():
                self._refusal = output.error
            case ExtractionUnmatched():
                self._on_unmatched(output)
            case WaitUntil():
                if not self._soon:  # else there is more to ask about already
                    self._timer = self._loop.call_at(self._zero + output.at, self._run)
            case Idle():
                self._rest(output.reason)
            case _:
                raise NotImplementedError(f"the engine said {output!r}")

    def _rest(self, reason: str) -> None:
        refusal = self._refusal
        if reason == "closed":
            self._closed.set()
        elif reason == "stopped" and refusal is not None:
            self._halt(lambda left: AccountRefused.of(refusal, left))
        elif reason == "out_of_budget":
            text = "the budget leaves no room for a further query"
            self._halt(lambda left: OutOfBudget(text, unfinished=left))

    def _halt(self, reason: Callable[[tuple[AnyQuery, ...]], Exception]) -> None:
        for submitter in dict.fromkeys(self._submitters.values()):
            submitter.halted(reason)

    def _break(self, error: BaseException) -> None:
        self._bug = error
        self._closed.set()
        self._halt(lambda _: RuntimeError(f"the driver broke down: {error!r}"))

    # --- requests -----------------------------------------------------------------------------

    async def _send(self, send: ExtractionSend) -> None:
        failure: Literal["network", "not_sent"]
        try:
            answer = await self._transport.send(send.request)
        except NotSent:
            failure = "not_sent"
        except OSError:
            failure = "network"
        except Exception as error:  # noqa: BLE001 -- a bug of the transport
            self._requests.pop(send.request_id, None)
            self._break(error)
            return
        else:
            self._requests.pop(send.request_id, None)
            self._engine.handle_response(
                send.request_id, answer.status, answer.headers, answer.body, self.now()
            )
            self.wake()
            return
        self._requests.pop(send.request_id, None)
        self._engine.handle_failure(send.request_id, failure, self.now())
        self.wake()
