"""Products."""

from __future__ import annotations

import re
from typing import Any

from lxml import html

from silkline.sandbox.items.article import lead_images
from silkline.sandbox.items.context import Context
from silkline.sandbox.items.page import Element, Page, hint, text_of
from silkline.sandbox.items.prices import money, shown_offer
from silkline.sandbox.items.structured import Node, plain, words
from silkline.sandbox.items.values import (
    additional_properties,
    availability,
    chance,
    compact,
    currency_of,
    decimal,
    number,
    picture_urls,
    price,
    rating,
    unique,
)

PRODUCTS = frozenset(
    {"Book", "IndividualProduct", "MobileApplication", "Product", "ProductGroup", "ProductModel"}
    | {"SoftwareApplication", "SomeProducts", "Vehicle", "Car", "Motorcycle"}
)
ASIDE = frozenset(
    {"hasVariant", "isAccessoryOrSparePartFor", "isConsumableFor", "isRelatedTo", "isSimilarTo"}
    | {"isVariantOf", "item", "itemListElement", "itemOffered", "offers"}
)
STRUCK = re.compile(r"list|strikethrough|msrp|srp|regular|rrp")
GTINS = {
    "gtin8": "gtin8",
    "gtin12": "upc",
    "gtin13": "ean13",
    "gtin14": "gtin14",
    "isbn": "isbn13",
    "issn": "issn",
    "ean": "ean13",
    "ean13": "ean13",
    "upc": "upc",
    "gtin": "",
}
BY_LENGTH = {8: "gtin8", 12: "upc", 13: "ean13", 14: "gtin14"}
MORE = ("material", "pattern", "width", "height", "depth", "weight", "model")
SKU = re.compile(r"\b(?:sku|item-?number|product-?code|article-?number)\b")
SKU_TEXT = re.compile(
    r"(?:\bSKU|item (?:no|number)|art(?:icle|ikel)?[ -]?(?:no|nr|number)|product code)[.:# ]+([\w-]{2,40})",
    re.IGNORECASE,
)
STOCK = re.compile(r"\b(?:stock|availability|verfuegbar|lager)\b")
SPECS = re.compile(r"\b(?:spec\w*|attributes?|properties|details|features|merkmale)\b")
DESCRIPTION = re.compile(r"\b(?:product-?)?descri\w+\b|\bbeschreibung\b")
NAME = re.compile(r"\bproduct[-_]?(?:title|name)\b")
CALLED = re.compile(r"product|\bpdp\b|artikel")
MAX_NAME = 300
MIN_DESCRIPTION = 30
BASKET = re.compile(
    r"add to (?:cart|basket|bag)|buy now|in den (?:warenkorb|einkaufswagen)|ajouter au panier"
    r"|añadir al carrito|aggiungi al carrello",
    re.IGNORECASE,
)


def product(context: Context) -> dict[str, Any]:
    """The product of a page."""
    node = main_product(context, PRODUCTS)
    fields = product_fields(context, node) if node else {}
    fields = {**shown_fields(context, node), **fields}
    weight = probability(context, node, fields)
    return compact(
        url=context.url, probability=weight, canonicalUrl=context.page.canonical, **fields
    )


def main_product(context: Context, types: frozenset[str]) -> Node | None:
    """What the page says about its product, if it says anything."""
    found = [node for node in context.graph.of_type(types) if node.within not in ASIDE]
    heading = context.page.heading
    named = [node for node in found if heading and node.text("name") == heading]
    candidates = named or found
    groups = [node for node in candidates if node.is_a({"ProductGroup"})]
    candidates = groups or [node for node in candidates if node.values("offers")] or candidates
    return max(candidates, key=lambda node: len(node.properties), default=None)


