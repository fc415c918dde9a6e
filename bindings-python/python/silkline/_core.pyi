"""
The compiled part of the package `silkline`; use the names that `silkline` exports.
"""

from _typeshed import SupportsGetItem
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, SupportsFloat, SupportsIndex, final

__all__ = ["VERSION", "ExtractionService", "FetchQuery", "FetchedPage", "Headers", "Request", "ServiceAnswer", "ServiceFetch", "basic_authorization", "retry_after"]

VERSION: Final[str]
"""
The version of this library.
"""

@final
class ExtractionService:
    """
    The service behind ``POST /v1/extract``, without sockets and clock.

    The host passes every request in, fetches and extracts the pages that are wanted, and tells
    what came of each; it calls `poll` after anything it passed in and at the moment that the last
    call named. Moments are seconds on any clock that does not go back. The same arguments and calls
    give the same answers.

    Every argument that is left out keeps the documented default. ``keys`` are the good keys (left
    out: any non-empty one), ``disabled_keys`` those of disabled accounts. ``rate`` is in queries a
    second for each key (``math.inf`` for no limit) with a second's worth of them at once, or
    ``burst``; ``system_rate`` is for all keys together and ``domain_rate`` for each domain, at most
    ``domain_concurrency`` of whose queries are in progress, else it is occupied for ``domain_wait``
    seconds. ``occupied`` maps domains to the seconds for which they are occupied from the first
    query on, ``blacklist`` names those that are refused. ``faults`` is a fault script, as JSON.
    ``epoch`` is the time at moment zero, in seconds since 1970, for the ids of queries.

    >>> import json
    >>> from silkline import basic_authorization
    >>> from silkline.service import ExtractionService, FetchedPage
    >>> service = ExtractionService(keys=["KEY"], rate=2, seed=1)
    >>> headers = {"Authorization": basic_authorization("KEY"), "Content-Type": "application/json"}
    >>> body = b'[{"url": "https://example.com/", "pageType": "article"}]'
    >>> step = service.handle_request("POST", "/v1/extract", headers, body, 0.0)
    >>> step.queries[0].url
    'https://example.com/'
    >>> page = FetchedPage('{"headline": "Hello"}', '{"inLanguages": []}')
    >>> answer = service.handle_fetched(step.ticket, 0, page, 0.5)
    >>> answer.status, json.loads(answer.body)[0]["article"]
    (200, {'headline': 'Hello'})
    """
    def __new__(cls, /, *, keys: SupportsGetItem[int, str] | None = None, disabled_keys: SupportsGetItem[int, str] | None = None, rate: SupportsFloat | SupportsIndex | None = None, burst: SupportsIndex | None = None, system_rate: SupportsFloat | SupportsIndex | None = None, max_queries: SupportsIndex | None = None, max_payload: SupportsIndex | None = None, query_timeout: SupportsFloat | SupportsIndex | None = None, blacklist: SupportsGetItem[int, str] | None = None, occupied: dict[str, SupportsFloat | SupportsIndex] | None = None, domain_rate: SupportsFloat | SupportsIndex | None = None, domain_concurrency: SupportsIndex | None = None, domain_wait: SupportsFloat | SupportsIndex | None = None, shuffle: bool = False, faults: str | None = None, seed: SupportsIndex | None = None, epoch: SupportsFloat | SupportsIndex | None = None, algorithm_version: str | None = None) -> ExtractionService: ...
    def handle_closed(self, /, ticket: SupportsIndex, now: SupportsFloat | SupportsIndex) -> None:
        """
        The client of a request went away: nothing more is wanted for it.
        """
    def handle_fetched(self, /, ticket: SupportsIndex, index: SupportsIndex, outcome: FetchedPage | SupportsIndex | str, now: SupportsFloat | SupportsIndex) -> ServiceAnswer | None:
        """
        Takes what came of a page: a `FetchedPage`, the target's status if it was none of success,
        or the name of a failure. Gives the answer if that was all it lacked.
        """
    def handle_request(self, /, method: str, url: str, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], body: bytes, now: SupportsFloat | SupportsIndex) -> ServiceAnswer | ServiceFetch:
        """
        Takes a request. The URL may be absolute or begin with the path.
        """
    @property
    def max_payload(self, /) -> int:
        """
        How many bytes a request's body may have. One more is enough to be told off.
        """
    def poll(self, /, now: SupportsFloat | SupportsIndex) -> ServiceAnswer | float | None:
        """
        What is to be done next: an answer to send, the moment to come back, or nothing.
        """
    def stats_json(self, /) -> str:
        """
        The counts so far, as JSON.
        """

