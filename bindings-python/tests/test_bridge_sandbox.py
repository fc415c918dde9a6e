"""Unchanged programs of the older services, by the bridge, on the sandbox's Zyte API."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from published import interpreter
from silkline import basic_authorization
from silkline.bridge.host import Bridge
from silkline.sandbox import Sandbox
from test_bridge import UUID4
from test_proxy_clients import RUN, SPIDER, START

THROUGH = {"Proxy-Authorization": basic_authorization("OLD-KEY")}
PAGES = json.loads(
    (Path(__file__).resolve().parents[2] / "tests" / "site" / "pages.json").read_bytes()
)


@asynccontextmanager
async def bridged(tmp_path: Path, **options: Any) -> AsyncIterator[tuple[Sandbox, Bridge]]:
    """A bridge onto a sandbox."""
    sandbox = Sandbox(
        extraction_port=None,
        zyte_api_port=0,
        zyte_proxy_port=0,
        keys=["NEW-KEY"],
        proxy={"ca_directory": tmp_path / "upstream"},
        **options,
    )
    async with (
        sandbox,
        Bridge(
            "NEW-KEY",
            upstream=sandbox.zyte_api_url,
            upstream_proxy=sandbox.zyte_proxy_url,
            upstream_ca=sandbox.ca_certificate,
            ca_directory=tmp_path / "bridge",
        ) as bridge,
    ):
        yield sandbox, bridge


def test_the_published_command_line(tmp_path: Path, site: str) -> None:
    pages = [page for page in PAGES if page["page_type"] == "article" and "error" not in page][:4]
    urls = [site + page["path"] for page in pages]
    (tmp_path / "urls.txt").write_text("\n".join([*urls, f"{site}/status/404"]))
    python = interpreter("zyte-autoextract")

    async def run() -> tuple[str, dict[str, Any]]:
        async with bridged(tmp_path) as (sandbox, bridge):
            process = await asyncio.create_subprocess_exec(
                *(python, "-m", "autoextract", "urls.txt", "-o", "out.jl", "--api-key", "OLD-KEY"),
                *("--page-type", "article", "--api-endpoint", bridge.extraction_url),
                cwd=tmp_path,
                stderr=subprocess.PIPE,
            )
            _, err = await asyncio.wait_for(process.communicate(), 120)
            assert process.returncode == 0, err
            return err.decode(), sandbox.stats()

    err, stats = asyncio.run(run())
    results = [json.loads(line) for line in (tmp_path / "out.jl").read_text("utf-8").splitlines()]
    found = {result["query"]["userQuery"]["url"]: result for result in results}
    assert set(found) == {*urls, f"{site}/status/404"}
    for url in urls:
        assert found[url]["article"]["url"] == url
        assert found[url]["article"]["headline"]
        assert "metadata" not in found[url]["article"], "an item of the older schema"
    assert found[f"{site}/status/404"]["error"] == "Downloader error: http404"
    assert f"Successful URLs:          {len(urls)} of {len(urls) + 1}" in err
    assert stats["zyte_api"]["requests"] == len(urls) + 1


def test_the_documented_spider(tmp_path: Path, site: str) -> None:
    program = tmp_path / "spider.py"
    program.write_text(SPIDER.replace("START", repr(f"{site}/quotes/")) + START + RUN, "utf-8")

    async def run() -> tuple[str, dict[str, Any]]:
        async with bridged(tmp_path) as (sandbox, bridge):
            process = await asyncio.create_subprocess_exec(
                *(interpreter("proxy-clients"), str(program), "{}"),
                env={"http_proxy": bridge.proxy_url.replace("://", "://OLD-KEY:@")},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            out, err = await asyncio.wait_for(process.communicate(), 90)
            assert process.returncode == 0, err
            return out.decode(), sandbox.stats()

    out, stats = asyncio.run(run())
    lines = [json.loads(line) for line in out.splitlines()]
    urls: defaultdict[str, list[str]] = defaultdict(list)
    for line in lines:
        if "session" in line:
            urls[line["session"]].append(line["url"])
    pages = ["/quotes/", *(f"/quotes/page/{page}/" for page in range(2, 6))]
    assert len(urls) == 3, "three spiders, each in a session of its own"
    assert all(UUID4.fullmatch(session) for session in urls)
    assert all(found == [site + path for path in pages] for found in urls.values())
    assert sum("item" in line for line in lines) == 3 * 15
    proxied = stats["zyte_proxy"]
    assert set(proxied["sessions"]) == set(urls), "the ids are those of Zyte API"
    assert {session["requests"] for session in proxied["sessions"].values()} == {5}
    assert (proxied["old_headers"], proxied["problems"]) == (0, {})


def test_https_and_errors_through_the_proxy(tmp_path: Path, site: str, tls_site: str) -> None:
    async def run() -> None:
        async with bridged(tmp_path) as (sandbox, bridge):
            context = ssl.create_default_context(cafile=str(bridge.ca_certificate))
            async with aiohttp.ClientSession() as session:
                async with session.get(
                    f"{tls_site}/headers",
                    proxy=bridge.proxy_url,
                    proxy_headers=THROUGH,
                    headers={"X-Crawlera-Session": "create", "X-Crawlera-Profile": "mobile"},
                    ssl=context,
                ) as answer:
                    assert answer.status == 200, await answer.text()
                    made = answer.headers["X-Crawlera-Session"]
                    assert not [name for name in answer.headers if name.startswith("Zyte-")]
                    names = [name.lower() for name, _ in (await answer.json())["headers"]]
                    assert not [name for name in names if name.startswith(("x-crawlera", "zyte"))]

                async def get(url: str, headers: dict[str, str]) -> tuple[int, str | None]:
                    async with session.get(
                        url,
                        proxy=bridge.proxy_url,
                        headers={**THROUGH, **headers},
                        allow_redirects=False,
                    ) as answer:
                        return answer.status, answer.headers.get("X-Crawlera-Error")

                assert await get(f"{site}/status/404", {"X-Crawlera-Session": made}) == (404, None)
                assert await get(f"{site}/redirect/1", {}) == (302, None), "as of the older service"
                assert await get("http://nowhere.invalid/", {}) in {
                    (502, "nxdomain"),
                    (523, "domain_forbidden"),
                }
            assert set(sandbox.stats()["zyte_proxy"]["sessions"]) == {made}

    asyncio.run(run())
