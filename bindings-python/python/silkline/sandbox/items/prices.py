"""Prices as a page shows them."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from price_parser import Price

from silkline.sandbox.items.page import UNSEEN, Element, hint, text_of
from silkline.sandbox.items.values import compact, plain_decimal

SIGNS = r"[$€£¥₹₽₩₺₴₫฿]|zł|Kč|\bkr\b|\bFt\b|\blei\b|\bR\$|\b(?:AUD|CAD|CHF|CZK|DKK|EUR|GBP|INR|JPY|NOK|PLN|SEK|USD)\b"
AMOUNT = r"\d[\d.,'\u00a0\u202f ]{0,14}\d|\d"
PRICE = re.compile(rf"(?:{SIGNS})\s?(?:{AMOUNT})|(?:{AMOUNT})(?:,-)?\s?(?:{SIGNS})")
CALLED = re.compile(r"price|preis|\bprix\b|precio|prezzo|\bcost\b|amount")
STRUCK_TAGS = frozenset({"del", "s", "strike"})
STRUCK = re.compile(
    r"\b(?:old|was|before|basis\w*|list|regular|original|strike\w*|rrp|msrp|crossed|compare)\b|old-?price"
)
MAX_PRICED = 60


def money(text: str) -> tuple[str | None, str | None]:
    """The amount and the currency in a text such as `£1,150.00`."""
    match = PRICE.search(text[:200])
    if match is None:
        return None, None
    try:
        found = Price.fromstring(match.group())
    except (ValueError, InvalidOperation, ArithmeticError):
        return None, None
    amount: Decimal | None = found.amount
    return (None if amount is None else plain_decimal(amount)), found.currency


def shown_offer(container: Element, heading: str | None = None) -> dict[str, str]:
    """The price that is asked in a part of a page, with the one that was asked before."""
    current: list[tuple[str, str | None]] = []
    before: list[str] = []
    for element in priced(container, heading):
        amount, currency = money(text_of(element, 200))
        if amount is None:
            continue
        if is_struck(element, container):
            before.append(amount)
        else:
            current.append((amount, currency))
    if not current:
        return {}
    amount, currency = current[0]
    regular = next((one for one in before if Decimal(one) > Decimal(amount)), None)
    return compact(price=amount, regularPrice=regular, currency=currency)


def priced(container: Element, heading: str | None) -> list[Element]:
    """The innermost elements with a price: those called so, else those that hold little more."""
    named: list[Element] = []
    bare: list[Element] = []
    passed = heading is None
    for element in container.iter():
        if not isinstance(element.tag, str) or element.tag in UNSEEN:
            continue
        if not passed and element.tag == "h1" and text_of(element) == heading:
            passed = True
            named, bare = [], []
        if is_called(element, container) and is_whole(element):
            named.append(element)
        elif PRICE.search(own_text(element)):
            bare.append(element)
        if len(named) + len(bare) > MAX_PRICED:
            break
    struck = [element for element in bare if is_struck(element, container)]
    return [*named, *struck] if named else bare


def own_text(element: Element) -> str:
    """The text of an element without that of the elements in it; nothing if it is long."""
    text = "".join([element.text or "", *(child.tail or "" for child in element)])
    return text if len(text) <= 400 else ""


def is_whole(element: Element) -> bool:
    """Whether an element holds a price that none of its parts holds alone."""
    if PRICE.search(own_text(element)):
        return True
    if len(element) > 10 or not PRICE.search(text_of(element, 60)[:60]):
        return False
    return not any(PRICE.search(text_of(child, 60)[:60]) for child in element)


def is_called(element: Element, container: Element) -> bool:
    """Whether an element, or one closely around it, is called a price."""
    for distance, one in enumerate((element, *element.iterancestors())):
        if CALLED.search(hint(one)):
            return True
        if one is container or distance == 2:
            break
    return False


def is_struck(element: Element, container: Element) -> bool:
    """Whether a price is shown as one that is asked no more."""
    for one in (element, *element.iterancestors()):
        if one.tag in STRUCK_TAGS or STRUCK.search(hint(one)):
            return True
        if one is container:
            break
    return False
