"""Values as an item holds them: numbers, prices, pictures, ratings, without empty ones."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from price_parser import Price

from silkline.sandbox.items.page import Page
from silkline.sandbox.items.structured import Node, Value, plain, words

# Currencies whose prices have three decimals; elsewhere three digits are thousands.
THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
CURRENCY = re.compile(r"\b[A-Z]{3}\b")
MAX_TEXT = 200
MAX_PLACES = 3  # inside each other
IN_STOCK = re.compile(
    r"in\s?stock|limited\s?availab|^available|online\s?only|pre\s?-?(?:order|sale)|back\s?order"
    r"|made\s?to\s?order|instoreonly|lieferbar|auf lager|en stock|disponible|disponibile"
)
OUT_OF_STOCK = re.compile(
    r"out\s?of\s?stock|sold\s?out|discontinued|unavailable|\boos\b|ausverkauft|nicht lieferbar"
    r"|nicht (?:auf lager|verfügbar)|épuisé|rupture|agotado|no disponible|esaurito"
)


def compact(**fields: Any) -> dict[str, Any]:
    """The fields that are known: empty ones are left out, never null."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}


def unique(values: Iterable[str | None]) -> list[str]:
    """The values that there are, each once, in order."""
    return list(dict.fromkeys(value for value in values if value))


def chance(*weights: float) -> float:
    """How likely it is, if each piece of evidence alone makes it so likely."""
    against = 1.0
    for weight in weights:
        against *= 1 - weight
    return round(min(max(1 - against, 0.01), 0.99), 4)


def number(value: Value | None) -> float | None:
    """A number, however it is written: `182,400`, `4,7`, `8/10`."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, Node):
        inner = next(iter(value.values("value", "name", "ratingValue")), None)
        return None if isinstance(inner, Node) else number(inner)
    if isinstance(value, (int, float)):
        return float(value) if abs(value) < 1e15 else None
    text = plain(value[:MAX_TEXT]).split("/")[0]
    amount = decimal(text)
    return None if amount is None else float(amount)


def whole(value: Value | None) -> int | None:
    """A whole number."""
    amount = number(value)
    return None if amount is None else int(amount)


def tidy(amount: float) -> float | int:
    """A number without a fraction as a whole one."""
    return int(amount) if amount.is_integer() else amount


def decimal(text: str) -> Decimal | None:
    """The number in a text, by the conventions of prices."""
    text = text.strip()[:MAX_TEXT]
    if re.fullmatch(r"-?\d{1,15}(?:\.\d{1,2}|\.\d{4,9})?", text):
        return Decimal(text)
    try:
        return Price.fromstring(text).amount
    except (ValueError, InvalidOperation, ArithmeticError):
        return None


def price(value: Value | None, currency: str | None = None) -> str | None:
    """A price as a string with a decimal point."""
    if isinstance(value, bool) or value is None or isinstance(value, Node):
        return None
    if isinstance(value, int):
        return str(value) if 0 <= value < 10**15 else None
    if isinstance(value, float):
        return plain_decimal(Decimal(repr(value))) if 0 <= value < 1e15 else None
    text = plain(value[:MAX_TEXT])
    if (currency or "").upper() in THREE_DECIMALS and re.fullmatch(r"\d+\.\d{3}", text.strip()):
        return text.strip()
    amount = decimal(text)
    return None if amount is None or amount < 0 else plain_decimal(amount)


def plain_decimal(amount: Decimal) -> str:
    """A decimal without an exponent or a bare `.0`."""
    text = format(amount, "f")
    return text.removesuffix(".0")


def currency_of(value: Value | None) -> str | None:
    """A currency as the page gives it: its code, or else its sign."""
    text = words(value) if value is not None else None
    if not text:
        return None
    if code := CURRENCY.search(text.upper() if len(text) == 3 else text):
        return code.group()
    return Price.fromstring(f"1 {text[:20]}").currency or (text if len(text) <= 5 else None)


def availability(text: str | None) -> str | None:
    """`InStock` or `OutOfStock`, if a text says either."""
    lowered = (text or "")[-MAX_TEXT:].lower().rsplit("/", 1)[-1]
    if OUT_OF_STOCK.search(lowered):
        return "OutOfStock"
    return "InStock" if IN_STOCK.search(lowered) else None


def picture_urls(page: Page, values: Iterable[Value]) -> list[str]:
    """The addresses of pictures, given as such or as things."""
    found: list[str | None] = []
    for value in values:
        if isinstance(value, Node):
            links = value.values("contentUrl") or value.values("url") or value.values("src")
            found += [page.join(link) for link in links if isinstance(link, str)]
            if not links and value.identity and "ImageObject" not in value.types:
                found.append(page.join(value.identity))
        elif isinstance(value, str) and value.strip():
            found.append(page.join(value))
    return unique(found)


def rating(node: Node) -> dict[str, Any]:
    """A rating: its value, the best there is, and how many gave one."""
    value = next(iter(node.values("ratingValue")), None)
    best = number(next(iter(node.values("bestRating")), None))
    if best is None and isinstance(value, str) and "/" in value:
        best = number(value.split("/")[1])
    count = whole(next(iter(node.values("reviewCount")), None))
    if count is None:
        count = whole(next(iter(node.values("ratingCount")), None))
    return compact(ratingValue=number(value), bestRating=best, reviewCount=count)


def additional_properties(node: Node, *names: str) -> list[dict[str, str]]:
    """What else there is to say about a thing, as pairs of name and value."""
    found = []
    for one in node.nodes(*names):
        name, value = one.text("name", "propertyID"), one.text("value", "description")
        unit = one.text("unitText", "unitCode")
        if name and value:
            found.append({"name": name, "value": f"{value} {unit}" if unit else value})
    return found


def place(value: Value | None, depth: int = 0) -> str | None:
    """A place or an address on one line."""
    if not isinstance(value, Node):
        return words(value) if value is not None else None
    parts = unique(
        value.text(name)
        for name in ("streetAddress", "addressLocality", "addressRegion", "postalCode")
    )
    country = value.text("addressCountry")
    if parts or country:
        return ", ".join(unique([*parts, country]))
    address = next(iter(value.values("address", "location")), None)
    inner = place(address, depth + 1) if depth < MAX_PLACES else None
    return ", ".join(unique([value.text("name"), inner])) or None
