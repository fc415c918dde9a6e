"""Extraction requests: ordinary requests of the target's URL, with the query in their meta."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

import scrapy

from silkline import InvalidQuery, Query

__all__ = ["ITEM", "QUERY", "RESULT", "extraction_request", "is_extraction", "query_of"]

QUERY = "silkline"
"""The key in `request.meta` of what is asked for, in the service's own spelling."""

ITEM = "silkline_item"
"""The key in `response.meta` of the item."""

RESULT = "silkline_result"
"""The key in `response.meta` of what else the service said, and of what it cost."""


def is_extraction(request: scrapy.Request) -> bool:
    """Whether a request is one for the extraction service."""
    query = request.meta.get(QUERY)
    return isinstance(query, Mapping) and query.get("pageType") is not None


def query_of(
    request: scrapy.Request,
    dialect: Literal["automatic_extraction", "zyte_api"] = "automatic_extraction",
) -> Query:
    """The query of an extraction request; raises `silkline.InvalidQuery` if there cannot be one."""
    if request.method != "GET":
        raise ValueError(f"the service can only GET pages, not {request.method} {request.url}")
    asked: Mapping[str, Any] = request.meta[QUERY]
    if asked.get("url", request.url) != request.url:
        raise ValueError(f"meta[{QUERY!r}] names another URL than the request, {request.url}")
    return Query.from_json(json.dumps({**asked, "url": request.url}), dialect=dialect)


def extraction_request(
    url: str,
    page_type: str,
    callback: Any = None,
    *,
    article_body_raw: bool | None = None,
    full_html: bool | None = None,
    custom_html: str | None = None,
    query_meta: str | None = None,
    extra: Mapping[str, Any] | None = None,
    **options: Any,
) -> scrapy.Request:
    """A request whose response has the page's item in ``response.meta["silkline_item"]``.

    >>> from silkline.scrapy import extraction_request
    >>> request = extraction_request("https://example.com/", "article", full_html=True)
    >>> request.url, request.meta
    ('https://example.com/', {'silkline': {'pageType': 'article', 'fullHtml': True}})

    ``article_body_raw`` to ``extra`` are as in `silkline.Query`, ``query_meta`` being its ``meta``;
    the other options are those of `scrapy.Request`. Raises `silkline.InvalidQuery` for what the
    service would refuse.
    """
    members = {
        "pageType": page_type,
        "meta": query_meta,
        "articleBodyRaw": article_body_raw,
        "fullHtml": full_html,
        "customHtml": custom_html,
        **(extra or {}),
    }
    asked = {name: value for name, value in members.items() if value is not None}
    meta = {**(options.pop("meta", None) or {}), QUERY: asked}
    request = scrapy.Request(url, callback, meta=meta, **options)
    try:
        query_of(request)
    except InvalidQuery as error:
        if error.code != "query_url_too_long":  # for which the dialects have other limits
            raise
    return request
