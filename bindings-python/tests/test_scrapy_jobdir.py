"""Crawls with JOBDIR that are killed, and go on."""

from __future__ import annotations

import base64
import json
import pickle
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proxied import Web, crawl, proxy_box, website

SPIDER = """
class Told:
    def process_item(self, item, spider=None):
        tell(item=item["url"])
        return item

class Spider(Base):
    custom_settings = {"ITEM_PIPELINES": {Told: 1}}

    def first(self):
        for n in range(30):
            yield scrapy.Request(f"{SITE}/headers?{n}", dont_filter=True)
        for n in range(5):
            yield scrapy.Request(f"{SITE}/headers?unproxied{n}", meta={"dont_proxy": True})

    def parse(self, response):
        yield {"url": response.url}
        if "child" not in response.url:
            for n in range(2):
                yield response.follow(f"{response.url}child{n}")
"""
PAGES = [
    f"/headers?{page}{child}"
    for page in [*map(str, range(30)), *(f"unproxied{n}" for n in range(5))]
    for child in ("", "child0", "child1")
]


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with website(tmp_path / "site.log") as web:
        yield web


def done_in(folder: Path) -> set[str]:
    """The paths of what the journal calls done."""
    urls: dict[int, str] = {}
    done = set()
    for line in (folder / "job/silkline/requests.jsonl").read_bytes().split(b"\n")[:-1]:
        said = json.loads(line)
        if "r" in said:
            url = pickle.loads(base64.b85decode(said["r"]))["url"]
            urls[said["q"]] = "/" + url.split("/", 3)[3]
        done |= {urls[said["d"]]} if "d" in said else set()
    return done


@pytest.mark.parametrize("scrapy", [None, "2.11", "2.13"])
def test_a_killed_crawl_goes_on(tmp_path: Path, web: Web, scrapy: str | None) -> None:
    settings: dict[str, Any] = {"SILKLINE_SESSIONS": 5, "JOBDIR": str(tmp_path / "job")}
    proxy = {"delay": 0.05}
    told: set[str] = set()
    for kill_after in (20, 40, None):
        done = done_in(tmp_path) if told else set()
        asked = len(web.paths())
        run = crawl(
            tmp_path, web.url, SPIDER, settings, proxy=proxy, scrapy=scrapy, kill_after=kill_after
        )
        assert not done & set(web.paths()[asked:]), "done pages are never fetched again"
        told |= {url.removeprefix(web.url) for url in run.of("item")}
        assert len(told) >= len(done) + len(set(run.of("item"))) - 16
        # The pipeline speaks a moment before the journal: what is between is under way.
        assert done_in(tmp_path) <= told
        assert len(told - done_in(tmp_path)) < 16
    assert run.of("closed") == ["finished"]
    assert run.service["early_requests"] == 0
    assert told == set(web.paths()) == set(PAGES) == done_in(tmp_path)
    assert sum((Counter(web.paths()) - Counter(PAGES)).values()) < 2 * 16
    again = crawl(tmp_path, web.url, SPIDER, settings, proxy=proxy, scrapy=scrapy)
    assert again.of("item") == [], "all is done"


def test_sessions_are_adopted_after_a_crash(tmp_path: Path, web: Web) -> None:
    spider = """
class Spider(Base):
    def first(self):
        yield scrapy.Request(f"{SITE}/headers?a", headers={"X-Crawlera-Session": "create"})
        for n in range(40):
            yield scrapy.Request(f"{SITE}/headers?{n}")

    def parse(self, response):
        tell(url=response.url)
        if response.url.endswith("?a"):
            session = response.headers["X-Crawlera-Session"].decode()
            yield scrapy.Request(f"{SITE}/headers?b", headers={"X-Crawlera-Session": session},
                                 priority=-10)
"""
    settings: dict[str, Any] = {"SILKLINE_SESSIONS": 4, "JOBDIR": str(tmp_path / "job")}
    with proxy_box(tmp_path, delay=0.2) as box:
        proxy = {"delay": 0.2}
        first = crawl(tmp_path, web.url, spider, settings, proxy=proxy, box=box, kill_after=25)
        assert first.service["sessions_created"] == 4
        second = crawl(tmp_path, web.url, spider, settings, proxy=proxy, box=box)
    assert second.stats["silkline/proxy/sessions/adopted"] == 4
    assert second.service["sessions_created"] == 4
    assert second.service["sessions_deleted"] == 4
    assert second.service["early_requests"] == 0
    paths = [path for path in web.paths() if path != "/robots.txt"]
    assert set(paths) == {f"/headers?{end}" for end in ("a", "b", *range(40))}
    peers = [paths for paths in web.peers().values() if "/headers?a" in paths]
    assert "/headers?b" in peers[0], "the session that the spider asked for is still its own"


@pytest.mark.parametrize("job", ["", "not a journal\n", '{"silkline":"journal","version":99}\n'])
def test_a_journal_that_is_none(tmp_path: Path, web: Web, job: str) -> None:
    path = tmp_path / "job/silkline/requests.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(job)
    spider = """
class Spider(Base):
    urls = ["/headers?1"]
"""
    settings = {"JOBDIR": str(tmp_path / "job")}
    if "99" in job:
        with pytest.raises(AssertionError, match="is no journal of this version"):
            crawl(tmp_path, web.url, spider, settings)
    else:
        done = crawl(tmp_path, web.url, spider, settings)
        assert done.of("status") == [200]
