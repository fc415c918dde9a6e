"""The bridge between programs of the older services and Zyte API, which is played here."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from published import interpreter
from silkline import basic_authorization
from silkline.bridge.host import Bridge
from silkline.cli import main
from silkline.cli.values import zyte_api_url
from silkline.sandbox.proxy import ProxyHost

COMMAND = [str(Path(sys.executable).with_name("silkline")), "bridge"]
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
AUTHORIZATION = {"Authorization": basic_authorization("OLD-KEY")}
THROUGH = {"Proxy-Authorization": basic_authorization("OLD-KEY")}

REFUSALS: dict[str, tuple[int, str]] = {
    "banned": (520, "/download/temporary-error"),
    "broken": (521, "/download/internal-error"),
    "forbidden": (451, "/download/domain-forbidden"),
    "occupied": (429, "/limits/over-domain-limit"),
    "unauthorized": (401, "/auth/key-not-found"),
    "suspended": (403, "/auth/account-suspended"),
    "limited": (429, "/limits/over-user-limit"),
    "crowded": (503, "/limits/over-global-limit"),
}


@dataclass
class World:
    """Zyte API and a target, as far as a bridge can tell."""

    upstream: str
    upstream_proxy: str
    upstream_ca: Path
    target: str
    extracted: list[dict[str, Any]] = field(default_factory=list)
    seen: list[dict[str, str]] = field(default_factory=list)

    def bridge(self, **options: Any) -> Bridge:
        return Bridge(
            "NEW-KEY",
            upstream=self.upstream,
            upstream_proxy=self.upstream_proxy,
            upstream_ca=self.upstream_ca,
            rate=1000,
            **options,
        )


@asynccontextmanager
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async def extract(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == basic_authorization("NEW-KEY")
        query = await request.json()
        here.extracted.append(query)
        refusal = REFUSALS.get(query["url"].rpartition("/")[2])
        if refusal is not None:
            status, kind = refusal
            problem = {"type": kind, "title": "A title", "status": status, "detail": "Told."}
            return web.json_response(problem, status=status, headers={"Retry-After": "4"})
        if "missing" in query["url"]:
            return web.json_response({"url": query["url"], "statusCode": 404})
        item = {"url": query["url"], "metadata": {"probability": 0.5}, "headline": "H"}
        found = {"url": query["url"], "statusCode": 200, "article": item}
        if query.get("browserHtml"):
            found["browserHtml"] = "<p>"
        if "echoData" in query:
            found["echoData"] = query["echoData"]
        return web.json_response(found)

    async def page(request: web.Request) -> web.Response:
        here.seen.append(dict(request.headers))
        return web.Response(text=f"page {request.path}", headers={"Set-Cookie": "a=b"})

    runners = []
    for handler in (extract, page):
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
    # A forward proxy with an authority of its own, to which Zyte-* headers say nothing.
    proxy = ProxyHost(ca_directory=tmp_path / "upstream", delay=0.0, keys=["NEW-KEY"])
    await proxy.start("127.0.0.1", 0)
    ports = [runner.addresses[0][1] for runner in runners]
    here = World(
        f"http://127.0.0.1:{ports[0]}/v1/extract",
        f"http://127.0.0.1:{proxy.port}",
        proxy.authority.certificate,
        f"http://127.0.0.1:{ports[1]}",
    )
    try:
        yield here
    finally:
        await proxy.stop()
        for runner in runners:
            await runner.cleanup()


async def ask(
    bridge: Bridge, queries: object, headers: dict[str, str] | None = None
) -> tuple[int, Any, dict[str, str]]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            bridge.extraction_url,
            json=queries,
            headers=AUTHORIZATION if headers is None else headers,
        ) as answer,
    ):
        return answer.status, await answer.json(content_type=None), dict(answer.headers)


def article(name: str, **more: object) -> dict[str, object]:
    return {"url": f"http://shop.example/{name}", "pageType": "article", **more}


def test_results_have_the_older_form(tmp_path: Path) -> None:
    async def run() -> None:
        async with world(tmp_path) as here, here.bridge() as bridge:
            queries = [article("a", meta="m"), article("b", fullHtml=True), article("missing")]
            status, results, headers = await ask(bridge, queries)
            assert status == 200
            assert headers["Content-Type"] == "application/json"
            assert [result["query"]["userQuery"] for result in results] == queries
            first, second, third = results
            assert re.fullmatch(r"\d{13}-[0-9a-f]{16}", first["query"]["id"])
            assert first["query"]["domain"] == "shop.example"
            assert first["article"] == {
                "url": "http://shop.example/a",
                "headline": "H",
                "probability": 0.5,
            }
            assert "html" not in first
            assert second["html"] == "<p>"
            assert third["error"] == "Downloader error: http404"
            # One query a request, in the newer words.
            sent = sorted(here.extracted, key=lambda query: query["url"])
            assert sent[0] == {"url": "http://shop.example/a", "article": True}
            assert sent[1] == {
                "url": "http://shop.example/b",
                "article": True,
                "browserHtml": True,
            }
            assert bridge.stats()["billed"] == 3

    asyncio.run(run())


def test_errors_of_queries_are_those_that_programs_know(tmp_path: Path) -> None:
    async def run() -> None:
        async with world(tmp_path) as here, here.bridge() as bridge:
            names = ["banned", "broken", "forbidden", "occupied"]
            queries = [article(name) for name in names]
            queries.append({"url": "http://shop.example/", "pageType": "comments"})
            queries.append(article("a", customHtml="<p>"))
            queries.append({"url": "ftp://shop.example/", "pageType": "article"})
            status, results, _ = await ask(bridge, queries)
            assert status == 200
            errors = [result["error"] for result in results]
            assert errors[:4] == [
                "Proxy error: banned",
                "Downloader error: internal",
                "Extraction not permitted for this URL",
                "Domain shop.example is occupied, please retry in 4 seconds",
            ]
            assert "pageType `comments` cannot be carried over" in errors[4]
            assert "customHtml" in errors[5]
            assert "non-HTTP" in errors[6]
            assert len(here.extracted) == 4, "nothing is tried again here, or sent in vain"
            await ask(bridge, [article("a"), article("missing")])
            stats = bridge.stats()
            # Of Zyte API "unsuccessful responses" cost nothing, whatever the older service took.
            assert (stats["queries"], stats["billed"], stats["unbilled"]) == (9, 2, 7)
            assert stats["upstream"] == {
                "requests": 6,
                "retries": 0,
                "billed": 2,
                "unbilled": 4,
                "possibly_billed": 0,
            }

    asyncio.run(run())


@pytest.mark.parametrize(
    ("name", "status", "problem"),
    [("unauthorized", 401, "unauthorized"), ("suspended", 403, "account-disabled")],
)
def test_what_is_about_the_account_is_a_problem(
    tmp_path: Path, name: str, status: int, problem: str
) -> None:
    async def run() -> None:
        async with world(tmp_path) as here, here.bridge() as bridge:
            found, document, headers = await ask(bridge, [article(name)])
            assert (found, headers["Content-Type"]) == (status, "application/problem+json")
            assert document["type"].endswith(f"/{problem}.html")
            # The account may be well again.
            found, results, _ = await ask(bridge, [article("a")])
            assert found == 200
            assert results[0]["article"]
            stats = bridge.stats()
            assert (stats["billed"], stats["unbilled"], stats["abandoned"]) == (1, 1, 0)
            assert stats["request_errors"] == {problem: 1}

    asyncio.run(run())


@pytest.mark.parametrize(
    ("name", "problem"),
    [("limited", "user-rate-limit-exceeded"), ("crowded", "rate-limit-exceeded")],
)
def test_limits_are_told_when_the_bridge_has_waited_long_enough(
    tmp_path: Path, name: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("silkline.bridge.extraction._UNTOLD_SECONDS", 0.0)

    async def run() -> None:
        async with world(tmp_path) as here, here.bridge() as bridge:
            status, document, headers = await ask(bridge, [article(name)])
            assert (status, headers["Retry-After"]) == (429, "4")
            assert document["type"].endswith(f"/{problem}.html")

    asyncio.run(run())


def test_what_is_refused_beside_results_is_an_error_of_its_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("silkline.bridge.extraction._UNTOLD_SECONDS", 0.5)

    async def run() -> None:
        async with world(tmp_path) as here, here.bridge() as bridge:
            status, results, _ = await ask(bridge, [article("a"), article("limited")])
            assert status == 200
            assert results[0]["article"]["headline"] == "H"
            assert results[1]["error"] == "InternalError"

    asyncio.run(run())


def test_local_keys_are_checked_and_the_upstream_key_stays_here(tmp_path: Path) -> None:
    async def run() -> None:
        async with world(tmp_path) as here, here.bridge(local_keys=["OLD-KEY"]) as bridge:
            assert (await ask(bridge, [article("a")]))[0] == 200
            wrong = {"Authorization": basic_authorization("NEW-KEY")}
            assert (await ask(bridge, [article("a")], wrong))[0] == 401
            assert (await ask(bridge, [article("a")], {}))[0] == 401
            for key, status in (("OLD-KEY", 200), ("ELSE", 407)):
                through = {"Proxy-Authorization": basic_authorization(key)}
                async with (
                    aiohttp.ClientSession() as session,
                    session.get(f"{here.target}/x", proxy=bridge.proxy_url, headers=through) as got,
                ):
                    assert got.status == status
            assert "NEW-KEY" not in json.dumps([bridge.stats(), here.seen])

    asyncio.run(run())


def test_sessions_of_the_proxy(tmp_path: Path) -> None:
    async def run() -> None:
        async with (
            world(tmp_path) as here,
            here.bridge(ca_directory=tmp_path / "ca") as bridge,
            aiohttp.ClientSession(headers=THROUGH) as session,
        ):

            async def get(path: str, wish: str) -> tuple[int, dict[str, str], str]:
                headers = {"X-Crawlera-Session": wish, "X-Crawlera-Cookies": "disable"}
                async with session.get(
                    here.target + path, proxy=bridge.proxy_url, headers=headers
                ) as answer:
                    return answer.status, dict(answer.headers), await answer.text()

            status, headers, text = await get("/1", "create")
            assert (status, text) == (200, "page /1")
            made = headers["X-Crawlera-Session"]
            assert UUID4.fullmatch(made)
            assert "X-Crawlera-Version" in headers
            status, headers, text = await get("/2", made)
            assert (headers["X-Crawlera-Session"], text) == (made, "page /2")
            assert [seen["Zyte-Session-ID"] for seen in here.seen] == [made, made]
            assert not [name for seen in here.seen for name in seen if "crawlera" in name.lower()]
            status, headers, _ = await get("/3", "123456")
            assert (status, headers["X-Crawlera-Error"]) == (400, "bad_session_id")

            calls = f"{bridge.proxy_url}/sessions"
            async with session.post(calls, headers=AUTHORIZATION) as answer:
                second = await answer.text()
            async with session.get(calls, headers=AUTHORIZATION) as answer:
                assert set(await answer.json()) == {made, second}
            async with session.delete(f"{calls}/{made}", headers=AUTHORIZATION) as answer:
                assert answer.status == 204
            status, headers, _ = await get("/4", made)
            assert headers["X-Crawlera-Error"] == "bad_session_id"
            assert bridge.stats()["proxy"]["unmapped"] == {"cookies_unmapped": 2}

    asyncio.run(run())


def test_sessions_end_with_the_bridge_as_programs_can_tell(tmp_path: Path) -> None:
    async def run() -> None:
        made: list[str] = []
        async with world(tmp_path) as here, aiohttp.ClientSession(headers=THROUGH) as session:
            for _ in range(2):
                async with here.bridge(extraction_port=None) as bridge:
                    for wish in (*made, "create"):
                        headers = {"X-Crawlera-Session": wish}
                        async with session.get(
                            here.target, proxy=bridge.proxy_url, headers=headers
                        ) as got:
                            if wish != "create":
                                told = got.status, got.headers["X-Crawlera-Error"]
                                assert told == (400, "bad_session_id")
                                continue
                            assert got.status == 200
                            made.append(got.headers["X-Crawlera-Session"])
                stats = bridge.stats()["proxy"]
                assert (stats["sessions_created"], stats["relayed"]) == (1, 1)
        assert len(set(made)) == 2

    asyncio.run(run())


def test_https_targets_go_through_a_tunnel(tmp_path: Path) -> None:
    async def run() -> None:
        async with world(tmp_path) as here, here.bridge(ca_directory=tmp_path / "ca") as bridge:
            context = ssl.create_default_context(cafile=str(bridge.ca_certificate))
            async with aiohttp.ClientSession() as session:
                # A tunnel to a port without TLS: the proxy behind says so, not the bridge.
                async with session.get(
                    here.target.replace("http:", "https:"),
                    proxy=bridge.proxy_url,
                    proxy_headers=THROUGH,
                    headers={"X-Crawlera-Session": "create"},
                    ssl=context,
                ) as answer:
                    assert answer.headers["X-Crawlera-Version"]
                    assert answer.status >= 400
                with pytest.raises(aiohttp.ClientHttpProxyError) as refused:
                    await session.get("https://shop.example/", proxy=bridge.proxy_url, ssl=context)
                assert refused.value.status == 407

    asyncio.run(run())


def test_bodies_go_both_ways(tmp_path: Path) -> None:
    async def run() -> None:
        async with (
            world(tmp_path) as here,
            here.bridge() as bridge,
            aiohttp.ClientSession(headers=THROUGH) as session,
            session.post(
                f"{here.target}/form", proxy=bridge.proxy_url, data=b"x" * 300_000
            ) as answer,
        ):
            assert await answer.text() == "page /form"
            assert here.seen[0]["Content-Length"] == "300000"

    asyncio.run(run())


def test_an_upstream_that_is_not_there(tmp_path: Path) -> None:
    async def run() -> None:
        async with world(tmp_path) as here:
            gone = here.upstream_proxy.rpartition(":")[0] + ":1"
            bridge = Bridge("NEW-KEY", upstream_proxy=gone, extraction_port=None)
            async with (
                bridge,
                aiohttp.ClientSession(headers=THROUGH) as session,
                session.get(here.target, proxy=bridge.proxy_url) as answer,
            ):
                assert (answer.status, answer.headers["X-Crawlera-Error"]) == (502, "econnrefused")

    asyncio.run(run())


def test_the_published_command_line_runs_unchanged(tmp_path: Path) -> None:
    names = ["a", "b", "missing", "forbidden"]
    (tmp_path / "urls.txt").write_text("\n".join(f"http://shop.example/{name}" for name in names))
    python = interpreter("zyte-autoextract")

    async def run() -> str:
        async with world(tmp_path) as here, here.bridge(local_keys=["OLD-KEY"]) as bridge:
            process = await asyncio.create_subprocess_exec(
                *(python, "-m", "autoextract", "urls.txt", "-o", "out.jl", "--api-key", "OLD-KEY"),
                *("--page-type", "article", "--api-endpoint", bridge.extraction_url),
                cwd=tmp_path,
                stderr=subprocess.PIPE,
            )
            _, err = await asyncio.wait_for(process.communicate(), 60)
            assert process.returncode == 0, err
            return err.decode()

    err = asyncio.run(run())
    results = [json.loads(line) for line in (tmp_path / "out.jl").read_text().splitlines()]
    found = {result["query"]["userQuery"]["url"].rpartition("/")[2]: result for result in results}
    assert set(found) == set(names)
    assert found["a"]["article"]["headline"] == "H"
    assert found["missing"]["error"] == "Downloader error: http404"
    assert found["forbidden"]["error"] == "Extraction not permitted for this URL"
    assert "Successful URLs:          2 of 4" in err


SPIDER = """
import sys
import scrapy
from scrapy.crawler import CrawlerProcess

