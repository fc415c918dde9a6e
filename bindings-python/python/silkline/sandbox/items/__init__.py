"""Items from pages, as the Automatic Extraction API gives them.

`extract` makes the item of one of the ten page types from what a page holds: JSON-LD, microdata, RDFa and OpenGraph
data first, then the page as it looks. It raises no error, whatever the page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from silkline.sandbox.items.article import article
from silkline.sandbox.items.article_list import article_list
from silkline.sandbox.items.context import Context
from silkline.sandbox.items.discussions import comments, forum_posts, reviews
from silkline.sandbox.items.job_posting import job_posting
from silkline.sandbox.items.page import Page
from silkline.sandbox.items.product import product
from silkline.sandbox.items.product_list import product_list
from silkline.sandbox.items.real_estate import real_estate
from silkline.sandbox.items.vehicle import vehicle

__all__ = ["PAGE_TYPES", "Extraction", "extract"]

EXTRACTORS: dict[str, Callable[[Context], dict[str, Any]]] = {
    "article": article,
    "articleList": article_list,
    "comments": comments,
    "forumPosts": forum_posts,
    "jobPosting": job_posting,
    "product": product,
    "productList": product_list,
    "realEstate": real_estate,
    "reviews": reviews,
    "vehicle": vehicle,
}
PAGE_TYPES = tuple(EXTRACTORS)


@dataclass(frozen=True)
class Extraction:
    """What was found on a page: the item, facts about the page, and whether it shows anything.

    A page that shows nothing has no item.
    """

    item: dict[str, Any] | None
    web_page: dict[str, Any]
    visible: bool


def extract(
    html: str | bytes,
    url: str,
    page_type: str,
    *,
    article_body_raw: bool = True,
    content_type: str | None = None,
) -> Extraction:
    """The item of a page.

    Args:
        html: the page; bytes are decoded by their mark, `content_type`, declaration or looks.
        url: where it is from; links are made absolute by it.
        page_type: which item is wanted, one of `PAGE_TYPES`; another is a `KeyError`.
        article_body_raw: whether an article has its `articleBodyRaw`.
        content_type: the header that came with the page.
    """
    extractor = EXTRACTORS[page_type]
    page = Page(html, url, content_type)
    if not page.visible:
        return Extraction(None, {}, visible=False)
    context = Context(page, article_body_raw=article_body_raw)
    web_page: dict[str, Any] = {}
    if context.languages:
        web_page["inLanguages"] = [{"code": code} for code in context.languages]
    return Extraction(extractor(context), web_page, visible=True)
