"""The border of `silkline.extraction`: types, lazy decoding, memory, threads, secrets, pickling."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import sys
import threading
import weakref
from collections import ChainMap, UserDict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from silkline import (
    PAGE_TYPES,
    ExtractionApi,
    InvalidApiKey,
    InvalidBatch,
    InvalidEndpoint,
    InvalidProblem,
    InvalidQuery,
    Problem,
    Query,
    QueryError,
    Result,
    ServiceError,
    Usage,
)

API = ExtractionApi("KEY")
URL = "https://example.com/"
QUERY = Query(URL, "article", meta="m", article_body_raw=False, full_html=True, extra={"x": [1]})


def answer(item: str = '{"headline": "A"}', **more: Any) -> bytes:
    """An answer with one article, whose JSON text is the item's."""
    result = {"query": {"id": "1", "userQuery": {"url": URL, "pageType": "article"}}, **more}
    text = json.dumps(result)
    return f'[{text[:-1]}, "article": {item}}}]'.encode()


def one(body: Any, query: Any = None, **options: Any) -> Result:
    [result] = API.results([query or Query(URL, "article")], 200, options, body)
    return result


# --- queries ---


def test_a_query_keeps_what_it_was_given() -> None:
    assert (QUERY.url, QUERY.page_type, QUERY.meta) == (URL, "article", "m")
    assert (QUERY.article_body_raw, QUERY.full_html, QUERY.custom_html) == (False, True, None)
    assert QUERY.extra == {"x": [1]}
    QUERY.extra.clear()
    assert QUERY.extra == {"x": [1]}
    with pytest.raises(AttributeError):
        QUERY.url = "http://b/"  # type: ignore[misc]


def test_queries_compare_hash_match_and_copy() -> None:
    for again in (copy.copy(QUERY), copy.deepcopy(QUERY), pickle.loads(pickle.dumps(QUERY))):
        assert again == QUERY
        assert hash(again) == hash(QUERY)
        assert repr(again) == repr(QUERY)
    assert Query(URL, "article") != Query(URL, "product")
    assert Query(URL, "article") != URL
    match QUERY:
        case Query(url, page_type, meta=meta):
            assert (url, page_type, meta) == (URL, "article", "m")
        case _:
            pytest.fail("no match")


def test_the_repr_can_be_read_back() -> None:
    assert eval(repr(QUERY)) == QUERY  # its own repr
    page = repr(Query(URL, "article", custom_html="x" * 100_000))
    assert len(page) < 100


@pytest.mark.parametrize("page_type", PAGE_TYPES)
def test_every_page_type_is_taken(page_type: str) -> None:
    assert Query(URL, page_type).page_type == page_type


@pytest.mark.parametrize(
    "arguments",
    [
        {"url": b"http://a/"},
        {"url": None},
        {"page_type": 1},
        {"meta": 1},
        {"full_html": "yes"},
        {"custom_html": b""},
        {"extra": [("a", 1)]},
        {"extra": {1: 2}},
        {"extra": {"a": object()}},
        {"extra": {"a": b"bytes"}},
        {"unknown": 1},
    ],
)
def test_values_of_other_types_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Query(**{"url": URL, "page_type": "article", **arguments})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"deep": [float("nan")]}])
def test_what_json_cannot_hold_is_no_extra_member(value: Any) -> None:
    with pytest.raises(InvalidQuery) as caught:
        Query(URL, "article", extra={"x": value})
    assert (caught.value.code, caught.value.field) == ("query_extra_json", "x")


def test_an_extra_member_is_as_deep_as_a_request_can_be_read() -> None:
    query = Query(URL, "article", extra={"x": json.loads("[" * 125 + "]" * 125)})
    assert pickle.loads(pickle.dumps(query)) == query
    with pytest.raises(InvalidQuery) as caught:
        Query(URL, "article", extra={"x": json.loads("[" * 126 + "]" * 126)})
    error = caught.value
    assert (error.code, error.field, error.limit) == ("query_extra_too_deep", "x", 125)


def test_extra_members_keep_big_numbers_and_text() -> None:
    extra = {"big": 2**200, "text": "é😀\u2028", "float": 0.1, "deep": {"a": [None, True]}}
    query = Query(URL, "article", extra=UserDict(extra))
    assert query.extra == extra
    assert json.loads(API.request([query]).body)[0]["big"] == 2**200


