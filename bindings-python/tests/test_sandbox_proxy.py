"""The sandbox's proxy over real sockets, as its clients see it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from silkline import basic_authorization
from silkline.sandbox import Sandbox
from silkline.sandbox.proxy.addresses import addresses

AUTHORIZATION = basic_authorization("KEY")
PROXY = {"Proxy-Authorization": AUTHORIZATION}


@asynccontextmanager
async def get(
    sandbox: Sandbox, url: str | URL, headers: dict[str, str] | None = None, **options: Any
) -> AsyncIterator[aiohttp.ClientResponse]:
    """Asks for an http target through the proxy."""
    async with aiohttp.ClientSession() as client:
        method = options.pop("method", "GET")
        sent = {**PROXY, **(headers or {})}
        async with client.request(
            method, url, proxy=sandbox.proxy_url, headers=sent, **options
        ) as response:
            yield response


async def seen(sandbox: Sandbox, url: str, **headers: str) -> tuple[dict[str, Any], Any]:
    spelled = {name.replace("_", "-"): value for name, value in headers.items()}
    async with get(sandbox, url, spelled) as response:
        assert response.status == 200, (response.status, await response.text())
        return await response.json(content_type=None), response.headers


async def curl(*arguments: str) -> str:
    """What the command prints, headers included."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    process = await asyncio.create_subprocess_exec(
        "curl", "-sSi", *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


def test_the_documented_calls(run: Callable[..., dict[str, Any]]) -> None:
    """curl -u KEY: HOST/sessions -X POST, GET and DELETE."""

    async def main(sandbox: Sandbox) -> None:
        sessions = sandbox.proxy_url.removeprefix("http://") + "/sessions"
        created = await curl("-u", "KEY:", sessions, "-X", "POST")
        assert created.startswith("HTTP/1.1 200 OK\r\n")
        session = created.partition("\r\n\r\n")[2]
        assert session.isdecimal()
        listed = await curl("-u", "KEY:", sessions)
        assert json.loads(listed.partition("\r\n\r\n")[2]) == {session: "127.0.0.2"}
        deleted = await curl("-u", "KEY:", f"{sessions}/{session}", "-X", "DELETE")
        assert deleted.startswith("HTTP/1.1 204")
        again = await curl("-u", "KEY:", f"{sessions}/{session}", "-X", "DELETE")
        assert again.startswith("HTTP/1.1 400")
        assert "X-Crawlera-Error: bad_session_id" in again
        wrong = await curl("-u", "WRONG:", sessions)
        assert wrong.startswith("HTTP/1.1 407")
        assert 'Proxy-Authenticate: Basic realm="Crawlera"' in wrong
        missing = await curl("-u", "KEY:", f"{sandbox.proxy_url}/nothing")
        assert "X-Crawlera-Error: bad_endpoint" in missing

    stats = run(main)
    assert (stats["sessions_created"], stats["sessions_deleted"]) == (1, 1)


def test_a_session_keeps_its_address(run: Callable[..., dict[str, Any]], site: str) -> None:
    peers: defaultdict[str, set[str]] = defaultdict(set)

    async def main(sandbox: Sandbox) -> None:
        for _ in range(3):
            first, headers = await seen(sandbox, f"{site}/headers?a", X_Crawlera_Session="create")
            session = headers["X-Crawlera-Session"]
            peers[session].add(first["peer"])
            for _ in range(3):
                body, headers = await seen(sandbox, f"{site}/headers?b", X_Crawlera_Session=session)
                assert headers["X-Crawlera-Session"] == session
                assert headers["X-Crawlera-Slave"].partition(":")[0] == body["peer"]
                peers[session].add(body["peer"])

    stats = run(main)
    assert len(peers) == 3
    assert [len(addresses) for addresses in peers.values()] == [1, 1, 1]
    assert len(set.union(*peers.values())) == 3
    counted = {session: stats["sessions"][session]["requests"] for session in peers}
    assert set(counted.values()) == {4}


