"""What odd clients and odd targets send, byte by byte, through the sandbox's proxy."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest

from silkline.sandbox import ProxyOptions, Sandbox

KEY = "Proxy-Authorization: Basic S0VZOg==\r\n"
OWN = "Authorization: Basic S0VZOg==\r\n"


@pytest.fixture(scope="module")
def ca_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ca")


@pytest.fixture
def run(ca_directory: Path) -> Callable[..., dict[str, Any]]:
    """Runs a test against a sandbox and gives the proxy's counts."""

    def run(main: Callable[[Sandbox], Awaitable[None]], **options: Any) -> dict[str, Any]:
        proxy = cast("ProxyOptions", {"delay": 0, "ca_directory": ca_directory, **options})
        problems: list[dict[str, Any]] = []

        async def whole() -> dict[str, Any]:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda _, context: problems.append(context))
            async with Sandbox(
                extraction_port=None, proxy_port=0, keys=["KEY"], seed=1, proxy=proxy
            ) as sandbox:
                await main(sandbox)
            stats: dict[str, Any] = sandbox.stats()["proxy"]
            return stats

        stats = asyncio.run(asyncio.wait_for(whole(), 60))
        assert problems == []
        return stats

    return run


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


# --- Clients ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rest", ["\r\n", "Content-Length: 0\r\n\r\n", 'Content-Length: 9\r\n\r\n{"a": 10}']
)
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_sessions_are_created_with_and_without_a_body(
    run: Callable[..., dict[str, Any]], rest: str, version: str
) -> None:
    async def main(sandbox: Sandbox) -> None:
        async with wire(sandbox) as connection:
            for number in range(1 if version == "1.0" else 2):
                connection.send(f"POST /sessions HTTP/{version}\r\nHost: a\r\n{OWN}{rest}")
                status, headers, body = await connection.answer()
                assert (status, body.isdigit()) == (200, True), number
                assert "x-crawlera-version" in headers

    assert run(main)["errors"] == {}


def test_a_connect_of_http_1_0_without_host(
    run: Callable[..., dict[str, Any]], tls_site: str
) -> None:
    async def main(sandbox: Sandbox) -> None:
        authority = tls_site.removeprefix("https://")
        context = ssl.create_default_context(cafile=str(sandbox.ca_certificate))
        async with wire(sandbox) as connection:
            connection.send(f"CONNECT {authority} HTTP/1.0\r\n{KEY}\r\n")
            status, _ = await connection.head()
            assert status == 200
            loop = asyncio.get_running_loop()
            transport = await loop.start_tls(
                connection.writer.transport,
                connection.writer.transport.get_protocol(),
                context,
                server_hostname="127.0.0.1",
            )
            assert transport is not None
            transport.write(b"GET /headers HTTP/1.0\r\n\r\n")
            status, headers, body = await connection.answer()
            assert (status, json.loads(body)["path"]) == (200, "/headers")
            assert "x-crawlera-version" in headers
            transport.close()

    assert run(main)["tunnels"] == 1


