"""Jobs, homes, vehicles, and what people say."""

from __future__ import annotations

from typing import Any

import pytest
from pages import item_of

JOBS: dict[str, dict[str, Any]] = {
    "lamp-engineer": {
        "title": "Lamp engineer",
        "datePosted": "2024-05-01T00:00:00",
        "validThrough": "2024-06-30T23:59:00+01:00",
        "employmentType": "FULL_TIME",
        "hiringOrganization": {"raw": "Northern Lights Authority"},
        "jobLocation": {"raw": "1 Depot Road, Wick, Highland, KW1 4AA, GB"},
        "baseSalary": {"raw": "GBP 31000 - 36500 per year", "value": 36500, "currency": "GBP"},
        "description": "You will look after the lamps of eighty-four stations.\n\n"
        "A head for heights\nA liking for small boats",
    },
    "night-attendant": {
        "employmentType": "PART_TIME, CONTRACTOR",
        "hiringOrganization": {"raw": "Alpine Sleeper"},
        "jobLocation": {"raw": "Innsbruck, Austria; Hamburg, Germany"},
        "baseSalary": {"raw": "EUR 17.5 per hour", "value": 17.5, "currency": "EUR"},
        "description": "Make up beds, carry trays, keep the peace.\nBreakfast is included.",
        "descriptionHtml": "Make up beds, carry trays, keep the peace.<br>Breakfast is included.",
    },
    "tide-data": {
        "jobLocation": {"raw": "Remote (Portugal)"},
        "baseSalary": {"raw": "EUR 42000", "value": 42000, "currency": "EUR"},
    },
    "waller": {
        "title": "Dry stone waller",
        "datePosted": "2024-02-20T00:00:00",
        "jobLocation": {"raw": "Inis Mór, Galway"},
        "baseSalary": {"raw": "€180 per day", "value": 180, "currency": "€"},
    },
    "printer": {
        "title": "Letterpress printer",
        "datePosted": "2024-05-05T00:00:00",
        "employmentType": "Part-time",
        "hiringOrganization": {"raw": "The Slow Harbour"},
        "jobLocation": {"raw": "Skerray, Scotland"},
        "baseSalary": {"raw": "£14.20 per hour", "value": 14.2, "currency": "£"},
    },
    "schmied": {
        "datePosted": "2024-01-15T00:00:00",
        "baseSalary": {"raw": "3.200 € im Monat", "value": 3200, "currency": "€"},
    },
}


@pytest.mark.parametrize("name", JOBS)
def test_jobs(name: str) -> None:
    item = item_of(f"/jobs/{name}.html")
    assert {field: item.get(field) for field in JOBS[name]} == JOBS[name]


def test_a_home_for_sale() -> None:
    item = item_of("/homes/keepers-cottage.html")
    expected = {
        "name": "Keeper's cottage, Skerray",
        "datePublished": "2024-03-21T00:00:00",
        "yearBuilt": 1892,
        "identifier": "HC-0042",
        "address": {
            "streetAddress": "2 Slip Lane",
            "addressLocality": "Skerray",
            "addressRegion": "Highland",
            "postalCode": "KW14 7TH",
            "addressCountry": "GB",
            "raw": "2 Slip Lane, Skerray, Highland, KW14 7TH, GB",
        },
        "area": {"value": 84.0, "unitCode": "SQMT", "raw": "84 m²"},
        "numberOfRooms": 5,
        "numberOfBedrooms": 2,
        "numberOfBathroomsTotal": 2,
        "numberOfFullBathrooms": 1,
        "numberOfPartialBathrooms": 1,
        "tradeActions": [{"tradeType": "SellAction", "price": "265000", "currency": "GBP"}],
        "additionalProperty": [
            {"name": "Boathouse", "value": "true"},
            {"name": "Heating", "value": "Wood"},
        ],
    }
    assert {field: item.get(field) for field in expected} == expected


def test_a_home_for_rent() -> None:
    item = item_of("/homes/canal-flat.html")
    assert item["tradeActions"] == [
        {"tradeType": "RentAction", "price": "1150.00", "currency": "EUR"}
    ]
    assert item["area"] == {"value": 61.5, "unitCode": "SQMT", "raw": "61.5 m²"}
    assert item["address"]["raw"] == "Kanalweg 9, Hamburg, 20457"


