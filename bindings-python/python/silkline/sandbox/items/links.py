"""Where a page stands among others: breadcrumbs and pagination."""

from __future__ import annotations

import re

from silkline.sandbox.items.page import Element, Page, hint, text_of
from silkline.sandbox.items.structured import Graph, Node, Value
from silkline.sandbox.items.values import compact, number

CRUMBS = re.compile(r"bread-?_?crumb|\bcrumbs?\b")
SEPARATORS = " \t\xa0/|>»\u203a→-·•\u2013"
MAX_CRUMBS = 20
MAX_WORDS = 100
# What the links to the neighbouring pages of a list say or are called.
NEXT = re.compile(
    r"^\W*(?:next(?: page)?|older(?: \w+)?|weiter|nächste(?: seite)?|(?:page )?suivante?|siguiente"
    r"|successiva|volgende|próxima|далее|следующая|次へ?|下一页)\W*$|^\s*[»\u203a→]\s*$"
)
PREVIOUS = re.compile(
    r"^\W*(?:prev(?:ious)?(?: page)?|newer(?: \w+)?|zurück|vorherige(?: seite)?"
    r"|(?:page )?précédente?|anterior|precedente|vorige|назад|предыдущая|前へ?|上一页)\W*$"
    r"|^\s*[«\u2039←]\s*$"
)
PAGINATION = re.compile(r"\bpag(?:er|es|ination|inate|inator)|page-?numbers|\bpag\b")


def breadcrumbs(page: Page, graph: Graph) -> list[dict[str, str]]:
    """The path to a page, from the top of its site."""
    for node in graph.of_type({"BreadcrumbList"}):
        entries = sorted(node.nodes("itemListElement"), key=position)
        found = [
            crumb for entry in entries[:MAX_CRUMBS] if (crumb := structured_crumb(page, entry))
        ]
        if found:
            return found
    for element in page.called(CRUMBS)[:MAX_CRUMBS]:
        if found := crumbs_of(element):
            return found
    return []


def position(node: Node) -> float:
    """Where an entry says it stands."""
    return number(next(iter(node.values("position")), None)) or 0.0


def structured_crumb(page: Page, entry: Node) -> dict[str, str]:
    """A step of a path from its entry."""
    target: Value | None = next(iter(entry.values("item", "url")), None)
    name = entry.text("name")
    link = None
    if isinstance(target, Node):
        name = name or target.text("name")
        link = target.raw("url") or target.identity
    elif isinstance(target, str):
        link = target
    if link and link.startswith("_:"):
        link = None
    return compact(name=name, link=page.join(link) if link else None)


def crumbs_of(container: Element) -> list[dict[str, str]]:
    """The steps of a path from its links; the last may be words alone."""
    links = [link for link in container.iter("a") if link.get("href")][:MAX_CRUMBS]
    named = [(text_of(link).strip(SEPARATORS), link.get("href")) for link in links]
    found = [compact(name=name, link=link) for name, link in named if name]
    if not found:
        return []
    last = last_words(container, links[-1])
    if last and last != found[-1]["name"] and len(last) <= 200:
        found.append({"name": last})
    return found


def last_words(container: Element, link: Element) -> str:
    """The words of a path behind its last link."""
    words = [link.tail or ""]
    passed = False
    for element in container.iter():
        if element is link:
            passed = True
        elif passed and link not in element.iterancestors():
            words += [element.text or "", element.tail or ""]
            if len(words) > MAX_WORDS:
                break
    return " ".join(" ".join(words).split()).strip(SEPARATORS)


def pagination(page: Page) -> dict[str, dict[str, str]]:
    """The fields `paginationNext` and `paginationPrevious`."""
    return compact(
        paginationNext=neighbour(page, "next", NEXT, 1),
        paginationPrevious=neighbour(page, "prev", PREVIOUS, -1),
    )


def neighbour(page: Page, rel: str, pattern: re.Pattern[str], step: int) -> dict[str, str]:
    """The link to the page before or after."""
    rels = {rel, "previous"} if rel == "prev" else {rel}
    links = [link for link in page.body.iter("a") if link.get("href")]
    for link in links:
        if rels.intersection(link.get("rel", "").lower().split()):
            return compact(url=link.get("href"), text=text_of(link))
    for link in links:
        if looks_like(link, rels, pattern):
            return compact(url=link.get("href"), text=text_of(link))
    for link in page.tree.iter("link"):
        if rels.intersection(link.get("rel", "").lower().split()) and link.get("href"):
            return {"url": link.get("href", "")}
    return numbered(page, step)


def looks_like(link: Element, rels: set[str], pattern: re.Pattern[str]) -> bool:
    """Whether a link in or out of a bar of pages reads or is called as wanted."""
    text = text_of(link, 50).lower()
    if len(text) > 40:
        return False
    label = (link.get("aria-label") or link.get("title") or "").lower()
    if pattern.search(text) or pattern.search(label):
        return True
    return bool(rels.intersection(re.split(r"[\s_-]+", link.get("class", "").lower())))


def numbered(page: Page, step: int) -> dict[str, str]:
    """The link with the number after or before that of the page that is shown."""
    for bar in page.called(PAGINATION)[:MAX_CRUMBS]:
        linked: dict[int, Element] = {}
        current = None
        for element in bar.iter():
            text = (element.text or "").strip()
            if not text.isdecimal() or len(text) > 6:
                continue
            if element.tag == "a" and element.get("href") and not is_current(element):
                linked.setdefault(int(text), element)
            elif current is None:
                current = int(text)
        if current is not None and current + step in linked:
            link = linked[current + step]
            return compact(url=link.get("href"), text=text_of(link))
    return {}


def is_current(link: Element) -> bool:
    """Whether a numbered link is that of the page itself."""
    parent = link.getparent()
    names = hint(link) + " " + (hint(parent) if parent is not None else "")
    return link.get("aria-current") is not None or bool(re.search(r"\b(active|current)\b", names))