def test_a_tunnel_whose_handshake_does_not_wait(
    run: Callable[..., dict[str, Any]], tls_site: str
) -> None:
    """The first bytes of TLS may come in one piece with the CONNECT."""

    async def main(sandbox: Sandbox) -> None:
        authority = tls_site.removeprefix("https://")
        context = ssl.create_default_context(cafile=str(sandbox.ca_certificate))
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        async with wire(sandbox) as connection:
            connect = f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{KEY}\r\n"
            connection.send(connect.encode() + outgoing.read())
            assert (await connection.head())[0] == 200
            while True:
                incoming.write(await asyncio.wait_for(connection.reader.read(65_536), 10))
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    connection.send(outgoing.read())
            tls.write(b"GET /headers HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            connection.send(outgoing.read())
            received = b""
            while True:
                data = await asyncio.wait_for(connection.reader.read(65_536), 10)
                incoming.write(data) if data else incoming.write_eof()
                try:
                    while part := tls.read():
                        received += part
                    break  # closed as TLS wants it
                except ssl.SSLWantReadError:
                    pass
            assert received.startswith(b"HTTP/1.1 200")
            assert received.endswith(b"}")

    run(main)


def test_a_tunnel_to_an_http_target(run: Callable[..., dict[str, Any]], site: str) -> None:
    async def main(sandbox: Sandbox) -> None:
        authority = site.removeprefix("http://")
        async with wire(sandbox) as connection:
            connection.send(
                f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{KEY}"
                "X-Crawlera-Session: create\r\n\r\n"
            )
            _, headers = await connection.head()
            session = headers["x-crawlera-session"]
            for _ in range(2):
                connection.send("GET /headers HTTP/1.1\r\nHost: inside\r\n\r\n")
                status, headers, body = await connection.answer()
                assert (status, headers["x-crawlera-session"]) == (200, session)
                assert dict(json.loads(body)["headers"])["Host"] == "inside"
        async with wire(sandbox) as connection:
            connection.send(f"CONNECT {authority} HTTP/1.1\r\nHost: a\r\n{KEY}\r\n")
            await connection.head()
            connection.send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
            assert (await connection.answer())[0] == 400

    assert run(main)["tunnels"] == 2


@pytest.mark.parametrize(
    "authority",
    ["", "a", "a:", "a:b", "a:99999", "a..b:443", "[::1:443", "u@a:443", "a/b:1", "*:1"],
)
def test_a_connect_to_nowhere(run: Callable[..., dict[str, Any]], authority: str) -> None:
    async def main(sandbox: Sandbox) -> None:
        status, _, _ = await once(sandbox, f"CONNECT {authority} HTTP/1.1\r\nHost: a\r\n{KEY}\r\n")
        assert 400 <= status <= 499

    run(main)


def test_names_that_certificates_find_odd(run: Callable[..., dict[str, Any]]) -> None:
    async def main(sandbox: Sandbox) -> None:
        for name in ("under_score.shop.localhost", "xn--zz.localhost", "A.LOCALHOST.", "[::1]"):
            async with wire(sandbox) as connection:
                connection.send(f"CONNECT {name}:443 HTTP/1.1\r\nHost: a\r\n{KEY}\r\n")
                assert (await connection.head())[0] in (200, 401), name

    run(main)


def test_a_connection_is_kept_over_targets_and_pipelined(
    run: Callable[..., dict[str, Any]], site: str
) -> None:
    other = site.replace("127.0.0.1", "shop.localhost")

    async def main(sandbox: Sandbox) -> None:
        async with wire(sandbox) as connection:
            for url in (site, other, site):
                connection.send(get(f"{url}/headers"))
                status, _, body = await connection.answer()
                assert status == 200
                host = dict(json.loads(body)["headers"])["Host"]
                assert host == url.removeprefix("http://")
            connection.send("".join(get(f"{site}/headers?{n}") for n in range(20)))
            connection.send(f"GET /sessions HTTP/1.1\r\nHost: a\r\n{OWN}\r\n")
            for number in range(20):
                _, _, body = await connection.answer()
                assert json.loads(body)["path"] == f"/headers?{number}"
            assert (await connection.answer())[2] == b"{}"

    assert run(main)["requests"] == 23


def test_uploads_in_chunks_with_trailers_and_100_continue(
    run: Callable[..., dict[str, Any]], site: str
) -> None:
    async def main(sandbox: Sandbox) -> None:
        async with wire(sandbox) as connection:
            for _ in range(2):
                framing = ("Transfer-Encoding: chunked", "Trailer: X-Sum")
                connection.send(get(f"{site}/headers", *framing, method="POST"))
                connection.send(
                    b"5;ext=1\r\nhello\r\n10\r\n" + b"x" * 16 + b"\r\n0\r\nX-Sum: 1\r\n\r\n"
                )
                status, _, body = await connection.answer()
                assert (status, json.loads(body)["body"]) == (200, "hello" + "x" * 16)
            expecting = ("Expect: 100-continue", "Content-Length: 5")
            connection.send(get(f"{site}/headers", *expecting, method="PUT"))
            assert (await connection.head())[0] == 100
            connection.send(b"hello")
            status, _, body = await connection.answer()
            assert json.loads(body)["body"] == "hello"

    run(main)


def test_a_target_that_does_not_know_100_continue(run: Callable[..., dict[str, Any]]) -> None:
    async def main(sandbox: Sandbox) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(5)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + body)
            await reader.read()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with wire(sandbox) as connection:
            connection.send(get(url, "Expect: 100-continue", "Content-Length: 5", method="PUT"))
            assert (await connection.head())[0] == 100
            connection.send(b"hello")
            assert (await connection.answer())[2] == b"hello"
        server.close()

    run(main)