@final
class FetchQuery:
    """
    A page that the host is asked to fetch and extract.

    >>> from silkline import basic_authorization
    >>> from silkline.service import ExtractionService
    >>> headers = {"Authorization": basic_authorization("KEY"), "Content-Type": "application/json"}
    >>> body = b'[{"url": "https://example.com/", "pageType": "article"}]'
    >>> step = ExtractionService().handle_request("POST", "/v1/extract", headers, body, 0.0)
    >>> step.queries
    [FetchQuery(0, 'https://example.com/', 'article')]
    """
    def __repr__(self, /) -> str: ...
    @property
    def article_body_raw(self, /) -> bool:
        """
        Whether an article is to hold its raw HTML.
        """
    @property
    def custom_html(self, /) -> str | None:
        """
        The page itself: nothing is fetched then.
        """
    @property
    def full_html(self, /) -> bool:
        """
        Whether the whole page is to be given.
        """
    @property
    def index(self, /) -> int:
        """
        Its place in the request, by which the outcome is told.
        """
    @property
    def page_type(self, /) -> str:
        """
        The page type, which is also the item's name in the result.
        """
    @property
    def url(self, /) -> str:
        """
        The page's URL: absolute, http or https, as it is to be fetched.
        """

@final
class FetchedPage:
    """
    What was read from a page.

    >>> from silkline.service import FetchedPage
    >>> FetchedPage('{"headline": "Hello"}', '{"inLanguages": [{"code": "en"}]}')
    FetchedPage(<21 bytes>)
    """
    def __new__(cls, /, item: str, web_page: str, html: str | None = None) -> FetchedPage: ...
    def __repr__(self, /) -> str: ...
    @property
    def html(self, /) -> str | None:
        """
        The page's HTML; wanted where the query asks for it.
        """
    @property
    def item(self, /) -> str:
        """
        The item, as JSON.
        """
    @property
    def web_page(self, /) -> str:
        """
        What is known of the page as such, as JSON.
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

@final
class ServiceAnswer:
    """
    An answer for the host to send.

    >>> from silkline.service import ExtractionService
    >>> ExtractionService().handle_request("GET", "/", {}, b"", 0.0)
    ServiceAnswer(404, <92 bytes>)
    """
    def __repr__(self, /) -> str: ...
    @property
    def body(self, /) -> bytes:
        """
        The body.
        """
    @property
    def dropped(self, /) -> bool:
        """
        Whether a fault script wants the connection closed without a byte of the answer.
        """
    @property
    def headers(self, /) -> Headers:
        """
        The headers. The host adds `Content-Length` and what else HTTP wants.
        """
    @property
    def status(self, /) -> int:
        """
        The status.
        """
    @property
    def ticket(self, /) -> int | None:
        """
        The request it answers; `None` if that was answered at once.
        """
    @property
    def truncated(self, /) -> int | None:
        """
        How many bytes of the body to send before the connection is closed, if a fault script wants
        it cut; the full length is announced.
        """

@final
class ServiceFetch:
    """
    The pages that a request needs.

    >>> from silkline import basic_authorization
    >>> from silkline.service import ExtractionService
    >>> headers = {"Authorization": basic_authorization("KEY"), "Content-Type": "application/json"}
    >>> body = b'[{"url": "https://example.com/", "pageType": "article"}]'
    >>> ExtractionService().handle_request("POST", "/v1/extract", headers, body, 0.0)
    ServiceFetch(1, <1 queries>)
    """
    def __repr__(self, /) -> str: ...
    @property
    def queries(self, /) -> list[FetchQuery]:
        """
        The pages to fetch and extract; none if the answer is only held back.
        """
    @property
    def ticket(self, /) -> int:
        """
        Names the request from here on.
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
