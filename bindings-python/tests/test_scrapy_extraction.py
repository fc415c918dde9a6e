"""Extraction requests in Scrapy, old and new, on both reactors, against the sandbox."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from crawls import Crawl, crawl
from quick import pages, sandbox
from scrapies import REACTORS, VERSIONS

QUICK = """
from silkline.schedule import Budget, RetryPolicy, Rule, Wait

POLICY = RetryPolicy(rules={
    failure: Rule(Wait(0.05, 0.1), Budget("retries", 30))
    for failure in ("network", "server", "throttled", "query", "occupied")
})
Spider.custom_settings = {"SILKLINE_EXTRACTION_POLICY": POLICY}
"""

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
            status=response.status, slot=response.meta.get("download_slot"), text=response.text,
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
    spider = SPIDER + (QUICK if more.pop("quick", False) else "")
    return crawl(folder, spider, settings, {"query": {"pageType": "article"}, **given}, **more)


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
    assert not {"itemNative", "unmapped"} & line["result"].keys()
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


@pytest.mark.parametrize("version", VERSIONS)
def test_queries_that_wait_hold_up_nothing_else(tmp_path: Path, site: str, version: str) -> None:
    """20 queries at 10 a second take 2 seconds; all that Scrapy itself may do at once is 2."""
    plain = [f"{site}/magazine/faro.html?{number}" for number in range(40)]
    with pages(), sandbox() as box:
        given = {
            "pages": [f"http://s{number % 5}.example/{number}" for number in range(20)],
            "plain": plain,
        }
        settings = {
            "SILKLINE_RATE": 10, "CONCURRENT_REQUESTS": 2, "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        }  # fmt: skip
        ran = run(tmp_path, box.extraction_url, given, version=version, settings=settings)
    order = [line["url"].startswith(site) for line in ran.lines]
    assert (order.count(True), order.count(False)) == (40, 20)
    late = order[20:].count(False)
    assert late >= 15, "most of the items came after most of the pages"
    assert 1.8 < ran.stats["elapsed_time_seconds"] < 4
    assert ran.stats["silkline/extraction/waited/rate"] > 1.5


def test_an_occupied_domain_holds_up_no_other(tmp_path: Path) -> None:
    """Each of the ten others finishes at once, with the busy one's requests first in the queue."""
    busy = [f"http://busy.example/{number}" for number in range(20)]
    others = [f"http://s{number % 10}.example/{number}" for number in range(50)]
    with pages(), sandbox(occupied={"busy.example": 3}) as box:
        ran = run(
            tmp_path,
            box.extraction_url,
            {"pages": busy + others},
            settings={
                "CONCURRENT_REQUESTS": 4,
            },
        )
    urls = [line["url"] for line in ran.lines]
    assert set(urls[:50]) == set(others)
    assert set(urls[50:]) == set(busy)
    assert ran.stats["silkline/extraction/occupied"] >= 1
    assert ran.stats["silkline/extraction/billed"] == 70


@pytest.mark.parametrize("version", VERSIONS)
def test_a_refused_account_closes_the_spider(tmp_path: Path, version: str) -> None:
    given = {"pages": [f"http://a.example/{number}" for number in range(30)]}
    with pages(), sandbox(keys=["OTHER"]) as box:
        settings = {"SILKLINE_RATE": 20}
        ran = run(tmp_path, box.extraction_url, given, version=version, settings=settings)
        asked = box.stats()["requests"]
    assert ran.stats["finish_reason"] == "silkline_unauthorized"
    assert {line["failed"] for line in ran.lines} == {"AccountRefused"}
    assert {line["code"] for line in ran.lines} == {"unauthorized"}
    assert asked <= 2
    assert "the extraction service refuses the account" in ran.log
    assert "KEY" not in ran.log
    assert ran.stats["elapsed_time_seconds"] < 3