@pytest.mark.parametrize("lone", ["\ud800", "a\udc00b", "\udfff\ud800"])
@pytest.mark.parametrize("field", ["url", "pageType", "meta", "customHtml", "extra"])
def test_lone_surrogates_are_the_cores_error(lone: str, field: str) -> None:
    names = {"pageType": "page_type", "customHtml": "custom_html"}
    value: Any = {"x": lone} if field == "extra" else "http://a/" + lone
    members = {"url": URL, "page_type": "article", names.get(field, field): value}
    with pytest.raises(InvalidQuery) as caught:
        Query(**members)
    error = caught.value
    place = min(lone.find(c) for c in lone if "\ud800" <= c <= "\udfff")
    position = place if field == "extra" else place + len("http://a/")
    assert (error.code, error.position) == ("query_lone_surrogate", position)
    assert error.field == ("x" if field == "extra" else field)
    str(error).encode()
    if field != "extra":
        with pytest.raises(InvalidQuery) as again:
            API.request([{"url": URL, "pageType": "article", field: value}])
        assert (again.value.code, again.value.field) == (error.code, error.field)


def test_a_lone_surrogate_in_the_name_of_a_member() -> None:
    with pytest.raises(InvalidQuery) as caught:
        Query(URL, "article", extra={"\ud800": 1})
    assert caught.value.code == "query_lone_surrogate"
    with pytest.raises(InvalidQuery) as caught:
        Query.from_json(f'{{"url": "{URL}", "pageType": "article", "a\ud800": 1}}')
    assert caught.value.code == "query_lone_surrogate"


def test_halves_that_make_a_pair_are_a_character() -> None:
    query = Query(URL, "article", meta="\ud83d\ude00")
    assert query.meta == "😀"


# --- requests ---


def test_mappings_are_queries_too() -> None:
    spelled = {"url": URL, "pageType": "article", "meta": "m", "x": [1, 2.5, None]}
    expected = Query(URL, "article", meta="m", extra={"x": [1, 2.5, None]})
    for mapping in (spelled, UserDict(spelled), ChainMap(spelled)):
        request = API.request([mapping])
        assert request == API.request([expected])
    assert json.loads(request.body) == [spelled]
    result = one(answer(), spelled | {"meta": "other"})
    assert isinstance(result.query, Query)


@pytest.mark.parametrize("queries", [[], (), iter(())])
def test_a_request_without_queries(queries: Any) -> None:
    with pytest.raises(InvalidBatch) as caught:
        API.request(queries)
    assert caught.value.code == "batch_empty"


def test_a_request_with_too_many_queries() -> None:
    queries = [Query(URL, "article")] * 101
    assert len(json.loads(API.request(queries[:100]).body)) == 100
    with pytest.raises(InvalidBatch) as caught:
        API.request(queries)
    assert (caught.value.code, caught.value.count) == ("batch_too_large", 101)


@pytest.mark.parametrize("queries", [QUERY, URL, [URL], [None], [("url", URL)], None, 1])
def test_other_things_are_no_queries(queries: Any) -> None:
    with pytest.raises(TypeError):
        API.request(queries)


def test_the_key_shows_in_the_request_only() -> None:
    api = ExtractionApi("SECRETKEY", endpoint="http://localhost/v1")
    request = api.request([QUERY])
    assert request.headers["authorization"] == "Basic U0VDUkVUS0VZOg=="
    shown = repr(api) + str(api) + repr(request) + repr(request.headers) + repr(vars(type(api)))
    assert "SECRETKEY" not in shown
    assert "U0VDUk" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(api)
    for key in ("SECRETKEY with space", "SECRETKEY\ud800", "SECRETKEY:"):
        with pytest.raises(InvalidApiKey) as caught:
            ExtractionApi(key)
        assert "SECRETKEY" not in repr(caught.value) + str(vars(caught.value))


@pytest.mark.parametrize("endpoint", ["", "localhost", "ftp://a/", "http://a/\ud800", "http://"])
def test_an_endpoint_is_an_absolute_url(endpoint: str) -> None:
    with pytest.raises(InvalidEndpoint) as caught:
        ExtractionApi("KEY", endpoint)
    assert caught.value.code == "endpoint_invalid"
    assert ExtractionApi("KEY").endpoint == ExtractionApi.DEFAULT_ENDPOINT


# --- results ---


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_body_is_anything_with_a_buffer(kind: type) -> None:
    result = one(kind(answer()))
    assert result.item == {"headline": "A"}


