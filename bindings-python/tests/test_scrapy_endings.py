"""Crawls that end early, errors before the answer, and what Scrapy would do by itself."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from proxied import Web, crawl, website


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with website(tmp_path / "site.log") as web:
        yield web


@pytest.fixture
def tls_web(tmp_path: Path) -> Iterator[Web]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with website(tmp_path / "tls-site.log", context) as web:
        yield web


FAILED = """
    def failed(self, failure):
        error = failure.value
        tell(failed=failure.request.url, error=type(error).__name__,
             code=getattr(error, "code", None), status=getattr(error, "status", None))
"""


@pytest.mark.parametrize(
    ("scrapy", "reactor"), [(None, "asyncio"), ("2.11", "plain"), ("2.13", "asyncio")]
)
def test_errors_that_answer_a_connect(
    tmp_path: Path, tls_web: Web, scrapy: str | None, reactor: str
) -> None:
    """Scrapy gives their status in the text of a TunnelError only."""
    spider = """
class Spider(Base):
    def first(self):
        yield scrapy.Request(SITE + "/headers?1", errback=self.failed)
        yield scrapy.Request("https://forbidden.example/", errback=self.failed)
"""
    proxy = {"delay": 0.05, "forbidden_domains": ["forbidden.example"]}
    settings = {"SILKLINE_SESSIONS": 2}
    done = crawl(
        tmp_path,
        tls_web.url,
        spider + FAILED,
        settings,
        proxy=proxy,
        scrapy=scrapy,
        reactor=reactor,
    )
    (failed,) = [line for line in done.told if "failed" in line]
    assert (failed["error"], failed["code"]) == ("ProxyServiceError", "domain_forbidden")
    assert failed["status"] == 523
    assert [line["status"] for line in done.told if "status" in line and line != failed] == [200]
    assert done.stats["silkline/proxy/errors/domain_forbidden"] == 1


def test_a_spider_that_is_closed_leaves_no_sessions(tmp_path: Path, web: Web) -> None:
    spider = """
class Spider(Base):
    custom_settings = {"CLOSESPIDER_PAGECOUNT": 3}
    urls = [f"/headers?{n}" for n in range(200)]
"""
    done = crawl(tmp_path, web.url, spider, {"SILKLINE_SESSIONS": 3}, proxy={"delay": 0.5})
    assert done.of("closed") == ["closespider_pagecount"]
    assert len(web.paths()) <= 6
    assert done.service["sessions_living"] == 0


def test_deleting_sessions_takes_no_longer_than_said(tmp_path: Path, web: Web) -> None:
    """The calls of the sessions API get no answer: the address that they go to swallows them."""
    spider = """
from silkline.scrapy import loop
from twisted.internet.defer import Deferred

loop.fetch = lambda crawler, call, timeout: Deferred()

class Spider(Base):
    urls = ["/headers?1"]
"""
    began = time.monotonic()
    done = crawl(tmp_path, web.url, spider, {"SILKLINE_CLOSE_TIMEOUT": 0.5})
    assert done.of("closed") == ["finished"]
    assert "there is no more time" in done.err
    assert time.monotonic() - began < 15
    assert done.service["sessions_living"] == 1


@pytest.mark.parametrize("keep", [False, True])
def test_delays_of_scrapy_give_way_unless_asked_to_stay(
    tmp_path: Path, web: Web, keep: bool
) -> None:
    spider = """
class Spider(Base):
    urls = [f"/slow/0.2?{n}" for n in range(8)]
"""
    settings = {
        "SILKLINE_SESSIONS": 8,
        "SILKLINE_KEEP_DOWNLOAD_DELAY": keep,
        "DOWNLOAD_DELAY": 0.3,
        "AUTOTHROTTLE_ENABLED": True,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
    }
    done = crawl(tmp_path, web.url, spider, settings)
    moments = [line["time"] for line in web.seen()]
    assert (moments[-1] - moments[0] > 1.4) is keep, moments
    assert done.of("status") == [200] * 8


def test_without_a_reactor(tmp_path: Path, web: Web) -> None:
    spider = """
class Spider(Base):
    urls = [f"/headers?{n}" for n in range(20)] + ["/redirect/1?to=/headers?20"]
