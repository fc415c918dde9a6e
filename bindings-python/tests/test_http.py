"""The border of `silkline.http`: types, spelling, secrets, pickling."""

from __future__ import annotations

import copy
import pickle

import pytest

from silkline import (
    Headers,
    InvalidApiKey,
    InvalidHeader,
    InvalidMethod,
    Request,
    basic_authorization,
    retry_after,
)

PAIRS = [("Accept", "a"), ("X-Tag", "b"), ("x-tag", "c")]


def test_headers_read_as_pairs_and_by_name() -> None:
    headers = Headers(PAIRS)
    assert list(headers) == headers.items() == PAIRS
    assert dict(headers) == dict(PAIRS)
    assert headers["x-TAG"] == headers.get("x-TAG") == "b"
    assert headers.get_all("X-TAG") == ["b", "c"]
    assert headers.get("Cookie") is None
    assert headers.get("Cookie", "none") == "none"
    assert ("accept" in headers, "Cookie" in headers, len(headers)) == (True, False, 3)
    with pytest.raises(KeyError):
        headers["Cookie"]


@pytest.mark.parametrize(
    "given", [PAIRS, tuple(PAIRS), iter(PAIRS), {"Accept": "a", "X-Tag": ["b"], "x-tag": "c"}]
)
def test_headers_are_made_of_pairs_or_mappings(given: object) -> None:
    assert Headers(given) == PAIRS  # type: ignore[arg-type]


@pytest.mark.parametrize("given", ["ab", b"ab", 1, [1], [("a",)], [("a", 1)], {"a": 1}])
def test_headers_of_other_types_are_refused(given: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        Headers(given)  # type: ignore[arg-type]


def test_values_compare_hash_and_copy() -> None:
    for value, other in [
        (Headers(PAIRS), Headers(PAIRS[:1])),
        (Request("GET", "http://a/", PAIRS, b"x"), Request("GET", "http://a/", PAIRS, b"y")),
    ]:
        copies = [copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))]
        for again in copies:
            assert again == value
            assert hash(again) == hash(value)
            assert type(again) is type(value)
        assert value != other
        assert value != object()


def test_a_request_can_be_matched_and_not_changed() -> None:
    request = Request("GET", "http://a/", PAIRS, b"x")
    match request:
        case Request(method, url, headers, body):
            assert (method, url, body) == ("GET", "http://a/", b"x")
            assert list(headers) == list(PAIRS)
        case _:
            pytest.fail("no match")
    with pytest.raises(AttributeError):
        request.url = "http://b/"  # type: ignore[misc]


def test_secrets_do_not_show() -> None:
    for name in ["Authorization", "proxy-authorization", "Cookie", "Set-Cookie"]:
        request = Request("GET", "http://a/", {name: "hidden"})
        assert "hidden" not in repr(request) + repr(request.headers) + str(request)


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
def test_lone_surrogates_are_the_cores_errors(text: str) -> None:
    with pytest.raises(InvalidHeader) as header:
        Headers({text: "a"})
    assert header.value.code == "invalid_header_name"
    with pytest.raises(InvalidMethod):
        Request(text, "http://a/")
    with pytest.raises(InvalidApiKey) as key:
        basic_authorization(text)
    assert key.value.code == "api_key_invalid"
    assert key.value.length == len(text)
    assert Headers(PAIRS).get(text) is None
    assert text not in Headers(PAIRS)


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "2.5"},
        [("retry-after", "2.5"), ("X", "\udce9 \ud800")],
        {b"Retry-After": [b"2.5"], b"X": [b"\xe9"]},
        [(b"Retry-After", b"2.5")],
        Headers({"Retry-After": "2.5"}),
    ],
)
def test_received_headers_come_as_clients_have_them(headers: dict[str, str]) -> None:
    assert retry_after(headers) == 2.5


def test_an_unknown_delay_is_none() -> None:
    assert retry_after([]) is None
