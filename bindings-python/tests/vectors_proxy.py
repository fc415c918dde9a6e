"""The operations of `proxy`, for the vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import silkline
from silkline import (
    ProxiedRequest,
    ProxyAnswer,
    ProxyApi,
    ProxyOptions,
    ProxyServiceError,
    Request,
)
from vectors import Given, Json, body, check_keys, headers_json, micros, text, told

OPTIONS = (
    "session",
    "max_retries",
    "cookies",
    "profile",
    "profile_pass",
    "ua",
    "no_bancheck",
    "region",
    "state",
    "city",
    "job_id",
    "client",
    "debug",
    "use_https",
)


def pairs(value: Json) -> list[tuple[str, str]]:
    """Headers whose values are written as bodies where they are long."""
    return [(name, text(content)) for name, content in value or []]


def api(given: Given, *more: str) -> ProxyApi:
    known = ("key", "endpoint", "option_place", "dialect", "follow_redirects")
    check_keys(given, *known, *more)
    return ProxyApi(
        given.get("key", "key"),
        given.get("endpoint"),
        given.get("dialect", "smart_proxy_manager"),
        option_place=given.get("option_place"),
        follow_redirects=given.get("follow_redirects", False),
    )


def options(given: Given) -> ProxyOptions:
    check_keys(given, *OPTIONS, "timeout_us", "extra")
    members = dict(given)
    if "timeout_us" in members:
        members["timeout"] = members.pop("timeout_us") / 1_000_000
    if "extra" in members:
        members["extra"] = pairs(members["extra"])
    return ProxyOptions(**members)


def set_only(**members: Json) -> Json:
    """The members that say something: neither null nor false nor empty."""
    unset = (None, False)
    kept = {name: value for name, value in members.items() if value != []}
    return {name: value for name, value in kept.items() if not any(value is it for it in unset)}


def options_json(options: ProxyOptions) -> Json:
    assert options.replace() == options
    return set_only(
        **{name: getattr(options, name) for name in OPTIONS},
        timeout_us=micros(options.timeout),
        extra=[list(pair) for pair in options.extra],
        warnings=options.warnings,
    ) | {"headers": headers_json(options.headers())}


def from_headers(given: Given) -> Json:
    check_keys(given, "headers")
    return options_json(ProxyOptions.from_headers(pairs(given["headers"])))


def with_defaults(given: Given) -> Json:
    check_keys(given, "options", "defaults")
    defaults = options(given["defaults"])
    return options_json(options(given["options"]).with_defaults(defaults))


def given_request(given: Given) -> Request:
    check_keys(given, "method", "url", "headers", "body")
    headers, content = pairs(given.get("headers")), body(given.get("body"))
    return Request(given.get("method", "GET"), given["url"], headers, content)


def request_json(request: Request) -> Json:
    return told(
        method=request.method,
        url=request.url,
        headers=headers_json(request.headers),
        body=request.body.decode() or None,
    )


def proxied(given: Given) -> ProxiedRequest:
    chosen = options(given["options"]) if "options" in given else None
    return api(given, "target", "options").request(given_request(given["target"]), chosen)


def request(given: Given) -> Json:
    found = proxied(given)
    return told(
        connect=found.connect and request_json(found.connect),
        request=request_json(found.request),
        warnings=found.warnings or None,
    )


def headers_size(given: Given) -> Json:
    def size(request: Request) -> int:
        return sum(len(name) + len(value) + 4 for name, value in request.headers)

    found = proxied(given)
    return told(connect=found.connect and size(found.connect), request=size(found.request))


def delete_session(given: Given) -> Json:
    return request_json(api(given, "session").delete_session(given["session"]))


def endpoint(given: Given) -> Json:
    found = api(given)
    return {
        "endpoint": found.endpoint,
        "endpoint_with_key": found.endpoint_with_key(),
        "authorization": found.authorization(),
    }


def error_json(error: ProxyServiceError | None) -> Json:
    return error and set_only(
        code=error.code,
        status=error.status,
        text=error.text or None,
        detail=error.detail or None,
        action=error.action,
        retry_after_us=micros(error.retry_after),
        is_ban=error.is_ban,
        billed=error.billed,
    )


def answer_json(answer: ProxyAnswer) -> Json:
    return set_only(
        origin=answer.origin,
        session=answer.session,
        outgoing=answer.outgoing,
        outgoing_host=answer.outgoing_host,
        outgoing_port=answer.outgoing_port,
        version=answer.version,
        next_request_in_us=micros(answer.next_request_in),
        retry_after_us=micros(answer.retry_after),
        debug_request_time_us=micros(answer.debug_request_time),
        debug_ua=answer.debug_ua,
        billed=answer.billed,
        error=error_json(answer.error),
    )


def answered(given: Given) -> tuple[int, list[tuple[str, str]], bytes]:
    check_keys(given, "status", "headers", "body", "dialect")
    return given["status"], pairs(given.get("headers")), body(given.get("body"))


def read_connect_failure(given: Given) -> Json:
    check_keys(given, "status")
    return error_json(silkline.read_connect_failure(given["status"]))


def connect_status(given: Given) -> Json:
    check_keys(given, "message")
    return silkline.connect_status(given["message"])


def session_list(given: Given) -> Json:
    found = API.read_session_list(*answered(given))
    return {
        "sessions": [list(session) for session in found.sessions],
        "duplicates": found.duplicates,
    }


def leaks(given: Given) -> Json:
    found, request = api(given, "request"), given_request(given["request"])
    return {
        "leaks": [list(leak) for leak in found.leaks(request)],
        "header_leaks": [list(leak) for leak in silkline.proxy_leaks(request.headers)],
        "stripped": request_json(found.strip_leaks(request)),
    }


API = ProxyApi("key")


def reader(given: Given) -> ProxyApi:
    return ProxyApi("key", dialect=given.get("dialect", "smart_proxy_manager"))


def read(given: Given) -> Json:
    return answer_json(reader(given).read(*answered(given)))


def read_connect(given: Given) -> Json:
    return error_json(reader(given).read_connect(*answered(given)))


def in_zyte_api(operation: Callable[[Given], Any]) -> Callable[[Given], Any]:
    """The same in the dialect of the successor."""
    return lambda given: operation({**given, "dialect": "zyte_api"})


OPERATIONS: dict[str, Callable[[Given], Any]] = {
    "proxy.connect_status": connect_status,
    "proxy.create_session": lambda given: request_json(api(given).create_session()),
    "proxy.delete_session": delete_session,
    "proxy.endpoint": endpoint,
    "proxy.headers_size": headers_size,
    "proxy.leaks": leaks,
    "proxy.list_sessions": lambda given: request_json(api(given).list_sessions()),
    "proxy.options": lambda given: options_json(options(given)),
    "proxy.options_from_headers": from_headers,
    "proxy.options_with_defaults": with_defaults,
    "proxy.read": read,
    "proxy.read_connect": read_connect,
    "proxy.read_connect_failure": read_connect_failure,
    "proxy.read_created_session": lambda given: API.read_created_session(*answered(given)),
    "proxy.read_deleted_session": lambda given: API.read_deleted_session(*answered(given)),
    "proxy.read_session_list": session_list,
    "proxy.request": request,
} | {
    f"zyte_api.proxy_{name}": in_zyte_api(operation)
    for name, operation in {
        "endpoint": endpoint,
        "read": read,
        "read_connect": read_connect,
        "request": request,
    }.items()
}
