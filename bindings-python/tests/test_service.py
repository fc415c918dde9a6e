"""The border of the service machine: what goes in and comes out of it in Python."""

from __future__ import annotations

import base64
import json
import math
import pickle
from typing import Any

import pytest

from silkline import InvalidFaults, InvalidMethod
from silkline.service import ExtractionService, FetchedPage, ServiceAnswer, ServiceFetch

HEADERS = {
    "Authorization": "Basic " + base64.b64encode(b"KEY:").decode(),
    "Content-Type": "application/json",
}
PAGE = FetchedPage('{"headline": "é"}', '{"inLanguages": [{"code": "en"}]}', "<p>é \ud800</p>")


def body(*urls: str, **members: Any) -> bytes:
    queries = [{"url": url, "pageType": "article", **members} for url in urls]
    return json.dumps(queries).encode()


def ask(service: ExtractionService, content: bytes, now: float) -> ServiceAnswer | ServiceFetch:
    return service.handle_request("POST", "/v1/extract", HEADERS, content, now)


def fetch(service: ExtractionService, content: bytes, now: float) -> ServiceFetch:
    step = ask(service, content, now)
    assert isinstance(step, ServiceFetch), step
    return step


def test_a_request_goes_in_and_an_answer_comes_out() -> None:
    service = ExtractionService(epoch=1_600_000_000.5, seed=3, algorithm_version="x")
    step = fetch(service, body("http://a/", fullHtml=True, customHtml="<b>"), 1.0)
    (query,) = step.queries
    assert (query.index, query.url, query.page_type) == (0, "http://a/", "article")
    assert (query.article_body_raw, query.full_html, query.custom_html) == (True, True, "<b>")
    assert service.poll(1.0) == 601.0
    answer = service.handle_fetched(step.ticket, 0, PAGE, 1.25)
    assert answer is not None
    assert (answer.ticket, answer.status, answer.dropped) == (step.ticket, 200, False)
    assert dict(answer.headers) == {"Content-Type": "application/json"}
    (result,) = json.loads(answer.body)
    assert result["article"] == {"headline": "é"}
    assert result["html"] == "<p>é \ufffd</p>"
    assert result["query"]["id"].startswith("1600000001500-")
    assert service.poll(1.25) is None


def test_outcomes_are_pages_statuses_and_names() -> None:
    service = ExtractionService(rate=math.inf)
    step = fetch(service, body("http://a/", "http://b/", "http://c/"), 0)
    assert service.handle_fetched(step.ticket, 0, 404, 0) is None
    assert service.handle_fetched(step.ticket, 1, "name_not_found", 0) is None
    with pytest.raises(ValueError, match=r"`nope` is no failure, these are: connect_timeout, "):
        service.handle_fetched(step.ticket, 2, "nope", 0)
    answer = service.handle_fetched(step.ticket, 2, PAGE, 0)
    assert answer is not None
    errors = [result.get("error") for result in json.loads(answer.body)]
    assert errors == ["Downloader error: http404", "Proxy error: nxdomain", None]
    assert json.loads(service.stats_json())["billed"] == 3


def test_every_argument_reaches_the_machine() -> None:
    service = ExtractionService(
        keys=["KEY"],
        disabled_keys=["OLD"],
        rate=1,
        burst=3,
        system_rate=100.0,
        max_queries=2,
        max_payload=300,
        query_timeout=2.5,
        blacklist=["bad.example"],
        occupied={"busy.example": 9},
        domain_rate=50.0,
        domain_concurrency=1,
        domain_wait=4.0,
        shuffle=True,
        faults='[{"when": {"url": "*odd"}, "then": {"truncate": 5}}]',
        seed=2**64 - 1,
    )
    assert service.max_payload == 300
    assert ask(service, body("http://a/", "http://a/", "http://a/"), 0).status == 413  # type: ignore[union-attr]
    assert ask(service, b" " * 301, 0).status == 413  # type: ignore[union-attr]
    held = fetch(service, body("http://a.example/"), 0)
    assert service.poll(0) == 2.5
    answer = ask(service, body("http://bad.example/", "http://busy.example/"), 0)
    assert isinstance(answer, ServiceAnswer)
    assert sorted(result["error"] for result in json.loads(answer.body)) == [
        "Domain busy.example is occupied, please retry in 9 seconds",
        "Extraction not permitted for this URL",
    ]
    assert ask(service, body("http://b.example/"), 0).status == 429  # type: ignore[union-attr]
    answer = ask(service, body("http://a.example/"), 1)
    assert isinstance(answer, ServiceAnswer)
    assert b"Domain a.example is occupied, please retry in 4 seconds" in answer.body
    service.handle_closed(held.ticket, 1)
    step = fetch(service, body("http://a.example/odd"), 2)
    cut = service.handle_fetched(step.ticket, 0, PAGE, 2)
    assert cut is not None
    assert cut.truncated == 5


def test_wrong_arguments_are_value_errors() -> None:
    for wrong in ({"rate": 0}, {"rate": -1}, {"system_rate": math.nan}, {"query_timeout": -1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            ExtractionService(**wrong)
    with pytest.raises(OverflowError):
        ExtractionService(seed=-1)
    with pytest.raises(InvalidFaults) as caught:
        ExtractionService(faults="[")
    assert caught.value.code == "invalid_faults"
    assert pickle.loads(pickle.dumps(caught.value)).reason == caught.value.reason
    service = ExtractionService()
    with pytest.raises(InvalidMethod):
        service.handle_request("GE T", "/", {}, b"", 0)
    for now in (-1, math.nan, math.inf):
        with pytest.raises(ValueError, match="now"):
            service.poll(now)


def test_without_a_seed_ids_differ() -> None:
    def query_id() -> str:
        answer = ask(ExtractionService(), body("mailto:a"), 0)
        assert isinstance(answer, ServiceAnswer)
        (result,) = json.loads(answer.body)
        return str(result["query"]["id"])

    assert query_id() != query_id()
    assert "KEY" not in repr(ExtractionService(keys=["KEY"]))
