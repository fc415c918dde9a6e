"""Lists of articles."""

from __future__ import annotations

from typing import Any

from silkline.sandbox.items.article import ARTICLES, BY, BYLINE, entry_of
from silkline.sandbox.items.context import Context
from silkline.sandbox.items.page import Element, hint, squeeze, text_of
from silkline.sandbox.items.records import groups, picture_of, title_link, title_of
from silkline.sandbox.items.values import chance, compact

MIN_TITLE = 8
MIN_SUMMARY = 20


def article_list(context: Context) -> dict[str, Any]:
    """The articles that a page leads to."""
    said = [entry_of(context, node) for node in context.graph.of_type(ARTICLES - {"CreativeWork"})]
    said = [entry for entry in said if "headline" in entry]
    seen = shown_entries(context)
    # One article with its related ones is no list; a list that is shown is the better one if longer.
    entries = said if len(said) > 1 and len(said) >= len(seen) / 2 else seen
    return compact(url=context.url, articles=entries, **context.pagination)


def shown_entries(context: Context) -> list[dict[str, Any]]:
    """The list by its looks."""
    best = max(groups(context.page), key=weight, default=[])
    entries = [entry for record in best if (entry := shown_entry(context, record))]
    return entries if len(entries) > 1 else []


def weight(run: list[Element]) -> float:
    """How much a run of records looks like the list of the page."""
    titles = [title_of(record) for record in run]
    good = [title for title in titles if len(title) >= MIN_TITLE]
    if len(good) * 2 < len(run):
        return 0.0
    extras = sum(
        1 + (record.find(".//time") is not None) + (record.find(".//img") is not None)
        for record in run
    )
    articles = 2.0 if run[0].tag == "article" else 1.0
    return articles * extras * sum(min(len(title), 100) for title in good)


def shown_entry(context: Context, record: Element) -> dict[str, Any]:
    """An article of the list by its looks."""
    link, headline = title_link(record), title_of(record)
    if link is None or len(headline) < 2:
        return {}
    author = author_of(record)
    summary = summary_of(record, headline)
    image = picture_of(record)
    language = context.languages[0].split("-")[0] if context.languages else None
    dates = date_of(context, record)
    return compact(
        url=link.get("href"),
        probability=chance(
            0.35,
            0.3 if len(headline) >= 2 * MIN_TITLE else 0.0,
            0.4 if dates else 0.0,
            0.3 if summary else 0.0,
            0.2 if author else 0.0,
            0.3 if record.tag == "article" else 0.0,
        ),
        headline=headline,
        **dates,
        author=author,
        authorsList=[author] if author else None,
        inLanguage=language,
        mainImage=image,
        images=[image] if image else None,
        articleBody=summary,
    )


def date_of(context: Context, record: Element) -> dict[str, str]:
    """When it was published."""
    for element in record.iter("time"):
        if found := context.dates.pair(
            element.get("datetime") or text_of(element), "datePublished"
        ):
            return found
    for element in record.iter():
        if isinstance(element.tag, str) and "date" in hint(element):
            found = context.dates.pair(text_of(element), "datePublished")
            if "datePublished" in found:
                return found
    return {}


def author_of(record: Element) -> str | None:
    """Who wrote it."""
    for element in record.iterdescendants():
        if not isinstance(element.tag, str):
            continue
        if BYLINE.search(hint(element)) or element.get("class") == "who":
            name = BY.sub("", squeeze((text_of(element)).split(",")[0].split("·")[0]))
            if 0 < len(name) <= 80:
                return name
    return None


def summary_of(record: Element, headline: str) -> str | None:
    """The words that tell what it is about."""
    for element in record.iterdescendants("p", "div", "blockquote"):
        text = text_of(element)
        if len(text) >= MIN_SUMMARY and headline not in text and not BYLINE.search(hint(element)):
            return text
    return None
