"""The page on Scrapy: its settings and its spider are run."""

from __future__ import annotations

import re
from pathlib import Path

from proxied import crawl, website

PAGE = (Path(__file__).parents[1] / "docs" / "scrapy.md").read_text("utf-8")
SESSIONS = PAGE.partition("## JOBDIR")[0]
PROGRAMS = re.findall(r"```python\n(.*?)```", SESSIONS, re.DOTALL)


def test_the_spider(tmp_path: Path) -> None:
    settings, spider, authority = PROGRAMS
    given: dict[str, object] = {}
    exec(settings + authority, given)
    assert given.pop("SILKLINE_API_KEY") == "YOUR-KEY"
    assert given.pop("SILKLINE_PROXY_CA")
    assert given["ADDONS"] == {"silkline.scrapy.Addon": 500}
    with website(tmp_path / "log.jsonl") as web:
        spider = spider.replace("https://shop.example/", f"{web.url}/headers?")
        spider += "\n    closed = Base.closed\n\nSpider = ShopSpider\n"
        settings_here = {"ADDONS": given["ADDONS"], "SILKLINE_SESSIONS": 5}
        done = crawl(tmp_path, web.url, spider, settings_here, proxy={"delay": 0.05})
        assert done.stats["item_scraped_count"] == 21
        assert done.of("closed") == ["finished"]
        assert done.service["early_requests"] == 0
        (account,) = [
            paths for paths in web.peers().values() if any("login" in path for path in paths)
        ]
        assert account[-2:] == ["/headers?login", "/headers?orders"]


def test_the_stats_are_those_that_are_written(tmp_path: Path) -> None:
    spider = """
class Spider(Base):
    urls = [f"/headers?{n}" for n in range(9)]
"""
    with website(tmp_path / "log.jsonl") as web:
        settings = {"SILKLINE_SESSIONS": 2}
        done = crawl(tmp_path, web.url, spider, settings, proxy={"delay": 0.1})
    table = PAGE.partition("## Stats")[2].partition("\n`make")[0]
    names = set(re.findall(r"`([\w/]+)`", table.replace("`waited/REASON`", "")))
    for stat in done.stats:
        if stat.startswith("silkline/proxy/"):
            name = stat.removeprefix("silkline/proxy/")
            assert name in names or name.partition("/")[2] in names, name
