"""Projects written for older middlewares run with the path of the middleware exchanged, alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Request, Spider
from scrapy.http import Response
from scrapy.utils.test import get_crawler

from conftest import serve
from crawls import Crawl, crawl
from published import interpreter, sources
from quick import pages, sandbox
from scrapies import REACTORS, VERSIONS, environment
from silkline.scrapy import SmartProxyMiddleware

THEIRS = "scrapy_zyte_smartproxy.ZyteSmartProxyMiddleware"
OURS = "silkline.scrapy.SmartProxyMiddleware"

PROJECT = """
class Spider(Base):
    name = "shop"
    zyte_smartproxy_maxbans = 20

    def begin(self):
        site = GIVEN
        yield scrapy.Request(site + "/headers?plain")
        yield scrapy.Request(site + "/headers?own", headers={"X-Crawlera-Cookies": "disable"})
        yield scrapy.Request(site + "/headers?direct", meta={"dont_proxy": True},
                             headers={"X-Crawlera-Profile": "desktop", "Zyte-Device": "mobile"})
        yield scrapy.Request(site + "/headers?successor", headers={"Zyte-Device": "mobile"})
        yield scrapy.Request(site + "/status/404")
        yield scrapy.Request(site + "/headers?posted", method="POST", body=b"x")
        yield scrapy.Request(site + "/headers?refused")
        yield scrapy.Request(site + "/headers?banned")
        yield scrapy.Request(site + "/headers?session", headers={"X-Crawlera-Session": "create"},
                             callback=self.session)

    def parse(self, response):
        plain = response.status == 200 and "/headers" in response.url
        received = response.json()["headers"] if plain else []
        say(url=response.url, status=response.status, received=sorted(n for n, _ in received),
            error=response.headers.get("X-Crawlera-Error", b"").decode(),
            proxied="X-Crawlera-Version" in response.headers)

    def session(self, response):
        session = response.headers["X-Crawlera-Session"]
        yield from self.parse(response) or ()
        yield scrapy.Request(GIVEN + "/headers?again", headers={"X-Crawlera-Session": session},
                             callback=self.again, cb_kwargs={"session": session})

    def again(self, response, session):
        say(url=response.url, same=response.headers["X-Crawlera-Session"] == session)
