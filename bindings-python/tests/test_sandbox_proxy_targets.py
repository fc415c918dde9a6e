"""What odd targets answer, byte by byte, and what sessions and clients do in real time."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from silkline.sandbox import Sandbox
from wires import OWN, get, once, target, wire


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
