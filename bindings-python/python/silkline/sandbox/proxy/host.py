"""The proxy service with sockets: absolute-form requests, CONNECT, and the `/sessions` calls."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import h11

from silkline.sandbox.hosts import AllowedHosts
from silkline.service import ProxyService, ProxyTunnel, ServiceAnswer, ZyteProxyService

from .addresses import DEFAULT, addresses
from .authority import Authority
from .channel import Channel
from .exchange import Connection
from .forward import Forwarder, send_answer
from .held import Held
from .outgoing import Outgoing

_TLS_HANDSHAKE = b"\x16"
_LINGER_SECONDS = 2
# What h11 calls it; the service has a status of its own for that.
_HEAD_TOO_LARGE = 431


class _Forwards(Protocol):
    """Carries requests on."""

    async def forward(self, connection: Connection, step: Any) -> None:
        """See a request through to its answer."""

    def stop(self) -> None:
        """Begin nothing more."""

    async def close(self) -> None:
        """Close all connections."""


@dataclass(frozen=True)
class _Tunnel:
    """An open tunnel, and what the URLs of requests inside begin with."""

    accepted: ProxyTunnel
    origin: str


class ProxyHost:
    """Serves Smart Proxy Manager on a port: a forward proxy with sessions.

    Pages are fetched from ``allow_hosts`` only. The certificate authority is kept in
    ``ca_directory``. Certificates of https targets are verified, but for those on this machine
    unless ``target_ca`` names the authority they come from. With ``tls_port`` it listens there too,
    speaking TLS with its clients itself. The rest is for `ProxyService`.
    """

    _machine: type[ProxyService | ZyteProxyService] = ProxyService

    def __init__(
        self,
        *,
        allow_hosts: Iterable[str] = ("localhost",),
        outgoing: Iterable[str] = DEFAULT,
        ca_directory: Path | None = None,
        target_ca: Path | None = None,
        tls_port: int | None = None,
        **service: Any,
    ) -> None:
        self._allowed = AllowedHosts(allow_hosts)
        self._ca_directory = ca_directory
        self._target_ca = target_ca
        self._service = self._machine(outgoing=addresses(outgoing), **service)
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()
        self.port: int = 0
        self.tls_port = tls_port

    async def start(self, host: str, port: int) -> None:
        """Begin to listen; port 0 is any free one."""
        self._forwarder = self._open()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._accept, host, port, backlog=1024)
        self._servers.append(server)
        self.port = _port(server)
        if self.tls_port is not None:
            context = await asyncio.to_thread(self.authority.context, host)
            server = await loop.create_server(
                self._accept, host, self.tls_port, backlog=1024, ssl=context
            )
            self._servers.append(server)
            self.tls_port = _port(server)

    def _open(self) -> _Forwards:
        """Get ready to carry requests on."""
        self._outgoing = Outgoing(self._allowed, self._target_ca)
        self._held = Held(self._service)
        return Forwarder(self._service, self._outgoing, self._held)

    async def stop(self) -> None:
        """Stop listening and end all connections. The counts stay."""
        if not self._servers:
            return
        servers, self._servers = self._servers, []
        for server in servers:
            server.close()
        self._forwarder.stop()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        for server in servers:
            await server.wait_closed()
        await self._forwarder.close()

    @cached_property
    def authority(self) -> Authority:
        """The authority that clients have to trust for https targets."""
        return Authority(self._ca_directory)

    def stats(self) -> dict[str, Any]:
        """What the service counted so far."""
        counts: dict[str, Any] = json.loads(self._service.stats_json())
        return counts

    def _accept(self) -> Channel:
        channel = Channel()
        task = asyncio.get_running_loop().create_task(self._watch(channel))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        return channel

    async def _watch(self, channel: Channel) -> None:
        """Serve a connection until it ends or the client goes away."""
        serving = asyncio.ensure_future(self._serve(Connection(channel), None))
        losing = asyncio.ensure_future(channel.lost.wait())
        try:
            await asyncio.wait({serving, losing}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            # A client that does not read would keep the server from ending.
            channel.abort()
            raise
        finally:
            serving.cancel()
            losing.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError, h11.ProtocolError):
                await serving
            channel.close()

    async def _serve(self, connection: Connection, tunnel: _Tunnel | None) -> None:
        try:
            while (request := await connection.next_request()) is not None:
                if request.method == b"CONNECT" and tunnel is None:
                    await self._open_tunnel(connection, request)
                    return
                await self._answer(connection, request, tunnel)
        except h11.RemoteProtocolError as error:
            if connection.is_answerable:
                too_large = error.error_status_hint == _HEAD_TOO_LARGE
                answer = self._service.handle_unreadable(too_large, Held.now())
                await connection.answer(
                    answer.status, [*answer.headers, ("Connection", "close")], answer.body
                )
        if connection.is_half_read:
            await connection.channel.linger(_LINGER_SECONDS)

    async def _open_tunnel(self, connection: Connection, request: h11.Request) -> None:
        authority = request.target.decode("latin-1")
        step = self._service.handle_connect(authority, _pairs(request), Held.now())
        if isinstance(step, ServiceAnswer):
            await send_answer(connection, step)
            return
        host, _, port = authority.rpartition(":")
        try:
            context = await asyncio.to_thread(self.authority.context, host.strip("[]"))
        except ValueError:
            # No certificate can be made for such a name.
            answer = self._service.handle_unreadable(too_large=False, now=Held.now())
            await send_answer(connection, answer)
            return
        await connection.accept_tunnel(list(step.headers))
        channel = connection.channel
        first = await connection.switch()
        # Some clients tunnel to http targets too.
        is_tls = first[:1] == _TLS_HANDSHAKE
        scheme, default = ("https", "443") if is_tls else ("http", "80")
        origin = f"{scheme}://{host if port == default else authority}"
        # A client that does not trust the authority ends the handshake.
        with contextlib.suppress(ssl.SSLError):
            if is_tls:
                await channel.start_tls(context)
            await self._serve(Connection(channel), _Tunnel(step, origin))

    async def _answer(
        self, connection: Connection, request: h11.Request, tunnel: _Tunnel | None
    ) -> None:
        method, target = request.method.decode("latin-1"), request.target.decode("latin-1")
        headers = _pairs(request)
        if tunnel is None and target.startswith("/"):
            await self._answer_api(connection, method, target, headers)
            return
        url = target
        if tunnel is not None and not target.lower().startswith(("http://", "https://")):
            url = tunnel.origin + target
        accepted = None if tunnel is None else tunnel.accepted
        step = self._service.handle_request(method, url, headers, Held.now(), accepted)
        if isinstance(step, ServiceAnswer):
            await send_answer(connection, step)
        else:
            probing = asyncio.ensure_future(connection.probe())
            try:
                await self._forwarder.forward(connection, step)
            finally:
                probing.cancel()

    async def _answer_api(
        self, connection: Connection, method: str, target: str, headers: list[tuple[str, str]]
    ) -> None:
        async for _ in connection.body():
            pass
        if target == "/-/stats":
            body = self._service.stats_json().encode()
            await connection.answer(200, [("Content-Type", "application/json")], body)
        else:
            answer = self._service.handle_api(method, target, headers, Held.now())
            await send_answer(connection, answer)


class ZyteProxyHost(ProxyHost):
    """Serves Zyte API's proxy mode in the same way, under the authority of another host."""

    _machine = ZyteProxyService

    def __init__(self, other: ProxyHost, **options: Any) -> None:
        super().__init__(**options)
        self._other = other

    @cached_property
    def authority(self) -> Authority:
        """The authority that clients have to trust for https targets."""
        return self._other.authority


def _port(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


def _pairs(request: h11.Request) -> list[tuple[str, str]]:
    """The headers with the spelling they came in."""
    pairs = request.headers.raw_items()
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs]