def test_the_target_sees_the_request_and_nothing_of_the_service(
    run: Callable[..., dict[str, Any]], site: str
) -> None:
    async def main(sandbox: Sandbox) -> None:
        sent = {"Accept": "a/b", "X-Own": "1", "X-Crawlera-JobId": "7", "Connection": "X-Hop"}
        async with get(
            sandbox,
            URL(f"{site}/headers?q=%20a%2Fb", encoded=True),
            {**sent, "X-Hop": "1"},
            method="PUT",
            data=b"x" * 999,
        ) as response:
            body = await response.json(content_type=None)
            assert response.headers["X-Crawlera-Version"]
        names = {name for name, _ in body["headers"]}
        assert (body["method"], body["path"], body["body_bytes"]) == (
            "PUT",
            "/headers?q=%20a%2Fb",
            999,
        )
        assert {"Accept", "X-Own", "Host"} <= names
        assert not names & {"X-Crawlera-JobId", "Proxy-Authorization", "X-Hop"}
        async with get(sandbox, f"{site}/status/404") as response:
            assert response.status == 404
            assert "X-Crawlera-Error" not in response.headers
        async with get(sandbox, f"{site}/headers", method="HEAD") as response:
            assert int(response.headers["Content-Length"]) > 0

    run(main)


def test_https_targets_with_headers_inside_and_on_the_connect(
    run: Callable[..., dict[str, Any]], tls_site: str
) -> None:
    async def main(sandbox: Sandbox) -> None:
        ca = str(sandbox.ca_certificate)
        base = ["-x", sandbox.proxy_url, "-U", "KEY:", "--cacert", ca]
        inside = await curl(*base, "-H", "X-Crawlera-Session: create", f"{tls_site}/headers")
        connect, _, answer = inside.partition("\r\n\r\n")
        assert connect.startswith("HTTP/1.1 200")
        assert "X-Crawlera-Session" not in connect
        assert "X-Crawlera-Session: " in answer
        assert "X-Crawlera" not in answer.partition("\r\n\r\n")[2]
        outside = await curl(
            *base, "--proxy-header", "X-Crawlera-Session: create", f"{tls_site}/headers"
        )
        connect, _, answer = outside.partition("\r\n\r\n")
        (session,) = [line for line in connect.splitlines() if "X-Crawlera-Session" in line]
        assert session in answer
        untrusted = await asyncio.create_subprocess_exec(
            "curl", "-s", "-x", sandbox.proxy_url, "-U", "KEY:", tls_site, stdout=subprocess.PIPE
        )
        assert await untrusted.wait() == 60, "the authority is not trusted by itself"
        for header, status in (("-U", 407), ("--proxy-header", 400)):
            wrong = "WRONG:" if header == "-U" else "X-Crawlera-Session: 1"
            process = await asyncio.create_subprocess_exec(
                "curl", "-si", *base, header, wrong, tls_site, stdout=subprocess.PIPE
            )
            out, _ = await process.communicate()
            assert out.startswith(f"HTTP/1.1 {status}".encode()), out

    stats = run(main)
    assert stats["sessions_created"] == 2
    assert stats["errors"] == {"bad_proxy_auth": 1, "bad_session_id": 1}


def test_a_session_across_http_and_https(
    run: Callable[..., dict[str, Any]], site: str, tls_site: str
) -> None:
    async def main(sandbox: Sandbox) -> None:
        plain, headers = await seen(sandbox, f"{site}/headers", X_Crawlera_Session="create")
        session = headers["X-Crawlera-Session"]
        context = ssl.create_default_context(cafile=str(sandbox.ca_certificate))
        connector = aiohttp.TCPConnector(ssl=context)
        async with aiohttp.ClientSession(connector=connector) as client:
            for _ in range(2):
                async with client.get(
                    f"{tls_site}/headers",
                    proxy=sandbox.proxy_url,
                    proxy_headers=PROXY,
                    headers={"X-Crawlera-Session": session},
                ) as response:
                    body = await response.json(content_type=None)
                    assert body["peer"] == plain["peer"]
                    assert not [n for n, _ in body["headers"] if n.startswith("X-Crawlera")]

    assert run(main)["tunnels"] == 1


