"""What a page says about itself in JSON-LD, microdata or RDFa, as one kind of node."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from html import unescape
from typing import Any, TypeAlias
from urllib.parse import urljoin

import html_text
from extruct.jsonld import JsonLdExtractor
from extruct.rdfa import RDFaExtractor
from extruct.w3cmicrodata import MicrodataExtractor
from lxml import etree

from silkline.sandbox.items.page import Element, Page, squeeze, text_of

# Beyond these, structured data is somebody's attempt at keeping an extractor busy.
MAX_NODES = 20_000
MAX_DEPTH = 32
MAX_MICRODATA = 10_000
MAX_REFERENCES = 200
MAX_RDFA_BYTES = 1_000_000

MARKUP = re.compile(r"<[a-zA-Z/!][^>]*>|&(?:#\d+|#x[0-9a-fA-F]+|[a-zA-Z]\w*);")
# Properties whose value is words, even where they stand on a link.
WORDS = frozenset(
    {"articleSection", "author", "brand", "creator", "headline", "hiringOrganization", "name"}
    | {"publisher", "text", "title"}
)

Value: TypeAlias = "str | int | float | bool | Node"


class Node:
    """A thing described by a page: its types and the values of its properties, in order."""

    __slots__ = ("element", "graph", "identity", "properties", "types", "within")

    def __init__(self, graph: Graph) -> None:
        self.graph: Graph = graph
        self.types: tuple[str, ...] = ()
        self.properties: dict[str, list[Value]] = {}
        self.identity: str | None = None
        self.element: Element | None = None
        self.within: str | None = None

    def is_a(self, types: Iterable[str]) -> bool:
        """Whether it has one of these types."""
        return any(kind in types for kind in self.types)

    def values(self, *names: str) -> list[Value]:
        """The values of the first of these properties that it has."""
        for name in names:
            if values := self.properties.get(name):
                return [self.graph.resolve(value) for value in values]
        return []

    def nodes(self, *names: str) -> list[Node]:
        """Those of the values that are things."""
        return [value for value in self.values(*names) if isinstance(value, Node)]

    def texts(self, *names: str) -> list[str]:
        """The values as words, empty ones left out; the first name that gives any wins."""
        for name in names:
            found = [text for value in self.values(name) if (text := words(value))]
            if found:
                return found
        return []

    def text(self, *names: str) -> str | None:
        """The first of the values as words."""
        return next(iter(self.texts(*names)), None)

    def raw(self, *names: str) -> str | None:
        """The first value that is a string, as it was written."""
        for value in self.values(*names):
            if isinstance(value, str) and value.strip():
                return value
        return None


class Graph:
    """All the nodes of a page."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.nodes: list[Node] = []
        self.identified: dict[str, Node] = {}

    def add(self, data: dict[str, Any], within: str | None = None, depth: int = 0) -> Node | None:
        """Takes in an object of JSON-LD with all that is in it."""
        if depth > MAX_DEPTH or len(self.nodes) >= MAX_NODES:
            return None
        node = Node(self)
        node.within = within
        node.types = tuple(local_name(kind) for kind in as_list(data.get("@type")))
        node.element = data.get("@element")
        identity = data.get("@id")
        if isinstance(identity, str):
            node.identity = absolute(self.base, identity)
        self.nodes.append(node)
        for key, value in data.items():
            if key == "@graph":
                self._add_graph(value, within, depth)
            elif not key.startswith("@"):
                name = local_name(key)
                values = list(self._values(value, name, depth + 1))
                if values:
                    node.properties.setdefault(name, []).extend(values)
        if node.identity is not None and node.properties:
            self.identified.setdefault(node.identity, node)
        return node

    def _add_graph(self, value: Any, within: str | None, depth: int) -> None:
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                self.add(item, within, depth + 1)

    def _values(self, value: Any, within: str, depth: int) -> Iterator[Value]:
        if isinstance(value, dict):
            for wrapper in ("@value", "@list", "@set"):
                if wrapper in value:
                    yield from self._values(value[wrapper], within, depth + 1)
                    return
            node = self.add(value, within, depth)
            if node is not None:
                yield node
        elif isinstance(value, list):
            if depth <= MAX_DEPTH:
                for item in value[:MAX_NODES]:
                    yield from self._values(item, within, depth + 1)
        elif isinstance(value, (str, int, float)):
            yield value

    def resolve(self, value: Value) -> Value:
        """The node that a mere reference stands for, or else the address that it is."""
        if isinstance(value, Node) and not value.properties and value.identity is not None:
            return self.identified.get(value.identity, value if value.types else value.identity)
        return value

    def settle(self) -> None:
        """Tells the nodes that others refer to by which property they are reached."""
        for node in self.nodes:
            for name, values in node.properties.items():
                for value in values:
                    found = self.resolve(value)
                    if isinstance(found, Node) and found.within is None and found is not node:
                        found.within = name

    def of_type(self, types: Iterable[str]) -> list[Node]:
        """The nodes of one of these types that say anything, in order."""
        wanted = frozenset(types)
        return [node for node in self.nodes if node.properties and node.is_a(wanted)]


