"""Answers: ordinary responses of the target's URL, with the item in their meta.

Scrapy's HTTP cache keeps a response's body and headers, and not its meta. Where there is a cache,
the answer is also written into a header, from which it is read again.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

from scrapy.http import HtmlResponse

from .requests import ITEM, RESULT

if TYPE_CHECKING:
    import scrapy
    from scrapy.http import Response

    from silkline import Result
    from silkline.engine import ExtractionFinished

__all__ = ["recall", "response_of"]

_KEPT = "X-Silkline-Result"


def response_of(
    request: scrapy.Request,
    finished: ExtractionFinished,
    result: Result,
    *,
    cached: bool,
    native: bool = False,
) -> HtmlResponse:
    """The response to a request whose query has its item; ``native``: with the service's own."""
    told = _told(result, native)
    headers = {"Content-Type": "text/html; charset=utf-8"}
    if cached:
        kept = json.dumps({"item": result.item, "result": told}, ensure_ascii=False)
        headers[_KEPT] = b64encode(kept.encode("utf-8", "surrogatepass")).decode("ascii")
    told |= {
        "attempts": finished.attempts,
        "billed": finished.billed,
        "possiblyBilled": finished.possibly_billed,
        "seconds": finished.elapsed,
    }
    request.meta[ITEM] = result.item
    request.meta[RESULT] = told
    html = result.html
    if html:
        # The page is as the service saw it: its own redirections are followed already.
        request.meta.setdefault("dont_redirect", True)
    return HtmlResponse(
        request.url,
        request=request,
        headers=headers,
        body=(html or "").encode("utf-8", "replace"),
        encoding="utf-8",
        flags=["silkline"],
    )


def _told(result: Result, native: bool) -> dict[str, Any]:
    told = {
        "query": _query(result),
        "webPage": result.web_page,
        "algorithmVersion": result.algorithm_version,
        # What the successor sent, and what of it the older item has no room for.
        "itemNative": result.item_native if native else None,
        "unmapped": result.unmapped or None,
        **result.unknown,
    }
    return {name: value for name, value in told.items() if value is not None}


def _query(result: Result) -> object:
    """What the result says of its query; of a service that does not, what is known of it."""
    if result.query_bytes is not None:
        return json.loads(bytes(result.query_bytes))
    if result.query is None:
        return None
    told = {"id": result.id, "domain": result.domain}
    known = {name: value for name, value in told.items() if value is not None}
    return {**known, "userQuery": json.loads(result.query.to_json())}


def recall(request: scrapy.Request, response: Response) -> None:
    """Puts what a cached response holds into the meta of its request; it cost nothing."""
    kept = response.headers.get(_KEPT)
    if kept is None:
        return
    if "cached" in response.flags:
        found = json.loads(b64decode(kept).decode("utf-8", "surrogatepass"))
        request.meta[ITEM] = found["item"]
        request.meta[RESULT] = {**found["result"], "attempts": 0, "billed": 0, "possiblyBilled": 0}
    del response.headers[_KEPT]
