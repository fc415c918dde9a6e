"""The border of `silkline.proxy`: types, spelling, secrets, pickling, errors."""

from __future__ import annotations

import copy
import pickle

import pytest

from silkline import (
    InvalidApiKey,
    InvalidEndpoint,
    InvalidProxiedRequest,
    InvalidProxyOptions,
    InvalidSessionId,
    ProxyApi,
    ProxyOptions,
    ProxyServiceError,
    Request,
    SessionCallFailed,
    SilklineError,
    proxy_leaks,
    read_connect_failure,
    strip_proxy_leaks,
)

KEY = "0123456789abcdef0123456789abcdef"
ALL = ProxyOptions(
    session="7",
    max_retries=1,
    timeout=45.5,
    cookies="disable",
    profile="desktop",
    profile_pass=["Referer"],
    ua="mobile",
    no_bancheck=True,
    state="Ohio",
    city="Dayton",
    job_id="j",
    client="a/1",
    debug=["ua"],
    use_https=True,
    extra={"X-Crawlera-New": "1"},
)


def test_options_are_values() -> None:
    for options in (ProxyOptions(), ALL):
        for again in (
            copy.copy(options),
            copy.deepcopy(options),
            pickle.loads(pickle.dumps(options)),
            eval(repr(options)),
            options.replace(),
            ProxyOptions.from_headers(options.headers()),
        ):
            assert again == options
            assert hash(again) == hash(options)
            assert type(again) is ProxyOptions
    assert ProxyOptions() != ALL
    assert ALL.replace(timeout=None).timeout is None
    assert ALL.replace(session=None).session is None


def test_options_take_what_python_has() -> None:
    assert ProxyOptions(timeout=60) == ProxyOptions(timeout=60.0)
    assert ProxyOptions(profile_pass=("A", "B")).profile_pass == ["A", "B"]
    assert ProxyOptions(no_bancheck=False) == ProxyOptions()
    headers = {b"X-Crawlera-Session": [b"7"], b"Accept": [b"*/*"]}
    assert ProxyOptions.from_headers(headers).session == "7"


@pytest.mark.parametrize(
    "given",
    [
        {"session": 7},
        {"debug": "ua"},
        {"profile_pass": "Referer"},
        {"timeout": "60"},
        {"no_bancheck": 1},
        {"nothing": 1},
    ],
)
def test_options_of_other_types_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        ProxyOptions(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("timeout", [float("nan"), float("inf"), -1.0])
def test_a_timeout_is_a_finite_number(timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout"):
        ProxyOptions(timeout=timeout)


def test_lone_surrogates_are_no_text() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        ProxyOptions(job_id="\ud800")


def test_errors_have_their_class_and_data() -> None:
    with pytest.raises(InvalidProxyOptions) as refused:
        ProxyOptions(timeout=1)
    assert (refused.value.code, refused.value.timeout) == ("proxy_timeout_range", 1.0)
    with pytest.raises(InvalidProxyOptions) as refused:
        ProxyOptions(max_retries=300)
    assert refused.value.value == 300
    with pytest.raises(InvalidProxyOptions) as refused:
        ProxyOptions(city="a\0")
    assert (refused.value.header, refused.value.position) == ("X-Crawlera-City", 1)
    with pytest.raises(InvalidSessionId):
        ProxyOptions(session="a b")
    with pytest.raises(InvalidApiKey):
        ProxyApi("")
    with pytest.raises(InvalidEndpoint) as misplaced:
        ProxyApi("KEY", "http://a/b")
    assert misplaced.value.endpoint == "http://a/b"
    with pytest.raises(ValueError, match="option_place"):
        ProxyApi("KEY", option_place="outside")
    target = Request("GET", "http://a/", {"X-Big": "x" * ProxyApi.MAX_HEADERS_SIZE})
    with pytest.raises(InvalidProxiedRequest) as large:
        ProxyApi("KEY").request(target)
    assert (large.value.size or 0) > ProxyApi.MAX_HEADERS_SIZE
    for kind in (InvalidProxyOptions, InvalidSessionId, InvalidProxiedRequest):
        assert issubclass(kind, ValueError)


def test_the_error_of_an_answer_can_be_raised_and_pickled() -> None:
    answer = ProxyApi("KEY").read(
        503, {b"X-Crawlera-Error": [b"slavebanned"], b"Retry-After": [b"5"]}, bytearray(b"Ban")
    )
    error = answer.error
    assert isinstance(error, ProxyServiceError)
    assert isinstance(error, SilklineError)
    assert (error.code, error.text, error.detail) == ("banned", "slavebanned", "Ban")
    assert (error.status, error.action, error.retry_after) == (503, "retry_elsewhere", 5.0)
    assert (error.is_ban, error.billed, answer.billed) == (True, False, False)
    assert vars(pickle.loads(pickle.dumps(error))) == vars(error)
    assert answer.error is error
    with pytest.raises(ProxyServiceError, match="banned"):
        raise error


def test_answers_of_the_session_calls_raise() -> None:
    api = ProxyApi("KEY")
    with pytest.raises(ProxyServiceError) as refused:
        api.read_deleted_session(400, {"X-Crawlera-Error": "bad_session_id"}, b"")
    assert refused.value.action == "drop_session"
    with pytest.raises(SessionCallFailed) as failed:
        api.read_session_list(200, {}, b"[]")
    assert failed.value.reason
    sessions = api.read_session_list(200, {}, memoryview(b'{"b": null, "a": "192.0.2.1"}'))
    assert sessions.sessions == [("b", None), ("a", "192.0.2.1")]


def test_the_key_does_not_show() -> None:
    api = ProxyApi(KEY, "http://127.0.0.1:8011")
    proxied = api.request(Request("GET", "https://example.com/"), ALL)
    shown = repr(api) + repr(proxied) + repr(api.list_sessions())
    assert KEY not in shown
    assert "MDEy" not in shown
    assert KEY in api.endpoint_with_key()


def test_leaks_are_found_and_stripped() -> None:
    headers = {b"X-Crawlera-Session": [b"7"], b"Proxy-Authorization": [b"Basic x"], b"A": [b"b"]}
    assert [kind for _, kind in proxy_leaks(headers)] == ["option", "proxy_authorization"]
    assert strip_proxy_leaks(headers) == [("A", "b")]


def test_a_connect_that_failed() -> None:
    error = read_connect_failure(503)
    assert error is not None
    assert error.action == "back_off"
    assert read_connect_failure(200) is None
    assert ProxyApi("KEY").read_connect(200, {}) is None
