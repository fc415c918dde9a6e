"""The pages of `tests/site`, and what holds of every item whatever its page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from silkline.sandbox.items import Extraction, extract

SITE = Path(__file__).resolve().parents[3] / "tests" / "site"
PAGES: list[dict[str, str]] = json.loads((SITE / "pages.json").read_text(encoding="utf-8"))
HOST = "http://site.test"

_ENTRY = {"probability"}
_DATED = {"datePublished", "datePublishedRaw"}
_PAGED = {"paginationNext", "paginationPrevious"}
_PICTURED = {"mainImage", "images"}
_ARTICLE = {"headline", "author", "authorsList", "inLanguage", "articleBody"} | _PICTURED | _DATED
_OFFERED = {"name", "offers", "sku", "brand", "description", "descriptionHtml", "aggregateRating"}
_PRODUCT = (
    _OFFERED
    | _PICTURED
    | {"gtin", "mpn", "breadcrumbs", "additionalProperty", "color", "size", "style"}
    | {"hasVariants", "canonicalUrl"}
)
# The fields of each item, and of the entries of those that are lists.
FIELDS: dict[str, set[str]] = {
    "article": _ENTRY
    | _ARTICLE
    | {"dateModified", "dateModifiedRaw", "breadcrumbs", "description", "articleBodyHtml"}
    | {"articleBodyRaw", "videoUrls", "audioUrls", "canonicalUrl"},
    "articleList": {"articles"} | _PAGED,
    "comments": {"comments"},
    "forumPosts": {"topic", "posts"},
    "jobPosting": _ENTRY
    | {"title", "datePosted", "validThrough", "description", "descriptionHtml", "employmentType"}
    | {"hiringOrganization", "baseSalary", "jobLocation"},
    "product": _ENTRY | _PRODUCT,
    "productList": {"products", "breadcrumbs"} | _PAGED,
    "realEstate": _ENTRY
    | _DATED
    | _PICTURED
    | {"name", "description", "yearBuilt", "breadcrumbs", "additionalProperty", "address", "area"}
    | {"numberOfBathroomsTotal", "numberOfFullBathrooms", "numberOfPartialBathrooms"}
    | {"numberOfBedrooms", "numberOfRooms", "identifier", "tradeActions"},
    "reviews": {"reviews"} | _PAGED,
    "vehicle": _ENTRY
    | (_PRODUCT - {"gtin", "size", "style", "hasVariants"})
    | {"vehicleIdentificationNumber", "mileageFromOdometer", "vehicleTransmission", "fuelType"}
    | {"vehicleEngine", "vehicleInteriorColor", "availableAtOrFrom", "numberOfDoors"}
    | {"vehicleSeatingCapacity", "fuelEfficiency"},
}
_POST = _ENTRY | _DATED | {"text", "upvoteCount", "downvoteCount"}
ENTRIES: dict[str, set[str]] = {
    "articles": {"url"} | _ENTRY | _ARTICLE,
    "comments": _POST,
    "posts": _POST | {"replyCount"},
    "products": {"url"} | _ENTRY | _OFFERED | _PICTURED,
    "reviews": _ENTRY
    | _DATED
    | {"name", "reviewBody", "reviewRating", "votedHelpful", "votedUnhelpful", "isVerified"},
}
LINKS = {"url", "link", "canonicalUrl", "mainImage", "images", "videoUrls", "audioUrls"}


def read(path: str) -> Extraction:
    """What is found on a page of the site."""
    page = next(page for page in PAGES if page["path"] == path)
    return extract(
        (SITE / path.lstrip("/")).read_bytes(),
        HOST + path,
        page["page_type"],
        content_type=page.get("content_type", "text/html; charset=utf-8"),
    )


def item_of(path: str) -> dict[str, Any]:
    """The item of a page of the site."""
    item = read(path).item
    assert item is not None
    return item


def check(item: dict[str, Any], page_type: str) -> None:
    """Fails unless an item has the shape of its type."""
    assert set(item) <= FIELDS[page_type] | {"url"}, set(item) - FIELDS[page_type]
    assert "url" in item
    assert ("probability" in item) == ("probability" in FIELDS[page_type])
    for name, fields in ENTRIES.items():
        for entry in item.get(name, []):
            assert set(entry) <= fields, set(entry) - fields
            assert "probability" in entry
    check_values(item)
    json.dumps(item, allow_nan=False)


def check_values(value: Any, name: str = "") -> None:
    """Fails on empty values, links that are not absolute, and numbers where there are none."""
    assert value is not None, name
    assert value not in ("", [], {}), name
    if isinstance(value, dict):
        for key, inner in value.items():
            check_values(inner, key)
    elif isinstance(value, list):
        for inner in value:
            check_values(inner, name)
    elif name in LINKS:
        assert value.startswith(("http://", "https://")), value
    elif name == "probability":
        assert 0 < value <= 1
    elif name in ("price", "regularPrice"):
        assert isinstance(value, str)
        assert value.replace(".", "", 1).isdecimal(), value
    elif name in ("datePublished", "dateModified"):
        assert value[10] == "T", value
