"""Smart Proxy Manager for programs, the proxy mode of Zyte API behind."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, cast

import aiohttp
import h11
from yarl import URL

from silkline.aio.proxy_transports import trusting
from silkline.sandbox.proxy.forward import send_answer
from silkline.sandbox.proxy.held import Held
from silkline.sandbox.proxy.host import ProxyHost
from silkline.sandbox.proxy.outgoing import failure_name
from silkline.service import ServiceAnswer

from . import BridgeSend, ProxyBridge

if TYPE_CHECKING:
    import ssl

    from silkline.sandbox.proxy.exchange import Connection
    from silkline.service import ProxyService

_PART = 64 * 1024
# The heads of Zyte API's answers may be larger than aiohttp takes by default.
_MAX_HEAD = 256 * 1024


class BridgeProxyHost(ProxyHost):
    """Serves Smart Proxy Manager on a port, by the proxy mode of Zyte API.

    ``upstream_ca`` is the file of the authority by whose certificates the proxy behind opens TLS:
    that of Zyte API is for download in its documentation.
    """

    def __init__(
        self,
        api_key: str,
        *,
        upstream: str | None = None,
        upstream_ca: Path | None = None,
        keys: Iterable[str] | None = None,
        ca_directory: Path | None = None,
        tls_port: int | None = None,
    ) -> None:
        super().__init__(ca_directory=ca_directory, tls_port=tls_port)
        self._bridge = ProxyBridge(api_key, upstream, keys=None if keys is None else list(keys))
        # It takes the same calls.
        self._service = cast("ProxyService", self._bridge)
        self._context = trusting(upstream_ca)

    def _open(self) -> Relayer:
        return Relayer(self._bridge, self._context)


class Relayer:
    """Carries requests to the proxy behind, and its answers back."""

    def __init__(self, bridge: ProxyBridge, context: ssl.SSLContext) -> None:
        self._bridge = bridge
        self._context = context
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            # Programs give up by themselves; then the request is ended here too.
            timeout=aiohttp.ClientTimeout(
                total=None, connect=None, sock_connect=None, sock_read=None
            ),
            max_line_size=_MAX_HEAD,
            max_field_size=_MAX_HEAD,
        )

    async def forward(self, connection: Connection, step: BridgeSend) -> None:
        """See a request through to its answer."""
        try:
            answer = await self._exchange(connection, step)
            if answer is not None:
                await send_answer(connection, answer)
        finally:
            # Of no effect once there was an answer.
            self._bridge.handle_closed(step.ticket, Held.now())

    async def _exchange(self, connection: Connection, send: BridgeSend) -> ServiceAnswer | None:
        """Pass the target's answer on, or give what is answered instead."""
        tunnel = send.connect_headers
        try:
            response = await self._session.request(
                send.method,
                URL(send.url, encoded=True),
                headers=[(name, value) for name, value in send.headers if name.lower() != "expect"],
                data=connection.body() if connection.has_body else None,
                proxy=self._bridge.upstream,
                proxy_headers=None if tunnel is None else dict(tunnel),
                ssl=self._context,
                allow_redirects=False,
            )
        except aiohttp.ClientHttpProxyError as error:
            headers = list(error.headers.items()) if error.headers else []
            return self._bridge.handle_connect_refused(
                send.ticket, error.status, headers, Held.now()
            )
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
            return self._bridge.handle_failed(send.ticket, failure_name(error), Held.now())
        try:
            return await self._relay(connection, send, response)
        finally:
            if response.content.at_eof():
                response.release()
            else:
                response.close()

    async def _relay(
        self, connection: Connection, send: BridgeSend, response: aiohttp.ClientResponse
    ) -> ServiceAnswer | None:
        step = self._bridge.handle_response(
            send.ticket, response.status, response.raw_headers, b"", Held.now()
        )
        if isinstance(step, ServiceAnswer):
            return step
        await connection.start_answer(step.status, list(step.headers))
        try:
            async for part in response.content.iter_chunked(_PART):
                await connection.send_body(part)
        except (aiohttp.ClientError, asyncio.TimeoutError):
            connection.channel.abort()  # the proxy behind broke off, so the client must see a break
            return None
        with contextlib.suppress(h11.LocalProtocolError):
            await connection.end_answer()
        return None

    def stop(self) -> None:
        """Begin nothing more."""

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()