@pytest.mark.parametrize("size", [110_000, 400_000, 3_000_000])
def test_large_headers(run: Callable[..., dict[str, Any]], site: str, size: int) -> None:
    async def main(sandbox: Sandbox) -> None:
        status, headers, _ = await once(sandbox, get(f"{site}/headers", f"X-Big: {'x' * size}"))
        assert status == 413
        assert "x-crawlera-error" not in headers
        assert "x-crawlera-version" in headers

    run(main)


def test_a_refusal_is_readable_while_the_client_still_sends(
    run: Callable[..., dict[str, Any]], site: str
) -> None:
    async def main(sandbox: Sandbox) -> None:
        body = b"x" * 20_000_000
        head = f"POST {site}/headers HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
        async with wire(sandbox) as connection:
            connection.send(head.encode() + body)
            status, headers, _ = await connection.answer()
            assert (status, headers["x-crawlera-error"]) == (407, "bad_proxy_auth")

    run(main)


def test_a_client_that_has_ended_its_side_gets_its_answer(
    run: Callable[..., dict[str, Any]], site: str
) -> None:
    async def main(sandbox: Sandbox) -> None:
        async with wire(sandbox) as connection:
            connection.send(get(f"{site}/slow/1.7"))
            connection.writer.write_eof()
            assert (await connection.answer())[0] == 200

    assert run(main)["clients_gone"] == 0


def test_urls_as_clients_write_them(run: Callable[..., dict[str, Any]], site: str) -> None:
    host = site.removeprefix("http://")

    async def main(sandbox: Sandbox) -> None:
        async def path(url: str, *more: str) -> Any:
            text = f"GET {url} HTTP/1.1\r\nHost: else.where\r\n{KEY}{''.join(more)}\r\n"
            status, _, body = await once(sandbox, text)
            seen = json.loads(body) if status == 200 else {"headers": []}
            return status, seen.get("path"), {n.lower(): v for n, v in seen["headers"]}

        status, found, headers = await path(f"HTTP://{host}/headers?a={{b}}|'%2f%C3%A9")
        assert (status, found) == (200, "/headers?a={b}|'%2f%C3%A9")
        assert headers["host"] == host, "the URL says where to (RFC 9112, section 3.2.2)"
        status, _, headers = await path(f"http://us%40er:pass@{host}/headers")
        assert status == 200
        assert headers["authorization"] == "Basic dXNAZXI6cGFzcw=="
        _, _, headers = await path(f"http://user:pass@{host}/headers", "Authorization: own\r\n")
        assert headers["authorization"] == "own"
        assert (await once(sandbox, get(f"http://{host}")))[0] == 200
        for wrong in ("http://", "http://a:b/", "ftp://a/", "a.com:80", "http://[::1/"):
            status, *_ = await path(wrong)
            assert status == 401, wrong

    run(main)