def test_a_changed_bytearray_does_not_change_the_result() -> None:
    body = bytearray(answer())
    result = one(body)
    body[:] = b"x" * len(body)
    assert result.item == {"headline": "A"}


@pytest.mark.parametrize("body", ["[]", None, 5, [1, 2], [b"[]"]])
def test_other_bodies_are_refused(body: Any) -> None:
    with pytest.raises(TypeError):
        one(body)


@pytest.mark.parametrize("status", [-1, 70000, "200", 200.0, None])
def test_a_status_is_a_small_number(status: Any) -> None:
    with pytest.raises((TypeError, OverflowError)):
        API.results([QUERY], status, [], b"")


def test_parts_are_views_of_the_one_body() -> None:
    body = answer(webPage={"a": 1}, more="é", html="<p>")
    result = one(body)
    assert result.raw is not None
    assert result.item_bytes is not None
    for view in (result.raw, result.item_bytes, result.query_bytes, result.web_page_bytes):
        assert view is not None
        assert view.obj is body
        assert view.readonly
        assert bytes(view) in body
    assert bytes(result.item_bytes) == b'{"headline": "A"}'
    assert result.unknown_bytes["more"].obj is body
    assert result.unknown == {"more": "é"}
    assert json.loads(bytes(result.raw))["html"] == result.html == "<p>"


def test_a_view_outlives_the_result() -> None:
    view = one(answer()).item_bytes
    gc.collect()
    assert view is not None
    assert bytes(view) == b'{"headline": "A"}'


def test_the_body_is_let_go_with_the_last_part() -> None:
    class Body(bytearray):
        pass

    body = Body(answer())
    gone = weakref.ref(body)
    result = one(body)
    del body
    gc.collect()
    assert gone() is None, "a copy was made, the original is let go"
    assert result.item == {"headline": "A"}


def test_an_item_is_decoded_once_and_as_python_does() -> None:
    text = '{"big": 123456789012345678901234567890, "exact": 0.1, "half": "\\ud800", "e": 1e400}'
    result = one(answer(text))
    assert result.item is result.item
    assert result.item == json.loads(text)
    assert result.item is not None
    assert isinstance(result.item["big"], int)


def test_nothing_is_decoded_that_nobody_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    loads = json.loads

    def counted(text: str) -> Any:
        decoded.append(len(text))
        return loads(text)

    monkeypatch.setattr(json, "loads", counted)
    queries = [Query(f"{URL}{index}", "article") for index in range(100)]
    results = [
        {
            "query": {"id": str(index), "userQuery": {"url": query.url, "pageType": "article"}},
            "article": {"articleBody": "text " * 12_000, "index": index},
            "webPage": {"inLanguages": [{"code": "en"}]},
            "extra": index,
        }
        for index, query in enumerate(queries)
    ]
    body = json.dumps(results[::-1]).encode()
    assert len(body) > 6_000_000
    found = API.results(queries, 200, {"Content-Type": "application/json"}, body)
    assert [result.id for result in found] == [str(index) for index in range(100)]
    assert all(result.ok and result.url and result.item_bytes for result in found)
    assert repr(found)
    assert decoded == []
    assert found[7].item == results[7]["article"]
    assert found[7].item is found[7].item
    assert len(decoded) == 1
    assert found[8].web_page == {"inLanguages": [{"code": "en"}]}
    assert found[8].web_page is found[8].web_page
    assert len(decoded) == 2
    assert found[9].unknown == {"extra": 9}
    assert len(decoded) == 3


def test_an_error_of_a_query_is_data() -> None:
    occupied = "Domain example.com is occupied, please retry in 2.5 seconds"
    result = one(
        json.dumps(
            [{"query": {"userQuery": {"url": URL, "pageType": "article"}}, "error": occupied}]
        ).encode()
    )
    error = result.error
    assert error is not None
    assert (result.ok, result.item, result.item_bytes) == (False, None, None)
    assert error == QueryError.from_text(occupied)
    assert (error.code, error.domain, error.retry_after) == ("domain_occupied", "example.com", 2.5)
    assert str(error) == occupied
    for again in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert again == error
        assert hash(again) == hash(error)
    match error:
        case QueryError(code, text):
            assert (code, text) == ("domain_occupied", occupied)