"""

FAULTS = json.dumps(
    [
        {"when": {"url": "*refused"}, "times": 1, "then": {"answer": {"status": 503, "error": "noslaves"}}},
        {"when": {"url": "*banned"}, "times": 1, "then": {"ban": True}},
    ]
)  # fmt: skip

SETTINGS = {
    "ZYTE_SMARTPROXY_ENABLED": True,
    "ZYTE_SMARTPROXY_APIKEY": "KEY",
    "ZYTE_SMARTPROXY_DEFAULT_HEADERS": {"X-Crawlera-Profile": "pass", "X-Crawlera-Region": None},
    "ZYTE_SMARTPROXY_BACKOFF_STEP": 1,
    "ZYTE_SMARTPROXY_BACKOFF_MAX": 1,
    "ZYTE_SMARTPROXY_UNHEARD_OF": 1,
}


def through(
    folder: Path, middleware: str, settings: dict[str, Any], project: str, **more: Any
) -> tuple[Crawl, list[dict[str, Any]], dict[str, Any]]:
    """Runs a project with one of the middlewares; gives what the target and the proxy saw, too."""
    log = folder / "site.log"
    log.unlink(missing_ok=True)
    proxy = {"delay": 0, "ca_directory": folder, **more.pop("proxy", {})}
    name = "ZYTE_SMARTPROXY_URL" if "CRAWLERA_ENABLED" not in settings else "CRAWLERA_URL"
    with (
        contextmanager(serve)("127.0.0.1", log=str(log)) as url,
        sandbox(extraction_port=None, proxy_port=0, keys=["KEY"], seed=1, proxy=proxy) as box,
    ):
        given = {**settings, name: box.proxy_url, "RETRY_ENABLED": False}
        given["HTTPERROR_ALLOW_ALL"] = True
        given["DOWNLOADER_MIDDLEWARES"] = {middleware: 610}
        ran = crawl(folder, project, given, url, **more)
        stats: dict[str, Any] = box.stats()["proxy"]
    requests = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    lines, counts = json.loads(json.dumps([ran.lines, ran.stats]).replace(url, "http://site"))
    return Crawl(lines, counts, ran.log.replace(url, "http://site")), requests, stats


def seen(ran: Crawl) -> tuple[list[Any], dict[str, Any]]:
    """What two runs of a project must have in common."""
    lines = sorted(json.dumps(line, sort_keys=True) for line in ran.lines)
    return lines, {
        name: value
        for name, value in ran.stats.items()
        if name.startswith(("zyte_", "crawlera/", "downloader/response_status", "item_"))
        and not name.endswith("/total")
    }


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Any], dict[str, Any]]:
    folder = tmp_path_factory.mktemp("original")
    ran, requests, _ = through(folder, THEIRS, SETTINGS, PROJECT, proxy={"faults": FAULTS})
    assert len(requests) >= 8
    assert len(ran.lines) == 10
    assert " ERROR: " not in ran.log
    return seen(ran)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_project_for_scrapy_zyte_smartproxy(
    tmp_path: Path, original: tuple[list[Any], dict[str, Any]], version: str
) -> None:
    ran, requests, _ = through(
        tmp_path,
        OURS,
        # Theirs takes this away on old versions of Scrapy only.
        {**SETTINGS, "DOWNLOAD_DELAY": 30},
        PROJECT,
        version=version,
        proxy={"faults": FAULTS},
    )
    lines, counts = seen(ran)
    assert (lines, counts) == original
    assert not [request["leaked"] for request in requests if request["leaked"]]
    assert counts["zyte_smartproxy/delay/noslaves"] == 1
    assert counts["zyte_smartproxy/response/error/banned"] == 1
    assert {"url": "http://site/headers?again", "same": True} in ran.lines
    assert ran.stats["elapsed_time_seconds"] < 10, "Scrapy's own delay is off"
    (note,) = (line for line in ran.log.splitlines() if "in place of" in line)
    assert "without counterpart: ZYTE_SMARTPROXY_UNHEARD_OF" in note
    assert "ZYTE_SMARTPROXY_DEFAULT_HEADERS" in note
    assert "spider.zyte_smartproxy_maxbans" in note
    assert "KEY" not in ran.log.replace("APIKEY", "").replace("KEEP", "")


def replay(folder: Path, name: str, version: str, shim: str, file: str, left_out: list[str]) -> str:
    """Runs the tests of a package on what takes its place; gives what pytest says."""
    package = folder / name.replace("-", "_")
    package.mkdir()
    (package / "__init__.py").write_text(shim)
    shutil.copy(sources(name, version) / "tests" / file, folder)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "default", file]
        + [f"--deselect={file}::{test}" for test in left_out],
        cwd=folder,
        env=environment(folder, PYTHONPATH=str(folder)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


SMARTPROXY = """
import sys
from silkline.scrapy.migration import smartproxy as middleware
from silkline.scrapy.migration.smartproxy import SmartProxyMiddleware as ZyteSmartProxyMiddleware
sys.modules[__name__ + ".middleware"] = middleware
__version__ = "2.4.1"
"""


def test_the_tests_of_scrapy_zyte_smartproxy(tmp_path: Path) -> None:
    case = "ZyteSmartProxyMiddlewareTestCase::"
    left_out = [
        case + "test_client_header",  # says who we are
        case + "test_open_spider_logging",  # wants a part of the key in the log
        case + "test_is_enabled_warnings",  # fails on newer Scrapy with the package itself
    ]
    said = replay(tmp_path, "scrapy-zyte-smartproxy", "2.4.1", SMARTPROXY, "test_all.py", left_out)
    assert "79 passed, 3 deselected" in said, said


@pytest.fixture
def middleware() -> SmartProxyMiddleware:
    settings = {"ZYTE_SMARTPROXY_APIKEY": "KEY", "ZYTE_SMARTPROXY_ENABLED": True}
    made = SmartProxyMiddleware.from_crawler(get_crawler(settings_dict=settings))
    made.crawler._engine = SimpleNamespace(  # type: ignore[assignment]
        downloader=SimpleNamespace(slots={}, _delay=1)
    )
    made.open_spider(Spider("spider"))
    return made


def answer(status: int, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response("http://a.example", status, {"X-Crawlera-Version": "1", **named})


@pytest.mark.parametrize(
    ("value", "date", "delay"),
    [
        ("7", None, 7.0),
        ("Sat, 21 Nov 2026 00:00:30 GMT", "Sat, 21 Nov 2026 00:00:10 GMT", 20.0),
        ("Sat, 21 Nov 2026 00:00:30 GMT", None, None),
        ("soon", None, None),
    ],
)
def test_a_delay_may_be_a_date(
    middleware: SmartProxyMiddleware, value: str, date: str | None, delay: float | None
) -> None:
    slot = SimpleNamespace(delay=0.5)
    middleware.crawler.engine.downloader.slots["a.example"] = slot  # type: ignore[assignment]
    request = Request("http://a.example", meta={"download_slot": "a.example"})
    middleware.process_request(request)
    dated = {} if date is None else {"Date": date}
    banned = answer(503, X_Crawlera_Error="banned", Retry_After=value, **dated)
    assert middleware.process_response(request, banned) is banned
    assert slot.delay == (0.5 if delay is None else delay)
    middleware.process_response(request, answer(200))
    assert slot.delay == 0.5


def test_slots_back_off_each_on_its_own(middleware: SmartProxyMiddleware) -> None:
    middleware._delays.step, middleware._delays.most = 10, 1e9
    engine: Any = middleware.crawler.engine
    for name in ("a", "b"):
        engine.downloader.slots[name] = SimpleNamespace(delay=0)
    request = Request("http://a.example", meta={"download_slot": "a"})
    for _ in range(30):
        middleware.process_response(request, answer(503, X_Crawlera_Error="noslaves"))
    assert engine.downloader.slots["a"].delay > 10
    other = Request("http://b.example", meta={"download_slot": "b"})
    middleware.process_response(other, answer(503, X_Crawlera_Error="noslaves"))
    assert engine.downloader.slots["b"].delay <= 10
    middleware.process_response(other, answer(200))
    assert engine.downloader.slots["b"].delay == 0
    assert engine.downloader.slots["a"].delay > 10, "another slot's answers do not count"


CRAWLERA = """
class Spider(Base):
    crawlera_enabled = True
    crawlera_apikey = "KEY"

    def begin(self):
        yield scrapy.Request(GIVEN + "/headers", errback=self.failed)

    def parse(self, response):
        say(url=response.url, version=bool(response.headers.get("X-Crawlera-Version")))