proxy, target = sys.argv[1:]


class SessionSpider(scrapy.Spider):
    name = "session"
    custom_settings = {"RETRY_ENABLED": False}

    async def start(self):
        yield self.ask("/0", "create")

    def ask(self, path, session):
        headers = {"X-Crawlera-Session": session}
        return scrapy.Request(target + path, headers=headers, meta={"proxy": proxy})

    def parse(self, response):
        number = int(response.url.rpartition("/")[2])
        session = response.headers["X-Crawlera-Session"].decode()
        print(session, response.text, flush=True)
        if number < 3:
            yield self.ask(f"/{number + 1}", session)


process = CrawlerProcess({"LOG_LEVEL": "ERROR"})
process.crawl(SessionSpider)
process.start()
"""


def test_a_spider_keeps_its_session(tmp_path: Path) -> None:
    pytest.importorskip("scrapy")
    (tmp_path / "spider.py").write_text(SPIDER)

    async def run() -> tuple[str, list[dict[str, str]]]:
        async with world(tmp_path) as here, here.bridge() as bridge:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(tmp_path / "spider.py"),
                bridge.proxy_url.replace("://", "://OLD-KEY:@"),
                here.target,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            out, err = await asyncio.wait_for(process.communicate(), 60)
            assert process.returncode == 0, err
            assert b"ERROR" not in err, err.decode()
            return out.decode(), here.seen

    out, seen = asyncio.run(run())
    lines = [line.split(" ", 1) for line in out.splitlines()]
    assert [text for _, text in lines] == [f"page /{number}" for number in range(4)]
    (session,) = {session for session, _ in lines}
    assert UUID4.fullmatch(session)
    assert [headers["Zyte-Session-ID"] for headers in seen] == [session] * 4


def test_the_command(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "--extraction-port", "0", "--proxy-port", "0", "--ca-dir", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"ZYTE_API_KEY": "SECRET-KEY", "PATH": ""},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    ready = r"silkline bridge ready: extraction http://\S+/v1/extract proxy http://\S+ ca \S+\n"
    assert re.fullmatch(ready, line), (line, process.communicate())
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    counts = json.loads(out)
    assert (counts["requests"], counts["proxy"]["requests"]) == (0, 0)
    shown = line + out + err
    assert "SECRET-KEY" not in shown
    assert base64.b64encode(b"SECRET-KEY:").decode() not in shown


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/v1/extract"])
def test_the_upstream_is_named_with_or_without_its_path(path: str) -> None:
    assert zyte_api_url(f"http://127.0.0.1:8020{path}") == "http://127.0.0.1:8020/v1/extract"
    assert zyte_api_url("http://a/other") == "http://a/other"


@pytest.mark.parametrize(
    "options",
    [[], ["--key", "K", "--upstream", "nowhere"], ["--key", "K", "--upstream-proxy", "http://a/b"]],
)
def test_wrong_usage_is_refused(
    options: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ZYTE_API_KEY", raising=False)
    with pytest.raises(SystemExit) as refused:
        main(["bridge", *options])
    assert refused.value.code == 2
    assert "usage: silkline bridge" in capsys.readouterr().err
