#!/usr/bin/env python3
"""Measures how much of the possible rate a Scrapy crawl through sessions reaches.

A spider of independent URLs runs under the add-on against the sandbox, both on this machine. The
possible rate is a request of each session every delay seconds; what is reached is counted from the
first request to the last. Prints the figures, asserts nothing.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SPIDER = """
import json, sys, time
import scrapy
from scrapy.crawler import CrawlerProcess

site, count = sys.argv[1], int(sys.argv[2])
moments = []

class Spider(scrapy.Spider):
    name = "rate"

    def start_requests(self):
        for number in range(count):
            yield scrapy.Request(f"{site}/{number}")

    async def start(self):
        for request in self.start_requests():
            yield request

    def parse(self, response):
        moments.append(time.monotonic())

process = CrawlerProcess({
    "ADDONS": {"silkline.scrapy.Addon": 500}, "SILKLINE_API_KEY": "KEY",
    "LOG_LEVEL": "WARNING", "TELNETCONSOLE_ENABLED": False, **json.loads(sys.argv[3]),
})
process.crawl(Spider)
process.start()
cpu = time.process_time()
print(json.dumps({"pages": len(moments), "seconds": moments[-1] - moments[0], "cpu": cpu}))
"""


class Page(BaseHTTPRequestHandler):
    """A page, quickly."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answers."""
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def main() -> None:
    """Runs the crawl and prints what it reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=4000)
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--delay", type=float, default=1.0)
    parser.add_argument("--margin", type=float, default=0.5)
    options = parser.parse_args()

    site = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    command = [sys.executable, "-m", "silkline", "sandbox", "--proxy-port", "0", "--key", "KEY"]
    command += ["--session-delay", str(options.delay)]
    with tempfile.TemporaryDirectory() as folder:
        spider = Path(folder, "spider.py")
        spider.write_text(SPIDER, encoding="utf-8")
        box = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        out = box.stdout or io.StringIO()
        proxy = out.readline().partition(" proxy ")[2].split()[0]
        settings = {
            "SILKLINE_PROXY_URL": proxy,
            "SILKLINE_SESSIONS": options.sessions,
            "SILKLINE_SESSION_DELAY": options.delay,
            "SILKLINE_MARGIN": options.margin,
        }
        url = f"http://127.0.0.1:{site.server_address[1]}"
        crawl = [sys.executable, str(spider), url, str(options.pages), json.dumps(settings)]
        done = subprocess.run(crawl, stdout=subprocess.PIPE, check=True)
        box.terminate()
        counts = json.loads(out.read())["proxy"]
    crawled = json.loads(done.stdout)
    # All sessions go at once at first, then each after its delay.
    possible = options.delay * (options.pages / options.sessions - 1)
    print(f"pages            {crawled['pages']} of {options.pages}")
    print(f"seconds          {crawled['seconds']:.2f}, {possible:.2f} at the least")
    print(f"of the rate      {possible / crawled['seconds']:.1%}")
    print(f"processor time   {crawled['cpu']:.1f} seconds of the crawler")
    print(f"early requests   {counts['early_requests']} of {counts['requests']}")
    print(
        f"sessions         {counts['sessions_created']} made, {counts['sessions_deleted']} deleted"
    )


if __name__ == "__main__":
    main()