"""


def test_a_project_for_scrapy_crawlera(tmp_path: Path) -> None:
    settings = {
        "CRAWLERA_ENABLED": False,
        "CRAWLERA_DEFAULT_HEADERS": {"X-Crawlera-UA": "pass"},
        "HTTPPROXY_ENABLED": False,  # it did without
    }
    ran, requests, _ = through(tmp_path, OURS, settings, CRAWLERA, version="2.11")
    assert ran.lines == [{"url": "http://site/headers", "version": True}]
    assert ran.stats["crawlera/request"] == ran.stats["crawlera/response/status/200"] == 1
    assert not requests[0]["leaked"]
    assert (
        "taken over: CRAWLERA_DEFAULT_HEADERS, CRAWLERA_ENABLED, CRAWLERA_URL, spider.crawlera_apikey"
        in ran.log
    )


AUTOEXTRACT = """
class Spider(Base):
    page_type = "article"

    def begin(self):
        meta = {"enabled": True, "extra": {"meta": "kept"}, "headers": {"X-Custom": "1"}}
        for path in ("/magazine/tide-clock.html", "/magazine/faro.html", "/status/404"):
            yield scrapy.Request(GIVEN + path, meta={"autoextract": meta}, errback=self.failed)
        own = {"enabled": True, "pageType": "product", "extra": {"fullHtml": True}}
        yield scrapy.Request(GIVEN + "/shop/index.html", meta={"autoextract": own})
        yield scrapy.Request(GIVEN + "/magazine/faro.html", callback=self.plain, dont_filter=True)
        yield scrapy.Request(GIVEN + "/posted", method="POST", meta={"autoextract": meta},
                             errback=self.failed)

    def parse(self, response):
        result = dict(response.meta["autoextract"])
        timing = result.pop("timing")
        say(url=response.url, result=result, timing=sorted(timing), slot=response.meta["download_slot"],
            text=response.text, type=type(response).__name__, kept="enabled" in result)

    def plain(self, response):
        say(url=response.url, title=response.css("title::text").get())

    def failed(self, failure):
        say(url=failure.request.url, failed=type(failure.value).__name__, text=str(failure.value))