def read(page: Page) -> Graph:
    """Everything that a page says about itself."""
    graph = Graph(page.base)
    for data in (*json_ld(page), *microdata(page), *rdfa(page)):
        graph.add(data)
    graph.settle()
    return graph


def json_ld(page: Page) -> Iterator[dict[str, Any]]:
    """The objects of the JSON-LD scripts; a script that cannot be read is passed over."""
    extractor = JsonLdExtractor()
    for script in page.tree.iter("script"):
        if script.get("type", "").split(";")[0].strip().lower() != "application/ld+json":
            continue
        script.set("type", "application/ld+json")
        try:
            found = extractor.extract_items(script, base_url=page.base)
        except (ValueError, RecursionError, TypeError, IndexError):
            continue
        yield from (item for item in found if isinstance(item, dict))


def microdata(page: Page) -> Iterator[dict[str, Any]]:
    """The items of the microdata, in the shape of JSON-LD."""
    properties = scopes = references = 0
    for element in page.tree.iter():
        properties += element.get("itemprop") is not None
        scopes += element.get("itemscope") is not None
        references += len(element.get("itemref", "").split())
    if not scopes or properties + scopes > MAX_MICRODATA or references > MAX_REFERENCES:
        return
    links = words_on_links(page)
    extractor = MicrodataExtractor(nested=False, strict=True, add_html_node=True)
    try:
        found = extractor.extract_items(page.tree, page.base)
    except (ValueError, RecursionError, etree.LxmlError, KeyError, AssertionError):
        return
    finally:
        for link in links:
            link.tag = "a"
    yield from (from_microdata(item) for item in found)


def words_on_links(page: Page) -> list[Element]:
    """Makes the words of names that are links readable as such; gives those links.

    By the letter of the specification the value of a property on a link is its address, and that of
    a time without a date is empty. Pages mean the words.
    """
    links = []
    for element in page.tree.iter("time", "a"):
        names = element.get("itemprop", "").split()
        if element.tag == "time" and names and not element.get("datetime"):
            element.set("datetime", text_of(element))
        elif element.tag == "a" and WORDS.intersection(names) and not is_item(element):
            element.tag = "span"
            links.append(element)
    return links


def is_item(element: Element) -> bool:
    """Whether an element is an item of microdata itself."""
    return element.get("itemscope") is not None


def from_microdata(item: dict[str, Any]) -> dict[str, Any]:
    """An item in the shape of JSON-LD, with references to the items in it."""
    data: dict[str, Any] = {
        "@type": item.get("type"),
        "@id": f"_:item{item['iid']}",
        "@element": item.get("htmlNode"),
    }
    if "value" in item:
        data["name"] = item["value"]
    for name, values in item.get("properties", {}).items():
        data[name] = [
            {"@id": f"_:item{one['iid_ref']}"}
            if isinstance(one, dict) and "iid_ref" in one
            else one
            for one in values
        ]
    return data


def rdfa(page: Page) -> list[dict[str, Any]]:
    """The things described in RDFa, in expanded JSON-LD."""
    if not any(element.get("typeof") for element in page.tree.iter()):
        return []
    text = etree.tostring(page.tree, encoding="unicode", method="html")
    if len(text) > MAX_RDFA_BYTES:
        return []
    try:
        found = RDFaExtractor().extract(text, base_url=page.base)
        items = json.loads(found) if isinstance(found, str) else found
    # pyRdfa raises errors of many kinds over bad markup; the rest of the page is still good.
    except Exception:  # noqa: BLE001
        return []
    return [item for item in items if isinstance(item, dict)]


def words(value: Value) -> str | None:
    """A value as words on one line."""
    if isinstance(value, Node):
        for name in ("name", "headline", "text", "value", "title", "alternateName"):
            for inner in value.values(name):
                if not isinstance(inner, Node) and (text := words(inner)):
                    return text
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return squeeze(plain(str(value))) or None


def plain(text: str) -> str:
    """`text` without markup and entities, its lines kept."""
    for _ in range(2):  # exports like to escape twice
        if not MARKUP.search(text):
            break
        text = unescape(text)
        if "<" in text and MARKUP.search(text):
            text = html_text.extract_text(text)
    return text.strip()


def as_list(value: Any) -> list[str]:
    """The strings of a value that may be one or many."""
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]


def local_name(name: str) -> str:
    """`Product` of `schema:Product` or `https://schema.org/Product`."""
    return re.split(r"[/#:]", name.strip())[-1]


def absolute(base: str, identity: str) -> str:
    """A node's identity, as it is compared."""
    try:
        return identity if identity.startswith("_:") else urljoin(base, identity)
    except ValueError:
        return identity