def test_a_request_too_early_is_held_back(run: Callable[..., dict[str, Any]], site: str) -> None:
    async def main(sandbox: Sandbox) -> None:
        _, headers = await seen(sandbox, f"{site}/headers", X_Crawlera_Session="create")
        session = headers["X-Crawlera-Session"]
        started = time.monotonic()
        await seen(sandbox, f"{site}/headers", X_Crawlera_Session=session)
        assert 0.3 < time.monotonic() - started < 5

    stats = run(main, delay=0.5)
    assert stats["early_requests"] == 1


def test_errors_of_targets_have_their_codes(run: Callable[..., dict[str, Any]], site: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}/"

    async def main(sandbox: Sandbox) -> None:
        for url, status, code in (
            (closed, 502, "econnrefused"),
            (f"{site}/close", 502, "socket_closed_remotely"),
            ("http://192.0.2.1/", 523, "domain_forbidden"),
            ("http://example.com/", 523, "domain_forbidden"),
        ):
            async with get(sandbox, url) as response:
                assert (response.status, response.headers["X-Crawlera-Error"]) == (status, code)
        with pytest.raises(aiohttp.ClientPayloadError):
            async with get(sandbox, f"{site}/truncate/1000") as response:
                await response.read()

    run(main, retries=0)


def test_bans_by_status_and_text(run: Callable[..., dict[str, Any]], site: str) -> None:
    async def main(sandbox: Sandbox) -> None:
        async with get(sandbox, f"{site}/status/404") as response:
            assert (response.status, response.headers["X-Crawlera-Error"]) == (503, "banned")
        async with get(sandbox, f"{site}/status/418") as response:
            assert response.headers["X-Crawlera-Error"] == "banned"
        async with get(sandbox, f"{site}/status/404", {"X-Crawlera-No-Bancheck": "1"}) as response:
            assert response.status == 404
        whole, _ = await seen(sandbox, f"{site}/headers?fine")
        assert whole["path"] == "/headers?fine", "what was inspected is passed on"

    stats = run(main, retries=1, bans=[(None, [404], []), ("127.0.0.1", [], ["Status 418"])])
    assert stats["bans"] == 4


def test_bodies_pass_through_in_both_directions(
    run: Callable[..., dict[str, Any]], site: str
) -> None:
    async def main(sandbox: Sandbox) -> None:
        async def upload() -> AsyncIterator[bytes]:
            for _ in range(64):
                yield bytes(65_536)

        size = 64 * 65_536
        headers = {"Content-Length": str(size)}
        async with get(
            sandbox, f"{site}/headers", headers, method="POST", data=upload()
        ) as response:
            assert (await response.json(content_type=None))["body_bytes"] == size
        async with get(sandbox, f"{site}/bytes/20000000") as response:
            assert len(await response.read()) == 20_000_000

    run(main)


