"""The published clients of the API work against the sandbox as they are."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from published import interpreter
from silkline.sandbox import Sandbox

PAGES = ["/magazine/tide-clock.html", "/magazine/faro.html", "/magazine/bread-oven.html"]


def autoextract(
    folder: Path, urls: list[str], *options: str, **sandbox_options: Any
) -> tuple[list[dict[str, Any]], str, dict[str, Any]]:
    """Runs the client's own command line; gives results, what it logged, and the counts."""
    (folder / "urls.txt").write_text("\n".join(urls))
    python = interpreter("zyte-autoextract")

    async def main() -> tuple[str, dict[str, Any]]:
        async with Sandbox(keys=["KEY"], **sandbox_options) as sandbox:
            process = await asyncio.create_subprocess_exec(
                *(python, "-m", "autoextract", "urls.txt", "-o", "out.jl"),
                *("--api-key", "KEY", "--api-endpoint", sandbox.extraction_url, *options),
                cwd=folder,
                stderr=subprocess.PIPE,
            )
            _, err = await asyncio.wait_for(process.communicate(), 150)
            assert process.returncode == 0, err
            return err.decode(), sandbox.stats()

    err, stats = asyncio.run(main())
    results = [json.loads(line) for line in (folder / "out.jl").read_text("utf-8").splitlines()]
    return results, err, stats


def test_zyte_autoextract_returns_items(tmp_path: Path, site: str) -> None:
    urls = [site + path for path in PAGES] + [site + "/status/404"]
    results, err, stats = autoextract(tmp_path, urls, "--page-type", "article")
    found = {result["query"]["userQuery"]["url"]: result for result in results}
    assert set(found) == set(urls)
    for url in urls[:3]:
        assert found[url]["article"]["headline"]
        assert found[url]["article"]["url"] == url
    assert found[urls[3]]["error"] == "Downloader error: http404"
    assert "Successful URLs:          3 of 4" in err
    assert stats["request_errors"] == {}
    assert (stats["items"], stats["billed"]) == (3, 4)


def test_zyte_autoextract_retries_a_429_and_an_occupied_domain(tmp_path: Path, site: str) -> None:
    occupied = site.replace("127.0.0.1", "shop.localhost") + PAGES[0]
    urls = [site + PAGES[1], occupied]
    limit = {"problem": "user-rate-limit-exceeded", "retry_after": 1}
    results, err, stats = autoextract(
        tmp_path,
        urls,
        *("--batch-size", "1", "--max-query-error-retries", "3"),
        occupied={"shop.localhost": 2},
        faults=json.dumps([{"when": {"domain": "127.0.0.1"}, "times": 1, "then": limit}]),
    )
    assert {result["article"]["url"] for result in results} == set(urls)
    assert stats["request_errors"] == {"user-rate-limit-exceeded": 1}
    assert list(stats["query_errors"].values()) == [1]
    assert "is occupied" in next(iter(stats["query_errors"]))
    assert "Attempts:                 4" in err


SPIDER = """
import json
import scrapy
from scrapy.crawler import CrawlerProcess


class Spider(scrapy.Spider):
    name = "spider"

    def start_requests(self):
        meta = {"enabled": True, "pageType": "article", "extra": {"meta": "kept"}}
        for url in URLS:
            yield scrapy.Request(url, meta={"autoextract": meta})

    def parse(self, response):
        result = response.meta["autoextract"]
        user_query = result["original_url"], result["article"]["url"]
        print(json.dumps([*user_query, result["article"]["headline"]]))


process = CrawlerProcess({
    "AUTOEXTRACT_USER": "KEY",
    "AUTOEXTRACT_URL": ENDPOINT,
    "DOWNLOADER_MIDDLEWARES": {"scrapy_autoextract.AutoExtractMiddleware": 543},
    "LOG_LEVEL": "ERROR",
    "TELNETCONSOLE_ENABLED": False,
})
process.crawl(Spider)
process.start()
"""


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="that Scrapy is older than this Python")
def test_scrapy_autoextract_finds_items_in_its_responses(tmp_path: Path, site: str) -> None:
    urls = [site + path for path in PAGES]
    python = interpreter("scrapy-autoextract")

    async def main() -> tuple[str, dict[str, Any]]:
        async with Sandbox(keys=["KEY"]) as sandbox:
            spider = tmp_path / "spider.py"
            settings = f"URLS = {urls!r}\nENDPOINT = {sandbox.extraction_url!r}\n"
            spider.write_text(settings + SPIDER)
            process = await asyncio.create_subprocess_exec(
                python, str(spider), stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            out, err = await asyncio.wait_for(process.communicate(), 120)
            assert process.returncode == 0, err
            return out.decode(), sandbox.stats()

    out, stats = asyncio.run(main())
    found = {item[0]: item[1:] for item in map(json.loads, out.splitlines())}
    assert set(found) == set(urls)
    for url, (item_url, headline) in found.items():
        assert item_url == url
        assert headline
    assert (stats["items"], stats["request_errors"]) == (3, {})
