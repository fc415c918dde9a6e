"""Spiders under the add-on, in crawls against the sandbox."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from proxied import Web, crawl, website
from test_proxy_clients import SPIDER, START

KINDS = [
    (None, "asyncio"),
    (None, "plain"),
    ("2.11", "asyncio"),
    ("2.11", "plain"),
    ("2.13", "asyncio"),
]
"""Scrapy's version, ``None`` for the one that is installed, and its reactor."""


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with website(tmp_path / "site.log") as web:
        yield web


@pytest.mark.parametrize(("scrapy", "reactor"), KINDS)
def test_a_pool_fills_and_paces_itself(
    tmp_path: Path, web: Web, scrapy: str | None, reactor: str
) -> None:
    spider = """
class Spider(Base):
    urls = [f"/headers?{n}" for n in range(40)]
"""
    settings = {"SILKLINE_SESSIONS": 5}
    proxy = {"delay": 0.2}
    done = crawl(tmp_path, web.url, spider, settings, proxy=proxy, scrapy=scrapy, reactor=reactor)
    assert sorted(web.paths()) == sorted(f"/headers?{n}" for n in range(40))
    assert done.of("status") == [200] * 40
    assert done.service["early_requests"] == 0
    assert done.service["sessions_created"] == 5
    assert done.service["sessions_deleted"] == 5
    assert len(web.peers()) == 5
    assert done.stats["silkline/proxy/requests"] == 40
    assert done.stats["silkline/proxy/billed"] == 40
    assert done.stats["silkline/proxy/sessions/created"] == 5
    assert done.stats["silkline/proxy/sessions/deleted"] == 5
    assert done.stats["silkline/proxy/waited/session_cooling"] > 0.5
    assert done.of("closed") == ["finished"]


@pytest.mark.parametrize(("scrapy", "reactor"), KINDS)
def test_the_documented_spider_keeps_its_one_session(
    tmp_path: Path, web: Web, scrapy: str | None, reactor: str
) -> None:
    spider = SPIDER.replace("START", repr(f"{web.url}/quotes/")) + START
    spider += """
class Spider(ToScrapeCSSSpider):
    def parse(self, response):
        tell(session=response.headers.get("X-Crawlera-Session", b"").decode())
        yield from super().parse(response)
"""
    done = crawl(tmp_path, web.url, spider, proxy={"delay": 0.2}, scrapy=scrapy, reactor=reactor)
    assert done.stats["item_scraped_count"] == 15
    assert len(done.of("session")) == 5
    assert set(done.of("session")) == set(done.service["sessions"])
    assert len(web.peers()) == 1
    assert done.service["sessions_created"] == 1
    assert done.service["early_requests"] == 0


@pytest.mark.parametrize("scrapy", [None, "2.11"])
def test_those_that_wait_do_not_hold_up_others(
    tmp_path: Path, web: Web, scrapy: str | None
) -> None:
    """One session of a second: forty wait for it, while those past the proxy go at full rate."""
    spider = """
import time
class Spider(Base):
    def first(self):
        self.begun = time.monotonic()
        for n in range(4):
            yield scrapy.Request(f"{SITE}/headers?slow{n}")
        for n in range(60):
            yield scrapy.Request(f"{SITE}/headers?quick{n}", meta={"dont_proxy": True})

    def parse(self, response):
        tell(url=response.url, after=time.monotonic() - self.begun)
"""
    settings = {"SILKLINE_SESSIONS": 1, "CONCURRENT_REQUESTS": 2}
    done = crawl(tmp_path, web.url, spider, settings, proxy={"delay": 1}, scrapy=scrapy)
    after = {line["url"]: line["after"] for line in done.told if "url" in line}
    quick = [seconds for url, seconds in after.items() if "quick" in url]
    slow = [seconds for url, seconds in after.items() if "slow" in url]
    assert (len(quick), len(slow)) == (60, 4)
    assert max(slow) > 3
    assert max(quick) < 2
    assert done.service["early_requests"] == 0


