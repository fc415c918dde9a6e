"""Pages that nobody means well: no error, no endless work, and items of the right shape."""

from __future__ import annotations

import time

import pytest
from pages import check

from silkline.sandbox.items import PAGE_TYPES, extract

SIZE = 500_000
# Generous, for busy machines: what is checked is that work grows with the page and no faster.
LIMIT = 40.0


def data(text: str) -> str:
    return f'<script type="application/ld+json">{text}</script><p>x</p>'


def fill(text: str, size: int = SIZE) -> str:
    return (text * (size // len(text) + 1))[:size]


SMALL: dict[str, str | bytes] = {
    "nothing": "",
    "nothing in bytes": b"",
    "zero bytes": b"\0" * 1000,
    "zero characters": "\0 words \0",
    "lone surrogate": "<p>\ud800 words</p>",
    "declaration": '<?xml version="1.0" encoding="utf-16"?><p>words</p>',
    "unknown encoding": b'<meta charset="no-such-code"><p>words \xff</p>',
    "utf-16 without mark": "<p>words</p>".encode("utf-16-le"),
    "pdf": b"%PDF-1.7\n\xe2\xe3\xcf\xd3 1 0 obj",
    "bad addresses": "<base href='http://[::1'><a href='http://[x'>q</a><img src='//['><p>w</p>",
    "cycle": data(
        '{"@type":["Product","Car","House","Review","Comment","JobPosting","Question"],'
        '"@id":"#a","name":"x",'
        + ",".join(
            f'"{name}":{{"@id":"#a"}}'
            for name in (
                *("offers", "brand", "hasVariant", "address", "jobLocation", "baseSalary", "value"),
                *("comment", "acceptedAnswer", "image", "author", "aggregateRating", "floorSize"),
                *("itemListElement", "item", "mileageFromOdometer", "vehicleEngine", "mainEntity"),
                *("reviewRating", "interactionStatistic", "availableAtOrFrom", "containsPlace"),
            )
        )
        + "}"
    ),
    "wrong kinds": data(
        '{"@type":["Product","Article","JobPosting","Review","Comment"],"name":7,"offers":[[1],'
        '"x",null,{"price":{"a":1},"priceCurrency":3,"availability":[]}],"brand":true,"image":1.5,'
        '"description":{"x":1},"datePublished":20240101,"datePosted":[],"baseSalary":-1,'
        '"aggregateRating":{"ratingValue":"x/y","reviewCount":1e400},"gtin":{"a":"b"},'
        '"author":[[["a"]],{"name":{"name":"b"}}],"text":9,"reviewRating":"no"}'
    ),
    "numbers": data(
        '{"@type":"Product","name":"x","offers":[{"price":NaN},{"price":Infinity},{"price":1e300},'
        '{"price":-5},{"price":0.1},{"price":"' + "9" * 5000 + '"},{"price":"\u0663\u066b\u0665"}]}'
    ),
    "type that is no type": data('{"@type":{"@type":[]},"@id":7,"@graph":"x","@context":[[]]}'),
    "deep data": data("[" * 5000),
    "itemref to itself": "<div itemscope itemref=a id=a itemprop=a itemtype=http://schema.org/Product>"
    "<b itemprop=name>x</b></div>",
    "frames": "<frameset><frame src=x></frameset>",
    "unclosed": "<" * 1000 + "&" * 1000,
    "no such date": "<h1>x</h1><time datetime='0000-99-99T99:99'>31 February 2021</time><p>word</p>",
}
LARGE = {
    "paragraphs": fill("<p>a sentence, with words</p>"),
    "nesting": fill("<div>"),
    "inline nesting": fill("<b><i>" * 100 + "x" + "</i></b>" * 100),
    "links": "<ul>" + fill("<li><a href=/x>link text is here</a> $5.00</li>"),
    "one text": "<p>" + fill("word "),
    "microdata": fill(
        "<div itemscope itemtype=http://schema.org/Product><b itemprop=name>x</b></div>"
    ),
    "nested microdata": fill("<div itemscope itemprop=a>" * 200 + "t" + "</div>" * 200, SIZE // 2),
    "rdfa": fill("<div vocab=http://schema.org/ typeof=Product><b property=name>x</b></div>"),
    "table": "<table>" + fill("<tr><td>c"),
    "dates": fill("<time datetime='3 floréal 12 2021'>x 2021</time>"),
    "prices": "<h1>x</h1>" + fill("<p class=price>$1,000.00</p>"),
    "digits": "<p class=price>$" + fill("1,"),
    "much data": data(
        "[" + ",".join(['{"@type":"Product","name":"x","offers":{"price":1}}'] * 9_000) + "]"
    ),
    "escaped": data('{"@type":"Product","name":"' + fill("<b>&amp;") + '"}'),
    "breadcrumbs": "<div class=breadcrumb>" + fill("<a href=x>y</a><i>z</i>"),
    "spaces": "<p>" + " " * SIZE + "</p>",
}


@pytest.mark.parametrize("page_type", PAGE_TYPES)
@pytest.mark.parametrize("name", SMALL)
def test_odd_pages(name: str, page_type: str) -> None:
    found = extract(SMALL[name], "http://a.test/x", page_type)
    assert (found.item is not None) == found.visible
    if found.item is not None:
        check(found.item, page_type)


@pytest.mark.parametrize("page_type", ["article", "productList"])
@pytest.mark.parametrize("name", LARGE)
def test_large_pages_take_bounded_time(name: str, page_type: str) -> None:
    start = time.monotonic()
    found = extract(LARGE[name], "http://a.test/x", page_type)
    assert time.monotonic() - start < LIMIT
    if found.item is not None:
        check(found.item, page_type)


@pytest.mark.parametrize("kind", ["image/png", "application/pdf", "application/octet-stream"])
def test_what_is_no_page_shows_nothing(kind: str) -> None:
    assert not extract(b"<p>words</p>", "http://a.test/", "article", content_type=kind).visible


def test_plain_text_is_shown_as_it_is() -> None:
    found = extract(b"a < b\n<p>", "http://a.test/", "article", content_type="text/plain")
    assert found.item is not None
    assert found.item["articleBody"] == "a < b <p>"


def test_work_stops_growing_with_the_page() -> None:
    """A page of two million characters, the most that `customHtml` may have."""
    html = "".join(
        f"<p>Paragraph {index} of a page that is as long as can be.</p>" for index in range(31_000)
    )
    start = time.monotonic()
    found = extract(html[:2_000_000], "http://a.test/x", "article")
    assert time.monotonic() - start < LIMIT
    assert found.item is not None
    assert len(found.item["articleBody"]) > 1_000_000


@pytest.mark.parametrize(
    "page",
    [
        "<title>T</title><article><h1>Note</h1><p>Some words.</p></article>",
        (
            "<!doctype html><html lang=en><meta charset=utf-8><title>T</title><link rel=icon href=a>"
            "<header><h1>Note</h1></header><main><p>Some words.</p></main>"
        ),
        "<title>T</title><header><h1>Note</h1></header><div>Some words.</div>",
    ],
)
def test_a_page_without_tags_around_its_body_is_seen(page: str) -> None:
    found = extract(page, "http://a.example/", "article")
    assert found.visible
    assert found.item is not None
    assert found.item["headline"] == "Note"
    assert found.item["articleBody"] == "Some words."
