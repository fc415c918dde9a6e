"""The asyncio client for sessions, against the sandbox's proxy and the test pages."""

from __future__ import annotations

import asyncio
import itertools
import json
import ssl
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from conftest import Web
from quick_proxy import NO_RETRIES, TRANSPORTS, client, counts, quick, sandbox, service
from silkline import (
    InvalidProxiedRequest,
    InvalidProxyOptions,
    ProxyJobError,
    ProxyOptions,
    ProxyServiceError,
)
from silkline.aio import (
    BadStatus,
    BodyTooLarge,
    ProxyAccountRefused,
    Response,
    SessionProxy,
    TooManyRedirects,
    UntrustedCertificate,
)
from silkline.engine import ProxySessionLost
from silkline.schedule import Budget


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_each_session_has_one_address_and_keeps_its_pace(
    web: Web, ca_directory: Path, transport: str
) -> None:
    size, each, delay = 10, 12, 0.25

    async def main() -> dict[str, Any]:
        async with (
            sandbox(ca_directory, delay=delay) as box,
            client(box, sessions=size, session_delay=delay, transport=transport) as proxy,
        ):
            sites = (web.http, web.https)
            calls = [proxy.get(f"{sites[n % 2]}/headers?{n}") for n in range(size * each)]
            before = time.monotonic()
            responses = await asyncio.gather(*calls)
            took = time.monotonic() - before
            addresses = defaultdict(set)
            for number, response in enumerate(responses):
                seen = response.json()
                assert seen["path"] == f"/headers?{number}"
                assert seen["tls"] is bool(number % 2)
                assert response.outgoing is not None
                assert response.outgoing.startswith(seen["peer"])
                addresses[response.session].add(seen["peer"])
            assert len(addresses) == size
            assert all(len(peers) == 1 for peers in addresses.values())
            assert took < 2 * each * delay
        return counts(box)

    stats = asyncio.run(main())
    assert (stats["early_requests"], stats["errors"], stats["requests"]) == (
        {},
        {},
        size * each,
    ) or (stats["early_requests"] == 0 and not stats["errors"])
    assert (stats["sessions_created"], stats["sessions_deleted"]) == (size, size)
    peers = web.peers()
    assert len(peers) == size
    for times in peers.values():
        gaps = [after - before for before, after in itertools.pairwise(times)]
        assert min(gaps) > delay - 0.1


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_named_sessions(web: Web, ca_directory: Path, transport: str) -> None:
    async def main() -> None:
        lost: list[ProxySessionLost] = []
        async with (
            sandbox(ca_directory) as box,
            client(box, sessions=8, transport=transport, on_session_lost=lost.append) as proxy,
        ):
            async with proxy.session() as login, proxy.session("other") as other:
                answers = await asyncio.gather(
                    *(login.get(f"{web.https}/headers?{n}") for n in range(5)),
                    *(other.post(f"{web.http}/headers", data={"n": n}) for n in range(5)),
                    *(proxy.get(f"{web.http}/headers") for _ in range(5)),
                )
                names = [answer.session_name for answer in answers]
                assert names == [login.name] * 5 + ["other"] * 5 + [None] * 5
                sessions = [answer.session for answer in answers]
                mine, its = set(sessions[:5]), set(sessions[5:10])
                assert len(mine) == len(its) == 1
                assert not mine & its
                assert not (mine | its) & set(sessions[10:])
                assert [answer.json()["body"] for answer in answers[5:10]] == [
                    f"n={n}" for n in range(5)
                ]
                living = counts(box)["sessions"]
                assert living[answers[0].session]["living"]
            assert not proxy.end_session("other")
            await asyncio.sleep(0.2)
            assert not counts(box)["sessions"][answers[0].session]["living"]
        assert lost == []

    asyncio.run(main())
    ordered = [line["path"] for line in web.requests() if "?" in line["path"]]
    assert ordered == [f"/headers?{n}" for n in range(5)]


