"""Tells extraction requests apart by what they ask for, where Scrapy looks at their URL only."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from scrapy.utils.misc import load_object

from silkline.scrapy.versions import build

from .requests import is_extraction, query_of

if TYPE_CHECKING:
    import scrapy
    from scrapy.crawler import Crawler

__all__ = ["WRAPPED", "RequestFingerprinter"]

WRAPPED = "_SILKLINE_FINGERPRINTER"
"""Where the add-on notes whose place this one took."""


class RequestFingerprinter:
    """The project's own fingerprints, with the query's where there is one.

    So an article and a product of one URL are two requests, and neither is the page itself: for the
    duplicates filter and for the cache. The query's ``meta`` makes no difference.
    """

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RequestFingerprinter:
        """Called by Scrapy."""
        path = crawler.settings.get(WRAPPED) or "scrapy.utils.request.RequestFingerprinter"
        return cls(build(load_object(path), crawler))

    def fingerprint(self, request: scrapy.Request) -> bytes:
        """The request's fingerprint."""
        own: bytes = self._wrapped.fingerprint(request)
        if not is_extraction(request):
            return own
        try:
            query = query_of(request)
        except ValueError:  # it will say so when it is its turn
            return own
        parts = (
            query.page_type,
            query.article_body_raw,
            bool(query.full_html),
            query.custom_html,
            sorted(query.extra.items()),
        )
        return hashlib.sha1(own + repr(parts).encode(), usedforsecurity=False).digest()