def test_named_sessions_redirects_and_retries(tmp_path: Path, web: Web) -> None:
    spider = """
class Spider(Base):
    def first(self):
        for n in range(3):
            for name in ("a", "b"):
                yield scrapy.Request(f"{SITE}/headers?{name}{n}", meta={"silkline_session": name})
        yield scrapy.Request(f"{SITE}/redirect/2?to=/headers?a9", meta={"silkline_session": "a"})
        for n in range(4):
            yield scrapy.Request(f"{SITE}/headers?{n}")
        yield scrapy.Request(f"{SITE}/headers?out", meta={"silkline_session": False})

    def parse(self, response):
        seen = json.loads(response.text)
        tell(url=response.url, peer=seen["peer"], headers=dict(response.request.headers.items()) == {})
        names = [name.decode().lower() for name in response.request.headers]
        assert not [n for n in names if n.startswith(("x-crawlera", "proxy-"))], names
        assert response.request.meta.get("proxy") is None
"""
    done = crawl(tmp_path, web.url, spider, {"SILKLINE_SESSIONS": 5}, proxy={"delay": 0.1})
    peers: dict[str, set[str]] = {"a": set(), "b": set()}
    others = set()
    for line in done.told:
        name = line.get("url", "?").partition("?")[2][:1]
        if name in peers:
            peers[name].add(line["peer"].split(":")[0])
        elif name.isdigit():
            others.add(line["peer"].split(":")[0])
    assert len(peers["a"]) == len(peers["b"]) == 1
    assert not peers["a"] & peers["b"]
    assert not others & (peers["a"] | peers["b"])
    assert done.service["early_requests"] == 0
    assert len(done.of("url")) == 12
    assert len(web.peers()[peers["a"].pop()]) == 6


@pytest.mark.parametrize("scrapy", [None, "2.11"])
def test_errors_move_on_or_reach_the_errback(tmp_path: Path, web: Web, scrapy: str | None) -> None:
    spider = """
class Spider(Base):
    def first(self):
        for n in range(6):
            yield scrapy.Request(f"{SITE}/headers?{n}", errback=self.failed)
        yield scrapy.Request(f"{SITE}/headers?final", errback=self.failed)
        yield scrapy.Request(f"{SITE}/headers?seen", meta={"handle_httpstatus_list": [400]})
        yield scrapy.Request("http://127.0.0.1:1/", errback=self.failed, meta={"dont_proxy": True})

    def failed(self, failure):
        tell(failed=failure.request.url, error=type(failure.value).__name__,
             code=getattr(failure.value, "code", None))
"""
    rules = [
        {
            "when": {"url": "*final"},
            "then": {"answer": {"status": 400, "error": "invalid_request"}},
        },
        {"when": {"url": "*seen"}, "then": {"answer": {"status": 400, "error": "invalid_request"}}},
        {"when": {"url": "*?3"}, "times": 1, "then": {"ban": True}},
        {"when": {"url": "*?5"}, "times": 1, "then": {"end_session": True}},
    ]
    proxy = {"delay": 0.1, "faults": json.dumps(rules)}
    settings = {"SILKLINE_SESSIONS": 3, "RETRY_ENABLED": False}
    done = crawl(tmp_path, web.url, spider, settings, proxy=proxy, scrapy=scrapy)
    assert sorted(done.of("status")) == [200] * 6 + [400]
    failed = {line["failed"].rpartition("/")[2]: line for line in done.told if "failed" in line}
    assert failed["headers?final"]["code"] == "invalid_request"
    assert failed[""]["code"] is None
    assert done.stats["silkline/proxy/errors/banned"] == 1
    assert done.stats["silkline/proxy/errors"] >= 3
    assert done.stats["silkline/proxy/sessions/banned"] == 1


def test_robots_cache_and_what_bypasses_the_scheduler(tmp_path: Path, web: Web) -> None:
    spider = """
class Spider(Base):
    urls = [f"/headers?{n}" for n in range(4)] + ["/images/a.png"]

    def parse(self, response):
        tell(url=response.url, flags=response.flags)
        if "a.png" not in response.url:
            yield {"file_urls": [SITE + f"/bytes/1{response.url[-1]}"]}
"""
    settings = {
        "SILKLINE_SESSIONS": 2,
        "ROBOTSTXT_OBEY": True,
        "HTTPCACHE_ENABLED": True,
        "HTTPCACHE_DIR": str(tmp_path / "cache"),
        "ITEM_PIPELINES": {"scrapy.pipelines.files.FilesPipeline": 1},
        "FILES_STORE": str(tmp_path / "files"),
        "CONCURRENT_REQUESTS": 4,
    }
    first = crawl(tmp_path, web.url, spider, settings, proxy={"delay": 0.1})
    assert len(first.of("url")) == 5
    assert first.stats["file_count"] == 4
    asked = web.paths()
    assert "/robots.txt" in asked
    second = crawl(tmp_path, web.url, spider, settings, proxy={"delay": 0.1})
    assert len(second.of("url")) == 5
    assert all("cached" in flags for flags in second.of("flags"))
    assert not [name for name in second.stats if name.startswith("silkline/proxy/")]
    assert web.paths() == asked
    assert second.service["requests"] == 0


