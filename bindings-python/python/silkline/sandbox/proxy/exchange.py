"""One request and its answer on a connection, in terms of h11."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterable
from http.client import responses

import h11

from .channel import Channel

# A request whose headers are larger than the service allows still has to be told so.
_MAX_HEAD = 256 * 1024
_PROBE_SECONDS = 0.5
# Bodies up to this size are kept in memory for a retry, larger ones in a file.
_IN_MEMORY = 1024 * 1024


class Connection:
    """HTTP/1.1 on a channel, from the server's side."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD)
        self.has_body: bool = False

    async def next_request(self) -> h11.Request | None:
        """Wait for the next request; `None` once the client has gone or may send no more."""
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        if self._http.our_state is not h11.IDLE:
            return None
        event = await self._next_event()
        if not isinstance(event, h11.Request):
            return None
        framing = {b"content-length", b"transfer-encoding"}
        self.has_body = any(name in framing for name, _ in event.headers)
        if not self.has_body and event.method != b"CONNECT":
            # The end of a request without a body comes at once, and frees the connection.
            await self._next_event()
        return event

    @property
    def is_answerable(self) -> bool:
        """Whether an answer may still begin."""
        return self._http.our_state in {h11.IDLE, h11.SEND_RESPONSE}

    @property
    def is_half_read(self) -> bool:
        """Whether there may be a rest of the request that nobody has read."""
        return self._http.their_state in {h11.SEND_BODY, h11.ERROR}

    async def probe(self) -> None:
        """Find out about a client that has ended its side, for as long as it waits.

        It may want its answer still or be gone for good. Only what is sent to it tells: an interim
        answer, which clients have to pass over (RFC 9110, section 15.2).
        """
        await self.channel.half_closed.wait()
        with contextlib.suppress(OSError):
            while self._http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
                await asyncio.sleep(_PROBE_SECONDS)
                modern = self._http.their_http_version == b"1.1"
                if modern and self._http.our_state is h11.SEND_RESPONSE:
                    await self._send(h11.InformationalResponse(status_code=102, headers=[]))

    async def switch(self) -> bytes:
        """Leave HTTP; give the first bytes of what comes after it, without taking them."""
        self.channel.unread(self._http.trailing_data[0])
        first = await self.channel.read()
        self.channel.unread(first)
        return first

    async def _next_event(self) -> h11.Event | type[h11.NEED_DATA | h11.PAUSED]:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self._http.they_are_waiting_for_100_continue:
                await self._send(h11.InformationalResponse(status_code=100, headers=[]))
            self._http.receive_data(await self.channel.read())

    async def body(self) -> AsyncIterator[bytes]:
        """Read the body of the request, bit by bit."""
        while self._http.their_state is h11.SEND_BODY:
            event = await self._next_event()
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return
            else:
                raise ConnectionResetError

    async def start_answer(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """Send the head of an answer. Without a length, the body is sent in chunks."""
        # A rest of the request that nobody reads would be taken for the next one.
        pairs = list(headers)
        if self.is_half_read and not any(name.lower() == "connection" for name, _ in pairs):
            pairs.append(("Connection", "close"))
        await self._send(
            h11.Response(
                status_code=status,
                headers=[
                    (name.encode("latin-1", "replace"), _value(value)) for name, value in pairs
                ],
                reason=responses.get(status, "").encode(),
            )
        )

    async def send_body(self, data: bytes) -> None:
        """Send a part of the body."""
        await self._send(h11.Data(data=data))

    async def end_answer(self) -> None:
        """End the body."""
        await self._send(h11.EndOfMessage())

    async def answer(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        """Send a whole answer."""
        pairs = list(headers)
        if status != 204:
            pairs.append(("Content-Length", str(len(body))))
        await self.start_answer(status, pairs)
        if body:
            await self.send_body(body)
        await self.end_answer()

    async def answer_truncated(
        self, status: int, headers: Iterable[tuple[str, str]], body: bytes, length: int
    ) -> None:
        """Announce a whole answer, send `length` bytes of its body, and close."""
        await self.start_answer(status, [*headers, ("Content-Length", str(len(body)))])
        await self.send_body(body[:length])
        self.channel.close()

    async def accept_tunnel(self, headers: Iterable[tuple[str, str]]) -> None:
        """Answer a CONNECT with success, after which the connection is the tunnel's."""
        lines = [f"{name}: {value}" for name, value in headers]
        head = "\r\n".join(["HTTP/1.1 200 Connection established", *lines, "", ""])
        await self.channel.write(head.encode("latin-1", "replace"))

    async def _send(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            await self.channel.write(data)


def _value(value: str) -> bytes:
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode()


class Replay:
    """A request body that can be sent again, since the service may retry."""

    def __init__(self, body: AsyncIterator[bytes]) -> None:
        self._rest = body
        self._seen = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115

    async def __call__(self) -> AsyncIterator[bytes]:
        """Give the body from its start: what was read before, then the rest."""
        position = 0
        while True:
            self._seen.seek(position)
            data = self._seen.read(64 * 1024)
            if not data:
                try:
                    data = await anext(self._rest)
                except StopAsyncIteration:
                    return
                self._seen.seek(0, 2)
                self._seen.write(data)
            position += len(data)
            yield data

    def close(self) -> None:
        """Forget the body."""
        self._seen.close()
