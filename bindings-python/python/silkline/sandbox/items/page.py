"""A page as the extractors see it: decoded, parsed, its links absolute, its parts at hand."""

from __future__ import annotations

import re
from functools import cached_property
from html import escape
from typing import TypeAlias
from urllib.parse import urljoin, urlsplit

import lxml.html
from lxml import etree
from w3lib.encoding import html_to_unicode

# The element class of lxml has no public name.
Element: TypeAlias = etree._Element  # noqa: SLF001

# Words before and after these are not one.
BREAKING = frozenset(
    {"address", "article", "aside", "blockquote", "br", "caption", "cell", "dd", "div", "dl", "dt"}
    | {"figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "head"}
    | {"header", "hr", "img", "item", "lb", "li", "main", "nav", "ol", "option", "p", "pre"}
    | {"section", "table", "td", "th", "tr", "ul"}
)
# What never shows, whatever the styles say.
UNSEEN = frozenset({"head", "noscript", "script", "style", "template", "title"})
# What may stand in a head.
HEAD = frozenset({"base", "basefont", "bgsound", "link", "meta", "noframes", "noscript", "script"})
HEAD |= {"style", "template", "title"}
# What shows without having text.
SEEN = frozenset(
    {"audio", "button", "canvas", "embed", "frame", "iframe", "img", "input", "math"}
    | {"meter", "object", "progress", "select", "svg", "textarea", "video"}
)
HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
# libxml2 takes no other control characters, and nobody can see them.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]|[\ud800-\udfff]")
TEXTUAL = ("text/", "application/xhtml", "application/xml", "application/json")
LINKS = (
    *(("a", "href"), ("area", "href"), ("audio", "src"), ("iframe", "src"), ("img", "src")),
    *(("link", "href"), ("source", "src"), ("video", "src")),
)
SPACE = re.compile(r"\s+")
MAX_TEXT = 1_000_000
# A page of more elements than this is cut off behind them: no reader gets so far.
MAX_ELEMENTS = 50_000


def squeeze(text: str) -> str:
    """`text` on one line, without the space around it."""
    return SPACE.sub(" ", text).strip()


def text_of(element: Element, limit: int = MAX_TEXT) -> str:
    """The text inside an element, on one line, without scripts and styles.

    What is longer than `limit` is cut off somewhere behind it.
    """
    parts: list[str] = []
    size = 0
    walk = etree.iterwalk(element, events=("start", "end"))
    for event, one in walk:
        if event == "end" and one is element:
            break
        if one.tag in BREAKING:
            parts.append(" ")
        if event == "start" and one.tag in UNSEEN:
            walk.skip_subtree()
        elif text := one.text if event == "start" else one.tail:
            parts.append(text)
            size += len(text)
            if size > limit and text.strip():
                break
    return squeeze("".join(parts))


def is_hidden(element: Element) -> bool:
    """Whether an element and all that is in it cannot be seen."""
    return (
        not isinstance(element.tag, str)
        or element.tag in UNSEEN
        or element.get("hidden") is not None
        or (element.tag == "input" and element.get("type", "").lower() == "hidden")
        or HIDING.search(element.get("style", "")) is not None
    )


def hint(element: Element) -> str:
    """What an element is called: its class, id and label, in lower case."""
    return " ".join(
        (element.get("class", ""), element.get("id", ""), element.get("aria-label", ""))
    ).lower()


class Page:
    """One page, parsed as far as it can be; no markup is bad enough to raise an error."""

    def __init__(self, html: str | bytes, url: str, content_type: str | None = None) -> None:
        self.url = url
        kind = (content_type or "").split(";")[0].strip().lower()
        self.readable: bool = not kind or kind.startswith(TEXTUAL) or kind.endswith("+xml")
        text = decode(html, content_type) if self.readable else ""
        if kind == "text/plain" and not isinstance(html, str):
            text = f"<pre>{escape(text)}</pre>"
        self.tree: Element = parse(text)
        cut_off(self.tree, MAX_ELEMENTS)
        self.base: str = self._base()
        self._make_links_absolute()

    def _base(self) -> str:
        for element in self.tree.iter("base"):
            if href := element.get("href"):
                return join(self.url, href) or self.url
        return self.url

    def _make_links_absolute(self) -> None:
        for tag, name in LINKS:
            for element in self.tree.iter(tag):
                if value := element.get(name):
                    element.set(name, join(self.base, value) or "")

    def join(self, link: str) -> str | None:
        """The absolute form of a link, if it is one that can be fetched."""
        return join(self.base, link)

    @cached_property
    def body(self) -> Element:
        """The body, or what there is instead."""
        body = self.tree.find("body")
        return self.tree if body is None else body

    @cached_property
    def visible(self) -> bool:
        """Whether somebody who opens the page sees anything at all."""
        stack = [self.tree]
        while stack:
            element = stack.pop()
            if is_hidden(element):
                continue
            if element.tag in SEEN or (element.text or "").strip("\xa0\u200b\ufeff \t\r\n"):
                return True
            for child in element:
                if (child.tail or "").strip("\xa0\u200b\ufeff \t\r\n"):
                    return True
                stack.append(child)
        return False

    @cached_property
    def meta(self) -> dict[str, list[str]]:
        """The contents of the meta elements by their name or property, in lower case."""
        found: dict[str, list[str]] = {}
        for element in self.tree.iter("meta"):
            content = squeeze(element.get("content", ""))
            names = element.get("property") or element.get("name") or element.get("http-equiv")
            for name in (names or "").lower().split():
                if content:
                    found.setdefault(name.removeprefix("og:og:"), []).append(content)
        return found

    def meta_first(self, *names: str) -> str | None:
        """The content of the first of these meta elements that there is."""
        for name in names:
            if values := self.meta.get(name):
                return values[0]
        return None

    @cached_property
    def heading(self) -> str | None:
        """The heading of the page."""
        for element in self.tree.iter("h1"):
            if text := text_of(element):
                return text
        return None

    @cached_property
    def title(self) -> str | None:
        """The title of the page, without the name of the site behind it."""
        for element in self.tree.iter("title"):
            if text := text_of_title(element):
                return re.split(r"\s+[|\u2013\u2014»-]\s+|\s+::\s+", text)[0] or text
        return None

    @cached_property
    def canonical(self) -> str | None:
        """The address the page gives itself."""
        for element in self.tree.iter("link"):
            if "canonical" in element.get("rel", "").lower().split() and element.get("href"):
                return element.get("href")
        link = self.meta_first("og:url")
        return self.join(link) if link else None

    def called(self, pattern: re.Pattern[str], *tags: str) -> list[Element]:
        """The elements of the body whose class, id or label matches."""
        return [
            element
            for element, name in self._named
            if (not tags or element.tag in tags) and pattern.search(name)
        ]

    @cached_property
    def _named(self) -> list[tuple[Element, str]]:
        found = ((element, hint(element).strip()) for element in self.body.iter())
        return [(element, name) for element, name in found if name]


def decode(html: str | bytes, content_type: str | None) -> str:
    """The text of a page, by its byte order mark, header, declaration or looks, in that order."""
    if isinstance(html, bytes):
        html = html_to_unicode(content_type, html, default_encoding="utf8")[1]
    return CONTROL.sub("", html)


def parse(text: str) -> Element:
    """The tree of a page; an empty one for a page without elements."""
    parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        tree = lxml.html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError):
        return lxml.html.document_fromstring(b"<html><body></body></html>")
    empty_head(tree)
    return tree


