"""The host of the extraction service: sockets, pages, time."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from silkline.bridge import BridgedQuery
from silkline.service import ExtractionService, FetchedPage, FetchQuery, ServiceAnswer

from .extractor import Extracted, Extractor, Task
from .fetch import Download, Fetcher, FetchLimits
from .hosts import AllowedHosts

_log = logging.getLogger(__name__)

_Outcome: TypeAlias = FetchedPage | BridgedQuery | int | str
_Request: TypeAlias = web.BaseRequest
_SHUTDOWN_SECONDS = 1.0
# Bodies from this size on are compressed by a thread.
_COMPRESSED_ASIDE = 1 << 16


@dataclass
class _Pending:
    """A request whose answer is not there yet."""

    answer: asyncio.Future[ServiceAnswer]
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


class ExtractionHost:
    """Serves ``/v1/extract`` on a port, and the counts at ``/-/stats``."""

    def __init__(
        self,
        *,
        allow_hosts: Iterable[str] = ("localhost",),
        limits: FetchLimits | None = None,
        workers: int = 0,
        **service: Any,
    ) -> None:
        self._allowed = AllowedHosts(allow_hosts)
        self._limits = limits or FetchLimits()
        self._workers = workers
        self._service_options = service
        self._service: Any = self._make_service()
        self._pending: dict[int, _Pending] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._runner: web.ServerRunner | None = None
        self.port: int = 0

    async def start(self, host: str, port: int) -> None:
        """Begins to listen; port 0 is any free one."""
        self._loop = asyncio.get_running_loop()
        self._zero = self._loop.time()
        # The machine is made anew, so that ids tell the time from here on.
        self._service = self._make_service(epoch=time.time())
        await self._open()
        server = _Server(self)
        self._runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_SECONDS)
        try:
            await self._runner.setup()
            site = web.TCPSite(self._runner, host, port)
            await site.start()
        except BaseException:
            await self.stop()
            raise
        self.port = int(self._runner.addresses[0][1])
        self._warm_up()

    async def stop(self) -> None:
        """Stops listening and gives up what is in progress."""
        if self._runner is None:
            return
        runner, self._runner = self._runner, None
        if self._timer is not None:
            self._timer.cancel()
        for pending in self._pending.values():
            for task in pending.tasks:
                task.cancel()
            pending.answer.cancel()
        await runner.cleanup()
        await self._close()

    def _make_service(self, **defaults: Any) -> Any:
        """The machine that decides."""
        return ExtractionService(**{**defaults, **self._service_options})

    def stats(self) -> dict[str, Any]:
        """What the service counted so far."""
        counts: dict[str, Any] = json.loads(self._service.stats_json())
        return counts

    def _now(self) -> float:
        return self._loop.time() - self._zero

    # --- requests -----------------------------------------------------------------------------

    async def handle(self, request: _Request) -> web.StreamResponse:
        """Answers one HTTP request."""
        if request.path == "/-/stats" and request.method in {"GET", "HEAD"}:
            return web.json_response(self.stats())
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
        try:
            body = await self._read(request)
        except web.RequestPayloadError:
            # What is left of the body cannot be passed over, so the connection ends here.
            return self._send_raw(request, self.malformed())
        step = self._service.handle_request(
            request.method, request.rel_url.raw_path, request.raw_headers, body, self._now()
        )
        answer = step if isinstance(step, ServiceAnswer) else await self._process(step)
        _log.info("%s %s: %d", request.method, request.path, answer.status)
        return await self._respond(request, answer)

    def malformed(self) -> ServiceAnswer:
        """The answer to what is no HTTP request."""
        answer: ServiceAnswer = self._service.handle_malformed(self._now())
        return answer

    async def _read(self, request: _Request) -> bytes:
        body = bytearray()
        limit = self._service.max_payload
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > limit:
                break
        return bytes(body)

    async def _process(self, step: Any) -> ServiceAnswer:
        """Has the pages fetched and waits until the machine gives the answer."""
        pending = _Pending(self._loop.create_future())
        self._pending[step.ticket] = pending
        for work in self._works(step):
            task = self._loop.create_task(work)
            pending.tasks.add(task)
            task.add_done_callback(pending.tasks.discard)
        self._pump()
        try:
            return await pending.answer
        except asyncio.CancelledError:
            self._service.handle_closed(step.ticket, self._now())
            raise
        finally:
            del self._pending[step.ticket]
            for task in list(pending.tasks):
                task.cancel()
            self._pump()

    def _pump(self) -> None:
        """Delivers what the machine has to say, and sees to it that it is asked again in time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while True:
            output = self._service.poll(self._now())
            if isinstance(output, ServiceAnswer):
                self._deliver(output)
                continue
            if output is not None and self._runner is not None:
                # Not before the moment: the clock may be read a little coarser than it counts.
                self._timer = self._loop.call_at(self._zero + output + 0.001, self._pump)
            return

    def _deliver(self, answer: ServiceAnswer) -> None:
        pending = self._pending.get(-1 if answer.ticket is None else answer.ticket)
        if pending is not None and not pending.answer.done():
            pending.answer.set_result(answer)

    # --- pages --------------------------------------------------------------------------------

    async def _open(self) -> None:
        """Gets ready to make pages."""
        self._fetcher = Fetcher(self._allowed, self._limits)
        self._extractor = Extractor(self._workers)

    def _warm_up(self) -> None:
        """Begins with what takes time."""
        self._extractor.warm_up()

    async def _close(self) -> None:
        """Makes no more pages."""
        await self._fetcher.close()
        self._extractor.close()

    def _works(self, step: Any) -> Iterator[Coroutine[Any, Any, None]]:
        """What is to be done for the answer, all at a time."""
        for query in step.queries:
            yield self._work(step.ticket, query)

    async def _work(self, ticket: int, query: FetchQuery) -> None:
        try:
            outcome = await self._outcome(query)
        except Exception:  # noqa: BLE001 -- an error of ours must not leave a query without its result
            _log.exception("%s: not extracted", query.url)
            outcome = "internal"
        answer = self._service.handle_fetched(ticket, query.index, outcome, self._now())
        if answer is not None:
            self._deliver(answer)
        self._pump()

    async def _outcome(self, query: FetchQuery) -> _Outcome:
        page: Download | int | str
        if query.custom_html is not None:
            body: bytes | str = query.custom_html
            url, content_type = query.url, ""
        else:
            page = await self._fetcher.fetch(query.url)
            if not isinstance(page, Download):
                _log.info("%s: %s", query.url, page)
                return page
            body, url, content_type = page.body, page.url, page.content_type
        result = await self._extractor.extract(
            Task(
                body=body,
                content_type=content_type,
                url=url,
                page_type=query.page_type,
                article_body_raw=query.article_body_raw,
                full_html=query.full_html,
            )
        )
        _log.info("%s: %s", query.url, result if isinstance(result, str) else "extracted")
        if isinstance(result, Extracted):
            return FetchedPage(result.item, result.web_page, result.html)
        return result

    # --- answers ------------------------------------------------------------------------------

    async def _respond(self, request: _Request, answer: ServiceAnswer) -> web.StreamResponse:
        # aiohttp gives every body a content type and sends every answer whole.
        untyped = bool(answer.body) and "Content-Type" not in answer.headers
        if answer.dropped or untyped or answer.truncated is not None:
            return self._send_raw(request, answer)
        return plain_response(answer, gzip="gzip" in request.headers.get("Accept-Encoding", ""))

    def _send_raw(self, request: _Request, answer: ServiceAnswer) -> web.StreamResponse:
        """Writes an answer that aiohttp would not, and closes the connection."""
        if request.transport is not None:
            if not answer.dropped:
                request.transport.write(_head(answer) + answer.body[: answer.truncated])
            request.transport.close()
        raise _Closed("the connection is closed, as the script asks")