def test_a_car() -> None:
    item = item_of("/cars/estate.html")
    expected = {
        "name": "Volvo V70 D4, 2014",
        "brand": "Volvo",
        "vehicleIdentificationNumber": "YV1BW7951E1300042",
        "mileageFromOdometer": {"value": 182400, "unitCode": "KMT"},
        "vehicleTransmission": "Manual",
        "fuelType": "Diesel",
        "vehicleEngine": {"raw": "D4, 2.0 l"},
        "color": "Dark green",
        "vehicleInteriorColor": "Beige",
        "numberOfDoors": 5,
        "vehicleSeatingCapacity": 5,
        "fuelEfficiency": [{"raw": "4.9 l/100 km"}, {"raw": "58 mpg"}],
        "availableAtOrFrom": {"raw": "Autohaus am Kanal, Hamburg, DE"},
        "offers": [{"price": "7450", "currency": "EUR", "availability": "InStock"}],
    }
    assert {field: item.get(field) for field in expected} == expected


def test_a_van_in_microdata() -> None:
    item = item_of("/cars/library-van.html")
    assert item["mileageFromOdometer"] == {"value": 96250, "unitCode": "SMI"}
    assert item["vehicleEngine"] == {"raw": "2.3 litre, four cylinders"}
    assert item["offers"] == [{"price": "11900.00", "currency": "GBP"}]
    assert item["brand"] == "Sprinter"


def test_comments() -> None:
    marked = item_of("/magazine/stone-walls-comments.html")["comments"]
    assert [(one["upvoteCount"], one["downvoteCount"]) for one in marked] == [
        (14, 0),
        (6, 1),
        (31, 0),
    ]
    assert marked[2]["datePublished"] == "2022-06-09T08:45:00+01:00"
    assert marked[2]["datePublishedRaw"] == "9 June 2022"
    data = item_of("/magazine/ferry-radio-comments.html")["comments"]
    assert [one["text"] for one in data] == [
        "We hear it on Corvo before the alarm clock.",
        "The dog has a name. It is Faísca.",
        "Six past, and nobody at sea. The best sentence of the day.",
    ]
    assert data[1]["datePublished"] == "2024-02-12T20:06:00-01:00"
    assert (data[2]["upvoteCount"], data[2]["downvoteCount"]) == (21, 2)
    assert "upvoteCount" not in data[1]


def test_a_forum_thread() -> None:
    item = item_of("/forum/tide-hand.html")
    assert item["topic"] == {"name": "Tide clock runs fast after new moon"}
    assert [one["text"][:20] for one in item["posts"]] == [
        "I have built the one",
        "It is the moon. One ",
        "Filing one tonight. ",
        "Forty minutes is abo",
    ]
    assert [one.get("replyCount") for one in item["posts"]] == [2, 1, None, None]
    assert [one.get("upvoteCount") for one in item["posts"]] == [5, 12, None, 3]


def test_a_question_with_answers() -> None:
    item = item_of("/forum/lime-or-clay.html")
    assert item["topic"] == {"name": "Lime or clay for the oven floor?"}
    assert [one["upvoteCount"] for one in item["posts"]] == [7, 19, 4]
    assert item["posts"][0]["replyCount"] == 2


def test_reviews() -> None:
    item = item_of("/shop/reviews/rain-jacket.html")
    first, second, third = item["reviews"]
    assert first["reviewRating"] == {"ratingValue": 10.0, "bestRating": 10.0}
    assert second["name"] == "Good, but long in the arm"
    assert second["reviewRating"]["ratingValue"] == 7.5
    assert second["votedHelpful"] == 4
    assert third["reviewRating"] == {"ratingValue": 8.0}
    assert item["paginationNext"]["text"] == "Older"
    assert item["paginationPrevious"]["text"] == "Newer"
    marked = item_of("/shop/reviews/desk-lamp.html")["reviews"]
    assert [one["name"] for one in marked] == ["A steady light", "Heavy"]
    assert marked[0]["datePublished"] == "2024-04-01T00:00:00"