@pytest.mark.parametrize("scrapy", [None, "2.11"])
def test_what_the_cache_has_waits_for_no_session(
    tmp_path: Path, web: Web, scrapy: str | None
) -> None:
    spider = """
class Spider(Base):
    urls = [f"/headers?{n}" for n in reversed(range(COUNT))]
"""
    settings = {"HTTPCACHE_ENABLED": True, "HTTPCACHE_DIR": str(tmp_path / "cache")}
    crawl(tmp_path, web.url, spider.replace("COUNT", "28"), settings, scrapy=scrapy)
    assert len(web.paths()) == 28
    settings |= {"SILKLINE_SESSIONS": 1, "SILKLINE_SESSION_DELAY": 1}
    done = crawl(tmp_path, web.url, spider.replace("COUNT", "30"), settings, scrapy=scrapy)
    # The only session rests after the first page, the second waits for it, and nothing else does.
    assert done.of("url")[-1] == f"{web.url}/headers?28"
    assert len(done.of("url")) == 30
    assert len(web.paths()) == 30
    assert done.stats["silkline/proxy/requests"] == 2
    assert "silkline/proxy/given_back" not in done.stats


def test_turns_that_are_not_used_are_not_requests(tmp_path: Path, web: Web) -> None:
    spider = """
class Odd:
    def process_request(self, request, spider=None):
        if int(request.url[-1]) % 2:
            return scrapy.http.TextResponse(request.url, body=b"", request=request)

class Spider(Base):
    urls = [f"/headers?{n}" for n in range(6)]
    custom_settings = {"DOWNLOADER_MIDDLEWARES": {Odd: 500}}
"""
    done = crawl(tmp_path, web.url, spider, {"SILKLINE_SESSIONS": 2})
    assert len(done.of("url")) == 6
    assert len(web.paths()) == 3
    counts = [done.stats[f"silkline/proxy/{name}"] for name in ("requests", "given_back")]
    assert counts == [3, 3]


def test_what_the_cache_loses_is_fetched_through_a_session(tmp_path: Path, web: Web) -> None:
    spider = """
from scrapy.extensions.httpcache import FilesystemCacheStorage

class Lossy(FilesystemCacheStorage):
    seen = set()

    def retrieve_response(self, spider, request):
        \"\"\"Has each page once.\"\"\"
        if request.url in self.seen:
            return None
        self.seen.add(request.url)
        return scrapy.http.TextResponse(request.url, body=b"")

    def store_response(self, spider, request, response):
        pass

class Spider(Base):
    urls = [f"/headers?{n}" for n in range(6)]
    custom_settings = {"HTTPCACHE_STORAGE": Lossy}
"""
    settings = {"HTTPCACHE_ENABLED": True, "SILKLINE_SESSIONS": 2, "JOBDIR": str(tmp_path / "job")}
    done = crawl(tmp_path, web.url, spider, settings)
    assert sorted(done.of("url")) == [f"{web.url}/headers?{n}" for n in range(6)]
    assert len(web.paths()) == 6
    assert len(web.peers()) == 2, "each through one of the two sessions"
    assert done.stats["silkline/proxy/requests"] == 6
    again = crawl(tmp_path, web.url, spider, settings)
    assert again.of("url") == []
    assert len(web.paths()) == 6


def test_headers_of_the_user_and_of_nobody(tmp_path: Path, web: Web) -> None:
    spider = """
class Spider(Base):
    def first(self):
        yield scrapy.Request(SITE + "/headers?mobile", headers={"X-Crawlera-Profile": "mobile"})
        yield scrapy.Request(SITE + "/headers?region", headers={"X-Crawlera-Region": "us"})
        yield scrapy.Request(SITE + "/headers?strange", headers={"X-Crawlera-Profile": "strange"})
        yield scrapy.Request(SITE + "/headers?unproxied", meta={"dont_proxy": True},
                             headers={"X-Crawlera-Profile": "mobile", "Zyte-Device": "x",
                                      "Proxy-Authorization": "Basic x", "X-Own": "1"})

    def parse(self, response):
        seen = json.loads(response.text) if response.status == 200 else {"headers": [], "peer": ""}
        tell(url=response.url, session=response.headers.get("X-Crawlera-Session", b"").decode(),
             status=response.status, own=[v for n, v in seen["headers"] if n == "X-Own"],
             peer=seen["peer"])
    handle_httpstatus_list = [540]
"""
    done = crawl(tmp_path, web.url, spider, {"SILKLINE_SESSIONS": 2})
    told = {line["url"].partition("?")[2]: line for line in done.told if "url" in line}
    assert told["mobile"]["session"]
    assert told["region"]["session"] == ""
    assert told["unproxied"]["own"] == ["1"]
    assert told["strange"]["status"] == 540
    web.seen()


