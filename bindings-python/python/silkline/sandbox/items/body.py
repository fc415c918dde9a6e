"""The body of an article: where it is, as simple HTML, and as text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import deepcopy

import html_text
import trafilatura
from lxml import etree, html
from lxml.html import HtmlElement
from trafilatura.settings import Document

from silkline.sandbox.items.page import UNSEEN, Element, Page, hint, is_hidden, text_of
from silkline.sandbox.items.values import unique

PREFIX = 60
MIN_START = 16
BLOCKS = (
    "blockquote",
    "dd",
    "div",
    "font",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "li",
    "p",
    "pre",
    "section",
    "td",
)
KEPT = frozenset(
    {"a", "audio", "b", "blockquote", "br", "caption", "code", "dd", "del", "dl", "dt", "em"}
    | {"figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "iframe", "img"}
    | {"ins", "kbd", "li", "ol", "p", "pre", "q", "s", "source", "strong", "sub", "sup"}
    | {"table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul", "video"}
)
ATTRIBUTES = frozenset({"alt", "colspan", "href", "rowspan", "src"})
EMBEDS = ("audio", "figure", "iframe", "img", "video")
NOISE_TAGS = frozenset(
    {"aside", "button", "dialog", "footer", "form", "input", "menu", "nav", "select", "textarea"}
)
NOISE = re.compile(
    r"\b(?:share|sharing|social|related|recommend\w*|newsletter|subscribe|comments?|respond|byline"
    r"|author-?(?:box|bio)|post-?meta|entry-?meta|bread-?crumbs?|advert\w*|sponsor\w*|promo|cookie"
    r"|sidebar|pagination|tags|toolbar|print-only|sr-only)\b"
)
MAX_CREDIT = 120
MAX_CREDIT_REST = 14
MARK = "data-article-start"


def article_container(page: Page) -> Element | None:
    """The element that holds the body of the article and as little else as can be."""
    for name in ("itemprop", "property"):
        for element in page.body.iter():
            if element.get(name) == "articleBody" and len(text_of(element, 80)) > 40:
                mark_start(element, None)
                return element
    texts = main_texts(page)
    found = common_container(page, texts)
    if found is not None:
        return found
    for tag in ("article", "main"):
        elements = [element for element in page.body.iter(tag) if text_of(element, 0)]
        if len(elements) == 1:
            return elements[0]
    return page.body if text_of(page.body, 0) else None


def main_texts(page: Page) -> list[str]:
    """The paragraphs that trafilatura takes for the article."""
    try:
        found = trafilatura.bare_extraction(deepcopy(page.tree), include_comments=False, fast=True)
    # Whatever a library trips over in somebody's markup, there is still a page to extract.
    except Exception:  # noqa: BLE001
        return []
    if not isinstance(found, Document):
        return []
    elements = found.body.iter("p", "item", "head", "quote", "cell", "code")
    return [text for element in elements if (text := text_of(element))]


def common_container(page: Page, texts: list[str]) -> Element | None:
    """The innermost element around nearly all of these paragraphs."""
    prefixes = {start_of(text) for text in texts if len(text) > 20}
    weights: dict[Element, int] = {}
    total = 0
    first = None
    for element in page.body.iter(*BLOCKS):
        start = start_of(text_of(element, 3 * PREFIX))
        if len(start) <= MIN_START or start not in prefixes:
            continue
        if element.tag not in ("h2", "h3", "h4", "h5", "h6", "p", "li", "pre") and any(
            child.tag in BLOCKS for child in element.iterdescendants(*BLOCKS)
        ):
            continue
        first = element if first is None else first
        size = len(text_of(element))
        total += size
        for ancestor in element.iterancestors():
            weights[ancestor] = weights.get(ancestor, 0) + size
    if first is None:
        return None
    around = [element for element, size in weights.items() if size >= 0.85 * total]
    container = max(around, key=lambda element: sum(1 for _ in element.iterancestors()))
    if container.tag in ("ul", "ol", "table", "tbody", "tr", "blockquote", "body", "html"):
        container = container if container.tag == "body" else (container.getparent() or container)
    mark_start(container, first)
    return container


def start_of(text: str) -> str:
    """The first letters of a paragraph, by which it is told from others."""
    return "".join(text.split())[:PREFIX]


def mark_start(container: Element, first: Element | None) -> None:
    """Remembers where in its container the body starts."""
    if first is not None and first is not container:
        first.set(MARK, "")


def raw_html(container: Element) -> str:
    """The container as it stands in the page."""
    copy = deepcopy(container)
    copy.tail = None
    for element in copy.iter():
        if MARK in element.attrib:
            del element.attrib[MARK]
    return str(html.tostring(copy, encoding="unicode"))


def simple_html(container: Element, headline: str | None, beside: Sequence[str] = ()) -> Element:
    """A copy of the body in which there is only the article, in plain elements.

    `beside` are the names and dates that the page gives beside the article.
    """
    copy: HtmlElement = deepcopy(container)
    copy.tail = None
    drop_before_start(copy)
    drop_noise(copy, headline)
    drop_credits(copy, beside)
    for element in list(copy.iterdescendants()):
        simplify(element)
    etree.strip_tags(copy, "strip")
    for element in list(copy.iterdescendants("p", "h2", "h3", "h4", "h5", "h6", "li", "a")):
        if (
            not text_of(element, 0)
            and element.find(".//img") is None
            and element.find(".//iframe") is None
        ):
            element.drop_tree()
    copy.tag = "article"
    for name in list(copy.attrib):
        del copy.attrib[name]
    simple: Element = copy
    return simple


def drop_before_start(copy: HtmlElement) -> None:
    """Leaves out what stands before the first paragraph, but for pictures and films."""
    start = next((element for element in copy.iter() if MARK in element.attrib), None)
    if start is None or start is copy:
        return
    del start.attrib[MARK]
    keep = set(start.iterancestors()) | {start}
    before: list[HtmlElement] = []
    for element in copy.iterdescendants():
        if element is start:
            break
        before.append(element)
    for ancestor in start.iterancestors():
        ancestor.text = None
        if ancestor is copy:
            break
    for element in before:
        parent = element.getparent()
        if element in keep or parent is None or parent not in keep:
            continue
        if element.tag in EMBEDS or any(True for _ in element.iterdescendants(*EMBEDS)):
            element.tail = None
            if element.tag not in EMBEDS:
                keep_embeds(element)
        else:
            element.tail = None
            element.drop_tree()


def keep_embeds(element: HtmlElement) -> None:
    """Leaves nothing in an element but its pictures and films."""
    embeds = [
        one
        for one in element.iterdescendants(*EMBEDS)
        if not any(above.tag == "figure" for above in one.iterancestors())
    ]
    for child in list(element):
        element.remove(child)
    element.text = None
    for one in embeds:
        one.tail = None
        element.append(one)


def drop_noise(copy: HtmlElement, headline: str | None) -> None:
    """Leaves out what belongs to the site and not to the article."""
    most = len(text_of(copy)) / 2
    for element in list(copy.iterdescendants()):
        if element.getparent() is None:
            continue
        noisy = element.tag in NOISE_TAGS or element.tag in UNSEEN or is_hidden(element)
        if not noisy and NOISE.search(hint(element)):
            noisy = len(text_of(element)) < most
        if element.tag in ("h1", "h2") and headline and text_of(element, 500) == headline:
            noisy = True
        if noisy:
            element.drop_tree()


def drop_credits(copy: HtmlElement, beside: Sequence[str]) -> None:
    """Leaves out lines that say who wrote the article and when, and nothing else."""
    for element in list(
        copy.iterdescendants("address", "div", "em", "i", "li", "p", "span", "time")
    ):
        if element.getparent() is None:
            continue
        rest = text_of(element, MAX_CREDIT)
        if not rest or len(rest) > MAX_CREDIT:
            continue
        found = [one for one in beside if one and one in rest]
        for one in found:
            rest = rest.replace(one, "")
        alone = element.tag not in ("em", "i", "span") or element.getparent() is copy
        if found and alone and len(re.sub(r"[\W\d_]+", "", rest)) <= MAX_CREDIT_REST:
            element.drop_tree()


def simplify(element: HtmlElement) -> None:
    """Makes an element a plain one, or marks it to be stripped of its tags."""
    tag = element.tag
    for name in list(element.attrib):
        if name not in ATTRIBUTES:
            del element.attrib[name]
    if tag == "h1":
        element.tag = "h2"
    elif tag not in KEPT:
        has_blocks = any(
            True for _ in element.iterdescendants(*BLOCKS, "figure", "table", "ul", "ol")
        )
        is_block = tag in ("address", "center", "div", "section", "summary", "details")
        element.tag = "p" if is_block and not has_blocks and text_of(element, 0) else "strip"


def as_text(simple: Element) -> str:
    """The text of a body: paragraphs apart, headings and captions among them."""
    return str(html_text.etree_to_text(simple)).strip()


def as_html(simple: Element) -> str:
    """The simple HTML of a body."""
    return str(html.tostring(simple, encoding="unicode")).strip()


def pictures(element: Element) -> list[str]:
    """The addresses of the pictures in a body; dots that count readers are none."""
    found = []
    for image in element.iter("img"):
        source = image.get("src") or image.get("data-src") or ""
        small = any(image.get(side, "").rstrip("px") in ("0", "1") for side in ("width", "height"))
        if source.startswith("http") and not small:
            found.append(source)
    return unique(found)


def films(element: Element, tag: str) -> list[str]:
    """The addresses of what can be watched or listened to in a body."""
    found: list[str | None] = []
    for one in element.iter(tag):
        found.append(one.get("src"))
        found += [source.get("src") for source in one.iter("source")]
    if tag == "video":
        for frame in element.iter("iframe"):
            source = frame.get("src", "")
            if re.search(
                r"//(?:[\w-]+\.)*(?:youtube(?:-nocookie)?|vimeo|dailymotion)\.com/", source
            ):
                found.append(source)
    return unique(found)
