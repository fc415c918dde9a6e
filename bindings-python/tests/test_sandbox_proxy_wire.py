"""What odd clients send, byte by byte, through the sandbox's proxy."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from silkline.sandbox import Sandbox
from wires import KEY, OWN, get, once, target, wire


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
