"""Job postings."""

from __future__ import annotations

import re
from html import unescape
from itertools import islice
from typing import Any

from lxml import html

from silkline.sandbox.items import body
from silkline.sandbox.items.article import MAX_SHOWN, PUBLISHED
from silkline.sandbox.items.context import Context
from silkline.sandbox.items.page import Element, text_of
from silkline.sandbox.items.prices import PRICE, money
from silkline.sandbox.items.structured import Node, plain, words
from silkline.sandbox.items.values import chance, compact, currency_of, number, place, tidy, unique

TITLE = re.compile(r"\b(?:job|position|vacancy)-?_?title\b")
COMPANY = re.compile(r"\b(?:company|employer|organi[sz]ation|hiring)\b")
LOCATION = re.compile(r"\b(?:location|standort|job-?place|city)\b")
SALARY = re.compile(r"salary|compensation|\bwage|\bpay\b|gehalt")
PAID = re.compile(
    r"(?:salary|compensation|pay|gehalt|salaire|salario)\b[^:\d]{0,20}:\s*", re.IGNORECASE
)
MAX_SALARY = 120
KIND = re.compile(r"\b(?:job|employment|contract)-?_?type\b|\bcontract\b")
TEXT = re.compile(
    r"\b(?:job|vacancy|position)-?_?(?:description|details|body|content)\b|\bdescription\b"
)
APPLY = re.compile(
    r"^\s*(?:apply|bewerben|jetzt bewerben|postuler|solicitar|candidatar)", re.IGNORECASE
)


def job_posting(context: Context) -> dict[str, Any]:
    """The job that a page offers."""
    node = next(iter(context.graph.of_type({"JobPosting"})), None)
    shown = shown_fields(context, described=node is not None)
    fields = {**shown, **said_fields(context, node)} if node else shown
    apply = any(
        APPLY.search(text_of(one, 60)[:60]) for one in context.page.body.iter("a", "button")
    )
    weight = chance(
        0.95 if node else 0.0,
        0.25 if "hiringOrganization" in shown else 0.0,
        0.25 if "baseSalary" in shown or "employmentType" in shown else 0.0,
        0.2 if "jobLocation" in shown else 0.0,
        0.3 if apply else 0.0,
    )
    return compact(url=context.url, probability=weight, **fields)


def said_fields(context: Context, node: Node) -> dict[str, Any]:
    """What the page says about it."""
    said = node.raw("description")
    return compact(
        title=node.text("title", "name"),
        datePosted=moment(context, node.text("datePosted")),
        validThrough=moment(context, node.text("validThrough")),
        description=plain(said) if said else None,
        descriptionHtml=description_html(node, said),
        employmentType=", ".join(unique(node.texts("employmentType"))),
        hiringOrganization=compact(raw=node.text("hiringOrganization")),
        baseSalary=salary(node),
        jobLocation=compact(raw=location(node)),
    )


def moment(context: Context, text: str | None) -> str | None:
    """A date, as ISO writes it if it can be understood."""
    return context.dates.pair(text, "date").get("date")


def description_html(node: Node, said: str | None) -> str | None:
    """The description with its markup, if it has any."""
    if node.element is not None:
        for element in node.element.iterdescendants():
            if element.get("itemprop") == "description" and len(element):
                return str(html.tostring(element, encoding="unicode", with_tail=False))
    if said and "<" not in said:
        said = unescape(said)
    return said.strip() if said and re.search(r"<\w+[^>]*>", said) else None


def location(node: Node) -> str | None:
    """Where the work is done."""
    places = unique(place(value) for value in node.values("jobLocation"))
    if not places and "TELECOMMUTE" in (node.text("jobLocationType") or "").upper():
        where = unique(place(one) for one in node.values("applicantLocationRequirements"))
        return f"Remote ({', '.join(where)})" if where else "Remote"
    return "; ".join(places) or None


