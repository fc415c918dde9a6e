"""Clients and targets of the sandbox's proxy, spoken to and speaking in bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from silkline.sandbox import Sandbox

KEY = "Proxy-Authorization: Basic S0VZOg==\r\n"
OWN = "Authorization: Basic S0VZOg==\r\n"


class Wire:
    """A connection, spoken to in bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: str | bytes) -> None:
        self.writer.write(data if isinstance(data, bytes) else data.encode("latin-1"))

    async def head(self) -> tuple[int, dict[str, str]]:
        """The status and the headers, names in lower case."""
        text = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)).decode("latin-1")
        status, *lines = text.strip().split("\r\n")
        pairs = (line.split(":", 1) for line in lines)
        return int(status.split()[1]), {name.lower(): value.strip() for name, value in pairs}

    async def answer(self, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        """A whole answer, after any interim ones."""
        status, headers = await self.head()
        while status == 102:
            status, headers = await self.head()
        body = b""
        if method == "HEAD" or status in (204, 304) or status < 200:
            return status, headers, body
        if headers.get("transfer-encoding") == "chunked":
            while size := int(await self.reader.readline(), 16):
                body += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readline()
        elif "content-length" in headers:
            body = await self.reader.readexactly(int(headers["content-length"]))
        else:
            body = await asyncio.wait_for(self.reader.read(), 10)
        return status, headers, body

    async def close(self) -> None:
        self.writer.close()
        await asyncio.wait({asyncio.ensure_future(self.writer.wait_closed())}, timeout=2)


@asynccontextmanager
async def wire(sandbox: Sandbox) -> AsyncIterator[Wire]:
    """A connection to the proxy."""
    port = int(sandbox.proxy_url.rpartition(":")[2])
    connection = Wire(*await asyncio.open_connection("127.0.0.1", port))
    try:
        yield connection
    finally:
        connection.writer.close()


@asynccontextmanager
async def target(answer: bytes, *, hang: bool = False) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A target that answers every connection with these bytes; gives its URL and what it got."""
    got: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        got.append(head)
        writer.write(answer)
        await writer.drain()
        if hang:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", got
    finally:
        server.close()


async def once(sandbox: Sandbox, request: str, method: str = "GET") -> Any:
    async with wire(sandbox) as connection:
        connection.send(request)
        return await connection.answer(method)


def get(url: str, *headers: str, method: str = "GET", version: str = "1.1") -> str:
    host = url.split("/")[2]
    lines = "".join(f"{header}\r\n" for header in headers)
    return f"{method} {url} HTTP/{version}\r\nHost: {host}\r\n{KEY}{lines}\r\n"
