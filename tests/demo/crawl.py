"""Crawls pages through sessions of the proxy, with the HTTP client of the standard library.

    crawl.py PROXY KEY URLS SESSIONS DELAY OUT

Makes SESSIONS sessions, reads the URLs (one a line) through them, each session keeping DELAY
seconds between its requests, deletes the sessions, and writes a line of JSON for each page: which
session and which address it came through.
"""

from __future__ import annotations

import http.client
import json
import queue
import sys
import threading
import time
import urllib.parse
from pathlib import Path
from typing import Any

from silkline import ProxyApi, ProxyOptions, Request

# Longer than the service holds a request back and works on it.
TIMEOUT = 190


def exchange(request: Request, place: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """Sends a request to the proxy: a page's URL goes as it is, the proxy's own as its path."""
    connection = http.client.HTTPConnection(place, timeout=TIMEOUT)
    own = f"http://{place}"
    target = request.url.removeprefix(own) if request.url.startswith(own) else request.url
    try:
        connection.request(request.method, target, request.body or None, dict(request.headers))
        response = connection.getresponse()
        return response.status, response.getheaders(), response.read()
    finally:
        connection.close()


def crawl(
    api: ProxyApi, place: str, urls: queue.SimpleQueue[str], delay: float, out: list[Any]
) -> None:
    """Reads pages through one session until none is left."""
    session = api.read_created_session(*exchange(api.create_session(), place))
    options = ProxyOptions(session=session)
    while True:
        try:
            url = urls.get_nowait()
        except queue.Empty:
            break
        proxied = api.request(Request("GET", url), options)
        status, headers, body = exchange(proxied.request, place)
        answered = time.monotonic()
        answer = api.read(status, headers, body)
        if answer.error is not None:
            raise answer.error
        out.append(
            {
                "url": url,
                "status": status,
                "session": answer.session,
                "address": answer.outgoing and answer.outgoing.rpartition(":")[0],
                "bytes": len(body),
            }
        )
        # Counted from the answer, a request is never too early.
        time.sleep(max(0.0, answered + delay - time.monotonic()))
    api.read_deleted_session(*exchange(api.delete_session(session), place))


def main() -> None:
    """Crawls everything that the arguments ask for."""
    if len(sys.argv) != 7:
        sys.exit("usage: crawl.py PROXY KEY URLS SESSIONS DELAY OUT")
    proxy, key, file, sessions, delay, out = sys.argv[1:]
    api = ProxyApi(key, endpoint=proxy)
    urls: queue.SimpleQueue[str] = queue.SimpleQueue()
    for url in Path(file).read_text(encoding="utf-8").splitlines():
        urls.put(url)
    pages = urls.qsize()
    lines: list[dict[str, Any]] = []
    arguments = (api, urllib.parse.urlsplit(proxy).netloc, urls, float(delay), lines)
    threads = [threading.Thread(target=crawl, args=arguments) for _ in range(int(sessions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    Path(out).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    if len(lines) != pages:
        sys.exit(f"{pages - len(lines)} of {pages} pages are missing")


if __name__ == "__main__":
    main()
