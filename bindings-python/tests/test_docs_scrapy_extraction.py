"""The pages on extraction in Scrapy and on migration: their programs are run, their names exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import silkline
import silkline.scrapy
from crawls import crawl
from quick import pages, sandbox
from silkline.scrapy.migration import smartproxy_settings
from test_scrapy_extraction import ADDON
from test_scrapy_migration import HOLES, OURS

FOLDER = Path(__file__).parents[1] / "docs"
EXTRACTION = (FOLDER / "scrapy-extraction.md").read_text("utf-8")
MIGRATION = (FOLDER / "scrapy-migration.md").read_text("utf-8")


def programs(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page, re.DOTALL)


def test_the_spider(tmp_path: Path) -> None:
    (program,) = programs(EXTRACTION)
    spider = program + "\n\nSpider = ShopSpider\n"
    with pages() as made, sandbox() as box:
        settings = {"SILKLINE_API_KEY": "KEY", "SILKLINE_ENDPOINT": box.extraction_url}
        ran = crawl(tmp_path, spider, {**ADDON, **settings})
    assert set(made) == {f"https://shop.example/{page}" for page in [*range(5), "missing"]}
    assert ran.stats["item_scraped_count"] == 5
    assert "https://shop.example/missing: downloader_http, 404" in ran.log


def test_the_exceptions_exist_and_the_stats_are_documented(tmp_path: Path) -> None:
    for path in re.findall(r"`(silkline\.[\w.]+)`", EXTRACTION):
        found: Any = silkline
        for part in path.split(".")[1:]:
            found = getattr(found, part)
    table = set(re.findall(r"`([a-z_]+)(?:/\w+)?`", EXTRACTION.partition("## Stats")[2]))
    with pages(), sandbox() as box:
        settings = {"SILKLINE_API_KEY": "KEY", "SILKLINE_ENDPOINT": box.extraction_url}
        (program,) = programs(EXTRACTION)
        ran = crawl(tmp_path, program + "\n\nSpider = ShopSpider\n", {**ADDON, **settings})
    for stat in ran.stats:
        if stat.startswith("silkline/extraction/"):
            assert stat.split("/")[2] in table, stat


def test_the_settings_of_the_migration(tmp_path: Path) -> None:
    middlewares, addon = programs(MIGRATION)
    given: dict[str, Any] = {}
    exec(middlewares + addon, given)
    assert given["DOWNLOADER_MIDDLEWARES"] == {
        OURS: 610, "silkline.scrapy.AutoExtractMiddleware": 543,
    }  # fmt: skip
    for name in smartproxy_settings._TAKEN_OVER:
        assert f"`{name}`" in MIGRATION or f"_{name}`" in MIGRATION, name
    # Both of them at once, with the add-on.
    with pages() as made, sandbox(proxy_port=0, keys=["KEY"], proxy={"delay": 0}) as box:
        settings = {
            "ADDONS": given["ADDONS"],
            "DOWNLOADER_MIDDLEWARES": given["DOWNLOADER_MIDDLEWARES"],
            "SILKLINE_RATE": 100,
            "ZYTE_SMARTPROXY_ENABLED": True,
            "ZYTE_SMARTPROXY_APIKEY": "KEY",
            "ZYTE_SMARTPROXY_URL": box.proxy_url,
            "AUTOEXTRACT_USER": "KEY",
            "AUTOEXTRACT_URL": box.extraction_url,
        }
        ran = crawl(tmp_path, HOLES, settings)
        assert box.stats()["proxy"]["sessions_created"] == 0
    assert len([line for line in ran.lines if "item" in line]) == len(made) == 12, ran.log