"""


def extracted(
    folder: Path, middleware: str, settings: dict[str, Any], spider: str = AUTOEXTRACT, **more: Any
) -> tuple[Crawl, dict[str, Any]]:
    """Runs a project with one of the middlewares; gives the service's counts, too."""
    with contextmanager(serve)("127.0.0.1") as url, sandbox(keys=["KEY"]) as box:
        given = {"AUTOEXTRACT_USER": "KEY", "AUTOEXTRACT_URL": box.extraction_url, **settings}
        given["DOWNLOADER_MIDDLEWARES"] = {middleware: 543}
        ran = crawl(folder, spider, given, url, **more)
        lines, counts = json.loads(json.dumps([ran.lines, ran.stats]).replace(url, "http://site"))
        text = json.dumps(lines).replace(box.extraction_url, "http://service")
        return Crawl(json.loads(text), counts, ran.log), box.stats()


def of_pages(ran: Crawl) -> list[str]:
    """The lines of a crawl, in an order of their own.

    Of the request that is no GET, scrapy-autoextract says ``KeyError: '_autoextract_processed'``.
    """
    return sorted(
        json.dumps(line, sort_keys=True) for line in ran.lines if "posted" not in line["url"]
    )


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="that Scrapy is older than this Python")
def test_a_project_for_scrapy_autoextract(tmp_path: Path) -> None:
    original = interpreter("scrapy-autoextract")
    theirs, billed = extracted(
        tmp_path, "scrapy_autoextract.AutoExtractMiddleware", {}, python=original
    )
    assert len(theirs.lines) == 6
    for version in VERSIONS:
        ran, stats = extracted(
            tmp_path,
            "silkline.scrapy.AutoExtractMiddleware",
            {"AUTOEXTRACT_MAX_QUERY_ERROR_RETRIES": 3},
            version=version,
        )
        assert of_pages(ran) == of_pages(theirs)
        assert ran.stats["autoextract/errors/result_error"] == 1
        assert stats["billed"] == billed["billed"] == 4
        assert ran.stats["autoextract/request_count"] == theirs.stats["autoextract/request_count"]
        assert ran.stats["autoextract/response_count"] == theirs.stats["autoextract/response_count"]
        assert ran.one("http://site/posted")["text"].startswith("Only GET requests are supported")
        (note,) = (line for line in ran.log.splitlines() if "in place of" in line)
        assert "taken over: AUTOEXTRACT_URL, AUTOEXTRACT_USER" in note
        assert "without counterpart: AUTOEXTRACT_MAX_QUERY_ERROR_RETRIES" in note


AUTOEXTRACT_SHIM = """
import sys
from silkline.scrapy import migration as middlewares
from silkline.scrapy.migration import AutoExtractMiddleware
sys.modules[__name__ + ".middlewares"] = middlewares
"""


def test_the_tests_of_scrapy_autoextract(tmp_path: Path) -> None:
    said = replay(
        tmp_path, "scrapy-autoextract", "0.7.0", AUTOEXTRACT_SHIM, "test_autoextract.py", []
    )
    assert "7 passed" in said, said


HOLES = """
class Spider(Base):
    def begin(self):
        for number in range(12):
            meta = {"autoextract": {"enabled": True, "pageType": "article"}}
            yield scrapy.Request(f"http://s{number}.example/", meta=meta, errback=self.failed)

    def parse(self, response):
        say(url=response.url, item=response.meta["autoextract"]["article"])
"""