def product_fields(context: Context, node: Node, *, whole: bool = True) -> dict[str, Any]:
    """What a node says about a product, and if it is the whole about its variants."""
    page = context.page
    images = picture_urls(page, node.values("image", "photo"))
    said = node.raw("description")
    variants = [variant_of(context, one) for one in node.nodes("hasVariant")] if whole else []
    found = offers(node) or next((one["offers"] for one in variants if "offers" in one), [])
    rates = next((fields for one in node.nodes("aggregateRating") if (fields := rating(one))), None)
    return compact(
        name=node.text("name", "title"),
        offers=found,
        sku=sku_of(node),
        gtin=gtins(node),
        mpn=node.text("mpn"),
        brand=node.text("brand", "manufacturer"),
        mainImage=images[0] if images else None,
        images=images,
        description=plain(said) if said else None,
        descriptionHtml=description_html(node, said),
        additionalProperty=properties_of(node),
        aggregateRating=rates,
        color=", ".join(unique(node.texts("color"))),
        size=", ".join(unique(node.texts("size"))),
        style=node.text("style"),
        hasVariants=variants,
    )


def variant_of(context: Context, node: Node) -> dict[str, Any]:
    """One of several forms of a product: a product too, with what each of them has."""
    fields = product_fields(context, node, whole=False)
    return compact(url=context.link_of(node) or context.url, probability=1.0, **fields)


def offers(node: Node) -> list[dict[str, str]]:
    """What a product costs and whether it can be had."""
    found = []
    for offer in node.nodes("offers"):
        inner = offer.nodes("offers")
        found += [fields for one in inner or [offer] if (fields := offer_of(one, offer))]
    if not found and node.values("price"):
        found = [fields for fields in [offer_of(node, node)] if fields]
    return list({tuple(sorted(one.items())): one for one in found}.values())


def offer_of(offer: Node, around: Node) -> dict[str, str]:
    """An offer."""
    currency = currency_of(first(offer, "priceCurrency")) or currency_of(
        first(around, "priceCurrency")
    )
    amount = price(first(offer, "price", "lowPrice"), currency)
    regular = None
    for one in offer.nodes("priceSpecification"):
        currency = currency or currency_of(first(one, "priceCurrency"))
        value = price(first(one, "price", "minPrice"), currency)
        if STRUCK.search((one.text("priceType") or "").lower()):
            regular = value
        elif amount is None:
            amount = value
    if currency is None and amount is not None:
        currency = currency_of_text(offer)
    if regular is not None and (
        amount is None or (decimal(regular) or 0) <= (decimal(amount) or 0)
    ):
        amount, regular = amount or regular, None
    stock = availability(offer.text("availability") or around.text("availability"))
    return compact(price=amount, regularPrice=regular, currency=currency, availability=stock)


def first(node: Node, *names: str) -> Any:
    """The first value of the first of these properties."""
    return next(iter(node.values(*names)), None)


def currency_of_text(offer: Node) -> str | None:
    """The currency that stands with the price."""
    return money(offer.raw("price", "lowPrice") or "")[1]


def sku_of(node: Node) -> str | None:
    """The shop's number for a product."""
    if found := node.text("sku"):
        return found
    kind, _, value = (node.text("productID") or "").rpartition(":")
    return value if value and kind.lower() in ("", "sku") else None


def gtins(node: Node) -> list[dict[str, str]]:
    """The numbers by which the whole trade knows a product."""
    found: list[dict[str, str]] = []
    for name, kind in GTINS.items():
        for value in node.texts(name):
            found += gtin(kind, value)
    scheme, _, value = (node.text("productID") or "").partition(":")
    if value and scheme.lower() in GTINS:
        found += gtin(GTINS[scheme.lower()], value)
    return list({(one["type"], one["value"]): one for one in found}.values())