def salary(node: Node) -> dict[str, Any]:
    """What the work is paid with: in words, and the most of it as a number."""
    for value in node.values("baseSalary", "estimatedSalary"):
        if not isinstance(value, Node):
            raw = words(value)
            amount, currency = most_money(raw or "")
            code = currency_of(node.text("salaryCurrency")) or currency
            return compact(raw=raw, value=rounded(amount or number(value)), currency=code)
        currency = currency_of(
            value.text("currency", "priceCurrency") or node.text("salaryCurrency")
        )
        inner = next(iter(value.nodes("value")), value)
        low = number(next(iter(inner.values("minValue")), None))
        high = number(next(iter(inner.values("maxValue")), None))
        single = number(next(iter(inner.values("value")), None))
        amounts = [one for one in (low, high) if one is not None] or [
            one for one in [single] if one is not None
        ]
        if not amounts:
            continue
        figures = " - ".join(dict.fromkeys(str(rounded(one)) for one in amounts))
        unit = inner.text("unitText") or value.text("unitText")
        raw = " ".join(
            part for part in (currency, figures, f"per {unit.lower()}" if unit else None) if part
        )
        return compact(raw=raw, value=rounded(max(amounts)), currency=currency)
    return {}


def most_money(text: str) -> tuple[float | None, str | None]:
    """The largest amount in a text such as `$120,000 - $150,000`, and its currency."""
    found = [money(match.group()) for match in PRICE.finditer(text[:MAX_SALARY])]
    known = [(number(amount), currency) for amount, currency in found if amount is not None]
    return max(known, key=lambda one: one[0] or 0.0, default=(None, None))


def said_salary(context: Context) -> str | None:
    """What the work is paid with, where the words say so."""
    for element in context.page.body.iter("p", "li", "div", "span", "dd", "td"):
        text = text_of(element, MAX_SALARY)
        if len(text) <= MAX_SALARY and PAID.match(text) and PRICE.search(text):
            return PAID.sub("", text, count=1)
    return None


def rounded(amount: float | None) -> float | int | None:
    """A number as it is written."""
    return None if amount is None else tidy(amount)


def shown_fields(context: Context, *, described: bool) -> dict[str, Any]:
    """What the page shows of it, where it does not say it in data."""
    page = context.page
    raw = shown(context, SALARY) or said_salary(context)
    amount, currency = most_money(raw or "")
    fields = compact(
        title=shown(context, TITLE) or page.heading or page.meta_first("og:title") or page.title,
        employmentType=shown(context, KIND),
        hiringOrganization=compact(raw=shown(context, COMPANY)),
        jobLocation=compact(raw=shown(context, LOCATION)),
        baseSalary=compact(raw=raw, value=rounded(amount), currency=currency),
    )
    if described:
        return fields
    block = description_block(context)
    if block is not None:
        simple = body.simple_html(block, page.heading)
        fields |= compact(description=body.as_text(simple), descriptionHtml=body.as_html(simple))
    return fields | compact(datePosted=date_posted(context))


def shown(context: Context, pattern: re.Pattern[str]) -> str | None:
    """The words of the first small element that is called so."""
    for element in context.page.called(
        pattern, "span", "p", "div", "li", "dd", "td", "h1", "a", "strong"
    ):
        text = text_of(element, 120)
        if text and len(text) <= 120:
            return text
    return None


def description_block(context: Context) -> Element | None:
    """The element that describes the work."""
    for element in context.page.called(TEXT, "div", "section", "article"):
        if len(text_of(element, 120)) > 60:
            return element
    return body.article_container(context.page)


def date_posted(context: Context) -> str | None:
    """When it was posted."""
    for element in islice(context.page.body.iter("time"), MAX_SHOWN):
        if found := moment(context, element.get("datetime") or text_of(element, 100)):
            return found
    for element in context.page.called(PUBLISHED, "p", "span", "div", "li")[:MAX_SHOWN]:
        if found := moment(context, text_of(element, 100)):
            return found
    return None