class _Closed(ConnectionResetError):
    """The answer is on its way, or there is none: aiohttp has nothing left to send."""


def plain_response(answer: ServiceAnswer, *, gzip: bool = False) -> web.Response:
    """The answer for aiohttp to send."""
    response = web.Response(
        status=answer.status, body=answer.body, zlib_executor_size=_COMPRESSED_ASIDE
    )
    response.headers.clear()  # of the content type that aiohttp assumes
    for name, value in answer.headers:
        response.headers.add(name, value)
    if gzip and answer.body:
        response.enable_compression(web.ContentCoding.gzip)
    return response


def _head(answer: ServiceAnswer) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {web.Response(status=answer.status).reason}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    lines += [f"Content-Length: {len(answer.body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("utf-8")


class _Server(web.Server):
    """aiohttp's server, whose connections answer even to what is no HTTP."""

    def __init__(self, host: ExtractionHost) -> None:
        super().__init__(host.handle, handler_cancellation=True, access_log=None)
        self._host = host

    def __call__(self) -> RequestHandler:
        return _Connection(self, host=self._host, loop=asyncio.get_running_loop(), **self._kwargs)


class _Connection(RequestHandler):
    """A client's connection."""

    __slots__ = ("_host",)

    def __init__(self, *arguments: Any, host: ExtractionHost, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._host = host

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What aiohttp answers where no handler did."""
        if isinstance(exc, _Closed):
            raise exc  # the end of a connection to aiohttp, and nothing to report
        if status != 400 or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        response = plain_response(self._host.malformed())
        response.force_close()
        return response
