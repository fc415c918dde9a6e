"""
The compiled part of the package `silkline`; use the names that `silkline` exports.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, final

__all__ = ["VERSION", "Headers", "Request", "basic_authorization", "retry_after"]

VERSION: Final[str]
"""
The version of this library.
"""

@final
class Headers:
    """
    Headers: pairs of name and value, in order, spelled as they were given.

    They iterate as pairs and are looked up by name without regard to case. HTTP clients take them
    as they are, or as `dict(headers)`. The values of secrets do not show in the `repr`.

    >>> from silkline import Headers
    >>> headers = Headers([("Accept", "text/html"), ("X-Tag", "a"), ("x-tag", "b")])
    >>> headers["accept"], headers.get("X-TAG"), headers.get_all("x-tag")
    ('text/html', 'a', ['a', 'b'])
    >>> "Cookie" in headers, headers.get("Cookie") is None, len(headers)
    (False, True, 3)
    >>> list(headers)[0]
    ('Accept', 'text/html')
    >>> dict(headers)["Accept"]
    'text/html'
    >>> Headers({"Authorization": "Basic c2VjcmV0Og=="})
    Headers([('Authorization', '[redacted]')])
    """
    def __contains__(self, name: str, /) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __getitem__(self, name: str, /) -> str: ...
    def __getnewargs__(self, /) -> tuple[list[tuple[str, str]]]: ...
    def __hash__(self, /) -> int: ...
    def __iter__(self, /) -> Iterator[tuple[str, str]]: ...
    def __len__(self, /) -> int: ...
    def __new__(cls, /, headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None) -> Headers: ...
    def __repr__(self, /) -> str: ...
    def get(self, /, name: str, default: str | None = None) -> str | None:
        """
        The first value under a name, or the default.

        >>> from silkline import Headers
        >>> Headers({"Accept": "text/html"}).get("accept")
        'text/html'
        """
    def get_all(self, /, name: str) -> list[str]:
        """
        All values under a name, in order.

        >>> from silkline import Headers
        >>> Headers([("Via", "a"), ("via", "b")]).get_all("Via")
        ['a', 'b']
        """
    def items(self, /) -> list[tuple[str, str]]:
        """
        All pairs of name and value, in order.

        >>> from silkline import Headers
        >>> Headers([("Via", "a"), ("via", "b")]).items()
        [('Via', 'a'), ('via', 'b')]
        """

@final
class Request:
    """
    An HTTP request, ready for the client to send.

    The client adds `Host` and `Content-Length`. Credentials do not show in the `repr`.

    >>> from silkline import Request
    >>> Request("GET", "https://example.com/", {"Cookie": "a=1"})
    Request('GET', 'https://example.com/', Headers([('Cookie', '[redacted]')]), <0 bytes>)
    """
    __match_args__: Final[tuple[str, str, str, str]]
    def __eq__(self, other: object, /) -> bool: ...
    def __getnewargs__(self, /) -> tuple[str, str, Headers, bytes]: ...
    def __hash__(self, /) -> int: ...
    def __new__(cls, /, method: str, url: str, headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None, body: bytes | None = None) -> Request: ...
    def __repr__(self, /) -> str: ...
    @property
    def body(self, /) -> bytes:
        """
        The body; empty for none.
        """
    @property
    def headers(self, /) -> Headers:
        """
        The headers, in the order to send them.
        """
    @property
    def method(self, /) -> str:
        """
        The method.
        """
    @property
    def url(self, /) -> str:
        """
        The absolute URL.
        """

def basic_authorization(api_key: str) -> str:
    """
    The value of `Authorization` (or `Proxy-Authorization`) for a key.

    >>> from silkline import basic_authorization
    >>> basic_authorization("secret")
    'Basic c2VjcmV0Og=='
    """

def retry_after(headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]]) -> float | None:
    """
    The delay in seconds that `Retry-After` asks for; `None` if it is unknown.

    A date becomes a delay through the answer's own `Date`.

    >>> from silkline import retry_after
    >>> retry_after({"Retry-After": "120"})
    120.0
    """
