"""The asyncio client for sessions, against the sandbox's proxy and the test pages."""

from __future__ import annotations

import asyncio
import doctest
import gc
import importlib
import inspect
import itertools
import json
import ssl
import sys
import threading
import time
import tracemalloc
import warnings
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import pytest
import trustme

from conftest import serve
from silkline import (
    InvalidProxiedRequest,
    InvalidProxyOptions,
    NotSubmitted,
    ProxyJobError,
    ProxyOptions,
    ProxyServiceError,
    Request,
    blocking,
)
from silkline.aio import (
    BadStatus,
    BodyTooLarge,
    Outcome,
    ProxyAccountRefused,
    Response,
    SessionProxy,
    TooManyRedirects,
    UntrustedCertificate,
)
from silkline.engine import ProxySessionLost
from silkline.sandbox import Sandbox
from silkline.schedule import Budget, RetryPolicy, Rule, Wait

TRANSPORTS = ["aiohttp", "httpx"]


class Web(NamedTuple):
    """A target over http and https, with the one log that both keep."""

    http: str
    https: str
    log: Path

    def requests(self) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]
        assert all(line["leaked"] == [] for line in lines)
        return lines

    def peers(self) -> dict[str, list[float]]:
        """When each peer has asked for something."""
        found: defaultdict[str, list[float]] = defaultdict(list)
        for line in self.requests():
            found[line["peer"]].append(line["time"])
        return dict(found)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    log = tmp_path / "site.log"
    log.touch()
    for http in serve("127.0.0.1", log=str(log)):
        for https in serve("127.0.0.1", context, str(log)):
            yield Web(http, https, log)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ca")


Failure: TypeAlias = Literal[
    "account", "ban", "garbled", "network", "server", "target", "throttled"
]
FAILURES: tuple[Failure, ...] = get_args(Failure)


def quick(**budgets: Budget) -> RetryPolicy:
    """The budgets of the service's preset, or those given, with waits of a tenth of a second."""
    policy = RetryPolicy("smart_proxy")
    for name in FAILURES:
        budget = budgets.get(name, policy.rule(name).budget)
        policy = policy.with_rule(name, Rule(Wait(0.05, 0.1), budget))
    return policy


NO_RETRIES = {name: Budget("retries", 0) for name in FAILURES}


@asynccontextmanager
async def sandbox(authority: Path, **proxy: Any) -> AsyncIterator[Sandbox]:
    options: Any = {"delay": 0.0, "ca_directory": authority, **proxy}
    async with Sandbox(extraction_port=None, proxy_port=0, keys=["KEY"], proxy=options) as box:
        yield box


def client(box: Sandbox, **options: Any) -> SessionProxy:
    given = {"session_delay": 0.0, "policy": quick(), "transport": "aiohttp", **options}
    given.setdefault("ca", box.ca_certificate)
    return SessionProxy("KEY", endpoint=box.proxy_url, **given)