def test_the_application_hears_of_a_lost_session(web: Web, ca_directory: Path) -> None:
    faults = json.dumps([{"when": {"url": "*last*"}, "then": {"end_session": True}}])

    async def main() -> None:
        lost: list[ProxySessionLost] = []
        async with (
            sandbox(ca_directory, faults=faults) as box,
            client(box, on_session_lost=lost.append) as proxy,
        ):
            first = await proxy.get(f"{web.http}/headers", session="a")
            with pytest.raises(ProxyJobError) as caught:
                await proxy.get(f"{web.http}/headers?last", session="a")
            assert (caught.value.code, caught.value.session) == ("session_lost", "a")
            assert [(it.name, it.session, it.cause) for it in lost] == [
                ("a", first.session, "gone")
            ]
            with pytest.raises(ProxyJobError):
                await proxy.get(f"{web.http}/headers", session="a")
            again = await proxy.get(f"{web.http}/headers", session="a", replace_session=True)
            assert again.session != first.session

    asyncio.run(main())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_outside_sessions_priorities_and_options(
    web: Web, ca_directory: Path, transport: str
) -> None:
    async def main() -> None:
        order: list[int] = []
        options = ProxyOptions(cookies="disable")
        given: dict[str, Any] = {"sessions": 1, "options": options, "transport": transport}
        async with sandbox(ca_directory) as box, client(box, **given) as proxy:
            outside = await proxy.get(f"{web.http}/headers", outside_sessions=True)
            assert outside.session is None
            assert not counts(box)["sessions"]

            async def get(priority: int) -> None:
                await proxy.get(f"{web.http}/slow/0.1", priority=priority)
                order.append(priority)

            await asyncio.gather(*map(get, [0, 1, 5, 3]))
            assert order == [5, 3, 1, 0]
            echo = await proxy.get(f"{web.https}/cookies/echo", headers={"Cookie": "a=b"})
            assert echo.json() == {"a": "b"}
            dropped = await proxy.get(
                f"{web.http}/cookies/echo",
                headers={"Cookie": "a=b"},
                options=ProxyOptions(cookies="discard"),
            )
            assert dropped.json() == {}
            await proxy.get(f"{web.http}/cookies/set?c=d")
            assert (await proxy.get(f"{web.http}/cookies/echo")).json() == {}
            sent = await proxy.request(
                "put",
                f"{web.http}/headers?a=1",
                params={"b": ["x y", 2]},
                json={"c": None},
                options=ProxyOptions(job_id="7"),
            )
            seen = sent.json()
            assert (seen["method"], seen["path"]) == ("PUT", "/headers?a=1&b=x+y&b=2")
            assert json.loads(seen["body"]) == {"c": None}
            assert ["Content-Type", "application/json"] in seen["headers"]
            with pytest.raises(InvalidProxyOptions):
                await proxy.get(web.http, options=ProxyOptions(region="us"))
            with pytest.raises(InvalidProxiedRequest):
                await proxy.get("ftp://example.com/")
            with pytest.raises(TypeError):
                await proxy.post(web.http, data=b"", json=1)

    asyncio.run(main())
    web.requests()


