"""One connection of a client: bytes both ways with back-pressure, and TLS begun half-way."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import cast

_HIGH_WATER = 256 * 1024
_RECORD = 64 * 1024
_HANDSHAKE_SECONDS = 30


class _Tls:
    """TLS as its server, between the bytes of a transport and those of its user."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self.object = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.established = False

    def shake_hands(self) -> bool:
        """Go on with the handshake; whether it is complete."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self.object.do_handshake()
            self.established = True
        return self.established

    def decrypt(self, received: bytearray) -> bool:
        """Append what was sent; whether more can come."""
        try:
            while part := self.object.read(_RECORD):
                received += part
        except ssl.SSLWantReadError:
            return True
        except ssl.SSLError:
            pass
        return False


class Channel(asyncio.Protocol):
    """A connection that is read and written by one task.

    When the client goes away, that task is cancelled: nobody is left to answer.
    """

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        # asyncio's own `start_tls` loses what came before it, and a look at that is needed.
        self._tls: _Tls | None = None
        self._received = bytearray()
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._ended = False
        self.half_closed: asyncio.Event = asyncio.Event()
        self.lost: asyncio.Event = asyncio.Event()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Keep what came until it is read."""
        if self._tls is None:
            self._received += data
        else:
            self._tls.incoming.write(data)
            self._decrypt()
        if len(self._received) > _HIGH_WATER and self._transport is not None:
            self._transport.pause_reading()
        self._readable.set()

    def eof_received(self) -> bool:
        """Note that nothing more comes; a client may still wait for its answer."""
        self._ended = True
        self._readable.set()
        self.half_closed.set()
        # TLS has no half-closed connections.
        return (
            self._tls is None
            and self._transport is not None
            and not self._transport.get_extra_info("sslcontext")
        )

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

    def unread(self, data: bytes) -> None:
        """Put back what was read too much."""
        self._received[:0] = data

    async def write(self, data: bytes) -> None:
        """Send bytes, waiting while the client is slow."""
        if self.lost.is_set() or self._transport is None:
            raise ConnectionResetError
        if data and self._tls is not None:
            self._tls.object.write(data)
            self._flush()
        elif data:
            self._transport.write(data)
        await self._writable.wait()

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Speak TLS from here on, as its server. What was received so far is the start of it."""
        self._tls = tls = _Tls(context)
        tls.incoming.write(bytes(self._received))
        self._received.clear()

        async def shake_hands() -> None:
            while not tls.shake_hands():
                self._flush()
                if self._ended:
                    raise ConnectionResetError
                self._readable.clear()
                await self._readable.wait()

        try:
            await asyncio.wait_for(shake_hands(), _HANDSHAKE_SECONDS)
        except asyncio.TimeoutError:
            raise ConnectionResetError from None
        finally:
            self._flush()
        self._decrypt()

    def _decrypt(self) -> None:
        if self._tls is not None and self._tls.established:
            if not self._tls.decrypt(self._received):
                # TLS has no half-closed connections; the client waits for the same from here.
                self._ended = True
                self.close()
            self._flush()

    def _flush(self) -> None:
        if self._tls is not None and self._transport is not None:
            data = self._tls.outgoing.read()
            if data and not self.lost.is_set():
                self._transport.write(data)

    async def linger(self, seconds: float) -> None:
        """Wait until the client has read its answer, for which it may first want to finish.

        Closing while it still sends would make its system throw the answer away.
        """
        if self._transport is None or self.lost.is_set():
            return
        if self._tls is None and self._transport.can_write_eof():
            self._transport.write_eof()

        async def discard() -> None:
            while await self.read():
                pass

        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(discard(), seconds)

    def close(self) -> None:
        """Close once everything is sent."""
        if self._transport is None:
            return
        if self._tls is not None and self._tls.established and not self._transport.is_closing():
            with contextlib.suppress(ssl.SSLError):
                self._tls.object.unwrap()
            self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Close at once, losing what was not sent."""
        if self._transport is not None:
            self._transport.abort()
