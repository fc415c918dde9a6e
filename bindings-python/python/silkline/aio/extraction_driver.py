"""Drives an extraction engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from silkline.engine import (
    ExtractionFinished,
    ExtractionSend,
    ExtractionStopped,
    ExtractionUnmatched,
)

from .driver import Driver, Submitter
from .errors import AccountRefused, OutOfBudget
from .transports import NotSent, Transport

if TYPE_CHECKING:
    from silkline import ExtractionEngine, Query, ServiceError

_Output: TypeAlias = ExtractionSend | ExtractionFinished | ExtractionStopped | ExtractionUnmatched

AnyQuery: TypeAlias = "Query | Mapping[str, Any]"


class ExtractionDriver(Driver[ExtractionFinished, _Output]):
    """The IO of one extraction engine."""

    def __init__(
        self,
        engine: ExtractionEngine,
        transport: Transport,
        on_unmatched: Callable[[ExtractionUnmatched], object],
    ) -> None:
        super().__init__(engine)
        self._engine = engine
        self._transport = transport
        self._on_unmatched = on_unmatched
        self._refusal: ServiceError | None = None

    def submit(self, query: AnyQuery, submitter: Submitter[ExtractionFinished]) -> int:
        """Passes a query on and gives the id of its job."""
        self._check()
        return self._submitted(self._engine.submit(query, self.now()), submitter)

    def start_cycle(self) -> None:
        """Begins a billing cycle."""
        self._engine.start_cycle(self.now())
        self.wake()

    def _take(self, output: _Output) -> None:
        match output:
            case ExtractionSend():
                self._begin(output.request_id, self._send, output)
            case ExtractionFinished():
                self._finished(output.job, output)
            case ExtractionStopped():
                self._refusal = output.error
            case ExtractionUnmatched():
                self._on_unmatched(output)

    def _rest(self, reason: str) -> None:
        refusal = self._refusal
        if reason == "closed":
            self._closed.set()
        elif reason == "stopped" and refusal is not None:
            self._halt(lambda left: AccountRefused.of(refusal, left))
        elif reason == "out_of_budget":
            text = "the budget leaves no room for a further query"
            self._halt(lambda left: OutOfBudget(text, unfinished=left))

    async def _send(self, send: ExtractionSend) -> None:
        try:
            answer = await self._transport.send(send.request)
        except NotSent:
            self._engine.handle_failure(send.request_id, "not_sent", self.now())
        except OSError:
            self._engine.handle_failure(send.request_id, "network", self.now())
        else:
            self._engine.handle_response(
                send.request_id, answer.status, answer.headers, answer.body, self.now()
            )
