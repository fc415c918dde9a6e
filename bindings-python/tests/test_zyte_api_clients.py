"""The published clients of Zyte API work against the sandbox as they are."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from published import interpreter
from silkline.sandbox import Sandbox, ZyteApiOptions

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="what those clients need is newer than this Python"
)

PRODUCT = "/shop/copper-kettle.html"
ARTICLE = "/magazine/tide-clock.html"
THREAD = "/forum/tide-hand.html"


async def ran(*command: str, cwd: Path) -> tuple[str, str]:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 150)
    assert process.returncode == 0, err.decode()
    return out.decode(), err.decode()


def test_the_command_line_of_zyte_api(tmp_path: Path, site: str) -> None:
    queries = [
        {"url": site + PRODUCT, "product": True, "echoData": 1},
        {"url": site + ARTICLE, "browserHtml": True, "echoData": 2},
        {"url": site + ARTICLE, "httpResponseBody": True, "httpResponseHeaders": True,
         "echoData": 3},
        {"url": site + "/status/404", "article": True, "echoData": 4},
        {"url": site + THREAD, "forumThread": True, "echoData": 5},
        {"url": "http://nobody.invalid/", "product": True, "echoData": 6},
    ]  # fmt: skip
    (tmp_path / "queries.jl").write_text("".join(f"{json.dumps(query)}\n" for query in queries))
    python = interpreter("zyte-api")
    faults = [
        {"when": {"url": "*copper*"}, "times": 1, "then": {"status": 500}},
        {
            "when": {"url": "*/status/404"},
            "times": 1,
            "then": {"problem": "/download/internal-error"},
        },
    ]
    options: ZyteApiOptions = {"faults": json.dumps(faults)}

    async def main() -> tuple[str, dict[str, Any]]:
        async with Sandbox(
            extraction_port=None, zyte_api_port=0, keys=["KEY"], zyte_api=options
        ) as sandbox:
            command = [python, "-m", "zyte_api", "queries.jl", "-o", "out.jl", "--store-errors"]
            command += ["--api-key", "KEY"]
            command += ["--api-url", sandbox.zyte_api_url.removesuffix("extract")]
            _, err = await ran(*command, cwd=tmp_path)
            return err, sandbox.stats()["zyte_api"]

    err, stats = asyncio.run(main())
    lines = (tmp_path / "out.jl").read_text("utf-8").splitlines()
    results = [json.loads(line) for line in lines]
    found = {result["echoData"]: result for result in results if "echoData" in result}
    assert set(found) == {1, 2, 3, 4, 5}
    assert found[1]["product"]["name"]
    assert "<html" in found[2]["browserHtml"]
    assert found[3]["httpResponseHeaders"]
    assert found[4]["statusCode"] == 404
    assert found[5]["forumThread"]["posts"]
    assert any("/download/domain-forbidden" in line for line in lines)
    problems = {"500": 1, "/download/internal-error": 1, "/download/domain-forbidden": 1}
    assert stats["problems"] == problems
    assert stats["billed"] == 5
    assert "API error types" in err


SPIDER = """
import json
import scrapy
from scrapy.crawler import CrawlerProcess
from zyte_common_items import Article, ForumThread, Product


class Spider(scrapy.Spider):
    name = "spider"

    async def start(self):
        for kind in ("product", "article", "forumThread"):
            yield scrapy.Request(PAGES[kind], meta={"zyte_api_automap": {kind: True}},
                                 cb_kwargs={"kind": kind})
        yield scrapy.Request(PAGES["article"], callback=self.parse_plain, dont_filter=True)
        yield scrapy.Request(PAGES["article"], callback=self.parse_shown, dont_filter=True,
                             meta={"zyte_api_automap": {"browserHtml": True}})
        yield scrapy.Request(PAGES["product"], callback=self.parse_item, dont_filter=True)

    def parse(self, response, kind):
        classes = {"product": Product, "article": Article, "forumThread": ForumThread}
        item = classes[kind].from_dict(response.raw_api_response[kind])
        known = not item._unknown_fields_dict
        print(json.dumps([kind, response.raw_api_response[kind]["url"], known]))

    def parse_plain(self, response):
        print(json.dumps(["plain", response.css("h1::text").get(), response.status]))

    def parse_shown(self, response):
        print(json.dumps(["shown", response.css("h1::text").get(), response.status]))

    def parse_item(self, response, product: Product):
        print(json.dumps(["injected", product.name, product.price]))


process = CrawlerProcess({
    "ADDONS": {"scrapy_poet.Addon": 300, "scrapy_zyte_api.Addon": 500},
    "ZYTE_API_KEY": "KEY",
    "ZYTE_API_URL": ENDPOINT,
    "LOG_LEVEL": "ERROR",
    "TELNETCONSOLE_ENABLED": False,
    "RETRY_ENABLED": False,
})
process.crawl(Spider)
process.start()
"""


def test_scrapy_zyte_api(tmp_path: Path, site: str) -> None:
    pages = {"product": site + PRODUCT, "article": site + ARTICLE, "forumThread": site + THREAD}
    python = interpreter("zyte-api")

    async def main() -> tuple[str, dict[str, Any]]:
        async with Sandbox(extraction_port=None, zyte_api_port=0, keys=["KEY"]) as sandbox:
            endpoint = sandbox.zyte_api_url.removesuffix("extract")
            spider = tmp_path / "spider.py"
            spider.write_text(f"PAGES = {pages!r}\nENDPOINT = {endpoint!r}\n{SPIDER}")
            out, _ = await ran(python, str(spider), cwd=tmp_path)
            return out, sandbox.stats()["zyte_api"]

    out, stats = asyncio.run(main())
    found = {line[0]: line[1:] for line in map(json.loads, out.splitlines())}
    assert {kind: found[kind] for kind in pages} == {
        kind: [url, True] for kind, url in pages.items()
    }
    assert found["plain"][0]
    assert found["plain"] == found["shown"]
    assert found["injected"][0]
    assert found["injected"][1]
    assert stats["problems"] == {}
    # What is injected comes besides the page.
    assert stats["outputs"] == {
        "product": 2,
        "article": 1,
        "forumThread": 1,
        "httpResponseBody": 2,
        "browserHtml": 1,
    }