@pytest.mark.parametrize("reactor", REACTORS)
def test_what_scrapy_autoextract_loses_is_not_lost(tmp_path: Path, reactor: str) -> None:
    """The service refuses most of what comes at once; and a cache answers the second time."""
    settings = {
        "HTTPCACHE_ENABLED": True,
        "HTTPCACHE_DIR": str(tmp_path / "cache"),
        "CONCURRENT_REQUESTS": 3,
        "RETRY_ENABLED": False,
    }
    settings |= {"DOWNLOADER_MIDDLEWARES": {"silkline.scrapy.AutoExtractMiddleware": 543}}
    counts = []
    with pages(), sandbox(keys=["KEY"], rate=6) as box:
        given = {"AUTOEXTRACT_USER": "KEY", "AUTOEXTRACT_URL": box.extraction_url, **settings}
        for _ in range(2):
            ran = crawl(tmp_path, HOLES, given, reactor=reactor)
            assert len([line for line in ran.lines if "item" in line]) == 12, ran.log
            counts.append((box.stats()["billed"], ran.stats.get("httpcache/hit", 0)))
    assert counts == [(12, 0), (12, 12)]


BANS = json.dumps([{"when": {"url": "*?7"}, "times": 1, "then": {"ban": True}}])

POOLED = """
class Spider(Base):
    def begin(self):
        for number in range(12):
            yield scrapy.Request(f"{GIVEN}/headers?{number}", errback=self.failed)
        yield scrapy.Request(GIVEN + "/headers?direct", meta={"dont_proxy": True},
                             headers={"X-Crawlera-Profile": "desktop"})

    def parse(self, response):
        say(url=response.url, error=response.headers.get("X-Crawlera-Error", b"").decode(),
            session="X-Crawlera-Session" in response.headers, proxied="X-Crawlera-Version" in
            response.headers, meta=sorted(set(response.meta) & {"proxy", "_silkline"}))
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_the_add_on_brings_sessions_to_a_project_of_old(tmp_path: Path, version: str) -> None:
    settings = {
        **SETTINGS,
        "ADDONS": {"silkline.scrapy.Addon": 500},
        "SILKLINE_SESSIONS": 3,
        "SILKLINE_SESSION_DELAY": 0.2,
        "ZYTE_SMARTPROXY_DEFAULT_HEADERS": {"X-Crawlera-Profile": "pass"},
    }
    ran, requests, stats = through(
        tmp_path, OURS, settings, POOLED, version=version, proxy={"delay": 0.2, "faults": BANS}
    )
    assert len(ran.lines) == 13, ran.log
    assert len(requests) == 14, "one was banned, and came again by another session"
    direct = ran.one("http://site/headers?direct")
    assert (direct["proxied"], direct["session"]) == (False, False)
    pooled = [line for line in ran.lines if line is not direct]
    assert all(line["proxied"] and line["session"] and not line["meta"] for line in pooled)
    assert stats["sessions_created"] <= 4
    assert stats["early_requests"] == 0
    assert not [request["leaked"] for request in requests if request["leaked"]]
    assert ran.stats["zyte_smartproxy/response"] == 12
    assert ran.stats["zyte_smartproxy/request"] >= 12
    (note,) = (line for line in ran.log.splitlines() if "in place of" in line)
    assert "with pooled sessions" in note
    assert not [line for line in ran.log.splitlines() if " ERROR: " in line]


FORCED = """
class Spider(Base):

    def begin(self):
        yield scrapy.Request(GIVEN + "/headers")
        yield scrapy.Request(GIVEN + "/ban-if-peer/127.0.0.1", dont_filter=True, priority=-1)

    def parse(self, response):
        say(url=response.url, status=response.status,
            session="X-Crawlera-Session" in response.headers)
"""


def test_the_add_on_leaves_a_disabled_project_disabled(tmp_path: Path) -> None:
    """But for the domains on which the project's codes turn it on."""
    settings = {
        **SETTINGS,
        "ADDONS": {"silkline.scrapy.Addon": 500},
        "ZYTE_SMARTPROXY_ENABLED": False,
        "ZYTE_SMARTPROXY_FORCE_ENABLE_ON_HTTP_CODES": [403],
        "SILKLINE_SESSION_DELAY": 0.1,
    }
    ran, _, stats = through(tmp_path, OURS, settings, FORCED, proxy={"delay": 0.1})
    assert ran.lines == [
        {"url": "http://site/headers", "status": 200, "session": False},
        {"url": "http://site/ban-if-peer/127.0.0.1", "status": 200, "session": True},
    ]
    assert stats["sessions_created"] == 1
    assert ran.stats["zyte_smartproxy/retries/should_have_been_enabled"] == 1
