"""What programs say of a request through the proxy."""

from __future__ import annotations

import json as _json
from collections.abc import AsyncIterable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict, cast
from urllib.parse import urlencode, urlsplit, urlunsplit

from silkline import Request

if TYPE_CHECKING:
    from silkline import ProxyOptions

    from .proxy_driver import Verdict

__all__ = ["AnyTarget", "Fields", "RequestOptions", "TargetSource", "built", "taken_apart"]

Fields: TypeAlias = "Mapping[str, Any] | Iterable[tuple[str, Any]]"
"""The fields of a query or a form; a list stands for several of one name."""

AnyTarget: TypeAlias = "str | Request | Mapping[str, Any]"
"""A URL, a whole request, or a mapping of the arguments of `SessionProxy.request`."""

TargetSource: TypeAlias = "Iterable[AnyTarget] | AsyncIterable[AnyTarget]"
"""Where requests come from."""


class RequestOptions(TypedDict, total=False):
    """The keyword arguments of `SessionProxy.request`."""

    headers: Mapping[str, str] | Iterable[tuple[str, str]] | None
    """Headers; those that begin with ``X-Crawlera-`` are options of the service."""
    params: Fields | None
    """Fields to add to the URL's query."""
    data: bytes | str | Fields | None
    """The body: bytes, a text, or the fields of a form."""
    json: Any
    """What to send as JSON, instead of ``data``."""
    session: str | None
    """The name of the session to go through."""
    replace_session: bool
    """Whether that may be replaced if it is lost."""
    outside_sessions: bool
    """Whether to go through none."""
    priority: int
    """Higher ones go first, always."""
    options: ProxyOptions | None
    """Options of the service."""
    banned: Verdict | None
    """Says whether an answer is a ban in disguise."""
    follow_redirects: bool
    """Whether to follow redirects."""
    max_redirects: int
    """How many to follow."""


def built(method: str, url: str, options: RequestOptions) -> Request:
    """The request that the arguments say.

    >>> from silkline.aio.proxy_requests import built
    >>> request = built("post", "http://example.com/?a=1", {"params": {"b": 2}, "json": [1]})
    >>> request.method, request.url, request.body, dict(request.headers)
    ('POST', 'http://example.com/?a=1&b=2', b'[1]', {'Content-Type': 'application/json'})
    """
    data, json, params = options.get("data"), options.get("json"), options.get("params")
    if data is not None and json is not None:
        raise TypeError("a request has either data or json")
    given = options.get("headers") or ()
    headers = list(given.items() if isinstance(given, Mapping) else given)
    kind = None
    if json is not None:
        body, kind = _json.dumps(json).encode(), "application/json"
    elif data is None or isinstance(data, bytes):
        body = data or b""
    elif isinstance(data, str):
        body, kind = data.encode(), "text/plain; charset=utf-8"
    else:
        body, kind = urlencode(_pairs(data), doseq=True).encode(), _FORM
    if kind is not None and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", kind))
    if params:
        url = _with_query(url, urlencode(_pairs(params), doseq=True))
    return Request(method.upper(), url, headers, body)


_FORM = "application/x-www-form-urlencoded"


def _pairs(fields: Fields) -> list[tuple[str, Any]]:
    return list(fields.items() if isinstance(fields, Mapping) else fields)


def _with_query(url: str, query: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, query)))))


def taken_apart(target: AnyTarget) -> tuple[Request, RequestOptions]:
    """The request and the options of a target."""
    if isinstance(target, str):
        return Request("GET", target), {}
    if isinstance(target, Request):
        return target, {}
    left = dict(target)
    url, method = left.pop("url", None), left.pop("method", "GET")
    unknown = left.keys() - RequestOptions.__annotations__.keys()
    if not isinstance(url, str) or not isinstance(method, str) or unknown:
        what = f"has no argument {min(unknown)!r}" if unknown else "needs a url"
        raise TypeError(f"a request {what}")
    options = cast("RequestOptions", left)
    return built(method, url, options), options
