"""Articles: what the page says of itself, and the body by its looks."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any

from silkline.sandbox.items import body
from silkline.sandbox.items.context import Context
from silkline.sandbox.items.page import Element, Page, text_of
from silkline.sandbox.items.structured import Node, plain
from silkline.sandbox.items.values import chance, compact, picture_urls, unique

ARTICLES = frozenset(
    {"AdvertiserContentArticle", "AnalysisNewsArticle", "Article", "AskPublicNewsArticle"}
    | {"BackgroundNewsArticle", "BlogPosting", "CreativeWork", "LiveBlogPosting", "NewsArticle"}
    | {"OpinionNewsArticle", "Report", "ReportageNewsArticle", "ReviewNewsArticle"}
    | {"SatiricalArticle", "ScholarlyArticle", "TechArticle"}
)
# Reached by these, an article is one of several, or beside the point.
ASIDE = frozenset(
    {"about", "blogPost", "blogPosts", "citation", "hasPart", "isPartOf", "item", "itemListElement"}
    | {"itemReviewed", "mentions", "relatedLink", "subjectOf"}
)
BYLINE = re.compile(
    r"\b(?:by-?line|author(?:s|-name|_name)?|writer|contributor|verfasser|auteur|autor)\b"
)
BY = re.compile(
    r"^(?:words(?: by)?:?|(?:written |story )?by:?|von|par|por|text:|автор:?|от)\s+", re.IGNORECASE
)
AND = re.compile(r"\s*(?:,|;|\band\b|\bund\b|\bet\b|\by\b|&)\s+")
PUBLISHED = re.compile(
    r"\b(?:date|dateline|published|pubdate|post-?date|datum|fecha|timestamp|posted-?on)\b"
)
ENOUGH = 400
MAX_SHOWN = 20
MAX_BYLINE = 400


def article(context: Context) -> dict[str, Any]:
    """The article of a page."""
    page, node = context.page, main_article(context)
    headline = headline_of(page, node)
    container = body.article_container(page)
    authors = authors_of(page, node)
    dates = article_dates(context, node)
    beside = [*authors, *dates.values()]
    fields = body_fields(context, container, node, headline, beside)
    images = unique([*lead_images(page, node), *fields.pop("pictures")])
    return compact(
        url=context.url,
        probability=probability(context, node, fields, dates, authors),
        headline=headline,
        **dates,
        author=", ".join(authors),
        authorsList=authors,
        inLanguage=article_language(context, node),
        breadcrumbs=context.breadcrumbs,
        mainImage=images[0] if images else None,
        images=images,
        description=description_of(page, node),
        canonicalUrl=page.canonical,
        **fields,
    )


def main_article(context: Context) -> Node | None:
    """What the page says about its article, if it says anything."""
    found = [
        node
        for node in context.graph.of_type(ARTICLES)
        if node.within not in ASIDE
        and node.values("headline", "name", "articleBody", "datePublished")
    ]
    if len(found) > 1 and (heading := context.page.heading):
        named = [node for node in found if node.text("headline", "name") == heading]
        found = named or found
    return max(found, key=lambda node: len(node.properties), default=None)


def headline_of(page: Page, node: Node | None) -> str | None:
    """The headline."""
    said = node.text("headline", "name") if node else None
    return said or page.heading or page.meta_first("og:title", "twitter:title") or page.title


def description_of(page: Page, node: Node | None) -> str | None:
    """What the page says in short."""
    said = node.raw("description", "abstract") if node else None
    if said and plain(said):
        return plain(said)
    return page.meta_first("description", "og:description", "twitter:description")


def authors_of(page: Page, node: Node | None) -> list[str]:
    """The people who wrote it."""
    found = node.texts("author", "creator") if node else []
    if not found:
        found = [name for name in page.meta.get("author", []) if not name.startswith("http")]
    if not found:
        found = [
            name for name in page.meta.get("article:author", []) if not name.startswith("http")
        ]
    if not found:
        found = bylines(page)
    return unique(one for name in found for one in AND.split(BY.sub("", name)) if len(one) <= 80)[
        :20
    ]


def bylines(page: Page) -> list[str]:
    """The names in the byline of the page, wherever it has one."""
    for element in page.body.iter("a"):
        if "author" in element.get("rel", "").lower().split() and text_of(element):
            return [text_of(element)]
    for element in page.called(BYLINE)[:MAX_SHOWN]:
        inside = (one for one in element.iterdescendants() if BYLINE.search(one.get("class", "")))
        words = text_of(next(inside, element), MAX_BYLINE)
        name = BY.sub("", re.split(r"[·|,]|\s[\u2013\u2014-]\s", words)[0]).strip()
        if name and len(name) <= 80 and not name.isdecimal():
            return [name]
    return []


def article_dates(context: Context, node: Node | None) -> dict[str, str]:
    """When it was published and changed."""
    page, dates = context.page, context.dates
    fields: dict[str, str] = {}
    if node:
        fields |= dates.of(node, "datePublished", "datePublished", "dateCreated", "uploadDate")
        fields |= dates.of(node, "dateModified", "dateModified")
    if "datePublished" not in fields:
        fields |= dates.pair(
            page.meta_first(
                *(
                    "article:published_time",
                    "og:published_time",
                    "datepublished",
                    "date",
                    "pubdate",
                ),
                *("publish-date", "dc.date", "dc.date.issued", "citation_publication_date"),
            ),
            "datePublished",
        )
    if "dateModified" not in fields:
        modified = page.meta_first("article:modified_time", "og:updated_time", "last-modified")
        fields |= dates.pair(modified, "dateModified")
    if "datePublished" not in fields:
        fields |= shown_date(context)
    return fields


def shown_date(context: Context) -> dict[str, str]:
    """The first date that the page shows as one."""
    for element in islice(context.page.body.iter("time"), MAX_SHOWN):
        found = context.dates.pair(
            element.get("datetime") or text_of(element, 100), "datePublished"
        )
        if "datePublished" in found:
            return found
    called = context.page.called(PUBLISHED, "span", "p", "div", "small", "li", "em", "i")
    for element in called[:MAX_SHOWN]:
        found = context.dates.pair(text_of(element, 100), "datePublished")
        if "datePublished" in found:
            return found
    return {}


def article_language(context: Context, node: Node | None) -> str | None:
    """The language as two letters."""
    said = node.text("inLanguage") if node else None
    tag = context.language_tag(said) or (context.languages[0] if context.languages else None)
    return tag.split("-")[0] if tag else None


def lead_images(page: Page, node: Node | None) -> list[str]:
    """The pictures that the page gives for the article."""
    found = picture_urls(page, node.values("image", "thumbnailUrl")) if node else []
    if not found:
        names = ("og:image", "og:image:url", "og:image:secure_url", "twitter:image")
        found = [
            link
            for name in names
            for value in page.meta.get(name, [])
            if (link := page.join(value))
        ]
    return found


def body_fields(
    context: Context,
    container: Element | None,
    node: Node | None,
    headline: str | None,
    beside: list[str],
) -> dict[str, Any]:
    """The body in its three forms, with its pictures and films."""
    fields: dict[str, Any] = {}
    text = ""
    if container is not None:
        simple = body.simple_html(container, headline, beside)
        text = body.as_text(simple)
        fields["pictures"] = body.pictures(simple)
        fields["videoUrls"] = body.films(simple, "video")
        fields["audioUrls"] = body.films(simple, "audio")
        if text:
            fields["articleBody"] = text
            fields["articleBodyHtml"] = body.as_html(simple)
            if context.article_body_raw:
                fields["articleBodyRaw"] = body.raw_html(container)
    else:
        fields["pictures"] = body.pictures(context.page.body)
    said = plain(node.raw("articleBody") or "") if node else ""
    if len(said) > 3 * len(text):
        fields["articleBody"] = said
    if node:
        for name, kind in (("videoUrls", "video"), ("audioUrls", "audio")):
            media = [one.raw("contentUrl", "embedUrl") for one in node.nodes(kind)]
            links = [context.page.join(link) for link in media if link]
            fields[name] = unique([*fields.get(name, []), *links])
    return fields


def probability(
    context: Context,
    node: Node | None,
    fields: dict[str, Any],
    dates: dict[str, str],
    authors: list[str],
) -> float:
    """How likely the page is an article."""
    page, size = context.page, len(fields.get("articleBody", ""))
    linked = sum(len(text_of(link)) for link in page.body.iter("a"))
    mostly_links = linked > 0.5 * max(len(text_of(page.body)), 1)
    return chance(
        0.6 if node else 0.0,
        0.3 if page.meta_first("og:type") == "article" else 0.0,
        0.0 if mostly_links else 0.75 * min(size / 2500, 1.0),
        0.2 if "datePublished" in dates and size > ENOUGH else 0.0,
        0.15 if authors and size > ENOUGH else 0.0,
        0.05 if page.heading else 0.0,
    )


def entry_of(context: Context, node: Node) -> dict[str, Any]:
    """An article of a list, from what the page says about it."""
    page = context.page
    images = picture_urls(page, node.values("image", "thumbnailUrl"))
    authors = unique(node.texts("author", "creator"))
    said = node.raw("articleBody") or node.raw("description", "abstract")
    tag = context.language_tag(node.text("inLanguage")) or next(iter(context.languages), None)
    return compact(
        url=context.link_of(node),
        probability=0.95 if node.values("datePublished", "author", "image") else 0.8,
        headline=node.text("headline", "name"),
        **context.dates.of(node, "datePublished", "datePublished", "dateCreated"),
        author=", ".join(authors),
        authorsList=authors,
        inLanguage=tag.split("-")[0] if tag else None,
        mainImage=images[0] if images else None,
        images=images,
        articleBody=plain(said) if said else None,
    )
