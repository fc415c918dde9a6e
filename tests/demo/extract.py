"""Extracts pages with the HTTP client of the standard library.

    extract.py ENDPOINT KEY QUERIES RATE OUT

Reads queries (one JSON object a line, as the service spells them), sends them one by one, RATE a
second at most, and writes a line of JSON for each: the item, or why there is none.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from silkline import ExtractionApi, Query, Result, ServiceError

# How often a request that was refused for being too fast is sent again.
MAX_TRIES = 10
# Longer than the service works on a query.
TIMEOUT = 605


def send(api: ExtractionApi, query: Query) -> list[Result]:
    """Sends a query and reads the answer, whatever its status."""
    request = api.request([query])
    message = urllib.request.Request(
        request.url, request.body, dict(request.headers), method=request.method
    )
    try:
        response = urllib.request.urlopen(message, timeout=TIMEOUT)
    except urllib.error.HTTPError as refusal:
        response = refusal
    with response:
        body = response.read()
        if response.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        return api.results([query], response.status, response.headers.items(), body)


def extract(api: ExtractionApi, query: Query) -> list[Result]:
    """Sends a query until the service takes it."""
    for attempt in range(1, MAX_TRIES + 1):
        try:
            return send(api, query)
        except ServiceError as error:  # noqa: PERF203 -- each attempt may fail
            if error.retry != "throttling" or attempt == MAX_TRIES:
                raise
            time.sleep(error.retry_after or 1.0)
    return []


def line_of(query: Query, result: Result) -> dict[str, Any]:
    """What the output says of a result."""
    line: dict[str, Any] = {"url": query.url, "pageType": query.page_type}
    if result.item is not None:
        line["item"] = result.item
    if result.web_page is not None:
        line["webPage"] = result.web_page
    if result.error is not None:
        error = result.error
        line["error"] = {"code": error.code, "text": error.text, "billed": error.billed}
    return line


def main() -> None:
    """Extracts everything that the arguments ask for."""
    if len(sys.argv) != 6:
        sys.exit("usage: extract.py ENDPOINT KEY QUERIES RATE OUT")
    endpoint, key, queries, rate, out = sys.argv[1:]
    api = ExtractionApi(key, endpoint=endpoint)
    pause = 1 / float(rate)
    moment = time.monotonic()
    with Path(out).open("w", encoding="utf-8") as lines:
        for text in Path(queries).read_text(encoding="utf-8").splitlines():
            query = Query.from_json(text)
            time.sleep(max(0.0, moment - time.monotonic()))
            moment = time.monotonic() + pause
            lines.writelines(
                json.dumps(line_of(query, result), ensure_ascii=False) + "\n"
                for result in extract(api, query)
            )


if __name__ == "__main__":
    main()
