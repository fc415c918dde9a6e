"""Extraction requests in Scrapy, old and new, on both reactors, against the sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crawls import Crawl, crawl
from quick import pages, sandbox
from scrapies import REACTORS, VERSIONS

ADDON = {"ADDONS": {"silkline.scrapy.Addon": 500}, "SILKLINE_PROXY_ENABLED": False}

SPIDER = """
from silkline.scrapy import extraction_request


class Spider(Base):
    def begin(self):
        for url in GIVEN["pages"]:
            # One dict for all requests: nothing is written to it.
            yield scrapy.Request(url, meta={"silkline": GIVEN["query"]}, errback=self.failed)
        for url in GIVEN.get("plain", []):
            yield scrapy.Request(url, callback=self.plain, errback=self.failed)
        for url in GIVEN.get("made", []):
            yield extraction_request(
                url, "product", self.parse, full_html=True, query_meta="m", errback=self.failed
            )

    def parse(self, response):
        say(url=response.url, item=response.meta["silkline_item"],
            result=response.meta["silkline_result"], type=type(response).__name__,
            status=response.status, slot=response.meta["download_slot"], text=response.text,
            query=response.meta["silkline"], title=response.css("title::text").get())

    def plain(self, response):
        say(url=response.url, item=response.meta.get("silkline_item"), status=response.status)
"""


def run(folder: Path, endpoint: str, given: dict[str, Any], **more: Any) -> Crawl:
    settings = {
        **ADDON,
        "SILKLINE_API_KEY": "KEY",
        "SILKLINE_ENDPOINT": endpoint,
        "SILKLINE_RATE": 1e6,
        **more.pop("settings", {}),
    }
    return crawl(folder, SPIDER, settings, {"query": {"pageType": "article"}, **given}, **more)


@pytest.mark.parametrize("reactor", REACTORS)
@pytest.mark.parametrize("version", VERSIONS)
def test_items_come_in_responses_of_the_pages_themselves(
    tmp_path: Path, site: str, version: str, reactor: str
) -> None:
    with pages() as made, sandbox(keys=["KEY"]) as box:
        given = {
            "pages": ["http://a.example/1", "http://b.example/missing", "http://a.example/1"],
            "plain": [f"{site}/magazine/faro.html"],
            "made": ["http://a.example/1", "http://c.example/2"],
        }
        ran = run(tmp_path, box.extraction_url, given, version=version, reactor=reactor)
        stats = box.stats()
    assert made == {"http://a.example/1": 2, "http://b.example/missing": 1, "http://c.example/2": 1}
    assert stats["billed"] == 4
    found = {(line["url"], line.get("query", {}).get("pageType")): line for line in ran.lines}
    line = found["http://a.example/1", "article"]
    assert line["item"] == {"url": "http://a.example/1"}
    assert (line["type"], line["status"], line["slot"]) == ("HtmlResponse", 200, "a.example")
    assert line["query"] == {"pageType": "article"}
    assert line["result"]["query"]["userQuery"]["url"] == "http://a.example/1"
    assert (line["result"]["attempts"], line["result"]["billed"]) == (1, 1)
    assert found["http://a.example/1", "product"]["result"]["query"]["userQuery"]["meta"] == "m"
    assert found[f"{site}/magazine/faro.html", None] == {
        "url": f"{site}/magazine/faro.html", "item": None, "status": 200,
    }  # fmt: skip
    failed = found["http://b.example/missing", None]
    assert (failed["failed"], failed["code"], failed["status"]) == (
        "QueryFailed", "downloader_http", 404,
    )  # fmt: skip
    assert len(found) == len(ran.lines) == 5
    assert ran.stats["silkline/extraction/billed"] == 4
    assert ran.stats["silkline/extraction/items"] == 3
    assert ran.stats["silkline/extraction/errors/downloader_http"] == 1
    assert ran.stats["dupefilter/filtered"] == 1
    assert ran.stats["finish_reason"] == "finished"
    assert ran.stats["elapsed_time_seconds"] < 4
    for said in ran.log.splitlines():
        assert "ERROR" not in said
        assert "Traceback" not in said
        assert "Deprecat" not in said or "silkline" not in said.lower(), said