def test_the_application_knows_bans_in_disguise(web: Web, ca_directory: Path) -> None:
    def banned(response: Response) -> bool:
        assert response.body
        return b"banned" in response.body

    async def main() -> None:
        async with sandbox(ca_directory) as box, client(box, sessions=5, banned=banned) as proxy:
            one = await proxy.get(f"{web.http}/headers")
            response = await proxy.get(f"{web.https}/ban-if-peer/{one.json()['peer']}")
            assert (response.status, response.attempts) == (200, 2)
            assert response.session != one.session
            blunt = await proxy.get(f"{web.http}/ban-if-more-than/0", banned=None)
            assert (blunt.status, blunt.ok) == (403, False)
            with pytest.raises(BadStatus) as caught:
                blunt.raise_for_status()
            assert (caught.value.status, caught.value.response) == (403, blunt)
            with pytest.raises(ZeroDivisionError):
                await proxy.get(web.http, banned=lambda _: bool(1 // 0))
            assert proxy.stats().unfinished == 0
        policy = quick(ban=Budget("retries", 2))
        async with sandbox(ca_directory) as box, client(box, policy=policy, banned=banned) as proxy:
            with pytest.raises(ProxyJobError) as gone:
                await proxy.get(f"{web.http}/ban-if-more-than/0")
            assert gone.value.code == "job_banned"
            assert counts(box)["requests"] == 3

    asyncio.run(main())


REFUSAL = b"HTTP/1.1 503 No\r\nX-Crawlera-Error: noslaves\r\nRetry-After: 77\r\nContent-Length: 3\r\n\r\nno!"


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_refused_connect_reaches_the_engine_with_its_head(scheme: str, transport: str) -> None:
    async def main() -> None:
        async with service(REFUSAL) as (url, seen):
            policy = quick(**NO_RETRIES)
            async with SessionProxy("KEY", endpoint=url, policy=policy, transport=transport) as it:
                with pytest.raises(ProxyServiceError) as caught:
                    await it.get(f"{scheme}://example.com/")
        error = caught.value
        assert (error.code, error.status, error.retry_after) == ("noslaves", 503, 77)
        connects = [head for head in seen if head.startswith("CONNECT example.com:443 ")]
        assert bool(connects) is (scheme == "https")
        assert all("Proxy-Authorization: Basic S0VZOg==" in head for head in seen)
        for head in connects:
            assert "X-Crawlera" not in head

    asyncio.run(main())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_refused_account_stops_everything(
    web: Web, ca_directory: Path, transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with sandbox(ca_directory) as box:
            options: dict[str, Any] = {"policy": quick(), "transport": transport}
            wrong = SessionProxy("WRONG-SECRET", endpoint=box.proxy_url, **options)
            async with wrong as proxy:
                for url in (web.https, web.http):
                    with pytest.raises(ProxyAccountRefused) as caught:
                        await proxy.get(url)
                    error = caught.value
                    assert (error.status, error.code) == (407, "bad_proxy_auth")
                    assert "WRONG" not in repr(error) + repr(vars(error))
                    proxy.resume()
                with pytest.raises(ProxyAccountRefused) as refused:
                    await anext(proxy.results([web.http, web.https]))
                assert sorted(map(str, refused.value.unfinished)) == sorted([web.http, web.https])

    asyncio.run(main())
    assert web.requests() == []
    (told,) = caplog.messages
    assert told.startswith("proxy answered 407 `bad_proxy_auth`: the key may be wrong.")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_certificate_that_is_not_trusted_is_told_at_once(
    web: Web, ca_directory: Path, transport: str
) -> None:
    async def main() -> None:
        async with sandbox(ca_directory) as box:
            async with client(box, ca=None, transport=transport) as proxy:
                with pytest.raises(UntrustedCertificate, match="give the authority") as caught:
                    await proxy.get(web.https)
                assert caught.value.code == "certificate_untrusted"
                assert (await proxy.get(f"{web.http}/headers")).ok
            trusting = ssl.create_default_context(cafile=str(box.ca_certificate))
            async with client(box, ca=trusting, transport=transport) as proxy:
                assert (await proxy.get(f"{web.https}/headers")).ok

    asyncio.run(main())


# Before Python 3.11, asyncio does not close what carries TLS inside of TLS.
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning" if sys.version_info < (3, 11) else "error"
)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_proxy_itself_over_tls(web: Web, ca_directory: Path, transport: str) -> None:
    async def main() -> None:
        async with sandbox(ca_directory, tls_port=0) as box:
            ca = box.ca_certificate
            options: dict[str, Any] = {"ca": ca, "transport": transport, "session_delay": 0}
            async with SessionProxy("KEY", endpoint=box.proxy_tls_url, **options) as proxy:
                assert (await proxy.get(f"{web.http}/headers")).ok
                if transport == "aiohttp" and sys.version_info < (3, 11):
                    with pytest.raises(RuntimeError, match="TLS in TLS"):
                        await proxy.get(f"{web.https}/headers")
                else:
                    assert (await proxy.get(f"{web.https}/headers")).ok
            options["ca"] = None
            async with SessionProxy("KEY", endpoint=box.proxy_tls_url, **options) as proxy:
                with pytest.raises(UntrustedCertificate):
                    await proxy.get(web.http)

    asyncio.run(main())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_bodies(web: Web, ca_directory: Path, transport: str) -> None:
    async def main() -> None:
        async with (
            sandbox(ca_directory) as box,
            client(
                box,
                max_body=100_000,
                transport=transport,
                policy=quick(network=Budget("retries", 1)),
            ) as proxy,
        ):
            whole = await proxy.get(f"{web.https}/bytes/100000")
            assert len(whole.body) == 100_000
            for url in (web.http, web.https):
                with pytest.raises(BodyTooLarge) as caught:
                    await proxy.get(f"{url}/bytes/100001")
                error = caught.value
                assert (error.limit, error.status, error.url) == (
                    100_000,
                    200,
                    f"{url}/bytes/100001",
                )
            head = await proxy.head(f"{web.http}/bytes/300000")
            assert (head.body, head.headers["Content-Length"]) == (b"", "300000")
            assert (await proxy.get(f"{web.http}/status/204")).body == b""
            with pytest.raises(ProxyJobError):
                await proxy.get(f"{web.http}/truncate/1000")
            stats = proxy.stats()
            assert (stats.pool.in_use, stats.retries) == (0, 1)

    asyncio.run(main())


def test_a_session_is_busy_until_the_body_has_been_read(web: Web, ca_directory: Path) -> None:
    async def main() -> None:
        async with sandbox(ca_directory) as box, client(box, sessions=1) as proxy:
            order: list[str] = []

            async def get(path: str) -> None:
                await proxy.get(f"{web.http}{path}")
                order.append(path)

            slow = asyncio.create_task(get("/trickle/0.6"))
            await asyncio.sleep(0.2)
            await get("/headers")
            await slow
            assert order == ["/trickle/0.6", "/headers"]

    asyncio.run(main())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_redirects(web: Web, ca_directory: Path, transport: str) -> None:
    async def main() -> None:
        async with (
            sandbox(ca_directory) as box,
            client(box, sessions=3, transport=transport) as proxy,
        ):
            others = [asyncio.create_task(proxy.get(f"{web.http}/slow/0.05")) for _ in range(60)]
            found = await proxy.get(f"{web.http}/redirect/3#part")
            assert found.url == f"{web.http}/index.html#part"
            assert [step.status for step in found.history] == [302] * 3
            assert {step.session for step in found.history} == {found.session}
            assert (found.attempts, found.billed) == (4, 4)
            plain = await proxy.get(f"{web.http}/redirect/3", follow_redirects=False)
            assert (plain.status, plain.headers["Location"]) == (302, "/redirect/2")
            with pytest.raises(TooManyRedirects) as caught:
                await proxy.get(f"{web.http}/redirect/5", max_redirects=2)
            assert caught.value.response.url == f"{web.http}/redirect/3"
            moved = await proxy.post(
                f"{web.http}/redirect/1?to={web.https}/headers",
                data={"a": 1},
                headers={"Authorization": "Bearer x", "X-Mine": "1"},
                options=ProxyOptions(cookies="disable"),
            )
            seen = moved.json()
            names = {name.lower() for name, _ in seen["headers"]}
            assert (seen["method"], seen["body"]) == ("GET", "")
            assert "x-mine" in names
            assert not names & {"authorization", "content-type", "x-crawlera-cookies"}
            assert proxy.stats().pool.named == 0
            assert len({(await other).session for other in others}) == 3

    asyncio.run(main())