def test_a_budget_closes_the_spider(tmp_path: Path) -> None:
    given = {"pages": [f"http://a.example/{number}" for number in range(10)]}
    with pages(), sandbox() as box:
        ran = run(tmp_path, box.extraction_url, given, settings={"SILKLINE_BUDGET": 4})
        assert box.stats()["billed"] == 4
    assert ran.stats["finish_reason"] == "silkline_out_of_budget"
    assert ran.stats["silkline/extraction/items"] == 4
    failed = [line for line in ran.lines if "failed" in line]
    assert {(line["failed"], line["code"]) for line in failed} == {("OutOfBudget", "out_of_budget")}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_cache_keeps_items_and_knows_queries_apart(tmp_path: Path, version: str) -> None:
    given = {"pages": ["http://a.example/1", "http://a.example/missing"]}
    settings = {"HTTPCACHE_ENABLED": True, "HTTPCACHE_DIR": str(tmp_path / "cache")}
    lines = []
    with pages() as made, sandbox() as box:
        for page_type in ("article", "article", "product"):
            ran = run(
                tmp_path,
                box.extraction_url,
                {**given, "query": {"pageType": page_type}},
                version=version,
                settings=settings,
            )
            lines.append(ran.one("http://a.example/1"))
            assert ran.one("http://a.example/missing")["code"] == "downloader_http"
    assert made == {"http://a.example/1": 2, "http://a.example/missing": 3}
    assert [line["item"] for line in lines] == [{"url": "http://a.example/1"}] * 3
    assert [line["result"]["billed"] for line in lines] == [1, 0, 1]
    assert lines[0]["result"]["query"] == lines[1]["result"]["query"]
    assert lines[0]["type"] == lines[1]["type"] == "HtmlResponse"


CLOSING = """
class Spider(Base):
    def begin(self):
        for number in range(20):
            yield scrapy.Request(f"http://s{number}.example/", meta={"silkline": GIVEN},
                                 errback=self.failed)

    def parse(self, response):
        say(url=response.url, item=response.meta["silkline_item"])
        raise scrapy.exceptions.CloseSpider("enough")
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_the_end_of_a_crawl_waits_for_what_was_sent_only(tmp_path: Path, version: str) -> None:
    settings = {**ADDON, "SILKLINE_API_KEY": "KEY", "SILKLINE_RATE": 1}
    with pages(1.5) as made, sandbox() as box:
        ran = crawl(
            tmp_path,
            CLOSING,
            {**settings, "SILKLINE_ENDPOINT": box.extraction_url},
            {"pageType": "article"},
            version=version,
        )
    assert ran.stats["finish_reason"] == "enough"
    items = [line for line in ran.lines if "item" in line]
    assert len(items) == sum(made.values()), "what was sent is waited for"
    assert 2 <= len(items) <= 4
    assert {line["code"] for line in ran.lines if "failed" in line} == {"job_closed"}
    assert len(ran.lines) == 20
    assert ran.stats["elapsed_time_seconds"] < 6


def test_what_fails_on_the_way_is_tried_again_by_the_engine(tmp_path: Path) -> None:
    """No retry of Scrapy's: it would not know what is billed."""
    faults = json.dumps(
        [
            {"when": {"request": 2}, "then": {"drop": True}},
            {
                "when": {"request": 3},
                "then": {"problem": "user-rate-limit-exceeded", "retry_after": 1},
            },
            {"when": {"request": 4}, "then": {"status": 503}},
        ]
    )
    given = {"pages": [f"http://s{number}.example/" for number in range(8)]}
    settings = {"DOWNLOAD_TIMEOUT": 0.2}
    with pages(0.5), sandbox(faults=faults) as box:
        ran = run(tmp_path, box.extraction_url, given, settings=settings, quick=True)
    assert len([line for line in ran.lines if line.get("item")]) == 8
    assert ran.stats["silkline/extraction/retries"] == 3
    assert ran.stats["silkline/extraction/throttled"] == 1
    assert "retry/count" not in ran.stats
    assert ran.stats["silkline/extraction/possibly_billed"] == 1
    assert ran.stats["elapsed_time_seconds"] < 5