def empty_head(tree: Element) -> None:
    """Moves to the body what browsers put there.

    Where a page leaves out the tags around its head and body, libxml2 takes the elements that are
    newer than itself, such as `article`, for a part of the head.
    """
    head = tree.find("head")
    children = [] if head is None else list(head)
    inside = (one for one in children if isinstance(one.tag, str) and one.tag not in HEAD)
    first = next(inside, None)
    if first is None:
        return
    strays = [first, *first.itersiblings()]
    body = tree.find("body")
    if body is None:
        body = tree.makeelement("body")
        tree.append(body)
    strays[-1].tail = (strays[-1].tail or "") + (body.text or "")
    body.text = None
    body[0:0] = strays


def cut_off(tree: Element, most: int) -> None:
    """Leaves the first elements of a page and takes the rest away."""
    last = next((element for index, element in enumerate(tree.iter()) if index == most), None)
    if last is None:
        return
    for element in (last, *last.iterancestors()):
        parent = element.getparent()
        if parent is not None:
            for after in list(element.itersiblings()):
                parent.remove(after)


def text_of_title(element: Element) -> str:
    """The text of an element whose text does not show."""
    return squeeze("".join(str(piece) for piece in element.itertext()))


def join(base: str, link: str) -> str | None:
    """`link` seen from `base`, if that is an http address."""
    link = link.strip().replace("\n", "").replace("\r", "").replace("\t", "")
    try:
        joined = urljoin(base, link)
        parts = urlsplit(joined)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return None
    return joined.replace(" ", "%20")