def test_many_at_once_do_not_get_mixed_up(run: Callable[..., dict[str, Any]], site: str) -> None:
    """200 requests over 50 sessions with bodies of 1 MB."""
    peers: defaultdict[str, set[str]] = defaultdict(set)

    async def main(sandbox: Sandbox) -> None:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as client:
            own = {"Authorization": AUTHORIZATION}
            sessions = []
            for _ in range(50):
                async with client.post(f"{sandbox.proxy_url}/sessions", headers=own) as response:
                    sessions.append(await response.text())

            async def fetch(session: str) -> None:
                async with client.get(
                    f"{site}/bytes/1000000",
                    proxy=sandbox.proxy_url,
                    headers={**PROXY, "X-Crawlera-Session": session},
                ) as response:
                    assert hashlib.sha256(await response.read()).digest() == expected
                    assert response.headers["X-Crawlera-Session"] == session
                    peers[session].add(response.headers["X-Crawlera-Slave"])

            async with client.get(f"{site}/bytes/1000000") as direct:
                expected = hashlib.sha256(await direct.read()).digest()
            await asyncio.gather(*(fetch(session) for session in sessions * 4))

    stats = run(main)
    assert len(peers) == 50
    assert {len(seen) for seen in peers.values()} == {1}
    assert len(set.union(*peers.values())) == 50
    assert stats["early_requests"] == 0
    assert stats["relayed_bytes"] == 200_000_000


def test_a_client_that_goes_away_ends_its_request(
    run: Callable[..., dict[str, Any]], site: str
) -> None:
    async def main(sandbox: Sandbox) -> None:
        await seen(sandbox, f"{site}/headers")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(seen(sandbox, f"{site}/headers"), 0.2)
        for _ in range(100):
            if sandbox.stats()["proxy"]["clients_gone"]:
                return
            await asyncio.sleep(0.05)
        pytest.fail("nobody noticed")

    assert run(main, outgoing=["127.0.0.2"], delay=30)["clients_gone"] == 1


def test_what_is_no_http_is_answered_as_such(run: Callable[..., dict[str, Any]]) -> None:
    async def main(sandbox: Sandbox) -> None:
        port = int(sandbox.proxy_url.rpartition(":")[2])
        for sent, expected in (
            (b"\x16\x03\x01\x00\x05hello\r\n\r\n", b"HTTP/1.1 400"),
            (
                b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic S0VZOg==\r\n\r\n",
                b"HTTP/1.1 401",
            ),
            (b"GET /-/stats HTTP/1.0\r\n\r\n", b"HTTP/1.1 200"),
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            assert (await reader.read(12)) == expected
            writer.close()
            await writer.wait_closed()

    run(main)


def test_the_authority_is_made_once(tmp_path: Path) -> None:
    def certificate() -> bytes:
        sandbox = Sandbox(proxy={"ca_directory": tmp_path / "new"})
        return sandbox.ca_certificate.read_bytes()

    assert certificate() == certificate()
    key = tmp_path / "new" / "silkline-ca.key"
    assert key.stat().st_mode & 0o077 == 0


def test_lists_of_addresses() -> None:
    assert addresses(["127.0.0.254-127.0.1.1", "127.0.0.255, ::1"]) == [
        "127.0.0.254", "127.0.0.255", "127.0.1.0", "127.0.1.1", "::1",
    ]  # fmt: skip
    assert addresses(["127.0.9.0/30"]) == [f"127.0.9.{last}" for last in range(4)]
    assert len(addresses(["127.0.0.2-127.0.20.254"])) == 5_373
    for wrong in ("", "host", "127.0.0.2-", "127.0.0.9-127.0.0.2", "127.0.0.1-::1", "10.0.0.0/8"):
        if wrong == "127.0.0.2-":
            continue
        with pytest.raises(ValueError, match=wrong or "not an address"):
            addresses([wrong])


def test_the_command_line(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [
            sys.executable, "-m", "silkline", "sandbox", "--proxy-port", "0", "--ca-dir", tmp_path,
            "--session-delay", "3", "--domain-delay", "a.com=1", "--outgoing", "127.0.0.9",
            "--ban-status", "403", "--ban-text", "a.com=x=y",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        words = process.stdout.readline().split()
        assert words[:4] == ["silkline", "sandbox", "ready:", "proxy"]
        assert Path(words[6]).read_bytes().startswith(b"-----BEGIN CERTIFICATE")
        process.terminate()
        out, _ = process.communicate(timeout=20)
        assert json.loads(out)["proxy"]["addresses"] == 1
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()