def test_a_result_of_no_query() -> None:
    surplus = answer()[:-1] + b"," + answer()[1:]
    first, second = API.results([Query(URL, "article")], 200, [], surplus)
    assert first.ok
    assert second.error is not None
    assert (second.error.code, second.query_index) == ("surplus_result", 0)
    missing, foreign = API.results([Query(URL, "product")], 200, [], answer())
    assert missing.error is not None
    assert foreign.error is not None
    assert (missing.error.code, missing.raw) == ("missing_result", None)
    assert (foreign.error.code, foreign.query) == ("foreign_result", None)
    assert foreign.raw is not None
    assert repr([missing, foreign])


def test_a_refusal_is_raised_with_all_that_came() -> None:
    body = b'{"type": "http://x/rate-limit-exceeded.html", "title": "Slow", "retryAfter": 3}'
    headers = {"X-Odd name": "a", "Set-Cookie": "hidden"}
    with pytest.raises(ServiceError) as caught:
        API.results([QUERY, QUERY], 429, headers, body)
    error = caught.value
    assert (error.code, error.status, error.retry) == ("rate_limit_exceeded", 429, "throttling")
    assert (error.retry_after, error.billed, error.billing_known) == (3.0, False, True)
    assert error.usage == Usage(queries=2, unbilled=2)
    assert error.problem is not None
    assert (error.problem.title, error.problem.members) == ("Slow", {"retryAfter": 3})
    assert error.headers["x-odd NAME"] == "a"
    assert error.body is body
    assert "hidden" not in repr(error) + str(error)
    for again in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert type(again) is ServiceError
        assert str(again) == str(error)
        assert vars(again) == vars(error)


def test_the_cores_errors_can_be_pickled() -> None:
    made: list[Exception] = []
    for make in (
        lambda: Query("a", "article"),
        lambda: Query(URL, "x"),
        lambda: Query.from_json("{"),
        lambda: API.request([]),
        lambda: ExtractionApi(""),
        lambda: Problem.read(b"{"),
    ):
        with pytest.raises(ValueError) as caught:  # noqa: PT011 - that each is one is the point
            make()
        made.append(caught.value)
    for error in made:
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_problems_compare_hash_and_copy() -> None:
    problem = Problem("http://a/b", title="T", status=400, members={"x": [1]})
    for again in (copy.copy(problem), copy.deepcopy(problem), pickle.loads(pickle.dumps(problem))):
        assert again == problem
        assert hash(again) == hash(problem)
    with pytest.raises(InvalidProblem):
        Problem("a", members={"x": float("nan")})


def test_usage_adds_up() -> None:
    usage = Usage(queries=3, billed=1, unbilled=1, unknown=1)
    assert usage + Usage() == usage
    assert pickle.loads(pickle.dumps(usage)) == usage
    assert hash(copy.copy(usage)) == hash(usage)


# --- hostile answers, threads ---


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[" * 1_000_000, "answer_too_deep"),
        (b'[{"a":' * 500_000, "answer_too_deep"),
        (b'["' + b"\xff" * 1_000_000 + b'"]', "answer_not_utf8"),
        (b'[{"a": "' + b"x" * 1_000_000, "answer_truncated"),
        (b'[{"a": 1},]', "answer_syntax"),
    ],
)
def test_a_hostile_body_is_an_error(body: bytes, code: str) -> None:
    with pytest.raises(ServiceError) as caught:
        API.results([QUERY], 200, [], body)
    assert caught.value.code == code
    assert caught.value.body is body


def test_other_threads_run_while_a_big_body_is_read() -> None:
    body = answer(json.dumps({"text": "x" * 30_000_000}))
    go, ran = threading.Event(), threading.Event()

    def run() -> None:
        go.wait()
        ran.set()

    other = threading.Thread(target=run)
    other.start()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(60)  # nobody gives way but of his own accord
    try:
        go.set()
        before = ran.is_set()
        result = one(body)
        after = ran.is_set()
    finally:
        sys.setswitchinterval(interval)
    other.join()
    assert result.ok
    assert (before, after) == (False, True)


def test_a_result_is_shared_by_threads() -> None:
    result = one(answer(json.dumps({"list": list(range(1000))}), webPage={"a": 1}, more=1))
    barrier = threading.Barrier(8)

    def look(_: int) -> tuple[int, int]:
        barrier.wait()
        for _ in range(200):
            assert result.unknown == {"more": 1}
            assert result.item_bytes
        return id(result.item), id(result.web_page)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(look, range(8)))) == 1