def test_headers_with_one_name_in_two_spellings(
    run: Callable[..., dict[str, Any]], site: str
) -> None:
    async def main(sandbox: Sandbox) -> None:
        lines = ("X-Mine: 1", "X-Other: a", "x-mine: 2")
        _, _, body = await once(sandbox, get(f"{site}/headers", *lines))
        seen = [value for name, value in json.loads(body)["headers"] if name.lower() == "x-mine"]
        assert seen == ["1", "2"]

    run(main)


def test_protocols_are_not_switched(run: Callable[..., dict[str, Any]], site: str) -> None:
    wishes = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: a")

    async def main(sandbox: Sandbox) -> None:
        status, _, body = await once(sandbox, get(f"{site}/headers", *wishes))
        names = {name.lower() for name, _ in json.loads(body)["headers"]}
        assert status == 200
        assert not names & {"upgrade"}
        switching = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
        async with target(switching) as (url, _):
            status, headers, _ = await once(sandbox, get(url, *wishes))
            assert (status, headers["x-crawlera-error"]) == (502, "socket_closed_remotely")

    run(main, retries=0)


@pytest.mark.parametrize("length", ["abc", "-1", "5, 6", "99999999999999999999999", "1e3", "+5"])
def test_a_clients_impossible_length(
    run: Callable[..., dict[str, Any]], site: str, length: str
) -> None:
    async def main(sandbox: Sandbox) -> None:
        request = get(f"{site}/headers", f"Content-Length: {length}", method="POST")
        async with wire(sandbox) as connection:
            connection.send(request + "hello")
            connection.writer.write_eof()
            assert (await connection.answer())[0] in (400, 413)

    run(main)


# --- Targets ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body(run: Callable[..., dict[str, Any]], site: str, status: int) -> None:
    async def main(sandbox: Sandbox) -> None:
        async with wire(sandbox) as connection:
            for _ in range(2):
                connection.send(get(f"{site}/status/{status}"))
                assert (await connection.answer())[0] == status
            connection.send(get(f"{site}/bytes/1000", method="HEAD"))
            got, headers, _ = await connection.answer("HEAD")
            assert (got, headers["content-length"]) == (200, "1000")
            connection.send(get(f"{site}/bytes/1000"))
            assert len((await connection.answer())[2]) == 1000
        with_length = f"HTTP/1.1 {status} Fine\r\nContent-Length: 77\r\nETag: x\r\n\r\n".encode()
        async with target(with_length) as (url, _), wire(sandbox) as connection:
            for _ in range(2):
                connection.send(get(url))
                assert (await connection.answer())[0] == status

    run(main)


ODD_ANSWERS: dict[str, tuple[bytes, int, bytes]] = {
    "early hints": (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        200,
        b"ok",
    ),
    "until it closes": (b"HTTP/1.0 200 OK\r\n\r\nthe rest", 200, b"the rest"),
    "chunks with trailers": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nX-T: 1\r\n\r\n",
        200,
        b"ok",
    ),
    "a status of nobody": (b"HTTP/1.1 999 Denied\r\nContent-Length: 2\r\n\r\nno", 999, b"no"),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", 200, b"ok"),
    "a header in UTF-8": (
        "HTTP/1.1 200 OK\r\nX-Name: é日\r\nContent-Length: 2\r\n\r\nok".encode(), 200, b"ok",
    ),
    "an empty header": (b"HTTP/1.1 200 OK\r\nX-None:\r\nContent-Length: 2\r\n\r\nok", 200, b"ok"),
    "the same length twice": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", 502, b"",
    ),
    "control characters": (
        b"HTTP/1.1 200 OK\r\nX-Odd: a\x01b\r\nContent-Length: 2\r\n\r\nok", 200, b"ok",
    ),
    "a nonsense length": (b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nok", 502, b""),
    "two lengths": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", 502, b"",
    ),
    "no HTTP": (b"220 mail.example ESMTP\r\n", 502, b""),
    "nothing": (b"", 502, b""),
    "half a head": (b"HTTP/1.1 200 OK\r\nConte", 502, b""),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD_ANSWERS)