def counts(box: Sandbox) -> dict[str, Any]:
    found: dict[str, Any] = box.stats()["proxy"]
    return found


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_each_session_has_one_address_and_keeps_its_pace(
    web: Web, authority: Path, transport: str
) -> None:
    size, each, delay = 10, 12, 0.25

    async def main() -> dict[str, Any]:
        async with (
            sandbox(authority, delay=delay) as box,
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
def test_named_sessions(web: Web, authority: Path, transport: str) -> None:
    async def main() -> None:
        lost: list[ProxySessionLost] = []
        async with (
            sandbox(authority) as box,
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


def test_the_application_hears_of_a_lost_session(web: Web, authority: Path) -> None:
    faults = json.dumps([{"when": {"url": "*last*"}, "then": {"end_session": True}}])

    async def main() -> None:
        lost: list[ProxySessionLost] = []
        async with (
            sandbox(authority, faults=faults) as box,
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
def test_outside_sessions_priorities_and_options(web: Web, authority: Path, transport: str) -> None:
    async def main() -> None:
        order: list[int] = []
        options = ProxyOptions(cookies="disable")
        given: dict[str, Any] = {"sessions": 1, "options": options, "transport": transport}
        async with sandbox(authority) as box, client(box, **given) as proxy:
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


def test_the_application_knows_bans_in_disguise(web: Web, authority: Path) -> None:
    def banned(response: Response) -> bool:
        assert response.body
        return b"banned" in response.body

    async def main() -> None:
        async with sandbox(authority) as box, client(box, sessions=5, banned=banned) as proxy:
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
        async with sandbox(authority) as box, client(box, policy=policy, banned=banned) as proxy:
            with pytest.raises(ProxyJobError) as gone:
                await proxy.get(f"{web.http}/ban-if-more-than/0")
            assert gone.value.code == "job_banned"
            assert counts(box)["requests"] == 3

    asyncio.run(main())


@asynccontextmanager
async def service(*answers: bytes) -> AsyncIterator[tuple[str, list[str]]]:
    """A service that answers each connection's first request so, and the list of those requests."""
    seen: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        seen.append(head)
        writer.write(answers[min(len(seen), len(answers)) - 1])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", seen
    finally:
        server.close()
        await server.wait_closed()


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
    web: Web, authority: Path, transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with sandbox(authority) as box:
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
    web: Web, authority: Path, transport: str
) -> None:
    async def main() -> None:
        async with sandbox(authority) as box:
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
def test_the_proxy_itself_over_tls(web: Web, authority: Path, transport: str) -> None:
    async def main() -> None:
        async with sandbox(authority, tls_port=0) as box:
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
def test_bodies(web: Web, authority: Path, transport: str) -> None:
    async def main() -> None:
        async with (
            sandbox(authority) as box,
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


def test_a_session_is_busy_until_the_body_has_been_read(web: Web, authority: Path) -> None:
    async def main() -> None:
        async with sandbox(authority) as box, client(box, sessions=1) as proxy:
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
def test_redirects(web: Web, authority: Path, transport: str) -> None:
    async def main() -> None:
        async with sandbox(authority) as box, client(box, sessions=3, transport=transport) as proxy:
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


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_cancelling_and_leaving_leave_nothing_behind(
    web: Web, authority: Path, transport: str
) -> None:
    async def main() -> None:
        async with sandbox(authority) as box:
            before = asyncio.all_tasks()
            async with client(box, transport=transport) as proxy:
                tasks = [
                    asyncio.create_task(proxy.get(f"{url}/slow/60"))
                    for url in (web.http, web.https)
                    for _ in range(5)
                ]
                await asyncio.sleep(0.5)
                assert proxy.stats().in_flight == 10
                for task in tasks:
                    task.cancel()
                assert all(
                    isinstance(end, asyncio.CancelledError)
                    for end in await asyncio.gather(*tasks, return_exceptions=True)
                )
                await asyncio.sleep(0.1)
                stats = proxy.stats()
                assert (stats.in_flight, stats.unfinished, stats.cancelled) == (0, 0, 10)
                async with aclosing(proxy.results([f"{web.http}/headers"] * 50)) as results:
                    async for _ in results:
                        break
            with pytest.raises(RuntimeError):
                await proxy.get(web.http)
            assert proxy.stats().unfinished == 0
            for _ in range(200):  # the sandbox's side notices that the connections are closed
                if asyncio.all_tasks() <= before:
                    break
                await asyncio.sleep(0.02)
            assert asyncio.all_tasks() <= before

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        asyncio.run(main(), debug=True)
        gc.collect()
    # The sandbox's own connections are not asked about: they leave from other addresses.
    texts = [str(warning.message) for warning in told]
    mine = [text for text in texts if "transport" not in text and "laddr=(" not in text]
    assert mine + [text for text in texts if "laddr=('127.0.0.1'" in text] == []


def test_closing_deletes_sessions_and_ends_what_waits(web: Web, authority: Path) -> None:
    async def main() -> None:
        async with sandbox(authority) as box:
            proxy = client(box, sessions=2)
            async with proxy:
                under_way = [
                    asyncio.create_task(proxy.get(f"{web.http}/slow/0.5")) for _ in range(2)
                ]
                waiting = [asyncio.create_task(proxy.get(web.http)) for _ in range(3)]
                await asyncio.sleep(0.2)
                await proxy.close(grace=10)
                assert [(await task).status for task in under_way] == [200, 200]
                for task in waiting:
                    with pytest.raises(ProxyJobError) as caught:
                        await task
                    assert caught.value.code == "job_closed"
            stats = counts(box)
            assert (stats["sessions_created"], stats["sessions_deleted"]) == (2, 2)
            async with client(box, keep_sessions=True) as keeping:
                await keeping.get(web.http)
            assert counts(box)["sessions_living"] == 1

    asyncio.run(main())


def test_a_service_that_does_not_answer_does_not_keep_the_program(web: Web) -> None:
    answer = b"HTTP/1.1 200 OK\r\nX-Crawlera-Session: 7\r\nX-Crawlera-Version: 1\r\nContent-Length: 0\r\n\r\n"

    async def main() -> float:
        async with service(answer, b"") as (url, seen):
            async with SessionProxy("KEY", endpoint=url, delete_timeout=0.3) as proxy:
                await proxy.get(web.http)
                held = asyncio.create_task(proxy.get(web.http, session="a"))
                await asyncio.sleep(0.1)
                before = time.monotonic()
            with pytest.raises(ProxyJobError):
                await held
            assert any(head.startswith("DELETE /sessions/7 ") for head in seen)
            return time.monotonic() - before

    assert asyncio.run(main()) < 2


def test_a_full_queue_makes_requests_wait(web: Web, authority: Path) -> None:
    async def main() -> None:
        async with sandbox(authority) as box, client(box, sessions=5) as proxy:
            proxy._engine = proxy._entered()._engine = proxy._entered()._machine = small(box)
            calls = [asyncio.create_task(proxy.get(f"{web.http}/slow/0.1")) for _ in range(20)]
            await asyncio.sleep(0.05)
            assert proxy.stats().unfinished == 4
            calls.pop().cancel()
            assert all(response.ok for response in await asyncio.gather(*calls))
            blocked = [asyncio.create_task(proxy.get(f"{web.http}/slow/5")) for _ in range(6)]
            await asyncio.sleep(0.05)
            await proxy.close()
            ends = await asyncio.gather(*blocked, return_exceptions=True)
            kinds = Counter(type(end) for end in ends)
            assert kinds == {ProxyJobError: 4, NotSubmitted: 2}

    def small(box: Sandbox) -> Any:
        from silkline import ProxyApi, ProxyEngine

        return ProxyEngine(ProxyApi("KEY", box.proxy_url), queue_size=4, delay=0)

    asyncio.run(main())


def test_results_of_a_source_of_any_length(web: Web, authority: Path) -> None:
    taken = most = 0

    def source() -> Iterator[Any]:
        nonlocal taken
        while True:
            taken += 1
            url = f"{web.http}/bytes/50000?{taken}"
            yield [url, Request("GET", url), {"url": url, "session": "a"}][taken % 3]

    async def main() -> None:
        nonlocal most
        done = 0
        peaks = []
        async with sandbox(authority) as box, client(box, sessions=50) as proxy:
            async with aclosing(proxy.results(source(), queue_size=40)) as results:
                async for outcome in results:
                    done += 1
                    most = max(most, taken - done)
                    assert outcome.ok
                    assert outcome.response is not None
                    assert len(outcome.response.body) == 50_000
                    if done == 150:
                        await asyncio.sleep(0.3)  # a reader that rests
                    if done == 300:
                        gc.collect()
                        tracemalloc.start()
                    if done > 300 and done % 100 == 0:
                        gc.collect()
                        peaks.append(tracemalloc.get_traced_memory()[1])
                        tracemalloc.reset_peak()
                    if done == 1000:
                        break
            tracemalloc.stop()
            assert proxy.stats().unfinished == 0
        # 35 MB of bodies went through; what is held does not grow with them.
        assert max(peaks) < 15_000_000
        assert max(peaks[4:]) < 1.5 * max(peaks[:4])

    asyncio.run(main())
    assert most <= 40


def test_failures_of_a_source_and_in_it(web: Web, authority: Path) -> None:
    async def main() -> None:
        async with sandbox(authority) as box, client(box) as proxy:

            async def source() -> AsyncIterator[Any]:
                yield f"{web.http}/status/404"
                yield "ftp://example.com/"
                yield {"url": f"{web.http}/headers", "method": "POST", "json": [1]}

            found = {str(outcome.target): outcome async for outcome in proxy.results(source())}
            assert len(found) == 3
            missing, refused, posted = (found[key] for key in found)
            errors = {type(it.error) for it in found.values()}
            assert errors == {type(None), InvalidProxiedRequest}
            assert sum(it.ok for it in (missing, refused, posted)) == 1

            async def read(requests: Any, into: list[Outcome]) -> None:
                async for outcome in proxy.results(requests):
                    into.append(outcome)  # noqa: PERF401 -- they count if an exception follows

            outcomes: list[Outcome] = []
            with pytest.raises(ZeroDivisionError):
                await read((web.http for n in range(5) if 6 // (3 - n)), outcomes)
            assert len(outcomes) == 3
            with pytest.raises(TypeError, match="no argument 'colour'"):
                await read([{"url": web.http, "colour": 1}], outcomes)
            wrongs: list[Any] = [web.http, {"url": web.http}, Request("GET", web.http)]
            for wrong in wrongs:
                with pytest.raises(TypeError):
                    proxy.results(wrong)

    asyncio.run(main())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_more_requests_than_a_client_has_connections(
    web: Web, authority: Path, transport: str
) -> None:
    async def main() -> None:
        async with (
            sandbox(authority) as box,
            client(box, sessions=150, concurrency=150, transport=transport) as proxy,
        ):
            calls = [asyncio.create_task(proxy.get(f"{web.http}/slow/60")) for _ in range(150)]
            for _ in range(600):
                if counts(box)["requests"] == 150:
                    break
                await asyncio.sleep(0.05)
            assert counts(box)["requests"] == 150
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    asyncio.run(main())


def test_wrong_settings_are_told() -> None:
    wrongs: list[dict[str, Any]]
    wrongs = [{"transport": "pigeon"}, {"queue_size": 0}, {"sessions": 0}, {"concurrency": 0}]
    for wrong in wrongs:
        with pytest.raises(ValueError, match=next(iter(wrong)).removesuffix("s") + "|pool size"):
            SessionProxy("KEY", **wrong)

    async def main() -> None:
        with pytest.raises(RuntimeError):
            await SessionProxy("KEY").get("http://example.com/")

    asyncio.run(main())


# --- without asyncio ------------------------------------------------------------------------------


def test_the_blocking_proxy(web: Web, authority: Path) -> None:
    started = threading.Event()
    loops: list[Any] = []

    async def host() -> None:
        stop = asyncio.Event()
        async with sandbox(authority) as box:
            loops.extend([asyncio.get_running_loop(), stop, box])
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(host()))
    thread.start()
    assert started.wait(20)
    loop, stop, box = loops
    try:
        options: dict[str, Any] = {"ca": box.ca_certificate, "session_delay": 0}
        with blocking.SessionProxy("KEY", endpoint=box.proxy_url, **options) as proxy:
            assert proxy.get(f"{web.https}/headers").json()["tls"]
            assert proxy.post(f"{web.http}/headers", json=1).json()["method"] == "POST"
            for method in ("head", "put", "patch", "delete"):
                assert getattr(proxy, method)(f"{web.http}/headers").status == 200
            with proxy.session() as session:
                first, second = session.get(web.http), session.post(web.http, data=b"a")
                assert first.session == second.session
            assert not proxy.end_session(session.name)
            with pytest.raises(InvalidProxiedRequest):
                proxy.get("x")
            with ThreadPoolExecutor(8) as threads:
                urls = [f"{web.http}/headers?{number}" for number in range(40)]
                for url, response in zip(urls, threads.map(proxy.get, urls), strict=True):
                    assert url.endswith(response.json()["path"])
            main_thread = threading.current_thread()

            def source() -> Iterator[str]:
                for number in range(60):
                    assert threading.current_thread() is main_thread
                    yield f"{web.http}/headers?{number}"

            found = Counter(outcome.ok for outcome in proxy.results(source(), queue_size=7))
            assert found == {True: 60}
            assert proxy.stats().unfinished == 0
            proxy.resume()
            proxy.close()
        assert counts(box)["sessions_living"] == 0
        with pytest.raises(RuntimeError):
            proxy.get(web.http)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


# --- documentation --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["redirects", "proxy_requests", "response", "session_proxy"])
def test_the_examples_of_the_docstrings(name: str) -> None:
    module = importlib.import_module(f"silkline.aio.{name}")
    assert doctest.testmod(module).failed == 0
    for public in module.__all__:
        item = getattr(module, public)
        assert inspect.getdoc(item)
        for member, value in vars(item).items() if inspect.isclass(item) else ():
            if callable(value) and not member.startswith("_"):
                assert inspect.getdoc(value), member
