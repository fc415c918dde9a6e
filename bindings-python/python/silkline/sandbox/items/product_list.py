"""Lists of products."""

from __future__ import annotations

from typing import Any

from silkline.sandbox.items.context import Context
from silkline.sandbox.items.page import Element
from silkline.sandbox.items.prices import shown_offer
from silkline.sandbox.items.product import PRODUCTS, product_fields
from silkline.sandbox.items.records import groups, picture_of, title_link, title_of
from silkline.sandbox.items.structured import Node
from silkline.sandbox.items.values import chance, compact

FIELDS = (
    *("name", "offers", "sku", "brand", "mainImage", "images", "description", "descriptionHtml"),
    "aggregateRating",
)
NOT_LISTED = frozenset({"hasVariant", "isRelatedTo", "isSimilarTo", "isVariantOf", "itemOffered"})


def product_list(context: Context) -> dict[str, Any]:
    """The products that a page leads to."""
    said = said_entries(context)
    seen = shown_entries(context)
    entries = said if len(said) > 1 and len(said) >= len(seen) / 2 else seen
    return compact(
        url=context.url, products=entries, breadcrumbs=context.breadcrumbs, **context.pagination
    )


def said_entries(context: Context) -> list[dict[str, Any]]:
    """The products that the page tells of."""
    nodes = [node for node in context.graph.of_type(PRODUCTS) if node.within not in NOT_LISTED]
    entries = [said_entry(context, node) for node in nodes if node.text("name")]
    # A list often comes twice, as one of names and as one of things.
    return list({entry.get("url") or entry["name"]: entry for entry in entries}.values())


def said_entry(context: Context, node: Node) -> dict[str, Any]:
    """A product of the list, from what the page says."""
    fields = product_fields(context, node, whole=False)
    if "offers" in fields:
        fields["offers"] = fields["offers"][:1]
    kept = {name: value for name, value in fields.items() if name in FIELDS}
    return compact(
        url=context.link_of(node),
        probability=chance(0.8, 0.6 if "offers" in fields else 0.0),
        **kept,
    )


def shown_entries(context: Context) -> list[dict[str, Any]]:
    """The list by its looks: the run of records of which most have a price."""
    best: list[dict[str, Any]] = []
    for run in groups(context.page):
        entries = [entry for record in run if (entry := shown_entry(record))]
        priced = sum("offers" in entry for entry in entries)
        if priced * 2 >= len(run) and len({entry["url"] for entry in entries}) > len(best):
            best = entries
    return best if len(best) > 1 else []


def shown_entry(record: Element) -> dict[str, Any]:
    """A product of the list by its looks."""
    link, name = title_link(record), title_of(record)
    if link is None or not name:
        return {}
    offer = shown_offer(record)
    image = picture_of(record)
    return compact(
        url=link.get("href"),
        probability=chance(0.2, 0.6 if offer else 0.0, 0.3 if image else 0.0),
        name=name,
        offers=[offer] if offer else None,
        mainImage=image,
        images=[image] if image else None,
    )
