"""Crawls in processes of their own, with any Scrapy, against a sandbox in this one."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from conftest import serve
from quick import sandbox
from scrapies import ASYNCIO, PLAIN, environment, scrapy_python
from silkline.sandbox import Sandbox

REACTORS = {"asyncio": ASYNCIO, "plain": PLAIN}

RUN = """
import json, sys
import scrapy

def tell(**what):
    print(json.dumps(what), flush=True)

SITE = sys.argv[2]

class Base(scrapy.Spider):
    name = "base"
    urls = ()

    def first(self):
        for url in self.urls:
            yield scrapy.Request(SITE + url)

    def start_requests(self):
        yield from self.first()

    async def start(self):
        for request in self.first():
            yield request

    def parse(self, response):
        tell(url=response.url, status=response.status)

    def closed(self, reason):
        tell(closed=reason)

{spider}

if __name__ == "__main__":
    settings = {{
        "LOG_LEVEL": "INFO", "TELNETCONSOLE_ENABLED": False,
        "ADDONS": {{"silkline.scrapy.Addon": 500}}, "SILKLINE_API_KEY": "KEY",
        **json.loads(sys.argv[1]),
    }}
    if settings.get("TWISTED_REACTOR_ENABLED", True):
        from scrapy.crawler import CrawlerProcess as Process
    else:
        from scrapy.crawler import AsyncCrawlerProcess as Process
    process = Process(settings)
    crawler = process.create_crawler(Spider)
    process.crawl(crawler)
    process.start()
    tell(stats={{k: v for k, v in crawler.stats.get_stats().items() if isinstance(v, (int, float, str))}})
"""


class Web(NamedTuple):
    """A target and the log it keeps."""

    url: str
    log: Path

    def seen(self) -> list[dict[str, Any]]:
        """The requests, in order; none of which has a header that only the service may see."""
        lines = [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]
        for line in lines:
            assert line["leaked"] == [], line
        return lines

    def peers(self) -> dict[str, list[str]]:
        """The paths that each address has asked for."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for line in self.seen():
            found[line["peer"]].append(line["path"])
        return dict(found)

    def paths(self) -> list[str]:
        return [line["path"] for line in self.seen()]


@contextmanager
def website(log: Path, tls: Any = None) -> Iterator[Web]:
    for url in serve("127.0.0.1", tls, str(log)):
        yield Web(url, log)


class Crawled(NamedTuple):
    told: list[dict[str, Any]]
    err: str
    stats: dict[str, Any]
    service: dict[str, Any]

    def of(self, key: str) -> list[Any]:
        """What the spider told under a name."""
        return [line[key] for line in self.told if key in line]


def crawl(
    folder: Path,
    site: str,
    spider: str,
    settings: dict[str, Any] | None = None,
    *,
    proxy: dict[str, Any] | None = None,
    box: Sandbox | None = None,
    scrapy: str | None = None,
    reactor: str = "asyncio",
    errors: bool = False,
    kill_after: int | None = None,
    env: dict[str, str] | None = None,
) -> Crawled:
    """Runs a spider to its end, or kills its process once it has told so many things."""
    program = folder / "spider.py"
    program.write_text(RUN.format(spider=spider), encoding="utf-8")
    python = sys.executable if scrapy is None else scrapy_python(scrapy)
    delay = (proxy or {}).get("delay", 0)
    with proxy_box(folder, **(proxy or {})) if box is None else nullcontext(box) as sandbox:
        given = {
            "SILKLINE_PROXY_URL": sandbox.proxy_url,
            "SILKLINE_SESSION_DELAY": delay,
            "TWISTED_REACTOR": REACTORS[reactor],
            **(settings or {}),
        }
        text = json.dumps(given).replace("@CA@", str(sandbox.ca_certificate))
        log = folder / "log"
        told: list[dict[str, Any]] = []
        with (
            log.open("wb") as err,
            subprocess.Popen(
                [python, str(program), text, site],
                cwd=folder,
                env=environment(folder, **(env or {})),
                stdout=subprocess.PIPE,
                stderr=err,
                text=True,
            ) as process,
        ):
            assert process.stdout is not None
            watch = threading.Timer(60, process.kill)
            watch.start()
            for line in process.stdout:
                if line.endswith("\n"):
                    told.append(json.loads(line))
                if kill_after is not None and len(told) == kill_after:
                    process.kill()
            watch.cancel()
        counts: dict[str, Any] = sandbox.stats()["proxy"]
    text = log.read_text("utf-8")
    if kill_after is None:
        assert process.returncode == 0, text
        assert "] ERROR: " not in text or errors, text
    stats = told.pop()["stats"] if told and "stats" in told[-1] else {}
    return Crawled(told, text, stats, counts)


def proxy_box(folder: Path, **proxy: Any) -> AbstractContextManager[Sandbox]:
    """The sandbox of a crawl, or of several."""
    options = {"delay": 0, "ca_directory": folder / "ca", **proxy}
    return sandbox(extraction_port=None, proxy_port=0, keys=["KEY"], seed=1, proxy=options)