class Robots(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"User-agent: *\nDisallow: /secret\n")

    def log_message(self, *_: Any) -> None:
        pass


BESIDE = """
class Spider(Base):
    def begin(self):
        for number in range(10):
            yield scrapy.Request(f"{GIVEN}/headers?{number}", callback=self.page)
            yield scrapy.Request(f"http://s{number}.example/",
                                 meta={"silkline": {"pageType": "article"}})

    def page(self, response):
        say(session="X-Crawlera-Session" in response.headers)

    def parse(self, response):
        say(url=response.url, item=response.meta["silkline_item"])
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_beside_sessions(tmp_path: Path, site: str, version: str) -> None:
    with pages(), sandbox(keys=["KEY"], proxy_port=0, proxy={"delay": 0.1}) as box:
        settings = {
            "ADDONS": {"silkline.scrapy.Addon": 500},
            "SILKLINE_API_KEY": "KEY",
            "SILKLINE_ENDPOINT": box.extraction_url,
            "SILKLINE_PROXY_URL": box.proxy_url,
            "SILKLINE_SESSION_DELAY": 0.1,
            "SILKLINE_SESSIONS": 3,
            "SILKLINE_RATE": 20,
        }
        ran = crawl(tmp_path, BESIDE, settings, site, version=version)
        stats = box.stats()
    assert len([line for line in ran.lines if "item" in line]) == stats["items"] == 10
    assert [line["session"] for line in ran.lines if "session" in line] == [True] * 10
    assert stats["proxy"]["sessions_created"] == 3
    assert stats["proxy"]["early_requests"] == 0


def test_batches(tmp_path: Path) -> None:
    given = {"pages": [f"http://s{number}.example/" for number in range(12)]}
    settings = {"SILKLINE_BATCH_SIZE": 4, "SILKLINE_RATE": 20}
    with pages(), sandbox() as box:
        ran = run(tmp_path, box.extraction_url, given, settings=settings)
        assert box.stats()["items"] == 12
    assert {line["item"]["url"] for line in ran.lines} == set(given["pages"])
    assert 3 <= ran.stats["silkline/extraction/requests"] <= 6
    assert ran.stats["silkline/extraction/queries"] == 12


class Successor(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert asked["product"] is True
        if "no" in asked["url"]:
            status, told = 451, {"type": "/download/domain-forbidden", "title": "no", "status": 451}
        else:
            product = {
                "url": asked["url"],
                "brand": {"name": "B"},
                "metadata": {"probability": 0.5},
            }
            status, told = 200, {"url": asked["url"], "statusCode": 200, "product": product}
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def test_the_other_dialect(tmp_path: Path) -> None:
    web = HTTPServer(("127.0.0.1", 0), Successor)
    threading.Thread(target=web.serve_forever, args=(0.05,)).start()
    given = {
        "query": {"pageType": "product"},
        "pages": ["http://a.example/1", "http://no.example/"],
    }
    try:
        endpoint = f"http://127.0.0.1:{web.server_port}/v1/extract"
        ran = run(tmp_path, endpoint, given, settings={"SILKLINE_DIALECT": "zyte_api"})
    finally:
        web.shutdown()
        web.server_close()
    line = ran.one("http://a.example/1")
    assert (line["item"]["brand"], line["item"]["probability"]) == ("B", 0.5)
    assert line["result"]["itemNative"]["brand"] == {"name": "B"}
    assert ran.one("http://no.example/")["code"] == "extraction_not_permitted"


def test_pages_that_robots_are_not_to_see_are_not_asked_for(tmp_path: Path) -> None:
    web = HTTPServer(("127.0.0.1", 0), Robots)
    threading.Thread(target=web.serve_forever, args=(0.05,)).start()
    url = f"http://127.0.0.1:{web.server_port}"
    given = {"pages": [f"{url}/open", f"{url}/secret"]}
    try:
        with pages() as made, sandbox() as box:
            ran = run(tmp_path, box.extraction_url, given, settings={"ROBOTSTXT_OBEY": True})
    finally:
        web.shutdown()
        web.server_close()
    assert made == {f"{url}/open": 1}
    assert ran.one(f"{url}/secret")["failed"] == "IgnoreRequest"


OTHERS = """
from scrapy.http import TextResponse


