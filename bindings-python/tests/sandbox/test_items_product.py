"""Products and lists of products, field by field."""

from __future__ import annotations

from typing import Any

import pytest
from pages import item_of

SHOP = "http://site.test/shop/"
IMAGES = "http://site.test/images/"


def offer(
    price: str, currency: str, stock: str | None = "InStock", regular: str | None = None
) -> dict[str, str]:
    fields = {"price": price, "regularPrice": regular, "currency": currency, "availability": stock}
    return {name: value for name, value in fields.items() if value is not None}


PRODUCTS: dict[str, dict[str, Any]] = {
    "copper-kettle": {
        "name": "Copper kettle, 1.4 l",
        "offers": [offer("84.00", "GBP")],
        "sku": "KT-140",
        "mpn": "TW1404",
        "gtin": [{"type": "ean13", "value": "5012345678900"}],
        "brand": "Rae & Daughters",
        "color": "Copper",
        "images": [IMAGES + "copper-kettle.png", IMAGES + "copper-kettle-lid.png"],
        "aggregateRating": {"ratingValue": 4.7, "bestRating": 5.0, "reviewCount": 128},
        "additionalProperty": [
            {"name": "Capacity", "value": "1.4 l"},
            {"name": "Hob", "value": "Gas, electric, wood"},
            {"name": "material", "value": "Copper"},
        ],
        "breadcrumbs": [
            {"name": "Shop", "link": SHOP + "index.html"},
            {"name": "Kettles", "link": SHOP + "category/kettles.html"},
            {"name": "Copper kettle, 1.4 l"},
        ],
        "canonicalUrl": SHOP + "copper-kettle.html",
    },
    "field-kettle": {
        "offers": [offer("45.5", "GBP", regular="52")],
        "brand": "Hill Pattern",
        "mainImage": IMAGES + "field-kettle.png",
        "breadcrumbs": [
            {"name": "Shop", "link": SHOP + "index.html"},
            {"name": "Kettles", "link": SHOP + "category/kettles.html"},
        ],
    },
    "travel-mug": {
        "offers": [offer("18", "GBP")],
        "sku": "MUG-3",
        "brand": "Slipway",
        "size": "350 ml",
        "aggregateRating": {"ratingValue": 3.9, "reviewCount": 41},
    },
    "camp-stove": {
        "name": 'Camp stove "Little Brother"',
        "sku": "40017",
        "brand": "Kindle & Co",
        "offers": [offer("1249.50", "USD")],
        "mainImage": "http://images.tidewater.example/camp-stove.png",
        "description": "One burner,\ntwo pots, three minutes.",
    },
    "tide-almanac": {"gtin": [{"type": "isbn13", "value": "9781402894626"}]},
    "rain-jacket": {
        "offers": [offer("165.00", "GBP", regular="210.00"), offer("195.00", "EUR", "OutOfStock")],
        "gtin": [{"type": "upc", "value": "036000291452"}],
        "size": "S, M, L",
        "aggregateRating": {"ratingValue": 8.4, "bestRating": 10.0, "reviewCount": 3},
    },
    "pocket-compass": {"offers": [offer("0", "GBP", "OutOfStock")]},
    "desk-lamp": {
        "name": "Desk lamp, brass",
        "brand": "Lantern Row",
        "sku": "DL-2",
        "offers": [offer("129.00", "GBP")],
        "images": [IMAGES + "desk-lamp.png", IMAGES + "desk-lamp-off.png"],
        "descriptionHtml": '<div itemprop="description"><p>A weighted foot, one joint, and a shade '
        "you can turn with a finger.</p></div>",
        "aggregateRating": {"ratingValue": 4.2, "reviewCount": 19},
        "additionalProperty": [
            {"name": "Height", "value": "41 cm"},
            {"name": "Bulb", "value": "E14"},
        ],
    },
    "storm-lantern": {
        "offers": [offer("39.90", "EUR", "OutOfStock")],
        "brand": "Lantern Row",
        "description": "Burns for twenty hours on a cup of oil, and goes out when you tell it to.",
    },
    "fr/theiere": {"offers": [offer("1089.50", "EUR")], "brand": "Atelier Féral"},
    "oak-stool": {
        "name": "Oak stool",
        "offers": [offer("74.00", "GBP")],
        "brand": "Aldmere Joinery",
        "mainImage": IMAGES + "oak-stool.png",
    },
    "enamel-bowl": {
        "name": "Enamel bowl, blue rim",
        "offers": [offer("9.50", "GBP")],
        "brand": "Slipway",
        "sku": "EB-1",
        "canonicalUrl": SHOP + "enamel-bowl.html",
    },
    "linen-apron": {"offers": [offer("32.00", "EUR", "OutOfStock")]},
    "clothes-brush": {
        "name": "Clothes brush",
        "offers": [offer("21.50", "£", regular="28.00")],
        "sku": "CB-24",
        "mainImage": IMAGES + "clothes-brush.png",
        "description": "Pear wood and horsehair. It will outlast the coat.",
        "additionalProperty": [
            {"name": "Length", "value": "24 cm"},
            {"name": "Bristle", "value": "Horsehair"},
        ],
    },
    "de/kuechenmesser": {"offers": [offer("49.90", "EUR")], "brand": "Klinge & Söhne"},
    "ja/tetsubin": {"name": "南部鉄瓶 1.2リットル", "offers": [offer("33000", "JPY")]},
    "brass-bell": {
        "mainImage": SHOP + "assets/img/bell.png",
        "offers": [offer("61", "GBP")],
        "breadcrumbs": [
            {"name": "Shop", "link": SHOP + "index.html"},
            {"name": "Fittings", "link": SHOP + "category/lamps.html"},
        ],
    },
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products(name: str) -> None:
    item = item_of(f"/shop/{name}.html")
    assert {field: item.get(field) for field in PRODUCTS[name]} == PRODUCTS[name]
    assert item["probability"] > 0.6


def test_variants() -> None:
    item = item_of("/shop/wool-blanket.html")
    assert item["offers"] == [offer("95", "GBP")]
    assert [(one["sku"], one["color"], one["size"]) for one in item["hasVariants"]] == [
        ("WB-G-S", "Grey", "Small"),
        ("WB-G-L", "Grey", "Large"),
        ("WB-M-S", "Moss", "Small"),
    ]
    assert item["hasVariants"][1]["offers"] == [offer("140", "GBP", "OutOfStock")]
    assert {(one["url"], one["probability"]) for one in item["hasVariants"]} == {(item["url"], 1.0)}


def test_data_that_is_half_nonsense() -> None:
    item = item_of("/odd/bad-json.html")
    assert item["name"] == "Whole jug"
    assert item["mainImage"] == IMAGES + "jug.png"
    assert not item.keys() & {"offers", "brand", "aggregateRating"}


def names(item: dict[str, Any]) -> list[str]:
    return [entry["name"] for entry in item["products"]]


def test_a_list_over_three_pages() -> None:
    one, two, three = (item_of(f"/shop/category/kettles{page}.html") for page in ("", "-2", "-3"))
    assert names(one) == ["Copper kettle, 1.4 l", "Field kettle", "Stove kettle, cast iron"]
    assert names(two) == ["Spare whistle", "Milk kettle", "Drip pot"]
    assert names(three) == ["Tea urn, 12 l", "Trivet"]
    category = SHOP + "category/"
    assert one["paginationNext"] == {"url": category + "kettles-2.html", "text": "Next page"}
    assert "paginationPrevious" not in one
    assert two["paginationNext"]["url"] == category + "kettles-3.html"
    assert two["paginationPrevious"] == {"url": category + "kettles.html", "text": "Previous page"}
    assert "paginationNext" not in three
    assert [crumb["name"] for crumb in one["breadcrumbs"]] == ["Shop", "Kettles"]
    entry = one["products"][0]
    assert entry.pop("probability") > 0.9
    assert entry == {
        "url": SHOP + "copper-kettle.html",
        "name": "Copper kettle, 1.4 l",
        "sku": "KT-140",
        "offers": [offer("84.00", "GBP")],
        "mainImage": IMAGES + "copper-kettle.png",
        "images": [IMAGES + "copper-kettle.png"],
    }


def test_a_list_in_microdata() -> None:
    item = item_of("/shop/category/lamps.html")
    assert names(item) == [
        "Desk lamp, brass",
        "Storm lantern",
        "Floor lamp, ash",
        "Wick, three metres",
    ]
    assert item["products"][1]["aggregateRating"] == {"ratingValue": 4.9, "reviewCount": 204}
    assert item["products"][3]["offers"] == [offer("3.20", "GBP", None)]
    assert item["paginationNext"] == {"url": SHOP + "category/lamps.html?page=2", "text": "»"}


def test_a_list_by_its_looks() -> None:
    item = item_of("/shop/category/sale.html")
    assert len(item["products"]) == 6
    last = item["products"][5]
    assert last.pop("probability") > 0.7
    assert last == {
        "url": SHOP + "sea-chest.html",
        "name": "Sea chest",
        "offers": [offer("990.00", "£", None, "1150.00")],
        "mainImage": IMAGES + "sea-chest.png",
        "images": [IMAGES + "sea-chest.png"],
    }
    assert item["products"][3]["offers"] == [offer("74.00", "£", None)]


def test_a_german_list() -> None:
    item = item_of("/shop/de/messer.html")
    assert [entry["offers"][0]["price"] for entry in item["products"]] == [
        "49.90",
        "64.00",
        "1029.00",
    ]
    assert item["paginationNext"]["text"] == "Nächste Seite"
