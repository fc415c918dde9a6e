"""Homes for sale and for rent."""

from __future__ import annotations

from typing import Any

from silkline.sandbox.items.article import lead_images
from silkline.sandbox.items.context import Context
from silkline.sandbox.items.page import Page
from silkline.sandbox.items.prices import shown_offer
from silkline.sandbox.items.product import first, offers
from silkline.sandbox.items.structured import Node, plain, words
from silkline.sandbox.items.values import (
    additional_properties,
    chance,
    compact,
    currency_of,
    number,
    picture_urls,
    place,
    price,
    whole,
)

HOMES = frozenset(
    {"Accommodation", "Apartment", "ApartmentComplex", "GatedResidenceCommunity", "House"}
    | {"RealEstateListing", "Residence", "Room", "SingleFamilyResidence", "Suite"}
)
ADDRESS = ("postalCode", "streetAddress", "addressCountry", "addressLocality", "addressRegion")
# UN/CEFACT codes of the areas that homes are measured in, as the service gives them.
UNITS = {"MTK": "SQMT", "M2": "SQMT", "M²": "SQMT", "SQM": "SQMT", "SQMT": "SQMT", "QM": "SQMT"}
UNITS |= {"FTK": "SQFT", "FT2": "SQFT", "FT²": "SQFT", "SQFT": "SQFT", "SQ FT": "SQFT"}
SIGNS = {"SQMT": "m²", "SQFT": "sq ft"}
TRADES = {"rent": "RentAction", "lease": "RentAction", "sell": "SellAction", "buy": "SellAction"}


def real_estate(context: Context) -> dict[str, Any]:
    """The home that a page offers."""
    page = context.page
    found = [node for node in context.graph.of_type(HOMES) if node.within != "itemListElement"]
    listing = max(found, key=lambda node: len(node.properties), default=None)
    nodes = with_parts(listing) if listing else []
    images = next(
        (urls for node in nodes if (urls := picture_urls(page, node.values("image", "photo")))), []
    )
    images = images or lead_images(page, None)
    said = next((text for node in nodes if (text := node.raw("description"))), None)
    fields = compact(
        url=context.url,
        probability=chance(0.9 if listing else 0.0, 0.3 if len(nodes) > 1 else 0.0),
        name=text_in(nodes, "name") or page.heading or page.meta_first("og:title") or page.title,
        **dated(context, nodes),
        description=plain(said) if said else page.meta_first("description", "og:description"),
        mainImage=images[0] if images else None,
        images=images,
        yearBuilt=whole_in(nodes, "yearBuilt"),
        breadcrumbs=context.breadcrumbs,
        additionalProperty=[
            one
            for node in nodes
            for name in ("additionalProperty", "amenityFeature")
            for one in additional_properties(node, name)
        ],
        address=next((where for node in nodes if (where := address(node))), None),
        area=next((size for node in nodes if (size := area(node))), None),
        identifier=text_in(nodes, "identifier", "sku", "productID"),
        tradeActions=trades(page, nodes),
    )
    for name in (
        *("numberOfBathroomsTotal", "numberOfFullBathrooms", "numberOfPartialBathrooms"),
        *("numberOfBedrooms", "numberOfRooms"),
    ):
        fields |= compact(**{name: whole_in(nodes, name)})
    return fields


def with_parts(listing: Node) -> list[Node]:
    """A listing and what it is about, in which pages spread the same facts differently."""
    nodes = [listing]
    for name in ("mainEntity", "about", "itemOffered", "containsPlace", "offers"):
        for node in listing.nodes(name):
            nodes.append(node)
            nodes += node.nodes("itemOffered")
    return list(dict.fromkeys(nodes))


def text_in(nodes: list[Node], *names: str) -> str | None:
    """The first of these texts that one of the nodes has."""
    return next((text for node in nodes if (text := node.text(*names))), None)


def whole_in(nodes: list[Node], name: str) -> int | None:
    """The first such number that one of the nodes has."""
    for node in nodes:
        if (found := whole(first(node, name))) is not None:
            return found
    return None


def dated(context: Context, nodes: list[Node]) -> dict[str, str]:
    """When it was offered."""
    for node in nodes:
        if found := context.dates.of(node, "datePublished", "datePosted", "datePublished"):
            return found
    return {}


def address(node: Node) -> dict[str, str]:
    """Where it is."""
    for value in node.values("address", "location"):
        if isinstance(value, Node):
            inner = next(iter(value.nodes("address")), value)
            fields = {name: inner.text(name) for name in ADDRESS}
            return compact(**fields, raw=place(inner))
        return compact(raw=words(value))
    return {}


def area(node: Node) -> dict[str, Any]:
    """How large it is."""
    for value in node.values("floorSize", "area"):
        if not isinstance(value, Node):
            amount = number(value)
            return compact(value=amount, raw=words(value))
        said = value.text("unitCode") or value.text("unitText") or ""
        unit = UNITS.get(said.upper(), said.upper())
        amount = number(first(value, "value", "maxValue"))
        figure = value.text("value", "maxValue")
        raw = f"{figure} {SIGNS.get(unit, said)}".strip() if figure else None
        return compact(value=amount, unitCode=unit, raw=raw)
    return {}


def trades(page: Page, nodes: list[Node]) -> list[dict[str, str]]:
    """What it costs to have it, and how."""
    found: list[dict[str, str]] = []
    for node in nodes:
        for action in node.nodes("potentialAction", "tradeAction"):
            kind = next(
                (one for one in action.types if one in TRADES.values() or one == "BuyAction"), None
            )
            amount = price(first(action, "price"))
            if kind and amount:
                kind = "SellAction" if kind == "BuyAction" else kind
                currency = currency_of(first(action, "priceCurrency"))
                found.append(compact(tradeType=kind, price=amount, currency=currency))
        for offer, given in zip(node.nodes("offers"), offers(node), strict=False):
            if "price" in given:
                function = (
                    f"{offer.text('businessFunction') or ''} {offer.text('name') or ''}".lower()
                )
                kind = next((TRADES[word] for word in TRADES if word in function), "SellAction")
                found.append(
                    compact(tradeType=kind, price=given["price"], currency=given.get("currency"))
                )
    if not found and nodes and (shown := shown_offer(page.body, page.heading)):
        found = [compact(price=shown["price"], currency=shown.get("currency"))]
    return found