def test_odd_answers(run: Callable[..., dict[str, Any]], name: str) -> None:
    answer, status, body = ODD_ANSWERS[name]

    async def main(sandbox: Sandbox) -> None:
        async with target(answer) as (url, _), wire(sandbox) as connection:
            for _ in range(2):
                connection.send(get(url))
                got, headers, received = await connection.answer()
                assert got == status, headers
                assert body in (b"", received)
                if status == 502:
                    assert headers["x-crawlera-error"] == "socket_closed_remotely"

    run(main, retries=0)


BROKEN_BODIES = {
    "broken chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZZ\r\nmore",
    "chunks that end early": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    "fewer bytes than announced": b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
}


@pytest.mark.parametrize("name", BROKEN_BODIES)
@pytest.mark.parametrize("inspect", [False, True])
def test_a_body_that_breaks_off_is_never_taken_for_whole(
    run: Callable[..., dict[str, Any]], name: str, inspect: bool
) -> None:
    async def main(sandbox: Sandbox) -> None:
        async with target(BROKEN_BODIES[name]) as (url, _):
            try:
                status, *_ = await once(sandbox, get(url))
                assert status == 502
            except (asyncio.IncompleteReadError, ConnectionError, ValueError):
                pass

    bans: list[Any] = [(None, [], ["banned"])] if inspect else []
    run(main, retries=0, bans=bans)


def test_length_and_chunks_at_once(run: Callable[..., dict[str, Any]]) -> None:
    """Passed on with one framing only, if at all (RFC 9112, section 6.3)."""
    both = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"2\r\nok\r\n0\r\n\r\n"
    )

    async def main(sandbox: Sandbox) -> None:
        async with target(both) as (url, _), wire(sandbox) as connection:
            connection.send(get(url))
            status, headers, body = await connection.answer()
            assert (status, body) == (200, b"ok") or status == 502
            assert not {"content-length", "transfer-encoding"} <= set(headers)

    run(main, retries=0)


def test_a_target_that_never_answers(run: Callable[..., dict[str, Any]]) -> None:
    async def main(sandbox: Sandbox) -> None:
        async with target(b"", hang=True) as (url, got):
            status, headers, _ = await once(sandbox, get(url))
            assert (status, headers["x-crawlera-error"]) == (504, "timeout")
            assert len(got) == 2

    assert run(main, timeout=0.2, retries=1)["retries"] == 1


def test_targets_on_ipv6(run: Callable[..., dict[str, Any]], site_v6: str) -> None:
    def plain(outgoing: list[str], status: int) -> None:
        async def main(sandbox: Sandbox) -> None:
            got, headers, body = await once(sandbox, get(f"{site_v6}/headers"))
            assert got == status
            if status == 200:
                assert json.loads(body)["peer"] == "::1"
                assert headers["x-crawlera-slave"] == "[::1]:3128"
            else:
                assert headers["x-crawlera-error"] == "ehostunreach"

        run(main, outgoing=outgoing, retries=0)

    plain(["::1"], 200)
    plain(["127.0.0.2"], 502)


def test_cookies_are_kept_by_address(run: Callable[..., dict[str, Any]], site: str) -> None:
    async def main(sandbox: Sandbox) -> None:
        async def cookies(*headers: str) -> Any:
            return json.loads((await once(sandbox, get(f"{site}/cookies/echo", *headers)))[2])

        sessions = []
        for value in ("one", "two"):
            _, headers, _ = await once(
                sandbox, get(f"{site}/cookies/set?c={value}&d=1", "X-Crawlera-Session: create")
            )
            sessions.append(f"X-Crawlera-Session: {headers['x-crawlera-session']}")
        assert await cookies(sessions[0]) == {"c": "one", "d": "1"}
        assert await cookies(sessions[1], "Cookie: own=1") == {"c": "two", "d": "1"}
        disabled = "X-Crawlera-Cookies: disable"
        assert await cookies(sessions[1], "Cookie: own=1", disabled) == {"own": "1"}
        assert await cookies(sessions[1], "X-Crawlera-Cookies: discard") == {}

    run(main)


