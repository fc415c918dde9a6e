"""What is done for one request: fetching, retrying, passing the answer on."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import h11

from silkline.service import (
    ProxyFetch,
    ProxyRelay,
    ProxyService,
    ProxyWait,
    ServiceAnswer,
    ZyteProxyService,
)

from .exchange import Connection, Replay
from .outgoing import Fetched, Outgoing, failure_name

if TYPE_CHECKING:
    from .held import Held

# How much of a body ban rules get to see.
_INSPECTED = 64 * 1024

Step = ServiceAnswer | ProxyFetch | ProxyRelay | ProxyWait


async def send_answer(connection: Connection, answer: ServiceAnswer) -> None:
    """Send an answer of the service's own, the way it wants it delivered."""
    if answer.dropped:
        connection.channel.abort()
    elif answer.truncated is not None:
        await connection.answer_truncated(
            answer.status, answer.headers, answer.body, answer.truncated
        )
    else:
        await connection.answer(answer.status, answer.headers, answer.body)


class Forwarder:
    """Carries out what the service decides for a request."""

    def __init__(
        self, service: ProxyService | ZyteProxyService, outgoing: Outgoing, held: Held
    ) -> None:
        self._service = service
        self._outgoing = outgoing
        self._held = held

    async def forward(
        self, connection: Connection, step: ProxyFetch | ProxyRelay | ProxyWait
    ) -> None:
        """See a request through to its answer, whatever the service makes of it."""
        ticket = step.ticket
        body = Replay(connection.body())
        fetched: Fetched | None = None
        try:
            current: Step = step
            # A redirect may ask for a page where something was sent before.
            method: str | None = None
            while not isinstance(current, ServiceAnswer):
                if isinstance(current, ProxyWait):
                    current = await self._held.fetch(ticket)
                elif isinstance(current, ProxyFetch):
                    method = method or current.method
                    sends = connection.has_body and current.method == method
                    current, fetched = await self._fetch(current, body() if sends else None)
                elif fetched is not None:
                    await self._relay(connection, current, fetched)
                    return
            await send_answer(connection, current)
        finally:
            body.close()
            if fetched is not None:
                fetched.close()
            # Of no effect once the service has answered or the answer was passed on.
            self._service.handle_closed(ticket, self._held.now())

    def stop(self) -> None:
        """Begin nothing more."""
        self._held.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._outgoing.close()

    async def _fetch(self, fetch: ProxyFetch, body: object) -> tuple[Step, Fetched | None]:
        try:
            fetched = await self._outgoing.send(fetch, body)
            if fetch.inspect_body:
                with fetched.closed_on_error():
                    await fetched.read_start(_INSPECTED, fetch.timeout)
        except Exception as error:  # noqa: BLE001 - every failure has a name
            return self._service.handle_failed(
                fetch.ticket, failure_name(error), self._held.now()
            ), None
        step = self._service.handle_responded(
            fetch.ticket, fetched.status, fetched.headers, fetched.start, self._held.now()
        )
        if isinstance(step, ProxyRelay):
            return step, fetched
        fetched.close()
        return step, None

    async def _relay(self, connection: Connection, relay: ProxyRelay, fetched: Fetched) -> None:
        limit = relay.max_body_bytes
        if relay.truncated is not None:
            limit = min(limit, relay.truncated)
        sent = 0
        await connection.start_answer(relay.status, list(relay.headers))
        try:
            async for data in fetched.body():
                part = data[: limit - sent]
                await connection.send_body(part)
                sent += len(part)
                if len(part) < len(data):
                    connection.channel.close()
                    return
        except (asyncio.CancelledError, OSError, h11.ProtocolError):
            raise
        except Exception:  # noqa: BLE001 - the target broke off, so the client must see a break
            connection.channel.abort()
            return
        finally:
            self._service.handle_finished(relay.ticket, sent, self._held.now())
        with contextlib.suppress(h11.LocalProtocolError):
            await connection.end_answer()