def test_cookies_of_scrapy_reach_the_target(tmp_path: Path, web: Web) -> None:
    spider = """
class Spider(Base):
    urls = ["/cookies/set?a=1"]
    def parse(self, response):
        if "echo" not in response.url:
            yield scrapy.Request(SITE + "/cookies/echo")
        else:
            tell(cookies=json.loads(response.text))
"""
    done = crawl(tmp_path, web.url, spider, {"SILKLINE_SESSIONS": 3})
    assert done.of("cookies") == [{"a": "1"}]


@pytest.mark.parametrize(("scrapy", "reactor"), KINDS)
def test_https_and_the_authority(tmp_path: Path, scrapy: str | None, reactor: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    spider = """
class Spider(Base):
    def first(self):
        for n in range(5):
            yield scrapy.Request(f"{SITE}/headers?{n}", errback=self.failed)
    def failed(self, failure):
        tell(failed=str(failure.value), code=getattr(failure.value, "code", None))
"""
    with website(tmp_path / "site.log", context) as web:
        settings: dict[str, Any] = {"SILKLINE_SESSIONS": 2, "SILKLINE_PROXY_CA": "@CA@"}
        proxy: dict[str, Any] = {"delay": 0.1}
        done = crawl(
            tmp_path, web.url, spider, settings, proxy=proxy, scrapy=scrapy, reactor=reactor
        )
        assert done.of("status") == [200] * 5
        assert done.service["tunnels"] >= 2
        assert len(web.peers()) == 2
        assert done.service["early_requests"] == 0


@pytest.mark.parametrize("site", ["http", "https"])
def test_a_wrong_key_is_told_at_once_and_tried_no_longer_than_asked(
    tmp_path: Path, web: Web, site: str
) -> None:
    spider = """
from silkline.schedule import Budget, RetryPolicy, Rule, Wait

class Spider(Base):
    urls = [f"/headers?{n}" for n in range(5)]
    account = Rule(Wait(0.2, 0.3), Budget("retries", 1))
    custom_settings = {"SILKLINE_PROXY_POLICY": RetryPolicy("smart_proxy", {"account": account})}
"""
    url = web.url.replace("http:", f"{site}:")
    settings = {"SILKLINE_SESSIONS": 1, "SILKLINE_API_KEY": "WRONG"}
    done = crawl(tmp_path, url, spider, settings, errors=True)
    assert done.of("closed") == ["silkline_bad_proxy_auth"]
    assert (done.err.count("the key may be wrong"), done.err.count("refuses the account")) == (1, 1)
    assert done.stats["silkline/proxy/errors/bad_proxy_auth"] == 2
    assert done.stats["elapsed_time_seconds"] < 2
    assert "WRONG" not in done.err
    assert web.paths() == []


def test_a_refused_key_closes_the_spider(tmp_path: Path, web: Web) -> None:
    spider = """
class Spider(Base):
    urls = [f"/headers?{n}" for n in range(5)]
"""
    rules = [{"when": {"every": 1}, "then": {"answer": {"status": 403, "error": "user_suspended"}}}]
    done = crawl(
        tmp_path,
        web.url,
        spider,
        {"SILKLINE_SESSIONS": 2},
        proxy={"faults": json.dumps(rules)},
        errors=True,
    )
    assert done.of("closed") == ["silkline_user_suspended"]
    assert "The proxy refuses the account" in done.err
    assert "may be wrong" not in done.err
    assert web.paths() == []


@pytest.mark.parametrize("scrapy", [None, "2.11"])
def test_redirects_stay_and_bans_of_targets_move(
    tmp_path: Path, web: Web, scrapy: str | None
) -> None:
    spider = """
class Spider(Base):
    custom_settings = {"SILKLINE_BAN_STATUSES": [403]}
    urls = [f"/redirect/2?to=/headers?{n}" for n in range(8)] + ["/ban-if-peer/127.0.0.2"]

    def first(self):
        yield from super().first()
        yield scrapy.Request(f"{SITE}/redirect/1?to=/headers?asked",
                             headers={"X-Crawlera-Session": "create"})
        yield scrapy.Request(f"{SITE}/redirect/1?to=/headers?outside",
                             meta={"silkline_session": False})
"""
    settings = {"SILKLINE_SESSIONS": 4}
    done = crawl(tmp_path, web.url, spider, settings, proxy={"delay": 0.1}, scrapy=scrapy)
    assert done.of("status") == [200] * 11
    assert done.service["early_requests"] == 0
    assert done.service["sessions_created"] <= 6
    for peer, paths in web.peers().items():
        for end in range(8):
            steps = [path for path in paths if path.endswith(f"headers?{end}")]
            assert len(steps) in (0, 3), (peer, steps)
    asked = [paths for paths in web.peers().values() if any("asked" in path for path in paths)]
    assert len(asked) == 1
    assert done.stats.get("silkline/proxy/bans", 0) <= 1
