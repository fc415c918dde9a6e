"""What every extractor of one page shares."""

from __future__ import annotations

from functools import cached_property

from silkline.sandbox.items import language, links
from silkline.sandbox.items.dates import Dates
from silkline.sandbox.items.page import Page
from silkline.sandbox.items.structured import Graph, Node, read


class Context:
    """A page with what it says about itself, read once."""

    def __init__(self, page: Page, *, article_body_raw: bool = True) -> None:
        self.page = page
        self.url: str = page.url
        self.article_body_raw = article_body_raw
        self.graph: Graph = read(page)
        self.languages: list[str] = language.languages(page, self.graph)
        self.dates: Dates = Dates(page, self.languages[0] if self.languages else None)

    @cached_property
    def breadcrumbs(self) -> list[dict[str, str]]:
        """The path to the page."""
        return links.breadcrumbs(self.page, self.graph)

    @cached_property
    def pagination(self) -> dict[str, dict[str, str]]:
        """The neighbours of the page in its list."""
        return links.pagination(self.page)

    @staticmethod
    def language_tag(text: str | None) -> str | None:
        """A language as BCP 47 writes it."""
        return language.language_tag(text)

    def link_of(self, node: Node) -> str | None:
        """The address of a thing: what it says, or the first link in its element."""
        said = node.raw("url") or node.raw("mainEntityOfPage")
        for entity in node.nodes("mainEntityOfPage", "url"):
            said = said or entity.raw("url") or entity.identity
        if said:
            return self.page.join(said)
        if node.identity and node.identity.startswith("http") and "#" not in node.identity:
            return node.identity
        if node.element is not None:
            for link in node.element.iter("a"):
                if link.get("href"):
                    return str(link.get("href"))
        return None