# --- Sessions in real time -------------------------------------------------------------------


def test_idle_sessions_expire(run: Callable[..., dict[str, Any]], site: str) -> None:
    async def main(sandbox: Sandbox) -> None:
        created = await once(sandbox, f"POST /sessions HTTP/1.1\r\nHost: a\r\n{OWN}\r\n")
        session = f"X-Crawlera-Session: {created[2].decode()}"
        for _ in range(3):
            await asyncio.sleep(0.5)
            assert (await once(sandbox, get(f"{site}/headers", session)))[0] == 200
        await asyncio.sleep(1.1)
        status, headers, _ = await once(sandbox, get(f"{site}/headers", session))
        assert (status, headers["x-crawlera-error"]) == (400, "bad_session_id")

    stats = run(main, session_idle=1)
    assert (stats["sessions_expired"], stats["sessions_living"]) == (1, 0)


def test_limits_of_sessions(run: Callable[..., dict[str, Any]], site: str) -> None:
    create = f"POST /sessions HTTP/1.1\r\nHost: a\r\n{OWN}\r\n"

    async def main(sandbox: Sandbox) -> None:
        for _ in range(4):
            assert (await once(sandbox, create))[0] == 200
        status, headers, _ = await once(sandbox, create)
        assert (status, headers["x-crawlera-error"]) == (400, "user_session_limit")

    stats = run(main, max_sessions=4, sessions_per_address=2, outgoing=["127.0.0.2-127.0.0.3"])
    addresses = [session["address"] for session in stats["sessions"].values()]
    assert sorted(addresses) == ["127.0.0.2", "127.0.0.2", "127.0.0.3", "127.0.0.3"]

    async def scarce(sandbox: Sandbox) -> None:
        assert (await once(sandbox, create))[0] == 200
        for request in (create, get(f"{site}/headers", "X-Crawlera-Session: create"),
                        get(f"{site}/headers")):  # fmt: skip
            status, headers, _ = await once(sandbox, request)
            assert (status, headers["x-crawlera-error"]) == (503, "noslaves")
            assert "x-crawlera-session" not in headers

    run(scarce, outgoing=["127.0.0.2"])


def test_five_thousand_sessions(run: Callable[..., dict[str, Any]]) -> None:
    async def main(sandbox: Sandbox) -> None:
        async with wire(sandbox) as connection:
            create = f"POST /sessions HTTP/1.1\r\nHost: a\r\n{OWN}\r\n"
            for _ in range(50):
                connection.send(create * 100)
                for _ in range(100):
                    assert (await connection.answer())[0] == 200
            connection.send(create)
            _, headers, _ = await connection.answer()
            assert headers["x-crawlera-error"] == "user_session_limit"
            connection.send(f"GET /sessions HTTP/1.1\r\nHost: a\r\n{OWN}\r\n")
            listed = json.loads((await connection.answer())[2])
            assert len(set(listed.values())) == 5_000

    assert run(main)["sessions_living"] == 5_000


def test_a_session_deleted_while_a_request_is_in_flight(
    run: Callable[..., dict[str, Any]], site: str
) -> None:
    async def main(sandbox: Sandbox) -> None:
        _, _, created = await once(sandbox, f"POST /sessions HTTP/1.1\r\nHost: a\r\n{OWN}\r\n")
        session = created.decode()
        async with wire(sandbox) as flying, wire(sandbox) as held:
            flying.send(get(f"{site}/slow/0.5", f"X-Crawlera-Session: {session}"))
            await asyncio.sleep(0.1)
            held.send(get(f"{site}/headers", f"X-Crawlera-Session: {session}"))
            await asyncio.sleep(0.1)
            delete = f"DELETE /sessions/{session} HTTP/1.1\r\nHost: a\r\n{OWN}\r\n"
            assert (await once(sandbox, delete))[0] == 204
            assert (await flying.answer())[0] == 200
            status, headers, _ = await held.answer()
            assert status in (200, 400), headers

    assert run(main, delay=0.7)["sessions_living"] == 0


