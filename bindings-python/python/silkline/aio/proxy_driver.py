"""Drives a proxy engine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from silkline import Headers
from silkline.engine import (
    ProxyFinished,
    ProxyIncomplete,
    ProxySend,
    ProxySessionLost,
    ProxyStopped,
)

from .driver import Driver, Submitter
from .errors import BodyTooLarge, ProxyAccountRefused, UntrustedCertificate
from .proxy_transports import ConnectRefused, ProxiedAnswer, ProxyTransport
from .response import Response
from .transports import NotSent

if TYPE_CHECKING:
    from silkline import ProxyApi, ProxyEngine, ProxyServiceError, Request

_log = logging.getLogger("silkline.aio")

_Output: TypeAlias = ProxySend | ProxyFinished | ProxyIncomplete | ProxySessionLost | ProxyStopped

Verdict: TypeAlias = Callable[[Response], bool]
"""Says of an answer of a target that looks good whether it is a ban in disguise."""


class Call:
    """One job, for whoever waits for its answer."""

    def __init__(self, driver: ProxyDriver, request: Request, banned: Verdict | None) -> None:
        self._driver = driver
        self._room = asyncio.Event()
        self._answer: asyncio.Future[ProxyFinished] = asyncio.get_running_loop().create_future()
        self._refused: Exception | None = None
        self._ended = False
        self._cut: dict[int, BodyTooLarge] = {}
        self.request = request
        self.banned = banned

    async def outcome(self, **job: Any) -> ProxyFinished:
        """Passes the job on as soon as there is room, and waits for its end."""
        while not self._driver.has_room(self):
            self._room.clear()
            await self._room.wait()
            if self._refused is not None:
                raise self._refused
        number = self._driver.submit(self, **job)
        try:
            outcome = await self._answer
        finally:
            self._driver.forget(self, [] if self._ended else [number])
        fetched = outcome.response
        if outcome.ok and fetched is not None and fetched.request_id in self._cut:
            raise self._cut[fetched.request_id]
        return outcome

    # --- what the driver says -----------------------------------------------------------------

    def finished(self, outcome: ProxyFinished) -> None:
        """The job ended."""
        self._ended = True
        if not self._answer.done():
            self._answer.set_result(outcome)

    def failed(self, error: BaseException) -> None:
        """The job cannot end otherwise than by this."""
        if not self._answer.done():
            self._answer.set_exception(error)
            self._answer.exception()  # whoever was to hear of it may be gone

    def halted(self, reason: Callable[[tuple[Any, ...]], Exception]) -> None:
        """Nothing more will be sent."""
        self._refused = reason(())
        self.failed(self._refused)
        self._room.set()

    def room_made(self) -> None:
        """The engine has room again."""
        self._room.set()

    def cut(self, request_id: int, error: BodyTooLarge) -> None:
        """The body of an answer is larger than allowed."""
        self._cut[request_id] = error


class ProxyDriver(Driver[ProxyFinished, _Output]):
    """The IO of one proxy engine."""

    def __init__(
        self,
        api: ProxyApi,
        engine: ProxyEngine,
        transport: ProxyTransport,
        max_body: int | None,
        delete_timeout: float,
        on_session_lost: Callable[[ProxySessionLost], object],
    ) -> None:
        super().__init__(engine)
        self._delete_timeout = delete_timeout
        self._end: asyncio.TimerHandle | None = None
        self._api = api
        self._engine = engine
        self._transport = transport
        self._max_body = max_body
        self._on_session_lost = on_session_lost
        self._refusal: ProxyServiceError | None = None
        self._doubted = False

    def submit(self, call: Call, **job: Any) -> int:
        """Passes a request on and gives the id of its job."""
        self._check()
        return self._submitted(self._engine.submit(call.request, self.now(), **job), call)

    def end_session(self, name: str) -> bool:
        """Ends a named session."""
        is_known = self._engine.end_session(name, self.now())
        self.wake()
        return is_known

    def has_room(self, submitter: Submitter[ProxyFinished]) -> bool:
        """Whether the engine takes a job, or will never again take one."""
        return self._end is not None or super().has_room(submitter)

    def close(self, grace: float) -> None:
        """Begins to end everything; sessions that cannot be deleted in time are left to expire."""
        super().close(grace)
        end = self._loop.time() + grace + self._delete_timeout
        if self._end is not None:
            end = min(end, self._end.when())
            self._end.cancel()
        self._end = self._loop.call_at(end, self._closed.set)
        while self._waiting_for_room:
            self._waiting_for_room.pop().room_made()

    async def closed(self) -> None:
        """Waits until everything ended."""
        try:
            await super().closed()
        finally:
            if self._end is not None:
                self._end.cancel()

    def _take(self, output: _Output) -> None:
        match output:
            case ProxySend():
                self._begin(output.request_id, self._send, output)
            case ProxyFinished():
                self._finished(output.job, output)
            case ProxySessionLost():
                self._on_session_lost(output)
            case ProxyStopped():
                self._refusal = output.error
            case ProxyIncomplete():
                pass  # only jobs of snapshots are, of which there are none here

    def _rest(self, reason: str) -> None:
        refusal = self._refusal
        if reason == "closed":
            self._closed.set()
        elif reason == "stopped" and refusal is not None:
            self._halt(lambda _: ProxyAccountRefused.of(refusal))

    # --- requests -----------------------------------------------------------------------------

    async def _send(self, send: ProxySend) -> None:
        request_id = send.request_id

        def sent() -> None:
            self._engine.handle_sent(request_id, self.now())

        try:
            answer = await self._transport.send(send, sent, self._max_body)
        except NotSent:
            self._engine.handle_failure(request_id, "not_sent", self.now())
        except ConnectRefused as refused:
            headers = list(refused.headers)
            now = self.now()
            self._engine.handle_response(
                request_id, refused.status, headers, b"", now, connect=True
            )
            self._doubt(self._api.read_connect(refused.status, headers))
        except UntrustedCertificate as error:
            self._engine.handle_failure(request_id, "not_sent", self.now())
            self._distrust(send, error)
        except OSError:
            self._engine.handle_failure(request_id, "network", self.now())
        else:
            self._answered(send, answer._replace(headers=list(answer.headers)))

    def _answered(self, send: ProxySend, answer: ProxiedAnswer) -> None:
        banned = False
        submitter = None if send.job is None else self._submitters.get(send.job)
        if isinstance(submitter, Call):
            try:
                banned = self._judge(send, answer, submitter)
            except Exception as error:  # noqa: BLE001 -- the application's own
                submitter.failed(error)
        self._engine.handle_response(
            send.request_id,
            answer.status,
            answer.headers,
            answer.body,
            self.now(),
            banned=banned,
        )
        if answer.status >= 400:
            self._doubt(self._api.read(answer.status, answer.headers).error)

    def _doubt(self, error: ProxyServiceError | None) -> None:
        """Tells at once of a refused key where the engine does not stop for it yet."""
        if error is None or error.action != "stop_all_after_retries" or self._doubted:
            return
        if not self._engine.stats().stopped:
            self._doubted = True
            _log.warning(
                "%s: the key may be wrong. It is tried a few times more, since a restart of the "
                "service looks the same",
                error,
            )

    def _judge(self, send: ProxySend, answer: ProxiedAnswer, call: Call) -> bool:
        """Whether the application calls an answer a ban."""
        if answer.cut:
            text = f"the body of `{call.request.url}` has more than {self._max_body} bytes"
            limit, status = self._max_body, answer.status
            error = BodyTooLarge(text, limit=limit, status=status, url=call.request.url)
            call.cut(send.request_id, error)
            return False
        if call.banned is None:
            return False
        read = self._api.read(answer.status, answer.headers)
        if read.error is not None:
            return False
        response = Response(
            answer.status,
            Headers.from_received(answer.headers),
            answer.body,
            call.request,
            session=read.session or send.session,
            session_name=send.session_name,
            outgoing=read.outgoing,
        )
        return bool(call.banned(response))

    def _distrust(self, send: ProxySend, error: UntrustedCertificate) -> None:
        """Whoever needs a connection that will not be trusted at the next try either hears of it."""
        if send.job is None:
            self._halt(lambda _: error)
            return
        submitter = self._submitters.get(send.job)
        if isinstance(submitter, Call):
            submitter.failed(error)
