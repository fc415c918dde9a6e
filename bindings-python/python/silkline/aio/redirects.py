"""Where a redirect leads, as browsers and HTTP clients understand it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urldefrag, urljoin, urlsplit

from silkline import Request

from .response import Response

__all__ = ["followed"]

_STATUSES = frozenset({301, 302, 303, 307, 308})
_SEE_OTHER = 303
# For these a POST becomes a GET, against the letter of the standard: all clients do so.
_MOVED = frozenset({301, 302})
_OF_BODY = frozenset(
    {"content-encoding", "content-language", "content-length", "content-type", "transfer-encoding"}
)
_SECRET = frozenset({"authorization", "cookie"})
_PORTS = {"http": 80, "https": 443}


def followed(response: Response) -> Request | None:
    """The request that follows a redirect; `None` if it is none that leads anywhere.

    As in a browser, 303 asks by GET, 301 and 302 turn POST into GET, and 307 and 308 repeat the
    request. `Authorization` and `Cookie` stay with their host.

    >>> from silkline import Headers, Request
    >>> from silkline.aio import Response
    >>> from silkline.aio.redirects import followed
    >>> request = Request("POST", "http://example.com/login", {"Cookie": "a=b"}, b"user=a")
    >>> response = Response(302, Headers({"Location": "//www.example.com/home"}), b"", request)
    >>> followed(response)
    Request('GET', 'http://www.example.com/home', Headers([]), <0 bytes>)
    """
    location = response.headers.get("Location")
    if response.status not in _STATUSES or not location:
        return None
    request = response.request
    try:
        url = urljoin(request.url, location.strip())
        if urlsplit(url).scheme not in _PORTS:
            return None
        elsewhere = _is_elsewhere(request.url, url)
    except ValueError:  # a URL that cannot be taken apart
        return None
    fragment = urldefrag(request.url).fragment
    if fragment and not urldefrag(url).fragment:
        url = f"{urldefrag(url).url}#{fragment}"
    method, body, dropped = request.method, request.body, frozenset[str]()
    if (response.status == _SEE_OTHER and method != "HEAD") or (
        response.status in _MOVED and method == "POST"
    ):
        method, body, dropped = "GET", b"", _OF_BODY
    if elsewhere:
        dropped |= _SECRET
    return Request(method, url, list(_kept(request, dropped)), body)


def _kept(request: Request, dropped: frozenset[str]) -> Iterator[tuple[str, str]]:
    for name, value in request.headers:
        if name.lower() not in dropped and name.lower() != "host":
            yield name, value


def _is_elsewhere(before: str, after: str) -> bool:
    """Whether the origin changes; from http to https on one host it does not."""
    old, new = urlsplit(before), urlsplit(after)
    if (old.hostname or "").lower() != (new.hostname or "").lower():
        return True
    ports = (old.port or _PORTS.get(old.scheme), new.port or _PORTS[new.scheme])
    upgraded = (old.scheme, new.scheme) == ("http", "https") and ports == (80, 443)
    return not upgraded and (ports[0] != ports[1] or old.scheme != new.scheme)
