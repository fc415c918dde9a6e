"""Lists by their looks: elements side by side that are all of one kind."""

from __future__ import annotations

import re

from silkline.sandbox.items.page import UNSEEN, Element, Page, hint, squeeze, text_of

# Where a page has links that are no part of its list.
FRAME_TAGS = frozenset({"aside", "footer", "form", "nav"})
FRAME = re.compile(
    r"\b(?:nav\w*|menu|footer|sidebar|bread-?crumbs?|crumbs|pag(?:er|es|ination)|social|related|cookie)\b"
)
NAMED = re.compile(r"\b(?:[\w-]*title|headline|(?:product-?)?name)\b")
# So many elements in a link make a card of it.
MANY = 3
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
MAX_RECORDS = 500


def groups(page: Page) -> list[list[Element]]:
    """The runs of two and more siblings of one tag that each hold a link."""
    linked: set[Element] = set()
    parents: dict[Element, None] = {}
    for link in page.body.iter("a"):
        if not link.get("href"):
            continue
        linked.add(link)
        for ancestor in link.iterancestors():
            parents[ancestor] = None
            if ancestor in linked:
                break
            linked.add(ancestor)
    found = []
    for parent in parents:
        if in_frame(parent):
            continue
        by_kind: dict[tuple[str, str], list[Element]] = {}
        for child in parent:
            if child in linked and isinstance(child.tag, str) and not in_frame_itself(child):
                by_kind.setdefault((child.tag, first_class(child)), []).append(child)
        found += [run[:MAX_RECORDS] for run in by_kind.values() if len(run) > 1]
    return found


def first_class(element: Element) -> str:
    """The class by which siblings of one kind are told."""
    names = element.get("class", "").split()
    return names[0] if names else ""


def in_frame_itself(element: Element) -> bool:
    """Whether an element belongs to the frame around the content."""
    return element.tag in FRAME_TAGS or element.tag in UNSEEN or bool(FRAME.search(hint(element)))


def in_frame(element: Element) -> bool:
    """Whether an element or one around it does."""
    return any(
        in_frame_itself(one)
        for one in (element, *element.iterancestors())
        if one.tag not in ("body", "html")
    )


def title_link(record: Element) -> Element | None:
    """The link of a record that carries its name: that of its heading, or the one with most words."""
    links = (
        [record] if record.tag == "a" else [link for link in record.iter("a") if link.get("href")]
    )
    for heading in record.iter(*HEADINGS):
        for link in (*heading.iter("a"), *heading.iterancestors("a")):
            if link.get("href") and text_of(link):
                return link
    return max(links, key=lambda link: len(text_of(link)[:200]), default=None)


def title_of(record: Element) -> str:
    """The name of a record, in full if the page shows only its beginning."""
    shown, link = shown_title(record), title_link(record)
    full = "" if link is None else squeeze(link.get("title", ""))
    return full if shown and full.startswith(shown.rstrip(".\u2026 ")) else shown


def shown_title(record: Element) -> str:
    """The name of a record as it is shown."""
    for heading in record.iter(*HEADINGS):
        if text := text_of(heading):
            return text
    link = title_link(record)
    if link is None:
        return ""
    for element in record.iter():
        if isinstance(element.tag, str) and NAMED.search(hint(element)) and text_of(element, 0):
            return text_of(element)
    if text := (link.text or "").strip():
        return text_of(link) if len(link) < MANY else text
    for element in link.iterdescendants():
        if text := squeeze(element.text or ""):
            return text
    return next((image.get("alt", "").strip() for image in record.iter("img")), "")


def picture_of(record: Element) -> str | None:
    """The first picture of a record."""
    for image in record.iter("img"):
        source = image.get("src") or image.get("data-src") or ""
        if source.startswith("http"):
            return source
    return None
