"""Every page of the site gives an item of its type, in its languages."""

from __future__ import annotations

import pytest
from pages import PAGES, SITE, check, item_of, read

from silkline.sandbox.items import PAGE_TYPES, extract

SHOWN = [page["path"] for page in PAGES if "error" not in page]


@pytest.mark.parametrize("path", SHOWN)
def test_items_have_the_documented_shape(path: str) -> None:
    page_type = next(page["page_type"] for page in PAGES if page["path"] == path)
    item = item_of(path)
    check(item, page_type)
    assert item["url"] == "http://site.test" + path


def test_every_page_type_is_on_the_site() -> None:
    assert {page["page_type"] for page in PAGES} == set(PAGE_TYPES)


@pytest.mark.parametrize("path", [page["path"] for page in PAGES if "error" in page])
def test_pages_that_show_nothing_have_no_item(path: str) -> None:
    found = read(path)
    assert (found.item, found.visible) == (None, False)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/magazine/tide-clock.html", "en-GB"),
        ("/magazine/hausboot.html", "de"),
        ("/magazine/marche.html", "fr"),
        ("/magazine/faro.html", "es"),
        ("/magazine/biblioteka.html", "ru"),
        ("/magazine/repair-cafe.html", "en"),
        ("/shop/ja/tetsubin.html", "ja"),
        ("/odd/broken.html", "en"),
    ],
)
def test_languages(path: str, code: str) -> None:
    assert read(path).web_page == {"inLanguages": [{"code": code}]}


def test_an_unknown_language_is_left_out() -> None:
    assert read("/odd/image-only.html").web_page == {}
    assert extract("<p>xyzzy plugh</p>", "http://a.test/", "article").web_page == {}


@pytest.mark.parametrize("page_type", ["article", "product", "jobPosting", "realEstate", "vehicle"])
def test_the_page_of_a_type_is_likelier_than_all_others(page_type: str) -> None:
    likely = [
        item_of(page["path"])["probability"]
        for page in PAGES
        if page["page_type"] == page_type and "error" not in page and "/odd/" not in page["path"]
    ]
    assert min(likely) >= 0.6
    other = "/forum/lime-or-clay.html" if page_type == "article" else "/magazine/night-train.html"
    html = (SITE / other.lstrip("/")).read_bytes()
    found = extract(html, "http://site.test" + other, page_type).item
    assert found is not None
    assert found["probability"] <= 0.2


def test_an_unknown_page_type_is_an_error() -> None:
    with pytest.raises(KeyError):
        extract("<p>x</p>", "http://a.test/", "poem")
