"""One connection of a client: bytes both ways with back-pressure, and TLS begun half-way."""

from __future__ import annotations

import asyncio
import ssl
from typing import cast

_HIGH_WATER = 256 * 1024


class Channel(asyncio.Protocol):
    """A connection that is read and written by one task.

    When the client goes away, that task is cancelled: nobody is left to answer.
    """

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._ended = False
        self.lost: asyncio.Event = asyncio.Event()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport, or the TLS one that replaces it."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Keep what came until it is read."""
        self._received += data
        if len(self._received) > _HIGH_WATER and self._transport is not None:
            self._transport.pause_reading()
        self._readable.set()

    def eof_received(self) -> bool:
        """Note that nothing more comes; a client may still wait for its answer."""
        self._ended = True
        self._readable.set()
        # TLS has no half-closed connections.
        return self._transport is not None and not self._transport.get_extra_info("sslcontext")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's form
        """Wake everybody who waits for this connection."""
        self._ended = True
        self._readable.set()
        self._writable.set()
        self.lost.set()

    def pause_writing(self) -> None:
        """Hold writers back."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let writers go on."""
        self._writable.set()

    # What the task calls.

    async def read(self) -> bytes:
        """Wait for bytes; none mean that the client has ended its side."""
        while not self._received and not self._ended:
            self._readable.clear()
            await self._readable.wait()
        data = bytes(self._received)
        self._received.clear()
        if self._transport is not None and not self._ended:
            self._transport.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        """Send bytes, waiting while the client is slow."""
        if self.lost.is_set() or self._transport is None:
            raise ConnectionResetError
        if data:
            self._transport.write(data)
        await self._writable.wait()

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Speak TLS from here on, as its server."""
        if self._transport is None:
            raise ConnectionResetError
        loop = asyncio.get_running_loop()
        transport = await loop.start_tls(
            self._transport, self, context, server_side=True, ssl_handshake_timeout=30
        )
        if transport is None:
            raise ConnectionResetError
        self._transport = transport

    def close(self) -> None:
        """Close once everything is sent."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once, losing what was not sent."""
        if self._transport is not None:
            self._transport.abort()