def gtin(kind: str, text: str) -> list[dict[str, str]]:
    """A number of the trade with its kind, if it can be one."""
    value = re.sub(
        r"[\s-]", "", re.sub(r"^(?:isbn|issn|gtin|ean|upc)[:\s]*", "", text.lower())
    ).upper()
    if not re.fullmatch(r"\d{7,14}X?", value) or len(value) > 14:
        return []
    if kind == "isbn13":
        kind = "isbn10" if len(value) == 10 else "isbn13"
    kind = kind or BY_LENGTH.get(len(value), "")
    return [{"type": kind, "value": value}] if kind else []


def properties_of(node: Node) -> list[dict[str, str]]:
    """What else the page says about a product."""
    found = additional_properties(node, "additionalProperty")
    known = {one["name"].lower() for one in found}
    for name in MORE:
        value = first(node, name)
        text = words(value) if value is not None else None
        if isinstance(value, Node) and text and (unit := value.text("unitText", "unitCode")):
            text = f"{text} {unit}"
        if text and name not in known:
            found.append({"name": name, "value": text})
    return found


def description_html(node: Node, said: str | None) -> str | None:
    """The description with its markup, if it has any."""
    if node.element is not None:
        for element in node.element.iterdescendants():
            if element.get("itemprop") == "description" and len(element):
                return str(html.tostring(element, encoding="unicode", with_tail=False))
    return said.strip() if said and re.search(r"<\w+[^>]*>", said) else None


def shown_fields(context: Context, node: Node | None) -> dict[str, Any]:
    """What the page shows of a product, where it does not say it in data."""
    page = context.page
    images = lead_images(page, None) or ([] if node else gallery(page))
    description = page.meta_first("description", "og:description")
    block = description_block(page)
    if block is not None and node is None:
        description = text_of(block)
    return compact(
        name=page.heading or shown_name(page) or page.meta_first("og:title") or page.title,
        offers=[] if node and offers(node) else shown_offers(page),
        sku=page.meta_first("product:retailer_item_id") or shown_sku(page),
        brand=page.meta_first("product:brand", "og:brand"),
        breadcrumbs=context.breadcrumbs,
        mainImage=images[0] if images else None,
        images=images,
        description=description,
        descriptionHtml=None if block is None else shown_html(block),
        additionalProperty=specifications(page),
    )


def shown_name(page: Page) -> str | None:
    """The name, where it is no heading."""
    for element in page.called(NAME, "span", "div", "h2", "p"):
        if (text := text_of(element, MAX_NAME)) and len(text) <= MAX_NAME:
            return text
    return None


def description_block(page: Page) -> Element | None:
    """The element that describes the product, or else what stands below such a heading."""
    for element in page.called(DESCRIPTION, "div", "section", "p"):
        if len(text_of(element, MIN_DESCRIPTION)) >= MIN_DESCRIPTION and not element.findall(
            ".//h1"
        ):
            return element
    for heading in page.body.iter("h2", "h3", "h4"):
        if DESCRIPTION.search(text_of(heading, MAX_NAME).lower()):
            for below in (heading, heading.getparent()):
                after = None if below is None else below.getnext()
                if after is not None and text_of(after, 0):
                    return after
    return None


def shown_html(block: Element) -> str | None:
    """A description with its markup, if it has any."""
    if not len(block) or not text_of(block):
        return None
    return str(html.tostring(block, encoding="unicode", with_tail=False))


def shown_offers(page: Page) -> list[dict[str, str]]:
    """The offer of the OpenGraph data, or else the one that can be seen."""
    currency = currency_of(page.meta_first("product:price:currency", "og:price:currency"))
    amount = page.meta_first("product:sale_price:amount", "product:price:amount", "og:price:amount")
    stock = availability(page.meta_first("product:availability", "og:availability"))
    if amount and (value := price(amount, currency)):
        regular = price(page.meta_first("product:original_price:amount"), currency)
        regular = regular if (number(regular) or 0) > (number(value) or 0) else None
        return [compact(price=value, regularPrice=regular, currency=currency, availability=stock)]
    offer = shown_offer(page.body, page.heading)
    stock = stock or shown_stock(page)
    if not offer:
        return []
    return [compact(**offer, availability=stock)]


