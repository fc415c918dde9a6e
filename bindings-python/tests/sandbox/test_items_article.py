"""Articles and lists of articles, field by field."""

# ruff: noqa: RUF001
from __future__ import annotations

import re

import pytest
from pages import SITE, item_of

from silkline.sandbox.items import extract

IMAGES = "http://site.test/images/"

# path: headline, published, as written, authors, main image, how the body starts and ends, words
ARTICLES = {
    "tide-clock": (
        "The clock that tells the tide", "2023-09-14T07:30:00+01:00", "14 September 2023",
        ["Hester Vaughan"], "tide-clock.png",
        "The clock above the chandlery door", "went home for their dinner.", 906,
    ),
    "bread-oven": (
        "Thursday's oven", "2022-11-03T00:00:00", "3 November 2022", ["Benedikt Auer"],
        "bread-oven.png", "Every Thursday, a little after four", "where it said other remarks.", 848,
    ),
    "ferry-radio": (
        "Six minutes past", "2024-02-09T06:06:00-01:00", "2024-02-09T06:06:00-01:00",
        ["Duarte Leal"], "ferry-radio.png", "At six minutes past every hour",
        "Hear the four o'clock edition:", 835,
    ),
    "salt-marsh": (
        "A hole in the wall", "2021-08-30T09:00:00+00:00", "2021-08-30T09:00:00.000Z",
        ["Rosalind Pell", "Chidi Okafor"], "salt-marsh.png",
        "There is a wall at Aldmere", "She had one in the car.", 815,
    ),
    "night-train": (
        "Eleven empty rooms", "2020-02-28T00:00:00", "28 February 2020", ["Lotte Aigner"],
        "sleeper-corridor.png", "On a night train in February", "that we are nearly there.", 780,
    ),
    "stone-walls": (
        "The gap and the heap", "2022-06-04T06:00:00+01:00", "2022-06-04T06:00:00+01:00",
        ["Niamh Keane", "Tadhg Burke"], "stone-walls.png",
        "The first thing that Aoife", "and finds it a place.", 811,
    ),
    "repair-cafe": (
        "Table four", "2021-03-14T00:00:00", "2021-03-14", ["Gwen Parry"], "repair-cafe.png",
        "The toaster on table four", "had wanted somebody to check.", 792,
    ),
    "lighthouse-keys": (
        "Two hundred and sixty keys", "2023-01-19T00:00:00", "2023-01-19", ["Alasdair Munro"],
        "lighthouse-keys.png", "When the last keepers left Stroma", "would fit in the van.", 815,
    ),
    "hausboot": (
        "Hundert Meter weiter", "2022-11-12T00:00:00", "12. November 2022", ["Wiebke Thomsen"],
        "hausboot.png", "Als Jette Petersen ihr Haus verkaufte", "im November noch einmal fragen.",
        577,
    ),
    "marche": (
        "La place numéro un", "2021-05-03T00:00:00", "3 mai 2021", ["Élise Garnier"], "marche.png",
        "À cinq heures du matin", "deux personnes continuent de parler.", 594,
    ),
    "faro": (
        "El faro que se enciende solo", "2024-12-01T19:00:00+01:00", "1 de diciembre de 2024",
        ["Marta Seoane"], "faro.png", "Cada tarde, a la misma hora", "y luego de golpe azul.", 525,
    ),
    "biblioteka": (
        "Библиотека по четвергам", "2019-10-17T00:00:00", "17 октября 2019", ["Нина Горелова"],
        None, "В посёлке Озёрки библиотека", "было всего одно слово: «Ещё».", 426,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ARTICLES)
def test_articles(name: str) -> None:
    headline, published, raw, authors, image, start, end, words = ARTICLES[name]
    item = item_of(f"/magazine/{name}.html")
    assert item["headline"] == headline
    assert (item["datePublished"], item["datePublishedRaw"]) == (published, raw)
    assert item["authorsList"] == authors
    assert item["author"] == ", ".join(authors)
    assert item.get("mainImage") == (IMAGES + image if image else None)
    body = item["articleBody"]
    assert body.startswith(start), body[:100]
    assert body.endswith(end), body[-100:]
    assert abs(len(body.split()) - words) <= 0.04 * words


@pytest.mark.parametrize("name", ARTICLES)
def test_bodies_in_html_have_the_same_words(name: str) -> None:
    item = item_of(f"/magazine/{name}.html")
    simple = item["articleBodyHtml"]
    assert simple.startswith("<article>")
    assert not re.search(
        r"<(?:nav|script|form|div|span|font|table)\b|\s(?:class|style|id)=", simple
    )
    words = re.findall(r"\w+", re.sub(r"<[^>]*>|&\w+;", " ", simple))
    assert words == re.findall(r"\w+", item["articleBody"].replace("&", " "))
    assert item["articleBodyRaw"].count("<p") >= 5


def test_headings_quotations_and_lists_keep_their_elements() -> None:
    simple = item_of("/magazine/salt-marsh.html")["articleBodyHtml"]
    assert "<h2>What came to live there</h2>" in simple
    assert "<blockquote><p>We did not give the land to the sea." in simple
    assert simple.count("<li>") == 4


def test_further_fields_of_an_article() -> None:
    item = item_of("/magazine/tide-clock.html")
    assert item["dateModified"] == "2023-09-16T00:00:00"
    assert item["inLanguage"] == "en"
    assert item["canonicalUrl"] == "http://site.test/magazine/tide-clock.html"
    assert item["description"].startswith("A clock with one hand")
    assert item["images"] == [IMAGES + "tide-clock.png", IMAGES + "tide-wheel.png"]
    assert item["breadcrumbs"][1] == {
        "name": "Coast",
        "link": "http://site.test/magazine/section/coast.html",
    }


def test_films_and_sounds() -> None:
    item = item_of("/magazine/ferry-radio.html")
    assert item["audioUrls"] == ["http://site.test/media/four-oclock.mp3"]
    assert item["videoUrls"] == [
        "http://site.test/media/kitchen-studio.mp4",
        "https://www.youtube.com/embed/silkline0001",
    ]
    assert item["images"][1:] == [IMAGES + "ferry-map.png", IMAGES + "ferry-stern.png"]


def test_the_base_of_a_page_counts() -> None:
    item = item_of("/magazine/lighthouse-keys.html")
    assert item["canonicalUrl"] == "http://site.test/magazine/lighthouse-keys.html"


def test_the_raw_body_can_be_left_out() -> None:
    html = (SITE / "magazine/tide-clock.html").read_bytes()
    item = extract(html, "http://a.test/", "article", article_body_raw=False).item
    assert item is not None
    assert "articleBody" in item
    assert "articleBodyHtml" in item
    assert "articleBodyRaw" not in item


def test_broken_markup_keeps_its_words() -> None:
    body = item_of("/odd/broken.html")["articleBody"]
    assert body.startswith("It starts well enough")
    assert body.endswith("after the end of everything.")
    assert item_of("/odd/mislabelled.html")["headline"] == "Ein Brief aus Ålesund"
    assert "The words around them are still words" in item_of("/odd/nul.html")["articleBody"]


def test_a_list_by_its_looks() -> None:
    item = item_of("/magazine/index.html")
    assert len(item["articles"]) == 5
    first = item["articles"][0]
    assert first.pop("probability") > 0.8
    assert first == {
        "url": "http://site.test/magazine/tide-clock.html",
        "headline": "The clock that tells the tide",
        "datePublished": "2023-09-14T00:00:00",
        "datePublishedRaw": "14 September 2023",
        "author": "Hester Vaughan",
        "authorsList": ["Hester Vaughan"],
        "inLanguage": "en",
        "mainImage": IMAGES + "tide-clock.png",
        "images": [IMAGES + "tide-clock.png"],
        "articleBody": "A clock with one hand has kept a northern village on the sea's time for "
        "more than a century.",
    }
    assert item["paginationNext"] == {
        "url": "http://site.test/magazine/page-2.html",
        "text": "Older stories",
    }
    assert "paginationPrevious" not in item


def test_the_last_page_of_a_list() -> None:
    item = item_of("/magazine/page-2.html")
    assert [entry["headline"] for entry in item["articles"]] == [
        "The gap and the heap",
        "Table four",
        "Two hundred and sixty keys",
    ]
    assert item["paginationPrevious"]["url"] == "http://site.test/magazine/index.html"
    assert "paginationNext" not in item


def test_a_list_in_structured_data() -> None:
    coast = item_of("/magazine/section/coast.html")["articles"]
    assert [entry["url"].rsplit("/", 1)[1] for entry in coast] == [
        "tide-clock.html",
        "salt-marsh.html",
        "lighthouse-keys.html",
    ]
    assert coast[1]["datePublished"] == "2021-08-30T00:00:00"
    notes = item_of("/magazine/blog.html")["articles"]
    assert notes[0]["url"] == "http://site.test/magazine/notes/new-rope.html"
    assert (notes[0]["datePublished"], notes[0]["datePublishedRaw"]) == (
        "2024-05-02T08:00:00+01:00",
        "2 May",
    )
    assert notes[2]["author"] == "Hester Vaughan"


def test_a_plain_list() -> None:
    archive = item_of("/magazine/archive.html")["articles"]
    assert len(archive) == 8
    assert archive[0]["headline"] == "Six minutes past"
    assert archive[7]["author"] == "Lotte Aigner"
