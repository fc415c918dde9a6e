"""Crawls of test spiders, each in a process of its own with the Scrapy that is asked for."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from scrapies import REACTORS, environment, scrapy_python

BEFORE = """
import asyncio, json, sys
import scrapy

SETTINGS, GIVEN = json.loads(sys.argv[1])


def say(**line):
    print(json.dumps(line, default=str), flush=True)


class Base(scrapy.Spider):
    name = "spider"

    # Up to 2.12 Scrapy knows the one, from 2.16 on the other.
    def start_requests(self):
        yield from self.begin()

    async def start(self):
        for request in self.begin():
            yield request

    def failed(self, failure):
        error = failure.value
        say(url=failure.request.url, failed=type(error).__name__, code=getattr(error, "code", None),
            status=getattr(error, "status", None), text=str(error))
"""

AFTER = """
if __name__ == "__main__":
    from scrapy.crawler import PROCESS

    process = PROCESS({"LOG_LEVEL": "INFO", "TELNETCONSOLE_ENABLED": False, **SETTINGS})
    crawler = process.create_crawler(Spider)
    process.crawl(crawler)
    process.start()
    say(stats=crawler.stats.get_stats())
"""


class Crawl(NamedTuple):
    """What a crawl left behind."""

    lines: list[dict[str, Any]]
    stats: dict[str, Any]
    log: str

    def one(self, url: str) -> dict[str, Any]:
        """The line on a page."""
        (line,) = (line for line in self.lines if line.get("url") == url)
        return line


def crawl(
    folder: Path,
    spider: str,
    settings: dict[str, Any],
    given: Any = None,
    *,
    version: str = "2.19",
    reactor: str = "asyncio",
    python: str | None = None,
    env: dict[str, str] | None = None,
    process: str = "CrawlerProcess",
    timeout: float = 60,
) -> Crawl:
    """Runs a spider, whose class is called Spider; GIVEN is what it is given."""
    program = folder / "spider.py"
    program.write_text(BEFORE + spider + AFTER.replace("PROCESS", process), encoding="utf-8")
    everything = {"TWISTED_REACTOR": REACTORS[reactor], **settings}
    ran = subprocess.run(
        [python or scrapy_python(version), str(program), json.dumps([everything, given])],
        cwd=folder,
        env=environment(folder, **(env or {})),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    return Crawl(lines[:-1], lines[-1]["stats"], ran.stderr)
