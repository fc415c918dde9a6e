"""Dates as ISO 8601, beside how the page writes them."""

from __future__ import annotations

import re
import warnings
from datetime import datetime
from functools import lru_cache
from typing import Any

import dateparser
from dateutil.parser import isoparse

from silkline.sandbox.items.page import Page, squeeze, text_of
from silkline.sandbox.items.structured import Node, plain

MAX_DATE = 60
# Understanding one takes up to some milliseconds; a page with more dates keeps the rest as they are.
MAX_DATES = 1000
ISO = re.compile(r"(\d{4}-\d\d-\d\d|\d{8})(?:[T ]\d\d:?\d\d.*)?$")
# A date within other words, such as `Posted on 3 May 2021 by`.
WITHIN = re.compile(
    r"\d{1,2}(?:st|nd|rd|th|er|º|\.)?(?:\s+(?:de|of|di))?\s+[^\W\d_]{3,12}\.?,?(?:\s+(?:de|del))?\s+\d{4}"
    r"|[^\W\d_]{3,12}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4}"
    r"|\d{4}\s*[年년]\s*\d{1,2}\s*[月월]\s*\d{1,2}\s*[日일]"
    r"|\d{1,2}[./-]\d{1,2}[./-]\d{4}|\d{4}[./-]\d{1,2}[./-]\d{1,2}"
)
# The day comes first in English outside the United States.
DAY_FIRST = frozenset({"AU", "GB", "IE", "IN", "NZ", "ZA"})


def iso_date(text: str | None, language: str | None = None) -> str | None:
    """`text` as an ISO date and time, with its offset if it has one; nothing if it is no date."""
    text = squeeze(plain((text or "")[:400]))
    if not text or len(text) > MAX_DATE:
        return None
    moment = iso_moment(text)
    if moment is None:
        moment = written_moment(text, language)
    return None if moment is None else moment.replace(microsecond=0).isoformat()


def iso_moment(text: str) -> datetime | None:
    """A date in the form of a machine."""
    if not ISO.match(text):
        return None
    try:
        return isoparse(text.replace(" ", "T", 1).replace(" ", ""))
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=4096)
def written_moment(text: str, language: str | None) -> datetime | None:
    """A date in the words of a person, who names day, month and year."""
    settings: dict[str, Any] = {
        "PARSERS": ["absolute-time"],
        "REQUIRE_PARTS": ["day", "month", "year"],
        "RETURN_AS_TIMEZONE_AWARE": False,
    }
    code, _, region = (language or "").partition("-")
    if code == "en" and region.upper() in DAY_FIRST:
        settings["DATE_ORDER"] = "DMY"
    piece = WITHIN.search(text)
    if piece is None:
        return None
    # Trying all languages takes seconds: only where the page does not tell its own.
    for languages in ([code], ["en"]) if code else (["en"], None):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = dateparser.parse(piece.group(), languages=languages, settings=settings)
        except (ValueError, OverflowError, TypeError, AttributeError):
            continue
        if found is not None:
            return found
    return None


class Dates:
    """The dates of a page: how it shows those that it gives to machines."""

    def __init__(self, page: Page, language: str | None) -> None:
        self.language = language
        self.left: int = MAX_DATES
        self.shown: dict[str, str] = {}
        for element in page.body.iter("time"):
            moment, text = element.get("datetime", "").strip(), text_of(element, MAX_DATE)
            if moment and text and len(text) <= MAX_DATE:
                self.shown.setdefault(moment[:MAX_DATE], text)

    def pair(self, text: str | None, name: str) -> dict[str, str]:
        """The fields `name` and `nameRaw` of a date."""
        text = squeeze(plain((text or "")[:400]))
        self.left -= 1
        moment = iso_date(text, self.language) if self.left >= 0 else None
        if not text or (moment is None and len(text) > MAX_DATE):
            return {}
        shown = self.shown.get(text)
        if shown is None and moment is not None and not ISO.match(text):
            piece = WITHIN.search(text)
            shown = piece.group() if piece else None
        fields = {name + "Raw": shown or text}
        if moment is not None:
            fields[name] = moment
        return fields

    def of(self, node: Node, name: str, *properties: str) -> dict[str, str]:
        """The same, of the first of a node's properties that there is."""
        return self.pair(node.text(*properties), name)
