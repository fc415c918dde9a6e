"""The host of Zyte API: sockets, pages, items of the newer schema."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Coroutine, Iterator
from typing import Any, TypedDict

from silkline.service import ZyteApiFetch, ZyteApiPage, ZyteApiService
from silkline.zyte_api.items import to_zyte_api

from .extraction import ExtractionHost
from .extractor import Extracted, Task
from .fetch import Page

_log = logging.getLogger(__name__)

# Its items by the page types that the extraction knows.
_PAGE_TYPES = {"forumThread": "forumPosts"}
# Its items whose metadata have a probability.
_WITH_PROBABILITY = frozenset({"article", "jobPosting", "product"})
_FAILURES = {
    "forbidden": "forbidden",
    "internal": "internal",
    "name_not_found": "name_not_found",
    "redirects": "unusable",
    "unusable": "unusable",
}


class ZyteApiOptions(TypedDict, total=False):
    """Settings of Zyte API; what is left out is as documented, where it is."""

    rate: float
    """Requests a minute for each key (3000)."""
    system_rate: float
    """Requests a minute for all keys together (no limit)."""
    domain_rate: float
    """Requests a minute for each website (no limit)."""
    occupied: dict[str, float]
    """Domains over their limit, with the seconds for which they are, from the first request on."""
    max_payload: int
    """Size of a request's body (32 MiB)."""
    timeout: float
    """Seconds for a request (300)."""
    forbidden_domains: list[str]
    """Domains that are forbidden."""
    bans: list[tuple[str | None, list[int], list[str]]]
    """What is a ban: domain (``None`` for any), statuses, texts of a body."""
    faults: str
    """A fault script, as JSON."""


class ZyteApiHost(ExtractionHost):
    """Serves Zyte API's ``/v1/extract`` on a port, and the counts at ``/-/stats``."""

    def _make_service(self, **_: Any) -> Any:
        return ZyteApiService(**self._service_options)

    def _works(self, step: ZyteApiFetch) -> Iterator[Coroutine[Any, Any, None]]:
        if step.url is not None:
            yield self._see_to(step, step.url)

    async def _see_to(self, step: ZyteApiFetch, url: str) -> None:
        outcome: ZyteApiPage | str
        try:
            outcome = await self._page(step, url)
        except Exception:  # noqa: BLE001 -- an error of ours must not leave a request without its answer
            _log.exception("%s: not extracted", url)
            outcome = "internal"
        answer = self._service.handle_fetched(step.ticket, outcome, self._now())
        if answer is not None:
            self._deliver(answer)
        self._pump()

    async def _page(self, step: ZyteApiFetch, url: str) -> ZyteApiPage | str:
        page = await self._fetcher.page(
            url, step.method, list(step.headers), bytes(step.body), follow=step.follow_redirects
        )
        if isinstance(page, str):
            _log.info("%s: %s", url, page)
            return _FAILURES.get(page, "unreachable")
        item = None if step.item is None else await self._item(page, step.item)
        _log.info("%s: %d", url, page.status)
        if item == "internal":
            return item
        html = _decoded(page) if step.browser_html else None
        return ZyteApiPage(
            page.url, page.status, page.headers, page.body, browser_html=html, item=item
        )

    async def _item(self, page: Page, name: str) -> str:
        """The item in the newer schema, or the failure's name."""
        page_type = _PAGE_TYPES.get(name, name)
        result: Extracted | str = "no_visible_elements"
        if 200 <= page.status < 300:
            result = await self._extractor.extract(
                Task(
                    body=page.body,
                    content_type=_content_type(page),
                    url=page.url,
                    page_type=page_type,
                    article_body_raw=False,
                    full_html=False,
                )
            )
        if result == "internal":
            return result
        if isinstance(result, Extracted):
            item = to_zyte_api(page_type, result.item).item
        else:
            # A page without such an item still has its URL (zyte-common-items, each item's `url`).
            item = {"url": page.url}
            if name in _WITH_PROBABILITY:
                item["metadata"] = {"probability": 0.0}
        now = dt.datetime.now(dt.timezone.utc)
        item.setdefault("metadata", {})["dateDownloaded"] = f"{now:%Y-%m-%dT%H:%M:%SZ}"
        for post in item.get("posts", []):
            post.setdefault("url", page.url)
        return json.dumps(item, ensure_ascii=False)


def _content_type(page: Page) -> str:
    return next((value for name, value in page.headers if name.lower() == "content-type"), "")


def _decoded(page: Page) -> str:
    from .items.page import decode

    text = decode(page.body, _content_type(page) or None)
    return text.encode("utf-8", "replace").decode("utf-8")