def test_bodies_wait_for_slow_clients(run: Callable[..., dict[str, Any]], site: str) -> None:
    """What a client does not read is left with the target, not held in memory."""

    async def main(sandbox: Sandbox) -> None:
        connection = socket.create_connection(
            ("127.0.0.1", int(sandbox.proxy_url.rpartition(":")[2]))
        )
        connection.sendall(get(f"{site}/bytes/400000000").encode())
        await asyncio.sleep(1.5)
        assert connection.recv(9) == b"HTTP/1.1 "
        connection.close()
        for _ in range(100):
            if sandbox.stats()["proxy"]["relayed_bytes"]:
                break
            await asyncio.sleep(0.05)

    assert 0 < run(main)["relayed_bytes"] < 50_000_000


def test_clients_that_go_away_half_way(
    run: Callable[..., dict[str, Any]], site: str, tls_site: str
) -> None:
    async def main(sandbox: Sandbox) -> None:
        async with wire(sandbox) as reading:
            reading.send(get(f"{site}/bytes/300000000"))
            await reading.head()
        async with wire(sandbox) as sending:
            sending.send(get(f"{site}/headers", "Content-Length: 1000", method="POST") + "half")
            await asyncio.sleep(0.1)
        async with wire(sandbox) as waiting:
            waiting.send(get(f"{site}/slow/5"))
            await asyncio.sleep(0.1)
        context = ssl.create_default_context(cafile=str(sandbox.ca_certificate))
        async with aiohttp.ClientSession() as client:
            with pytest.raises(asyncio.TimeoutError):
                await client.get(
                    f"{tls_site}/slow/1",
                    proxy=sandbox.proxy_url,
                    proxy_headers={"Proxy-Authorization": "Basic S0VZOg=="},
                    ssl=context,
                    timeout=aiohttp.ClientTimeout(total=0.5),
                )
        for _ in range(100):
            if sandbox.stats()["proxy"]["clients_gone"] == 2:
                break
            await asyncio.sleep(0.05)
        else:
            pytest.fail("nobody noticed")
        assert (await once(sandbox, get(f"{site}/headers")))[0] == 200
        # Until then that target does not take leave, as TLS wants it.
        await asyncio.sleep(1)

    assert run(main, retries=0)["clients_gone"] == 2, "an upload that breaks off is an error"


def test_the_end_does_not_wait_for_clients_that_do_not_read(
    run: Callable[..., dict[str, Any]], site: str
) -> None:
    clients: list[socket.socket] = []

    async def main(sandbox: Sandbox) -> None:
        port = int(sandbox.proxy_url.rpartition(":")[2])
        for path in ("bytes/100000000", "slow/30"):
            clients.append(socket.create_connection(("127.0.0.1", port)))
            clients[-1].sendall(get(f"{site}/{path}").encode())
        await asyncio.sleep(0.5)

    started = time.monotonic()
    run(main)
    assert time.monotonic() - started < 5
    for client in clients:
        client.close()


def test_what_does_not_fit_is_cut_off(run: Callable[..., dict[str, Any]], site: str) -> None:
    async def main(sandbox: Sandbox) -> None:
        status, headers, _ = await once(sandbox, get(f"{site}/bytes/1001"))
        assert (status, headers["x-crawlera-error"]) == (541, "data_error")
        async with target(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5_000) as (url, _):
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError, ValueError)):
                await once(sandbox, get(url))

    run(main, max_body_bytes=1_000)
