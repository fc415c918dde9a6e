"""Fetching from targets, each session from its own local address."""

from __future__ import annotations

import asyncio
import base64
import errno
import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from silkline.sandbox.hosts import AllowedHosts, GuardedResolver, HostRefused, is_local

if TYPE_CHECKING:
    from silkline.service import ProxyFetch

# How many addresses keep their connections open.
_ADDRESSES = 512
_PART = 64 * 1024

_BY_ERRNO = {
    errno.ECONNREFUSED: "econnrefused",
    errno.ECONNRESET: "econnreset",
    errno.EPIPE: "econnreset",
    errno.EHOSTUNREACH: "ehostunreach",
    errno.ENETUNREACH: "ehostunreach",
    errno.EADDRNOTAVAIL: "ehostunreach",
    errno.ETIMEDOUT: "connect_timeout",
}


def failure_name(error: BaseException) -> str:
    """Tell what the service calls an error of the HTTP client."""
    if isinstance(error, HostRefused):
        return "domain_forbidden"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return failure_name(error.os_error) if error.os_error.errno is None else "nxdomain"
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return "ssl_tunnel_error"
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "connect_timeout"
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return "timeout"
    if isinstance(error, OSError):
        return _BY_ERRNO.get(error.errno or 0, "ehostunreach")
    if isinstance(error, aiohttp.ClientError):
        return "socket_closed_remotely"
    return "internal_error"


class Fetched:
    """A target's answer, whose body is read as it comes."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status: int = response.status
        self.headers: list[tuple[str, str]] = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in response.raw_headers
        ]
        self.start = b""

    @contextmanager
    def closed_on_error(self) -> Iterator[None]:
        """Close the connection if the block fails."""
        try:
            yield
        except BaseException:
            self._response.close()
            raise

    async def read_start(self, size: int, timeout: float) -> None:
        """Read up to so many bytes of the body into `start`."""

        async def read() -> None:
            while len(self.start) < size and not self._response.content.at_eof():
                self.start += await self._response.content.read(size - len(self.start))

        await asyncio.wait_for(read(), timeout)

    async def body(self) -> AsyncIterator[bytes]:
        """Give the body part by part, the start first."""
        if self.start:
            yield self.start
        async for part in self._response.content.iter_chunked(_PART):
            yield part

    def close(self) -> None:
        """Give the connection back if the body was read, else close it."""
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()


class Outgoing:
    """HTTP clients by local address, the least recently used of which are closed."""

    def __init__(self, allowed: AllowedHosts, target_ca: Path | None) -> None:
        self._allowed = allowed
        self._verify_local = target_ca is not None
        self._verified = ssl.create_default_context()
        if target_ca is not None:
            self._verified.load_verify_locations(target_ca)
        self._clients: OrderedDict[str, aiohttp.ClientSession] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()

    async def send(self, fetch: ProxyFetch, body: object) -> Fetched:
        """Fetch, up to the head of the answer.

        Raises:
            Exception: whatever went wrong; `failure_name` tells what it means.
        """
        url = URL(fetch.url, encoded=True)
        # The resolver judges names only.
        if not self._allowed.allows_host(url.host or ""):
            raise HostRefused(f"{url.host} is not an allowed host")
        sending = self._client(fetch.outgoing).request(
            fetch.method,
            url.with_user(None),
            headers=_headers(fetch, url),
            data=body,
            allow_redirects=False,
            ssl=self._tls(url.host or ""),
        )
        response = await asyncio.wait_for(sending, fetch.timeout)
        if response.status < 200:
            # Nobody asked to switch protocols: `Upgrade` is not passed on.
            response.close()
            raise aiohttp.ServerDisconnectedError
        return Fetched(response)

    def _tls(self, host: str) -> ssl.SSLContext | bool:
        """How certificates are judged: servers on this machine often have made their own."""
        local = is_local(host) or host == "::1" or host.startswith("127.")
        return False if local and not self._verify_local else self._verified

    def _client(self, address: str) -> aiohttp.ClientSession:
        client = self._clients.get(address)
        if client is None:
            client = self._clients[address] = self._make_client(address)
        self._clients.move_to_end(address)
        if len(self._clients) > _ADDRESSES:
            self._close_oldest_idle()
        return client

    def _make_client(self, address: str) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            local_addr=(address, 0),
            resolver=GuardedResolver(self._allowed),
            limit=0,
            use_dns_cache=False,
            keepalive_timeout=15,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            # The service says how long an attempt may take.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None, sock_read=None),
        )

    def _close_oldest_idle(self) -> None:
        for address, client in self._clients.items():
            connector = client.connector
            if connector is not None and not connector._acquired:  # noqa: SLF001 - not told otherwise
                del self._clients[address]
                task = asyncio.ensure_future(client.close())
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)
                return

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.close()
        self._clients.clear()


def _headers(fetch: ProxyFetch, url: URL) -> list[tuple[str, str]]:
    """The headers as they are sent."""
    # The client got its 100 already: a target that never says so would hold the body up.
    headers = [(name, value) for name, value in fetch.headers if name.lower() != "expect"]
    # Of one name in two spellings aiohttp would send the last alone.
    spelled: dict[str, str] = {}
    headers = [(spelled.setdefault(name.lower(), name), value) for name, value in headers]
    if url.user is not None and not any(name.lower() == "authorization" for name, _ in headers):
        credentials = f"{url.user}:{url.password or ''}".encode()
        headers.append(("Authorization", f"Basic {base64.b64encode(credentials).decode()}"))
    return headers
