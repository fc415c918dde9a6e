"""Pages without structured data, in the shapes that shops and papers give them."""

from __future__ import annotations

from typing import Any

from silkline.sandbox.items import extract

URL = "http://shop.test/catalogue/a/index.html"


def item_of(html: str, page_type: str) -> dict[str, Any]:
    item = extract(html, URL, page_type).item
    assert item is not None
    return item


def test_a_product_with_a_table_and_a_heading_above_its_description() -> None:
    item = item_of(
        """<ul class="breadcrumb"><li><a href="../../">Home</a></li><li class="active">Jug</li></ul>
        <article class="product_page"><img src="../../media/jug.jpg"><h1>Jug</h1>
        <p class="price_color">£51.77</p><p class="instock availability"> In stock (22 left) </p>
        <div id="product_description" class="sub-header"><h2>Product Description</h2></div>
        <p>A jug that holds a litre and pours where you point it.</p>
        <table><tr><th>Height</th><td>30 cm</td></tr><tr><th>Glaze</th><td>blue</td></tr></table></article>""",
        "product",
    )
    assert item.pop("probability") > 0.5
    assert item == {
        "url": URL,
        "name": "Jug",
        "offers": [{"price": "51.77", "currency": "£", "availability": "InStock"}],
        "breadcrumbs": [{"name": "Home", "link": "http://shop.test/"}, {"name": "Jug"}],
        "mainImage": "http://shop.test/media/jug.jpg",
        "images": ["http://shop.test/media/jug.jpg"],
        "description": "A jug that holds a litre and pours where you point it.",
        "additionalProperty": [
            {"name": "Height", "value": "30 cm"},
            {"name": "Glaze", "value": "blue"},
        ],
    }


def test_a_price_in_pieces() -> None:
    item = item_of(
        """<span id="productTitle"> Widget </span><div id="corePrice"><span class="a-price">
        <span class="a-offscreen">$1,299.00</span><span aria-hidden="true"><span>$</span><span>1,299
        </span><span>00</span></span></span><span class="basisPrice">List: <span class="a-price">
        <span class="a-offscreen">$1,499.99</span></span></span></div>""",
        "product",
    )
    assert item["name"] == "Widget"
    assert item["offers"] == [{"price": "1299.00", "regularPrice": "1499.99", "currency": "$"}]


def test_a_list_whose_names_are_cut_short() -> None:
    card = """<li><article><a href="{0}.html"><img src="{0}.jpg" alt="{0}"></a>
        <h3><a href="{0}.html" title="Book {0}, with all of its title">Book {0}, ...</a></h3>
        <p class="price_color">£{0}.99</p></article></li>"""
    menu = "".join(f"<li><a href='c{number}'>Kind {number}</a></li>" for number in range(30))
    html = f"<aside><ul>{menu}</ul></aside><ol>{''.join(map(card.format, range(1, 6)))}</ol>"
    products = item_of(html, "productList")["products"]
    assert [one["name"] for one in products] == [
        f"Book {number}, with all of its title" for number in range(1, 6)
    ]
    assert products[0]["offers"][0]["price"] == "1.99"
    assert products[0]["url"] == "http://shop.test/catalogue/a/1.html"


def test_a_list_of_cards_that_are_links() -> None:
    card = """<li><a href="/n/{0}"><img src="/{0}.png"><div class="title">Council votes on {0}</div>
        <div class="summary">What the council did about {0}, in short.</div></a></li>"""
    bar = "<nav class=pagination><span class=current>1</span><a href='?p=2'>2</a></nav>"
    item = item_of(f"<main><ul>{''.join(map(card.format, 'abcd'))}</ul>{bar}</main>", "articleList")
    assert [one["headline"] for one in item["articles"]] == [
        f"Council votes on {x}" for x in "abcd"
    ]
    assert item["articles"][0]["articleBody"] == "What the council did about a, in short."
    assert item["paginationNext"] == {"url": URL + "?p=2", "text": "2"}


def test_words_of_scripts_are_no_words_of_the_page() -> None:
    item = item_of(
        "<h1>One<script>two()</script></h1><p>Three<style>p {}</style> four</p>", "article"
    )
    assert item["headline"] == "One"
    assert item["articleBody"] == "Three four"


def test_a_salary_in_words() -> None:
    item = item_of("<h1>Smith</h1><p>Salary: $120,000 - $150,000 a year</p>", "jobPosting")
    assert item["baseSalary"] == {
        "raw": "$120,000 - $150,000 a year",
        "value": 150000,
        "currency": "$",
    }