def shown_stock(page: Page) -> str | None:
    """Whether the page shows that it can be had."""
    for element in page.called(STOCK):
        if found := availability(text_of(element, 200)):
            return found
    for element in page.body.iter("p", "span", "div", "b", "strong", "button"):
        text = (element.text or "").strip()
        if 4 < len(text) <= 40 and (found := availability(text)):
            return found
    return None


def shown_sku(page: Page) -> str | None:
    """The shop's number, if it is shown as such."""
    for element in page.called(SKU, "span", "b", "dd", "td", "strong"):
        text = text_of(element)
        if 2 <= len(text) <= 40 and " " not in text:
            return text
    for element in page.body.iter("p", "span", "li", "div", "td"):
        if (element.text or "").strip() and (match := SKU_TEXT.search(text_of(element, 200)[:200])):
            return match.group(1)
    return None


def gallery(page: Page) -> list[str]:
    """The pictures of the page that are not part of its frame."""
    found = []
    for image in page.body.iter("img"):
        around = [hint(one) + " " + str(one.tag) for one in image.iterancestors()]
        if any(re.search(r"\b(?:nav|header|footer|menu|logo|related)\b", one) for one in around):
            continue
        if image.get("src", "").startswith("http") and "logo" not in hint(image):
            found.append(image.get("src", ""))
    return unique(found)[:20]


def specifications(page: Page) -> list[dict[str, str]]:
    """The tables and lists of a page that give a product's properties."""
    found: list[dict[str, str]] = []
    for table in page.body.iter("table", "dl"):
        rows = table_rows(table)
        if rows and (SPECS.search(hint(table)) or all(th for th, _ in rows)):
            found += [{"name": name, "value": value} for name, value in (row for _, row in rows)]
    return found[:100]


def table_rows(table: Element) -> list[tuple[bool, tuple[str, str]]]:
    """The rows of two cells, and whether the first is a heading."""
    rows = []
    if table.tag == "dl":
        names = [child for child in table if child.tag == "dt"]
        values = [child for child in table if child.tag == "dd"]
        pairs = [(True, pair) for pair in zip(names, values, strict=False)]
    else:
        cells = [[cell for cell in row if cell.tag in ("td", "th")] for row in table.iter("tr")]
        pairs = [(row[0].tag == "th", (row[0], row[1])) for row in cells if len(row) == 2]
    for heading, (name, value) in pairs:
        texts = text_of(name).rstrip(":"), text_of(value)
        if all(texts) and len(texts[0]) <= 80:
            rows.append((heading, texts))
    return rows


def is_called_product(page: Page) -> bool:
    """Whether the heading stands in something that is called a product."""
    heading = next(iter(page.body.iter("h1")), None)
    around = [] if heading is None else [heading, *heading.iterancestors()]
    return any(CALLED.search(hint(one)) for one in around)


def probability(context: Context, node: Node | None, fields: dict[str, Any]) -> float:
    """How likely the page is that of one product."""
    page = context.page
    kind = page.meta_first("og:type") or ""
    several = sum(one.within in (None, *ASIDE) for one in context.graph.of_type(PRODUCTS)) > 2
    basket = any(
        BASKET.search(text_of(one, 100) or one.get("value", "")[:200])
        for one in page.body.iter("button", "input", "a")
        if len(one.text or "") < 200
    )
    offered = any("price" in offer for offer in fields.get("offers", []))
    return chance(
        (0.3 if several and node and not node.values("hasVariant") else 0.85) if node else 0.0,
        0.7 if "product" in kind else 0.0,
        0.3 if offered else 0.0,
        0.4 if basket and offered else 0.0,
        0.4 if offered and is_called_product(page) else 0.0,
        0.2 if "sku" in fields or "gtin" in fields else 0.0,
        0.2 if offered and "additionalProperty" in fields else 0.0,
    )