class Old:
    lazy = False

    def __init__(self, settings, crawler):
        pass

    @classmethod
    def from_crawler(cls, crawler):
        return cls(crawler.settings, crawler)

    def download_request(self, request, spider):
        from twisted.internet.defer import succeed

        assert spider.name == "spider"
        body = b"made by the project's own handler"
        return succeed(TextResponse(request.url, request=request, body=body, status=203))


class Spider(Base):
    custom_settings = {"DOWNLOAD_HANDLERS": {"http": Old, "ftp": None}}

    def begin(self):
        yield scrapy.Request("http://a.example/", callback=self.parse)
        yield scrapy.Request("https://127.0.0.1:1/", callback=self.parse, errback=self.failed)

    def parse(self, response):
        say(url=response.url, status=response.status)
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_other_requests_go_where_they_went_before(tmp_path: Path, version: str) -> None:
    settings = {**ADDON, "SILKLINE_API_KEY": "KEY", "RETRY_ENABLED": False}
    ran = crawl(tmp_path, OTHERS, settings, version=version)
    assert ran.one("http://a.example/")["status"] == 203
    assert "failed" in ran.one("https://127.0.0.1:1/")


def test_without_a_reactor(tmp_path: Path) -> None:
    """From 2.15 on Scrapy can do without, with another handler for what is fetched."""
    with pages(), sandbox() as box:
        settings = {"TWISTED_REACTOR_ENABLED": False, "TWISTED_REACTOR": None}
        given = {"pages": ["http://a.example/1", "http://a.example/missing"]}
        ran = run(
            tmp_path, box.extraction_url, given, settings=settings, process="AsyncCrawlerProcess"
        )
    assert ran.one("http://a.example/1")["item"] == {"url": "http://a.example/1"}
    assert ran.one("http://a.example/missing")["status"] == 404


LEFT = """
class Spider(Base):
    def begin(self):
        if GIVEN["first"]:
            for number in range(8):
                yield scrapy.Request(f"http://s{number}.example/", meta=GIVEN["meta"],
                                     errback=self.failed)

    def parse(self, response):
        say(url=response.url, item=True)
        if GIVEN["first"]:
            raise scrapy.exceptions.CloseSpider("enough")
"""


@pytest.mark.parametrize(
    ("version", "proxy", "older"),
    [("2.11", False, False), ("2.19", True, False), ("2.19", False, True), ("2.13", True, True)],
)
def test_what_the_end_overtakes_is_left_for_the_next_run(
    tmp_path: Path, version: str, proxy: bool, older: bool
) -> None:
    """With Scrapy's own scheduler, and with the one that the add-on brings for sessions."""
    middleware = "silkline.scrapy.AutoExtractMiddleware"
    meta = {"autoextract" if older else "silkline": {"pageType": "article", "enabled": older}}
    settings = {
        **ADDON,
        "SILKLINE_PROXY_ENABLED": proxy,
        "SILKLINE_API_KEY": "KEY",
        "SILKLINE_RATE": 4,
        "JOBDIR": str(tmp_path / "job"),
        "DOWNLOADER_MIDDLEWARES": {middleware: 543} if older else {},
    }
    found = []
    with pages() as made, sandbox() as box:
        for first in (True, False):
            given = {**settings, "SILKLINE_ENDPOINT": box.extraction_url}
            given["AUTOEXTRACT_URL"] = box.extraction_url
            ran = crawl(tmp_path, LEFT, given, {"first": first, "meta": meta}, version=version)
            found.append([line["url"] for line in ran.lines if "item" in line])
    assert found[0], "the first run finds some"
    assert found[1], "and leaves some"
    assert sorted(found[0] + found[1]) == [f"http://s{number}.example/" for number in range(8)]
    assert set(made.values()) == {1}