"""
    settings = {"TWISTED_REACTOR_ENABLED": False, "SILKLINE_SESSIONS": 4, "ROBOTSTXT_OBEY": True}
    done = crawl(tmp_path, web.url, spider, settings, proxy={"delay": 0.1})
    assert done.of("status") == [200] * 21
    assert done.service["sessions_created"] == 4
    assert done.service["sessions_deleted"] == 4
    assert done.service["early_requests"] == 0


def test_an_answer_that_does_not_come_in_time(tmp_path: Path, web: Web) -> None:
    spider = """
class Spider(Base):
    urls = [f"/headers?{n}" for n in range(6)]
"""
    rules = [
        {"when": {"url": "*?0"}, "times": 1, "then": {"delay": 4}},
        {"when": {"url": "*?3"}, "times": 1, "then": {"delay": 4}},
        {"when": {"url": "*?4"}, "times": 1, "then": {"drop": True}},
    ]
    settings = {"SILKLINE_SESSIONS": 3, "SILKLINE_DEADLINE": 1}
    proxy = {"delay": 0.1, "faults": json.dumps(rules)}
    done = crawl(tmp_path, web.url, spider, settings, proxy=proxy)
    assert sorted(done.of("url")) == [f"{web.url}/headers?{n}" for n in range(6)]
    assert done.stats["silkline/proxy/errors/timeout"] >= 1
    assert done.stats["silkline/proxy/retries"] >= 2


def test_a_lost_session_reaches_the_errback(tmp_path: Path, web: Web) -> None:
    spider = """
class Spider(Base):
    def first(self):
        for n in range(3):
            yield scrapy.Request(f"{SITE}/headers?{n}", errback=self.failed, meta={
                "silkline_session": "a"})
"""
    rules = [{"when": {"url": "*?1"}, "times": 1, "then": {"end_session": True}}]
    done = crawl(tmp_path, web.url, spider + FAILED, proxy={"faults": json.dumps(rules)})
    assert done.of("url") == [f"{web.url}/headers?0"]
    assert {line["code"] for line in done.told if "failed" in line} == {"session_lost"}
    assert len(done.of("failed")) == 2


def test_more_own_sessions_than_the_pool_has_room_for(tmp_path: Path, web: Web) -> None:
    spider = """
class Spider(Base):
    def first(self):
        for n in range(6):
            yield scrapy.Request(f"{SITE}/headers?{n}a", headers={"X-Crawlera-Session": "create"})

    def parse(self, response):
        tell(url=response.url)
        session = response.headers["X-Crawlera-Session"].decode()
        if response.url.endswith("a"):
            yield scrapy.Request(response.url[:-1] + "b", headers={"X-Crawlera-Session": session})
"""
    done = crawl(tmp_path, web.url, spider, {"SILKLINE_SESSIONS": 4})
    assert len(done.of("url")) == 12
    for paths in web.peers().values():
        assert sorted(path[-1] for path in paths) == ["a", "b"]
    assert done.service["sessions_created"] == 6


def test_a_spider_that_was_closed_in_order_goes_on(tmp_path: Path, web: Web) -> None:
    spider = """
class Spider(Base):
    urls = [f"/headers?{n}" for n in range(30)]
"""
    job = {"JOBDIR": str(tmp_path / "job"), "SILKLINE_SESSIONS": 3}
    first = crawl(
        tmp_path, web.url, spider, {**job, "CLOSESPIDER_PAGECOUNT": 5}, proxy={"delay": 0.1}
    )
    assert first.service["sessions_living"] == 0
    second = crawl(tmp_path, web.url, spider, job, proxy={"delay": 0.1})
    assert len(first.of("url")) + len(second.of("url")) == 30
    assert len(set(web.paths())) == len(web.paths()) == 30


def test_turns_that_scrapy_does_not_take_are_renewed(tmp_path: Path, web: Web) -> None:
    """A callback holds everything up for longer than the deadline, and no session suffers."""
    spider = """
import time

class Spider(Base):
    urls = [f"/headers?{n}" for n in range(12)]

    def parse(self, response):
        tell(url=response.url)
        if response.url.endswith("?0"):
            self.crawler.engine.pause()
            from silkline.scrapy.wake import call_later
            call_later(2, self.crawler.engine.unpause)
"""
    settings = {"SILKLINE_SESSIONS": 3, "SILKLINE_DEADLINE": 1}
    done = crawl(tmp_path, web.url, spider, settings, proxy={"delay": 0.1})
    assert len(done.of("url")) == 12
    assert done.service["sessions_created"] == 3
    assert done.service["early_requests"] == 0
    assert "silkline/proxy/timed_out" not in done.stats
