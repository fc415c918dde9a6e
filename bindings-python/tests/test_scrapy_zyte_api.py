"""Spiders under the add-on whose requests go through the proxy mode of Zyte API."""

from __future__ import annotations

import json
import ssl
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from proxied import Crawled, Web, crawl, website
from quick import sandbox
from silkline.sandbox import Sandbox


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with website(tmp_path / "site.log") as web:
        yield web


@contextmanager
def service(folder: Path, **proxy: Any) -> Iterator[Sandbox]:
    """The sandbox with the successor's proxy; beside it the older one, which nobody may use."""
    with sandbox(
        extraction_port=None,
        proxy_port=0,
        zyte_proxy_port=0,
        keys=["KEY"],
        seed=1,
        proxy={"ca_directory": folder / "ca"},
        zyte_proxy={"ca_directory": folder / "zyte-ca", **proxy},
    ) as box:
        yield box


def crawled(
    folder: Path, box: Sandbox, web: Web, spider: str, settings: dict[str, Any], **how: Any
) -> tuple[Crawled, dict[str, Any]]:
    """The crawl, and what the successor's proxy counted; the key comes as the successor calls it."""
    given = {
        "SILKLINE_DIALECT": "zyte_api",
        "SILKLINE_PROXY_URL": box.zyte_proxy_url,
        "SILKLINE_SESSION_DELAY": None,
        "SILKLINE_API_KEY": None,
        **settings,
    }
    done = crawl(folder, web.url, spider, given, box=box, env={"ZYTE_API_KEY": "KEY"}, **how)
    assert done.service["requests"] == 0
    counts: dict[str, Any] = box.stats()["zyte_proxy"]
    return done, counts


KINDS = [(None, "asyncio"), (None, "plain"), ("2.11", "plain")]


@pytest.mark.parametrize(("scrapy", "reactor"), KINDS)
def test_a_pool_of_sessions(tmp_path: Path, web: Web, scrapy: str | None, reactor: str) -> None:
    """Made by the spider's own requests, each with an address of its own, none deleted."""
    spider = """
class Spider(Base):
    urls = [f"/headers?{n}" for n in range(60)] + ["/status/404"]
    custom_settings = {"HTTPERROR_ALLOW_ALL": True}
"""
    with service(tmp_path) as box:
        settings = {"SILKLINE_SESSIONS": 4, "SILKLINE_CONCURRENCY": 4}
        done, counts = crawled(tmp_path, box, web, spider, settings, scrapy=scrapy, reactor=reactor)
    assert sorted(done.of("status")) == [200] * 60 + [404]
    assert counts["requests"] == 61
    assert counts["problems"] == {}
    assert counts["sessions_created"] == 4
    assert {uuid.UUID(session).version for session in counts["sessions"]} == {4}
    assert len(web.peers()) == 4
    assert done.stats["silkline/proxy/sessions/created"] == 4
    assert "silkline/proxy/sessions/deleted" not in done.stats
    assert "KEY" not in done.err.replace("API_KEY", "")


def test_sessions_by_name_redirects_and_refusals(tmp_path: Path, web: Web) -> None:
    """Requests of a name leave from one address; redirects are Scrapy's, in the same session."""
    spider = """
class Spider(Base):
    def first(self):
        for name in "ab":
            for n in range(4):
                yield scrapy.Request(f"{SITE}/redirect/1?to=/headers?{name}{n}",
                                     meta={"silkline_session": name})
        yield scrapy.Request(f"{SITE}/headers?made", headers={"X-Crawlera-Session": "create"},
                             callback=self.made)
        yield scrapy.Request(f"{SITE}/headers?region", headers={"X-Crawlera-Region": "de"},
                             meta={"silkline_session": False})
        yield scrapy.Request(f"{SITE}/headers?retries", headers={"X-Crawlera-Max-Retries": "1"})
        yield scrapy.Request(f"{SITE}/headers?pass", headers={"X-Crawlera-Profile": "pass"},
                             errback=self.failed)

    def made(self, response):
        session = response.headers["X-Crawlera-Session"].decode()
        tell(made=session)
        for n in range(3):
            yield scrapy.Request(f"{SITE}/headers?again{n}",
                                 headers={"X-Crawlera-Session": session})

    def failed(self, failure):
        tell(failed=type(failure.value).__name__, code=getattr(failure.value, "code", None))
"""
    with service(tmp_path) as box:
        settings = {"SILKLINE_SESSIONS": 6}
        done, counts = crawled(tmp_path, box, web, spider, settings)
    assert done.of("status") == [200] * 13
    assert len(done.of("made")) == 1
    (refused,) = (line for line in done.told if "failed" in line)
    assert refused == {"failed": "InvalidProxyOptions", "code": "proxy_option_unsupported"}
    assert "max_retries_unmapped" in done.err
    assert counts["problems"] == {}
    # Nothing of the older service's words goes out, and the service follows no redirect.
    assert counts["old_headers"] == 0
    assert counts["redirects"] == 0
    assert done.of("made")[0] in counts["sessions"]
    homes: dict[str, set[str]] = defaultdict(set)
    for peer, paths in web.peers().items():
        for path in paths:
            homes[path.rpartition("?")[2].rstrip("0123456789")].add(peer)
    for kept in (homes["a"], homes["b"], homes["made"] | homes["again"]):
        assert len(kept) == 1
    assert len(homes["a"] | homes["b"] | homes["made"]) == 3


def test_sessions_that_end_are_replaced(tmp_path: Path, web: Web) -> None:
    """Sessions that are over cost their request no try, and a ban is tried in another session."""
    faults = [
        {"when": {"url": "*3"}, "times": 1, "then": {"problem": "/problem/session-expired"}},
        {"when": {"url": "*7"}, "times": 1, "then": {"problem": "/download/temporary-error"}},
    ]
    spider = """
class Spider(Base):
    urls = [f"/headers?{n}" for n in range(9)]
"""
    with service(tmp_path, faults=json.dumps(faults)) as box:
        settings = {"SILKLINE_SESSIONS": 2, "SILKLINE_CONCURRENCY": 2}
        done, counts = crawled(tmp_path, box, web, spider, settings)
    assert done.of("status") == [200] * 9
    assert counts["problems"] == {"/problem/session-expired": 1, "/download/temporary-error": 1}
    assert counts["sessions_created"] == 3
    assert done.stats["silkline/proxy/sessions/gone"] == 1
    assert done.stats["silkline/proxy/errors/bad_session_id"] == 1
    assert done.stats["silkline/proxy/bans"] == 1
    assert done.stats["silkline/proxy/billed"] == 9
    assert done.stats["silkline/proxy/unbilled"] == 2


@pytest.mark.parametrize(("scrapy", "reactor"), KINDS)
def test_https_through_tunnels(tmp_path: Path, scrapy: str | None, reactor: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    spider = """
class Spider(Base):
    def first(self):
        for n in range(9):
            yield scrapy.Request(f"{SITE}/headers?{n}", errback=self.failed)
    def failed(self, failure):
        tell(failed=str(failure.value), code=getattr(failure.value, "code", None))
"""
    with website(tmp_path / "site.log", context) as web, service(tmp_path) as box:
        settings = {
            "SILKLINE_SESSIONS": 3,
            "SILKLINE_CONCURRENCY": 3,
            "SILKLINE_PROXY_CA": str(box.ca_certificate),
        }
        done, counts = crawled(tmp_path, box, web, spider, settings, scrapy=scrapy, reactor=reactor)
        assert done.of("status") == [200] * 9
        assert counts["sessions_created"] == 3
        assert counts["tunnels"] >= 3
        assert len(web.peers()) == 3
