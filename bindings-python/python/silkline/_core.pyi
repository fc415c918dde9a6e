"""
The compiled part of the package `silkline`; use the names that `silkline` exports.
"""

from _typeshed import SupportsGetItem
from collections.abc import Iterable, Iterator, Mapping
from silkline.exceptions import ExtractionJobError, ProxyServiceError, ServiceError, SilklineError
from typing import Any, Final, Literal, SupportsFloat, SupportsIndex, final

__all__ = ["ERROR_CODES", "PAGE_TYPES", "VERSION", "Abort", "BridgeRelay", "BridgeSend", "BridgeTunnel", "BridgedQuery", "Budget", "Converted", "ExtractionApi", "ExtractionEngine", "ExtractionFinished", "ExtractionSend", "ExtractionService", "ExtractionStats", "ExtractionStopped", "ExtractionUnmatched", "FetchQuery", "FetchedPage", "Headers", "Idle", "Pace", "Place", "PlanRun", "PoolStats", "Problem", "Progress", "ProxiedRequest", "ProxyAnswer", "ProxyApi", "ProxyBridge", "ProxyEndpoint", "ProxyEngine", "ProxyFetch", "ProxyFetched", "ProxyFinished", "ProxyIncomplete", "ProxyOptions", "ProxyRelay", "ProxySend", "ProxyService", "ProxySessionList", "ProxySessionLost", "ProxyStats", "ProxyStopped", "ProxyTunnel", "ProxyWait", "Query", "QueryError", "Rate", "RateLimiter", "Request", "Result", "RetryPolicy", "Rng", "Rule", "ServiceAnswer", "ServiceFetch", "SessionKey", "SessionPool", "Turn", "Unavailable", "Unmapped", "Usage", "Use", "Wait", "WaitUntil", "ZyteApiFetch", "ZyteApiPage", "ZyteApiService", "ZyteProxyService", "basic_authorization", "basic_credentials", "connect_status", "from_zyte_api", "parse_http_date", "proxy_leaks", "read_connect_failure", "retry_after", "strip_proxy_leaks", "to_zyte_api"]

ERROR_CODES: Final[list[str]]
"""
The code of every error, sorted.
"""

PAGE_TYPES: Final[list[str]]
"""
The name of every page type.
"""

VERSION: Final[str]
"""
The version of this library.
"""

@final
class Abort:
    """
    Give a request up: nobody waits for its answer. If one comes nevertheless, pass it in.

    >>> from silkline import ExtractionApi, ExtractionEngine
    >>> from silkline.engine import Abort
    >>> engine = ExtractionEngine(ExtractionApi("KEY"))
    >>> job = engine.submit({"url": "https://example.com/", "pageType": "article"}, 0.0)
    >>> request_id = engine.poll(0.0).request_id
    >>> engine.cancel(job, 1.0)
    True
    >>> engine.poll_batch(1.0, 10)[1] == Abort(request_id)
    True
    """
    __match_args__: Final[tuple[Literal["request_id"]]]
    def __eq__(self, value: object, /) -> bool: ...
    def __getnewargs__(self, /) -> tuple[int]: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, request_id: SupportsIndex) -> Abort: ...
    def __repr__(self, /) -> str: ...
    @property
    def request_id(self, /) -> int:
        """
        The id of the request.
        """

@final
class BridgeRelay:
    """
    The head of a target's answer, as a bridge passes it on.

    >>> from silkline import basic_authorization
    >>> from silkline.bridge import ProxyBridge
    >>> bridge = ProxyBridge("NEW-KEY")
    >>> headers = {"Proxy-Authorization": basic_authorization("KEY")}
    >>> send = bridge.handle_request("GET", "http://a.example/", headers, 0.0)
    >>> bridge.handle_response(send.ticket, 404, {"Content-Type": "text/html"}, b"", 1.0)
    BridgeRelay(404)
    """
    def __repr__(self, /) -> str: ...
    @property
    def headers(self, /) -> Headers:
        """
        The headers to pass on.
        """
    @property
    def status(self, /) -> int:
        """
        The status.
        """

@final
class BridgeSend:
    """
    A request for the proxy behind a bridge.

    >>> from silkline import basic_authorization
    >>> from silkline.bridge import ProxyBridge
    >>> headers = {"Proxy-Authorization": basic_authorization("KEY"), "X-Crawlera-JobId": "7"}
    >>> send = ProxyBridge("NEW-KEY").handle_request("GET", "http://a.example/", headers, 0.0)
    >>> send, send.headers["Zyte-JobId"], send.connect_headers
    (BridgeSend(1, GET http://a.example/), '7', None)
    """
    def __repr__(self, /) -> str: ...
    @property
    def connect_headers(self, /) -> Headers | None:
        """
        The headers of the CONNECT that opens the tunnel; ``None`` for a plain target.
        """
    @property
    def headers(self, /) -> Headers:
        """
        The headers: of the request in absolute form, or of the one inside the tunnel.
        """
    @property
    def method(self, /) -> str:
        """
        The method.
        """
    @property
    def ticket(self, /) -> int:
        """
        By which to speak of it.
        """
    @property
    def url(self, /) -> str:
        """
        The target's URL, absolute.
        """

@final
class BridgeTunnel:
    """
    An open tunnel of a bridge: what its CONNECT said counts for each request inside.

    >>> from silkline import basic_authorization
    >>> from silkline.bridge import ProxyBridge
    >>> headers = {"Proxy-Authorization": basic_authorization("KEY")}
    >>> ProxyBridge("NEW-KEY").handle_connect("example.com:443", headers, 0.0)
    BridgeTunnel(example.com:443)
    """
    def __repr__(self, /) -> str: ...
    @property
    def authority(self, /) -> str:
        """
        Host and port of the target.
        """
    @property
    def headers(self, /) -> Headers:
        """
        The headers of the 200 that answers the CONNECT.
        """

@final
class BridgedQuery:
    """
    What came of a query at Zyte API, for `silkline.service.ExtractionService.handle_fetched`, which
    answers in the words of the Automatic Extraction API.

    >>> from silkline.bridge import BridgedQuery
    >>> BridgedQuery.of_error("user_rate_limit_exceeded", "user rate limit exceeded", 7.0)
    BridgedQuery('user-rate-limit-exceeded')
    >>> BridgedQuery.of_error("network_failure", "the connection failed")
    BridgedQuery('InternalError')
    """
    def __repr__(self, /) -> str: ...
    @staticmethod
    def of_error(code: str, message: str, retry_after: SupportsFloat | SupportsIndex | None = None) -> BridgedQuery:
        """
        From an error that no result explains: its code, its message, and the seconds after which
        the service asked to try again.
        """
    @staticmethod
    def of_result(result: Result) -> BridgedQuery:
        """
        From the result of a query.
        """

@final
class Budget:
    """
    When to give up: never (``"forever"``), after so many ``"retries"`` of the class, when so many
    seconds have passed ``"since_first_attempt"``, or when failures of the class came for so many
    seconds ``"uninterrupted"``.

    >>> from silkline.schedule import Budget
    >>> Budget("retries", 3), Budget("forever")
    (Budget('retries', 3), Budget('forever'))
    >>> Budget("uninterrupted", 900).limit
    900.0
    """
    __match_args__: Final[tuple[Literal["kind"], Literal["limit"]]]
    def __eq__(self, value: object, /) -> bool: ...
    def __getnewargs__(self, /) -> tuple[Literal["forever", "retries", "since_first_attempt", "uninterrupted"], int | float | None]: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, kind: Literal["forever", "retries", "since_first_attempt", "uninterrupted"], limit: Any | None = None) -> Budget: ...
    def __repr__(self, /) -> str: ...
    @property
    def kind(self, /) -> Literal["forever", "retries", "since_first_attempt", "uninterrupted"]:
        """
        What it counts.
        """
    @property
    def limit(self, /) -> int | float | None:
        """
        How many retries or seconds; `None` for no end.
        """

@final
class Converted:
    """
    An item in the schema of the other service.

    >>> from silkline.zyte_api.items import from_zyte_api
    >>> item = {"url": "https://example.com/", "videos": [{"url": "https://example.com/v"}]}
    >>> from_zyte_api("article", item).item["videoUrls"]
    ['https://example.com/v']
    """
    __match_args__: Final[tuple[Literal["item"], Literal["unmapped"]]]
    def __repr__(self, /) -> str: ...
    @property
    def item(self, /) -> dict[str, Any]:
        """
        The item, decoded by `json.loads` when it is first asked for; then the same object.
        """
    @property
    def item_json(self, /) -> str:
        """
        The item's JSON text, in which what merely moved stands as it was written.
        """
    @property
    def unmapped(self, /) -> list[Unmapped]:
        """
        What of the original has no place in it, in the order of the original.
        """

@final
class ExtractionApi:
    """
    The client's side of the protocol: queries to a request, and its answer to results.

    It sends nothing: `request` gives what to send with any HTTP client, `results` reads what came
    back. The key shows in the request only.

    >>> from silkline import ExtractionApi, Query
    >>> api = ExtractionApi("KEY")
    >>> queries = [Query("https://example.com/", "article")]
    >>> request = api.request(queries)
    >>> request.method, request.url
    ('POST', 'https://autoextract.scrapinghub.com/v1/extract')
    >>> body = b'''[{"query": {"userQuery": {"url": "https://example.com/", "pageType": "article"}},
    ...               "article": {"headline": "Example"}}]'''
    >>> [result] = api.results(queries, 200, {"Content-Type": "application/json"}, body)
    >>> result.item
    {'headline': 'Example'}

    With ``dialect="zyte_api"`` the same queries go to the successor, and its answers are read as if
    they were the older service's.

    >>> api = ExtractionApi("KEY", dialect="zyte_api")
    >>> request = api.request(queries)
    >>> request.url, request.body
    ('https://api.zyte.com/v1/extract', b'{"url":"https://example.com/","article":true}')
    """
    DEFAULT_ENDPOINT: Final[str]
    """
    The address of the service, unless another is given.
    """
    def __new__(cls, /, api_key: str, endpoint: str | None = None, dialect: Literal["automatic_extraction", "zyte_api"] = ...) -> ExtractionApi: ...
    def __repr__(self, /) -> str: ...
    @property
    def deadline(self, /) -> float:
        """
        How many seconds an answer may take before a client should give up.
        """
    @property
    def dialect(self, /) -> Literal["automatic_extraction", "zyte_api"]:
        """
        The service that is spoken to.
        """
    @property
    def endpoint(self, /) -> str:
        """
        The address that requests go to.
        """
    @property
    def max_queries(self, /) -> int:
        """
        The most queries that one request may carry.
        """
    def request(self, /, queries: Iterable[Query | Mapping[str, Any]]) -> Request:
        """
        The request that carries the queries: `Query` objects, or mappings in the service's own
        spelling.

        >>> from silkline import ExtractionApi
        >>> api = ExtractionApi("KEY", endpoint="http://localhost:8010/v1/extract")
        >>> request = api.request([{"url": "https://example.com/", "pageType": "product"}])
        >>> request.body
        b'[{"url":"https://example.com/","pageType":"product"}]'
        >>> request.headers["Content-Type"]
        'application/json'
        """
    def results(self, /, queries: Iterable[Query | Mapping[str, Any]], status: SupportsIndex, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], body: bytes | bytearray | memoryview) -> list[Result]:
        """
        Reads the answer to a request of these queries: one result for each, in their order, then
        the results that belong to none of them.

        The body has any content coding undone; `bytes` are kept, not copied. Raises `ServiceError`
        if there are no results at all; an error of one query is `Result.error`.

        >>> from silkline import ExtractionApi, Query
        >>> api = ExtractionApi("KEY")
        >>> queries = [Query("https://example.com/", "article")]
        >>> [result] = api.results(queries, 200, [], b"[]")
        >>> result.ok, result.error.code
        (False, 'missing_result')
        """

@final
class ExtractionEngine:
    """
    Decides which queries to send when, without sockets and clock.

    Programs submit queries; a driver calls `poll` (or `poll_batch`) after anything it passed in and
    at the moment that the last call named, sends what it is told to, and passes in what came back.
    Moments are seconds on any clock that does not go back. The same arguments, seed and calls give
    the same outputs. Threads may share an engine.

    Every argument that is left out keeps its default. ``rate`` is how many queries a second may be
    sent on average (what the service of the API object enforces; a number or a `silkline.schedule.Rate`), ``burst``
    how many at once after a rest (1), ``concurrency`` how many requests may be under way (100),
    ``queue_size`` how many jobs may be unfinished (a million), ``batch_size`` how many queries a
    request may carry (1, at most 100), ``deadline`` how many seconds an answer may take (605; 320 of Zyte API),
    ``policy`` a `silkline.schedule.RetryPolicy`, ``cap`` how many queries may be billed in a cycle,
    and ``requeue`` whether jobs that were under way when a snapshot was taken are tried again (they
    may be billed twice) or end as interrupted. Without a ``seed``, waits differ from run to run.

    >>> from silkline import ExtractionApi, ExtractionEngine, Query
    >>> from silkline.engine import ExtractionFinished, ExtractionSend, Idle, WaitUntil
    >>> engine = ExtractionEngine(ExtractionApi("KEY"), seed=1)
    >>> engine.submit(Query("https://example.com/", "article"), 0.0, key="home")
    1
    >>> match engine.poll(0.0):
    ...     case ExtractionSend(request_id, request):
    ...         print(request.method, request.url, request.body)
    POST https://autoextract.scrapinghub.com/v1/extract b'[{"url":"https://example.com/","pageType":"article"}]'
    >>> engine.poll(0.0)
    WaitUntil(605.0, 'answers')
    >>> body = b'''[{"query": {"userQuery": {"url": "https://example.com/", "pageType": "article"}},
    ...               "article": {"headline": "Example"}}]'''
    >>> engine.handle_response(request_id, 200, {"Content-Type": "application/json"}, body, 2.5)
    'accepted'
    >>> match engine.poll(2.5):
    ...     case ExtractionFinished(job, key, result):
    ...         print(job, key, result.item)
    1 home {'headline': 'Example'}
    >>> engine.poll(2.5)
    Idle('empty')
    """
    def __contains__(self, job: SupportsIndex, /) -> bool:
        """
        Whether a job is unfinished.
        """
    def __new__(cls, /, api: ExtractionApi, *, rate: Rate | SupportsFloat | SupportsIndex | None = None, burst: SupportsIndex | None = None, concurrency: SupportsIndex | None = None, queue_size: SupportsIndex | None = None, batch_size: SupportsIndex | None = None, deadline: SupportsFloat | SupportsIndex | None = None, policy: RetryPolicy | None = None, cap: SupportsIndex | None = None, requeue: bool | None = None, seed: SupportsIndex | None = None, now: SupportsFloat | SupportsIndex = 0.0) -> ExtractionEngine: ...
    def __repr__(self, /) -> str: ...
    def cancel(self, /, job: SupportsIndex, now: SupportsFloat | SupportsIndex) -> bool:
        """
        Ends a job as cancelled; false if it has ended. A request whose jobs are all cancelled is
        aborted; what it cost still counts.
        """
    def close(self, /, now: SupportsFloat | SupportsIndex, grace: SupportsFloat | SupportsIndex) -> None:
        """
        Ends all jobs that are not under way as closed; what is under way may finish until ``grace``
        seconds have passed, then it is aborted. Nothing is sent or taken in from here on.
        """
    def handle_failure(self, /, request_id: SupportsIndex, failure: Literal["network", "not_sent", "timeout"], now: SupportsFloat | SupportsIndex) -> Literal["accepted", "late"]:
        """
        Says that a request has no answer: ``"network"`` (the connection broke), ``"not_sent"`` (it
        never left, so it costs nothing), or ``"timeout"`` (the driver's own limit passed).
        """
    def handle_response(self, /, request_id: SupportsIndex, status: SupportsIndex, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], body: bytes | bytearray | memoryview, now: SupportsFloat | SupportsIndex) -> Literal["accepted", "late"]:
        """
        Takes the answer of a request, with its whole body, any content coding undone. ``bytes`` are
        kept for the results, which decode them when they are asked for something. Gives
        ``"accepted"``, or ``"late"`` if the request had been given up.
        """
    def handle_sent(self, /, request_id: SupportsIndex, now: SupportsFloat | SupportsIndex) -> Literal["accepted", "late"]:
        """
        Says that a request left, if the driver knows. Optional. Raises `UnknownRequest`, as all
        that follows, for an id that no request has that was handed out and not answered.
        """
    def poll(self, /, now: SupportsFloat | SupportsIndex) -> ExtractionSend | Abort | ExtractionFinished | ExtractionStopped | ExtractionUnmatched | WaitUntil | Idle:
        """
        What to do next. Call until it says `WaitUntil` or `Idle`.
        """
    def poll_batch(self, /, now: SupportsFloat | SupportsIndex, most: SupportsIndex) -> list[ExtractionSend | Abort | ExtractionFinished | ExtractionStopped | ExtractionUnmatched | WaitUntil | Idle]:
        """
        What to do next, up to ``most`` things at once: the last one is `WaitUntil` or `Idle`, unless
        there are more.

        >>> from silkline import ExtractionApi, ExtractionEngine
        >>> engine = ExtractionEngine(ExtractionApi("KEY"), burst=2)
        >>> pages = [{"url": f"https://example.com/{n}", "pageType": "article"} for n in range(3)]
        >>> ids = engine.submit_many(pages, 0.0)
        >>> engine.poll_batch(0.0, 64)
        [ExtractionSend(1, <1 queries>, deadline=605.0), ExtractionSend(2, <1 queries>, deadline=605.0), WaitUntil(0.2, 'rate')]
        """
    @staticmethod
    def restore(api: ExtractionApi, snapshot: bytes | bytearray | memoryview, now: SupportsFloat | SupportsIndex, downtime: SupportsFloat | SupportsIndex | None = None, *, rate: Rate | SupportsFloat | SupportsIndex | None = None, burst: SupportsIndex | None = None, concurrency: SupportsIndex | None = None, queue_size: SupportsIndex | None = None, batch_size: SupportsIndex | None = None, deadline: SupportsFloat | SupportsIndex | None = None, policy: RetryPolicy | None = None, cap: SupportsIndex | None = None, requeue: bool | None = None) -> ExtractionEngine:
        """
        An engine that goes on where a snapshot was taken, ``downtime`` seconds ago if that is known
        (none else). The other arguments are those of a new engine; the generator's state comes from
        the snapshot.

        >>> from silkline import ExtractionApi, ExtractionEngine
        >>> api = ExtractionApi("KEY")
        >>> engine = ExtractionEngine(api)
        >>> job = engine.submit({"url": "https://example.com/", "pageType": "article"}, 0.0)
        >>> saved = engine.snapshot(1.0)
        >>> again = ExtractionEngine.restore(api, saved, 0.0, downtime=60)
        >>> again.poll(0.0).request.body == engine.poll(1.0).request.body
        True
        """
    def resume(self, /, now: SupportsFloat | SupportsIndex) -> None:
        """
        Goes on after a stop, as if the account were well again; also ends a pause.
        """
    @property
    def room(self, /) -> int:
        """
        How many further jobs are taken in; none of a closed engine.
        """
    def snapshot(self, /, now: SupportsFloat | SupportsIndex) -> bytes:
        """
        Everything that a new process needs to go on, without the API's key.
        """
    def start_cycle(self, /, now: SupportsFloat | SupportsIndex) -> None:
        """
        Begins a billing cycle: what was billed counts no longer against the cap.
        """
    def stats(self, /) -> ExtractionStats:
        """
        The engine's numbers.
        """
    def submit(self, /, query: Query | Mapping[str, Any], now: SupportsFloat | SupportsIndex, *, priority: SupportsIndex = 0, key: str | None = None) -> int:
        """
        Takes a job in: a query (a `Query`, or a mapping in the service's own spelling), a priority
        (higher ones go first, always) and a text that comes back with its event, over snapshots
        too. Gives the job's id. Raises `NotSubmitted` if the queue is full or the engine closed.
        """
    def submit_many(self, /, queries: Iterable[Query | Mapping[str, Any]], now: SupportsFloat | SupportsIndex, *, priority: SupportsIndex = 0) -> list[int]:
        """
        Takes a job in for each query of an iterable, as long as there is room, and gives the ids of
        the jobs. Nothing is taken from an iterator for which there is no room, so the same one can
        be passed again later. A query that is wrong raises; those before it are taken in.

        >>> from silkline import ExtractionApi, ExtractionEngine
        >>> engine = ExtractionEngine(ExtractionApi("KEY"), queue_size=2)
        >>> pages = ({"url": f"https://example.com/{n}", "pageType": "article"} for n in range(3))
        >>> engine.submit_many(pages, 0.0), engine.room
        ([1, 2], 0)
        >>> next(pages)["url"]
        'https://example.com/2'
        """

@final
class ExtractionFinished:
    """
    A job ended: with an item in ``result``, or with an ``error``.

    >>> from silkline import ExtractionApi, ExtractionEngine
    >>> engine = ExtractionEngine(ExtractionApi("KEY"))
    >>> job = engine.submit({"url": "https://example.com/", "pageType": "article"}, 0.0, key="a")
    >>> engine.cancel(job, 1.0)
    True
    >>> finished = engine.poll(1.0)
    >>> finished.job, finished.key, finished.ok, finished.error
    (1, 'a', False, ExtractionJobError('the job was cancelled'))
    >>> finished.error.code, finished.attempts, finished.billed, finished.elapsed
    ('job_cancelled', 0, 0, 1.0)
    """
    __match_args__: Final[tuple[Literal["job"], Literal["key"], Literal["result"], Literal["error"]]]
    def __repr__(self, /) -> str: ...
    @property
    def attempts(self, /) -> int:
        """
        How often it was sent.
        """
    @property
    def billed(self, /) -> int:
        """
        How many of its attempts are known to be billed.
        """
    @property
    def elapsed(self, /) -> float:
        """
        How many seconds it took since it was submitted.
        """
    @property
    def error(self, /) -> QueryError | ServiceError | ExtractionJobError | None:
        """
        Why there is no item: a `QueryError` that the service answered the query with, or an
        exception object for what no answer explains; each has a ``code``. `None` if there is one.
        """
    @property
    def job(self, /) -> int:
        """
        The job's id.
        """
    @property
    def key(self, /) -> str | None:
        """
        The text that it was submitted with.
        """
    @property
    def ok(self, /) -> bool:
        """
        Whether there is an item.
        """
    @property
    def possibly_billed(self, /) -> int:
        """
        Of how many nobody knows, because their answer was lost.
        """
    @property
    def query(self, /) -> Query:
        """
        Its query.
        """
    @property
    def result(self, /) -> Result | None:
        """
        What the service found out; `None` if no answer has anything on the query. With an error of
        the query, the result has no item.
        """

@final
class ExtractionSend:
    """
    Send a request, and report its answer or failure under its id.

    >>> from silkline import ExtractionApi, ExtractionEngine
    >>> engine = ExtractionEngine(ExtractionApi("KEY"))
    >>> job = engine.submit({"url": "https://example.com/", "pageType": "article"}, 0.0)
    >>> send = engine.poll(0.0)
    >>> send.request_id, send.request.method, send.deadline, send.queries
    (1, 'POST', 605.0, 1)
    """
    __match_args__: Final[tuple[Literal["request_id"], Literal["request"]]]
    def __repr__(self, /) -> str: ...
    @property
    def deadline(self, /) -> float:
        """
        When the engine gives it up, in seconds on the driver's clock.
        """
    @property
    def queries(self, /) -> int:
        """
        How many queries it carries.
        """
    @property
    def request(self, /) -> Request:
        """
        The request.
        """
    @property
    def request_id(self, /) -> int:
        """
        By which to speak of the request.
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
    def handle_fetched(self, /, ticket: SupportsIndex, index: SupportsIndex, outcome: FetchedPage | BridgedQuery | SupportsIndex | str, now: SupportsFloat | SupportsIndex) -> ServiceAnswer | None:
        """
        Takes what came of a page: a `FetchedPage`, the target's status if it was none of success,
        or the name of a failure. Gives the answer if that was all it lacked.
        """
    def handle_malformed(self, /, now: SupportsFloat | SupportsIndex) -> ServiceAnswer:
        """
        Answers what the host could not read as an HTTP request.
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
class ExtractionStats:
    """
    The numbers of an `ExtractionEngine`, since it was made or since the snapshots that it comes from
    began.

    >>> from silkline import ExtractionApi, ExtractionEngine
    >>> engine = ExtractionEngine(ExtractionApi("KEY"))
    >>> job = engine.submit({"url": "https://example.com/", "pageType": "article"}, 0.0)
    >>> stats = engine.stats()
    >>> stats.submitted, stats.queued, stats.usage
    (1, 1, Usage(queries=0, billed=0, unbilled=0, unknown=0))
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __repr__(self, /) -> str: ...
    @property
    def billed_retries(self, /) -> int:
        """
        Retries of queries that failed in a way that is billed.
        """
    @property
    def cancelled(self, /) -> int:
        """
        Jobs that ended because they were cancelled.
        """
    @property
    def closed(self, /) -> int:
        """
        Jobs that ended because the engine was closed.
        """
    @property
    def failed(self, /) -> int:
        """
        Jobs that ended with an error, other than those of the next two.
        """
    @property
    def late(self, /) -> int:
        """
        Answers that came after that.
        """
    @property
    def missing(self, /) -> int:
        """
        Queries whose answer had no result for them.
        """
    @property
    def occupied(self, /) -> int:
        """
        Answers that said a domain is occupied.
        """
    @property
    def paused(self, /) -> bool:
        """
        Whether the engine waits because of a limit of the account or the service.
        """
    @property
    def queries_in_flight(self, /) -> int:
        """
        Queries under way.
        """
    @property
    def queued(self, /) -> int:
        """
        Jobs that can be sent as soon as rate, slots, budget and their domain let them.
        """
    @property
    def requests(self, /) -> int:
        """
        Requests handed out.
        """
    @property
    def requests_in_flight(self, /) -> int:
        """
        Requests under way.
        """
    @property
    def retries(self, /) -> int:
        """
        Tries beyond the first of their job.
        """
    @property
    def spent(self, /) -> int:
        """
        What counts against the cap of this cycle: billed, unknown and under way.
        """
    @property
    def stopped(self, /) -> bool:
        """
        Whether it is stopped because the account is refused.
        """
    @property
    def submitted(self, /) -> int:
        """
        Jobs taken in.
        """
    @property
    def succeeded(self, /) -> int:
        """
        Jobs that ended with an item.
        """
    @property
    def throttled(self, /) -> int:
        """
        Answers that asked the whole engine to wait.
        """
    @property
    def timed_out(self, /) -> int:
        """
        Requests given up at their deadline.
        """
    @property
    def unmatched(self, /) -> int:
        """
        Results that belong to no query.
        """
    @property
    def usage(self, /) -> Usage:
        """
        Queries that are not under way any more, by billing.
        """
    @property
    def waiting(self, /) -> int:
        """
        Jobs that wait before another try.
        """

@final
class ExtractionStopped:
    """
    The account is refused: the engine is stopped, its queue kept, until `resume` or `close`.

    >>> from silkline import ExtractionApi, ExtractionEngine
    >>> engine = ExtractionEngine(ExtractionApi("KEY"))
    >>> job = engine.submit({"url": "https://example.com/", "pageType": "article"}, 0.0)
    >>> send = engine.poll(0.0)
    >>> engine.handle_response(send.request_id, 401, {}, b"", 1.0)
    'accepted'
    >>> engine.poll(1.0)
    <ExtractionStopped ServiceError('status 401 with an empty body')>
    >>> engine.poll(1.0)
    Idle('stopped')
    """
    __match_args__: Final[tuple[Literal["error"]]]
    def __repr__(self, /) -> str: ...
    @property
    def error(self, /) -> ServiceError:
        """
        What the service said, which can be raised.
        """

@final
class ExtractionUnmatched:
    """
    The service sent a result that no query of the request asked for.

    >>> from silkline import ExtractionApi, ExtractionEngine
    >>> engine = ExtractionEngine(ExtractionApi("KEY"))
    >>> job = engine.submit({"url": "https://example.com/", "pageType": "article"}, 0.0)
    >>> body = b'[{"query": {"userQuery": {"url": "http://b.example/"}}, "article": {}}]'
    >>> send = engine.poll(0.0)
    >>> engine.handle_response(send.request_id, 200, {}, body, 1.0)
    'accepted'
    >>> unmatched = engine.poll(1.0)
    >>> unmatched.result.error.code, unmatched.result.url, unmatched.query
    ('foreign_result', 'http://b.example/', None)
    """
    __match_args__: Final[tuple[Literal["result"]]]
    def __repr__(self, /) -> str: ...
    @property
    def query(self, /) -> Query | None:
        """
        The query whose second result it is.
        """
    @property
    def result(self, /) -> Result:
        """
        The result; its error says why it is nobody's.
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
    def __hash__(self, /) -> int: ...
    def __iter__(self, /) -> Iterator[tuple[str, str]]: ...
    def __len__(self, /) -> int: ...
    def __new__(cls, /, headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None) -> Headers: ...
    def __reduce__(self, /) -> tuple[Any, tuple[list[tuple[str, str]]]]: ...
    def __repr__(self, /) -> str: ...
    @staticmethod
    def from_received(headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]]) -> Headers:
        """
        Takes headers that came over the wire as they are, however badly spelled.

        >>> from silkline import Headers
        >>> Headers.from_received({b"X-Odd name": [b"\\xe9"]})
        Headers([('X-Odd name', 'é')])
        """
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
class Idle:
    """
    Nothing to do before the next command.

    >>> from silkline import ExtractionApi, ExtractionEngine
    >>> ExtractionEngine(ExtractionApi("KEY")).poll(0.0)
    Idle('empty')
    """
    __match_args__: Final[tuple[Literal["reason"]]]
    def __eq__(self, value: object, /) -> bool: ...
    def __getnewargs__(self, /) -> tuple[Literal["closed", "empty", "incomplete", "out_of_budget", "stopped"]]: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, reason: Literal["closed", "empty", "incomplete", "out_of_budget", "stopped"]) -> Idle: ...
    def __repr__(self, /) -> str: ...
    @property
    def reason(self, /) -> Literal["closed", "empty", "incomplete", "out_of_budget", "stopped"]:
        """
        Why.
        """

@final
class Pace:
    """
    The pace of one session or address, ready from ``ready`` on.

    The service counts a request when it arrives, at a moment between sending and answer that a
    client cannot see. So the next one is ready at min(answer, sent + margin) + delay: the margin
    covers the jitter of the way there; without one (`None`), only the answer counts.

    >>> from silkline.schedule import Pace
    >>> pace = Pace(0.25)
    >>> turn = pace.begin(12, 0.0)
    >>> pace.ready_at
    12.25
    >>> pace.answered(turn, 0.1)
    >>> pace.ready_at
    12.1
    """
    def __new__(cls, /, margin: SupportsFloat | SupportsIndex | None, ready: SupportsFloat | SupportsIndex = 0.0) -> Pace: ...
    def answered(self, /, turn: Turn, now: SupportsFloat | SupportsIndex) -> None:
        """
        The request's answer was there at ``now``.
        """
    def begin(self, /, delay: SupportsFloat | SupportsIndex, now: SupportsFloat | SupportsIndex) -> Turn:
        """
        Counts a request sent at ``now`` whose domain asks for ``delay`` seconds afterwards.
        """
    def not_before(self, /, moment: SupportsFloat | SupportsIndex) -> None:
        """
        Waits at least until a moment.
        """
    def not_sent(self, /, turn: Turn) -> None:
        """
        The request never left: as if it had not begun.
        """
    @property
    def ready_at(self, /) -> float | None:
        """
        When the next request may be sent; `None` while only an answer can tell.
        """
    def recover(self, /) -> None:
        """
        A good answer that asked for nothing: back towards the plain delay by one step.
        """
    def sent(self, /, turn: Turn, now: SupportsFloat | SupportsIndex) -> Turn:
        """
        The request left at ``now``, later than it was handed out: gives its turn as it is from then
        on.
        """
    def slow_down(self, /, now: SupportsFloat | SupportsIndex, *, asked: SupportsFloat | SupportsIndex | None = None) -> None:
        """
        The service says it is too fast: not before ``asked`` seconds have passed, and slower by two
        steps.
        """
    @property
    def steps(self, /) -> int:
        """
        Steps by which it is slowed down; each adds half of the plain delay.
        """
    def timed_out(self, /, turn: Turn, now: SupportsFloat | SupportsIndex) -> None:
        """
        No answer came in time: nobody knows when the request arrived, so it cools from ``now``.
        """

@final
class Place:
    """
    A place in the pool, reserved for a session that is being created. It is used up by the call
    that fills it or gives it back.

    >>> from silkline.schedule import SessionPool
    >>> SessionPool().reserve(0.0, named=True).named
    True
    """
    @property
    def named(self, /) -> bool:
        """
        Whether it is for a named session.
        """

@final
class PlanRun:
    """
    A crawl in virtual time, by settings as JSON; `silkline.plan.Plan` has them by name.

    >>> from silkline.plan import PlanRun
    >>> run = PlanRun('{"kind": "proxy", "pages": 10}')
    >>> run.advance(1000)
    True
    >>> run
    PlanRun(10 of 10 pages)
    """
    def __new__(cls, /, settings: str) -> PlanRun: ...
    def __repr__(self, /) -> str: ...
    def advance(self, /, moments: SupportsIndex) -> bool:
        """
        Goes on by so many moments of virtual time, without holding up other threads; true if the
        crawl is over.
        """
    def progress(self, /) -> tuple[int, int, int]:
        """
        Pages that are done or failed, all pages, and the microseconds of virtual time so far.
        """
    def report(self, /) -> str:
        """
        What came of it, so far if it is not over, as JSON.
        """

@final
class PoolStats:
    """
    Numbers of a pool.

    >>> from silkline.schedule import SessionPool
    >>> pool = SessionPool(size=20)
    >>> place = pool.reserve(0.0)
    >>> pool.stats().reserved, pool.stats().limit
    (1, 20)
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __ne__(self, value: object, /) -> bool: ...
    @property
    def in_use(self, /) -> int:
        """
        Sessions in use.
        """
    @property
    def limit(self, /) -> int:
        """
        How many sessions there may be at the moment.
        """
    @property
    def lost(self, /) -> int:
        """
        Places kept because a creation's answer was lost.
        """
    @property
    def named(self, /) -> int:
        """
        Named sessions and places for them.
        """
    @property
    def reserved(self, /) -> int:
        """
        Places kept for creations under way.
        """
    @property
    def sessions(self, /) -> int:
        """
        Sessions, in use or not.
        """

@final
class Problem:
    """
    A problem document (RFC 7807): what a service says is wrong.

    >>> from silkline import Problem
    >>> problem = Problem.read(b'{"type": "http://a.b/rate-limit-exceeded.html", "retryAfter": 2.5}')
    >>> problem.kind, problem.title, problem.members, problem.retry_delay
    ('rate-limit-exceeded', None, {'retryAfter': 2.5}, 2.5)
    >>> Problem("http://a.b/empty-request", title="Empty", status=400).to_json()
    '{"type":"http://a.b/empty-request","title":"Empty","status":400}'
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, problem_type: str | None = None, *, title: str | None = None, status: SupportsIndex | None = None, detail: str | None = None, instance: str | None = None, members: Mapping[str, Any] | None = None) -> Problem: ...
    def __reduce__(self, /) -> tuple[Any, tuple[bytes]]: ...
    def __repr__(self, /) -> str: ...
    @property
    def detail(self, /) -> str | None:
        """
        An explanation of this occurrence.
        """
    @property
    def instance(self, /) -> str | None:
        """
        A URI of this occurrence.
        """
    @property
    def kind(self, /) -> str | None:
        """
        What tells the types apart: the last path segment of the type, without `.html`.
        """
    @property
    def members(self, /) -> dict[str, Any]:
        """
        The other members; a new dict each time.
        """
    @property
    def problem_type(self, /) -> str | None:
        """
        The URI of the problem's type, as it stands in the document.
        """
    @staticmethod
    def read(body: bytes | bytearray | memoryview) -> Problem:
        """
        Reads the body of an answer.

        >>> from silkline import Problem
        >>> Problem.read(b'{"title": "Empty"}').title
        'Empty'
        """
    @property
    def retry_delay(self, /) -> float | None:
        """
        How many seconds to wait before the next attempt, if a member says so.
        """
    @property
    def status(self, /) -> int | None:
        """
        The status of the response, as the document repeats it.
        """
    @property
    def title(self, /) -> str | None:
        """
        A short summary of the problem's type.
        """
    def to_json(self, /) -> str:
        """
        The document as JSON.

        >>> from silkline import Problem
        >>> Problem("about:blank", members={"limit": 5}).to_json()
        '{"type":"about:blank","limit":5}'
        """
    def with_member(self, /, name: str, json: str) -> Problem:
        """
        The same with a member of one's own, given as JSON text.

        >>> from silkline import Problem
        >>> Problem("about:blank").with_member("limit", "5.0").to_json()
        '{"type":"about:blank","limit":5.0}'
        """

@final
class Progress:
    """
    What one piece of work has been through: failures by class, and since when.

    >>> from silkline.schedule import Progress
    >>> Progress(10.0).failures("network"), Progress(10.0).first_attempt
    (0, 10.0)
    """
    def __new__(cls, /, first_attempt: SupportsFloat | SupportsIndex) -> Progress: ...
    def failures(self, /, failure: Literal["account", "ban", "billed_query", "download", "download_internal", "garbled", "network", "occupied", "query", "server", "target", "throttled"]) -> int:
        """
        Failures of a class so far.
        """
    @property
    def first_attempt(self, /) -> float:
        """
        When the first attempt was made.
        """

@final
class ProxiedRequest:
    """
    A request as it goes through the proxy.

    >>> from silkline import ProxyApi, Request
    >>> proxied = ProxyApi("KEY").request(Request("GET", "http://example.com/a"))
    >>> proxied.connect is None, proxied.request.url
    (True, 'http://example.com/a')
    """
    def __repr__(self, /) -> str: ...
    @property
    def connect(self, /) -> Request | None:
        """
        For an https target, what opens the tunnel: its URL is ``host:port``. ``None`` for a plain
        target.
        """
    @property
    def request(self, /) -> Request:
        """
        The request itself. For a plain target it goes to the proxy in absolute form, with the
        authorization; for an https target it goes through the tunnel, without.
        """
    @property
    def warnings(self, /) -> list[str]:
        """
        Codes of what is allowed but hardly meant.
        """

@final
class ProxyAnswer:
    """
    What the head of an answer through the proxy says about session, pace and error.

    >>> from silkline import ProxyApi
    >>> headers = {"X-Crawlera-Version": "1.60", "X-Crawlera-Session": "7"}
    >>> answer = ProxyApi("KEY").read(404, headers)
    >>> answer.origin, answer.session, answer.error
    ('target', '7', None)
    """
    def __repr__(self, /) -> str: ...
    @property
    def billed(self, /) -> bool:
        """
        Whether the answer costs money.
        """
    @property
    def debug_request_time(self, /) -> float | None:
        """
        How many seconds the target took, if asked for.
        """
    @property
    def debug_ua(self, /) -> str | None:
        """
        Which user agent the target saw, if asked for.
        """
    @property
    def error(self, /) -> ProxyServiceError | None:
        """
        The service's error, which can be raised.
        """
    @property
    def next_request_in(self, /) -> float | None:
        """
        How many seconds the next request of the session has to wait.
        """
    @property
    def origin(self, /) -> str:
        """
        Whose answer it is: ``"service"`` (an error), ``"target"``, or ``"other"`` if nothing in the
        headers names the service.
        """
    @property
    def outgoing(self, /) -> str | None:
        """
        The address that the request left from, as the service spells it, mostly ``ip:port``.
        """
    @property
    def outgoing_host(self, /) -> str | None:
        """
        The address without the port: what sessions that share an address have in common.
        """
    @property
    def outgoing_port(self, /) -> int | None:
        """
        The port of the address.
        """
    @property
    def retry_after(self, /) -> float | None:
        """
        What ``Retry-After`` says, in seconds.
        """
    @property
    def session(self, /) -> str | None:
        """
        The id of the session that the request went through.
        """
    @property
    def version(self, /) -> str | None:
        """
        The version of the service.
        """

@final
class ProxyApi:
    """
    Builds requests to Smart Proxy Manager and reads its answers.

    It sends nothing. ``endpoint`` is ``http://host:port`` or ``https://host:port``;
    ``option_place`` says where the options of requests to https targets go: ``"inside"`` the tunnel
    (as usual), or on the ``"connect"``, for clients that cannot add headers inside.

    >>> from silkline import ProxyApi, ProxyOptions, Request
    >>> api = ProxyApi("KEY")
    >>> options = ProxyOptions(session="create")
    >>> proxied = api.request(Request("GET", "https://example.com/"), options)
    >>> proxied.connect.url, proxied.connect.headers["Proxy-Authorization"]
    ('example.com:443', 'Basic S0VZOg==')
    >>> proxied.request.headers["X-Crawlera-Session"]
    'create'
    >>> answer = api.read(200, {"X-Crawlera-Session": "1836172", "X-Crawlera-Slave": "192.0.2.1:80"})
    >>> answer.session, answer.outgoing_host
    ('1836172', '192.0.2.1')

    With ``dialect="zyte_api"`` the same options go out as headers of the successor's proxy mode.
    What has no counterpart there is among the warnings, or refused if it would mean something else.
    Redirects are not followed, as by Smart Proxy Manager, unless ``follow_redirects`` is set. Errors
    of both services are understood in any dialect.

    >>> api = ProxyApi("KEY", dialect="zyte_api")
    >>> options = ProxyOptions(profile="mobile", max_retries=2)
    >>> proxied = api.request(Request("GET", "http://example.com/"), options)
    >>> proxied.request.headers["Zyte-Device"], proxied.warnings
    ('mobile', ['max_retries_unmapped'])
    """
    DEFAULT_ENDPOINT: Final[str]
    """
    The address of the service, unless another is given.
    """
    MAX_HEADERS_SIZE: Final[int]
    """
    The most bytes that the headers of a request may have in all.
    """
    def __new__(cls, /, api_key: str, endpoint: str | None = None, dialect: Literal["smart_proxy_manager", "zyte_api"] = ..., *, option_place: str | None = None, follow_redirects: bool = False) -> ProxyApi: ...
    def __repr__(self, /) -> str: ...
    def authorization(self, /) -> str:
        """
        The value of ``Proxy-Authorization``. A secret.

        >>> from silkline import ProxyApi
        >>> ProxyApi("KEY").authorization()
        'Basic S0VZOg=='
        """
    def create_session(self, /) -> Request:
        """
        ``POST /sessions``: asks for a new session. Zyte API has no such calls.

        >>> from silkline import ProxyApi
        >>> request = ProxyApi("KEY").create_session()
        >>> request.method, request.url
        ('POST', 'http://proxy.zyte.com:8011/sessions')
        """
    def delete_session(self, /, session: str) -> Request:
        """
        ``DELETE /sessions/<id>``: ends a session. Zyte API has no such calls.

        >>> from silkline import ProxyApi
        >>> ProxyApi("KEY").delete_session("1836172").url
        'http://proxy.zyte.com:8011/sessions/1836172'
        """
    @property
    def dialect(self, /) -> Literal["smart_proxy_manager", "zyte_api"]:
        """
        The service that requests go through.
        """
    @property
    def endpoint(self, /) -> str:
        """
        The proxy's URL, without the key.
        """
    def endpoint_with_key(self, /) -> str:
        """
        The proxy's URL with the key as user, for clients that take it in no other way. A secret.

        >>> from silkline import ProxyApi
        >>> ProxyApi("KEY").endpoint_with_key()
        'http://KEY:@proxy.zyte.com:8011'
        """
    @property
    def follow_redirects(self, /) -> bool:
        """
        Whether the service follows redirects.
        """
    def leaks(self, /, request: Request) -> list[tuple[str, str]]:
        """
        Finds what must not leave on a request that will not be proxied: pairs of the header's name
        (or ``"url"``) and ``"option"``, ``"proxy_authorization"`` or ``"key"``.

        >>> from silkline import ProxyApi, Request
        >>> request = Request("GET", "http://example.com/", {"X-Crawlera-Session": "7"})
        >>> ProxyApi("KEY").leaks(request)
        [('X-Crawlera-Session', 'option')]
        """
    def list_sessions(self, /) -> Request:
        """
        ``GET /sessions``: asks for the sessions of the account. Zyte API has no such calls.

        >>> from silkline import ProxyApi
        >>> ProxyApi("KEY").list_sessions().method
        'GET'
        """
    def read(self, /, status: SupportsIndex, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], body_prefix: bytes | bytearray | memoryview | None = None) -> ProxyAnswer:
        """
        Reads the head of an answer to a proxied request, and of an error's body the beginning.

        Whatever the status, an answer without ``X-Crawlera-Error`` is the target's and a successful
        fetch, but for two errors that a proxy may send without a code: 407, and 413 of a request
        that no outgoing node has passed on.

        >>> from silkline import ProxyApi
        >>> answer = ProxyApi("KEY").read(503, {"X-Crawlera-Error": "banned"}, b"Ban")
        >>> answer.error.code, answer.error.action, answer.billed
        ('banned', 'retry_elsewhere', False)
        """
    def read_connect(self, /, status: SupportsIndex, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], body_prefix: bytes | bytearray | memoryview | None = None) -> ProxyServiceError | None:
        """
        Reads the answer to a CONNECT; ``None`` if the tunnel is open.

        No target can have answered it, so what has no code is judged by its status.

        >>> from silkline import ProxyApi
        >>> ProxyApi("KEY").read_connect(407, {}).code
        'bad_proxy_auth'
        """
    def read_created_session(self, /, status: SupportsIndex, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], body: bytes | bytearray | memoryview) -> str:
        """
        Reads the answer to `create_session`: the id. Raises `ProxyServiceError` or
        `SessionCallFailed`.

        >>> from silkline import ProxyApi
        >>> ProxyApi("KEY").read_created_session(200, {}, b"1836172")
        '1836172'
        """
    def read_deleted_session(self, /, status: SupportsIndex, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], body: bytes | bytearray | memoryview) -> None:
        """
        Reads the answer to `delete_session`. Raises `ProxyServiceError`, with the code
        ``bad_session_id`` if the session is not there.

        >>> from silkline import ProxyApi
        >>> ProxyApi("KEY").read_deleted_session(200, {}, b"")
        """
    def read_session_list(self, /, status: SupportsIndex, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], body: bytes | bytearray | memoryview) -> ProxySessionList:
        """
        Reads the answer to `list_sessions`. Raises `ProxyServiceError` or `SessionCallFailed`.

        >>> from silkline import ProxyApi
        >>> ProxyApi("KEY").read_session_list(200, {}, b'{"1": "192.0.2.1", "2": null}').sessions
        [('1', '192.0.2.1'), ('2', None)]
        """
    def request(self, /, target: Request, options: ProxyOptions | None = None) -> ProxiedRequest:
        """
        A request to a target as it goes through the proxy.

        ``X-Crawlera-*`` headers of the target's request count as options, and must not contradict
        those given. ``Proxy-Authorization`` is the key's alone and never goes inside a tunnel.

        >>> from silkline import ProxyApi, ProxyOptions, Request
        >>> target = Request("GET", "http://example.com/", {"Cookie": "a=b"})
        >>> ProxyApi("KEY").request(target, ProxyOptions(profile="mobile")).warnings
        ['cookie_dropped']
        """
    def strip_leaks(self, /, request: Request) -> Request:
        """
        The same request without what `leaks` finds.

        >>> from silkline import ProxyApi, Request
        >>> request = Request("GET", "http://example.com/", {"X-Crawlera-Session": "7"})
        >>> ProxyApi("KEY").strip_leaks(request)
        Request('GET', 'http://example.com/', Headers([]), <0 bytes>)
        """

@final
class ProxyBridge:
    """
    Speaks Smart Proxy Manager with unchanged programs, for a host that sends through the proxy mode
    of Zyte API at ``endpoint``, with ``api_key``.

    Programs may use any non-empty key, or one of ``keys``. Sessions are made here and end with those
    of Zyte API: after 15 minutes, or 2 minutes unused. Moments are seconds on any clock that does
    not go back.

    >>> from silkline import basic_authorization
    >>> from silkline.bridge import ProxyBridge
    >>> bridge = ProxyBridge("NEW-KEY", seed=1)
    >>> headers = {"Authorization": basic_authorization("KEY")}
    >>> answer = bridge.handle_api("POST", "/sessions", headers, 0.0)
    >>> answer.status, answer.body
    (200, b'910a2dec-8902-4cc1-beeb-8da1658eec67')
    """
    def __new__(cls, /, api_key: str, endpoint: str | None = None, *, keys: SupportsGetItem[int, str] | None = None, seed: SupportsIndex | None = None) -> ProxyBridge: ...
    def __repr__(self, /) -> str: ...
    def handle_api(self, /, method: str, path: str, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], now: SupportsFloat | SupportsIndex) -> ServiceAnswer:
        """
        Answers a call of the sessions API, by its path.
        """
    def handle_closed(self, /, ticket: SupportsIndex, now: SupportsFloat | SupportsIndex) -> None:
        """
        Takes note that the program went away.
        """
    def handle_connect(self, /, authority: str, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], now: SupportsFloat | SupportsIndex) -> ServiceAnswer | BridgeTunnel:
        """
        Takes a CONNECT to host and port.
        """
    def handle_connect_refused(self, /, ticket: SupportsIndex, status: SupportsIndex, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], now: SupportsFloat | SupportsIndex) -> ServiceAnswer:
        """
        Takes what the proxy behind answered to a CONNECT that it refused.
        """
    def handle_failed(self, /, ticket: SupportsIndex, failure: str, now: SupportsFloat | SupportsIndex) -> ServiceAnswer:
        """
        Takes note that a request has no answer: ``nxdomain``, ``timeout``, ….
        """
    def handle_request(self, /, method: str, url: str, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], now: SupportsFloat | SupportsIndex, tunnel: BridgeTunnel | None = None) -> ServiceAnswer | BridgeSend:
        """
        Takes a request whose URL is absolute, with the tunnel it came through. The body stays
        with the host.
        """
    def handle_response(self, /, ticket: SupportsIndex, status: SupportsIndex, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], body_start: SupportsGetItem[int, SupportsIndex], now: SupportsFloat | SupportsIndex) -> ServiceAnswer | BridgeRelay:
        """
        Takes what the proxy behind answered: status, headers and the start of the body.
        """
    def handle_unreadable(self, /, too_large: bool, now: SupportsFloat | SupportsIndex) -> ServiceAnswer:
        """
        Answers what the host could not read as a request, because its head is too large or for
        any other reason.
        """
    def stats_json(self, /) -> str:
        """
        The counts so far, as a JSON object.
        """
    @property
    def upstream(self, /) -> str:
        """
        The proxy behind, without key.
        """

@final
class ProxyEndpoint:
    """
    The proxy that a request goes through. The authorization does not show in the `repr`.

    >>> from silkline import ProxyApi, ProxyEngine
    >>> engine = ProxyEngine(ProxyApi("KEY"))
    >>> job = engine.submit("https://example.com/", 0.0)
    >>> proxy = engine.poll(0.0).proxy
    >>> proxy.url, proxy.authorization
    ('http://proxy.zyte.com:8011', 'Basic S0VZOg==')
    >>> proxy
    ProxyEndpoint('http://proxy.zyte.com:8011', [redacted])
    """
    __match_args__: Final[tuple[Literal["url"], Literal["authorization"]]]
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __repr__(self, /) -> str: ...
    @property
    def authorization(self, /) -> str:
        """
        The value of ``Proxy-Authorization``. A secret; the request to a plain target, or its
        CONNECT, has it already.
        """
    @property
    def url(self, /) -> str:
        """
        Its URL, without key.
        """

@final
class ProxyEngine:
    """
    Decides which request to send through which session when, without sockets and clock.

    Programs submit requests; a driver calls `poll` (or `poll_batch`) after anything it passed in and
    at the moment that the last call named, sends what it is told to, and says what came back when
    the body has been read: then the session is free again. Moments are seconds on any clock that
    does not go back. The same arguments, seed and calls give the same outputs. Threads may share an
    engine.

    Every argument that is left out keeps its default. Those of the pool (``size`` to
    ``anonymous_percent``) are those of `silkline.schedule.SessionPool`. Sessions are made by the
    request that needs one (``creation="header"``) or by ``POST /sessions`` (``"call"``), ``warm_up``
    of them before any job needs them. Requests of one session are ``delay`` seconds apart (12), or
    as ``domain_delays`` says for a domain and its subdomains. ``concurrency`` is how many requests
    may be under way (100), ``call_concurrency`` how many calls of the sessions API (8),
    ``queue_size`` how many jobs may be unfinished (a million), ``deadline`` how many seconds an
    answer may take (190), ``policy`` a `silkline.schedule.RetryPolicy`, ``options`` are those of
    requests whose job says nothing else. Of a snapshot, ``requeue`` says whether jobs that were
    under way are tried again (they may be billed twice) or end as interrupted, ``keep_secrets``
    whether it holds `Cookie`, `Authorization` and body of the jobs, ``adopt_all`` whether sessions
    are taken over that it does not name. ``delete_on_close`` says whether `close` deletes the
    sessions of this engine. Without a ``seed``, waits differ from run to run.

    >>> from silkline import ProxyApi, ProxyEngine
    >>> from silkline.engine import ProxyFinished, ProxySend
    >>> engine = ProxyEngine(ProxyApi("KEY"), size=20, seed=1)
    >>> engine.submit("http://example.com/", 0.0, key="home")
    1
    >>> match engine.poll(0.0):
    ...     case ProxySend(request_id, request, proxy):
    ...         print(request.method, request.url, proxy.url)
    GET http://example.com/ http://proxy.zyte.com:8011
    >>> engine.poll(0.0)
    WaitUntil(190.0, 'answers')
    >>> headers = {"X-Crawlera-Session": "7", "X-Crawlera-Version": "1"}
    >>> engine.handle_response(request_id, 200, headers, b"<html>", 0.5)
    'accepted'
    >>> match engine.poll(0.5):
    ...     case ProxyFinished(job, key, response):
    ...         print(job, key, response.status, response.body)
    1 home 200 b'<html>'
    >>> engine.poll(0.5)
    Idle('empty')
    """
    def __contains__(self, job: SupportsIndex, /) -> bool:
        """
        Whether a job is unfinished.
        """
    def __new__(cls, /, api: ProxyApi, *, size: SupportsIndex | None = None, margin: SupportsFloat | SupportsIndex | None = ..., idle: SupportsFloat | SupportsIndex | None = None, lifetime: SupportsFloat | SupportsIndex | None = None, safety: SupportsFloat | SupportsIndex | None = None, max_bans: SupportsIndex | None = None, max_timeouts: SupportsIndex | None = None, anonymous_percent: SupportsIndex | None = None, creation: Literal["call", "header"] | None = None, warm_up: SupportsIndex | None = None, delay: SupportsFloat | SupportsIndex | None = None, domain_delays: dict[str, SupportsFloat | SupportsIndex] | None = None, concurrency: SupportsIndex | None = None, call_concurrency: SupportsIndex | None = None, queue_size: SupportsIndex | None = None, deadline: SupportsFloat | SupportsIndex | None = None, policy: RetryPolicy | None = None, options: ProxyOptions | None = None, requeue: bool | None = None, keep_secrets: bool | None = None, adopt_all: bool | None = None, delete_on_close: bool | None = None, seed: SupportsIndex | None = None, now: SupportsFloat | SupportsIndex = 0.0) -> ProxyEngine: ...
    def __repr__(self, /) -> str: ...
    def cancel(self, /, job: SupportsIndex, now: SupportsFloat | SupportsIndex) -> bool:
        """
        Ends a job as cancelled; false if it has ended. A request under way for it is aborted; what
        it cost still counts.
        """
    def close(self, /, now: SupportsFloat | SupportsIndex, grace: SupportsFloat | SupportsIndex) -> None:
        """
        Ends all jobs that are not under way as closed; what is under way may finish until ``grace``
        seconds have passed, then it is aborted. Then the sessions of this engine are deleted.
        Nothing else is sent or taken in from here on.
        """
    def end_session(self, /, name: str, now: SupportsFloat | SupportsIndex) -> bool:
        """
        Ends a named session after the jobs that it has so far: no other request goes through it,
        and it is deleted. A job submitted under the name from here on begins another one. False if
        there is none of that name.
        """
    def handle_failure(self, /, request_id: SupportsIndex, failure: Literal["network", "not_sent", "timeout"], now: SupportsFloat | SupportsIndex) -> Literal["accepted", "late"]:
        """
        Says that a request has no answer: ``"network"`` (the connection broke), ``"not_sent"`` (it
        never left: session, pace and cost are given back), or ``"timeout"`` (the driver's own limit
        passed).
        """
    def handle_response(self, /, request_id: SupportsIndex, status: SupportsIndex, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], body: bytes | bytearray | memoryview, now: SupportsFloat | SupportsIndex, *, banned: bool = False, connect: bool = False) -> Literal["accepted", "late"]:
        """
        Takes the answer of a request, when its body has been read: its session is free again. Of a
        target's body the beginning is enough, as much as the application wants in the event;
        ``bytes`` are kept, not copied. ``banned`` is the application's verdict: whether the answer
        is a ban in disguise. ``connect`` says that it answers the CONNECT: no target can have given
        it. Gives ``"accepted"``, or ``"late"`` if the request had been given up.
        """
    def handle_sent(self, /, request_id: SupportsIndex, now: SupportsFloat | SupportsIndex) -> Literal["accepted", "late"]:
        """
        Says that a request left, if the driver knows: a session's rest then begins with that moment.
        Optional. Raises `UnknownRequest`, as all that follows, for an id that no request has that
        was handed out and not answered.
        """
    def poll(self, /, now: SupportsFloat | SupportsIndex) -> ProxySend | Abort | ProxyFinished | ProxyIncomplete | ProxySessionLost | ProxyStopped | WaitUntil | Idle:
        """
        What to do next. Call until it says `WaitUntil` or `Idle`.
        """
    def poll_batch(self, /, now: SupportsFloat | SupportsIndex, most: SupportsIndex) -> list[ProxySend | Abort | ProxyFinished | ProxyIncomplete | ProxySessionLost | ProxyStopped | WaitUntil | Idle]:
        """
        What to do next, up to ``most`` things at once: the last one is `WaitUntil` or `Idle`, unless
        there are more.

        >>> from silkline import ProxyApi, ProxyEngine
        >>> engine = ProxyEngine(ProxyApi("KEY"))
        >>> ids = engine.submit_many(["http://a.example/", "http://b.example/"], 0.0)
        >>> [type(output).__name__ for output in engine.poll_batch(0.0, 64)]
        ['ProxySend', 'ProxySend', 'WaitUntil']
        """
    @staticmethod
    def restore(api: ProxyApi, snapshot: bytes | bytearray | memoryview, now: SupportsFloat | SupportsIndex, downtime: SupportsFloat | SupportsIndex | None = None, *, size: SupportsIndex | None = None, margin: SupportsFloat | SupportsIndex | None = ..., idle: SupportsFloat | SupportsIndex | None = None, lifetime: SupportsFloat | SupportsIndex | None = None, safety: SupportsFloat | SupportsIndex | None = None, max_bans: SupportsIndex | None = None, max_timeouts: SupportsIndex | None = None, anonymous_percent: SupportsIndex | None = None, creation: Literal["call", "header"] | None = None, warm_up: SupportsIndex | None = None, delay: SupportsFloat | SupportsIndex | None = None, domain_delays: dict[str, SupportsFloat | SupportsIndex] | None = None, concurrency: SupportsIndex | None = None, call_concurrency: SupportsIndex | None = None, queue_size: SupportsIndex | None = None, deadline: SupportsFloat | SupportsIndex | None = None, policy: RetryPolicy | None = None, options: ProxyOptions | None = None, requeue: bool | None = None, keep_secrets: bool | None = None, adopt_all: bool | None = None, delete_on_close: bool | None = None) -> ProxyEngine:
        """
        An engine that goes on where a snapshot was taken, ``downtime`` seconds ago if that is known
        (none else). Its sessions are used again once the service has listed them. The other
        arguments are those of a new engine; the generator's state comes from the snapshot.

        >>> from silkline import ProxyApi, ProxyEngine
        >>> api = ProxyApi("KEY")
        >>> engine = ProxyEngine(api)
        >>> job = engine.submit("http://example.com/", 0.0)
        >>> again = ProxyEngine.restore(api, engine.snapshot(1.0), 0.0, downtime=60)
        >>> job in again
        True
        """
    def resume(self, /, now: SupportsFloat | SupportsIndex) -> None:
        """
        Goes on after a stop, as if the account were well again; also ends a pause.
        """
    @property
    def room(self, /) -> int:
        """
        How many further jobs are taken in; none of a closed engine.
        """
    def snapshot(self, /, now: SupportsFloat | SupportsIndex) -> bytes:
        """
        Everything that a new process needs to go on, without the API's key; and of the jobs without
        `Cookie`, `Authorization` and body, unless ``keep_secrets`` was asked for.
        """
    def stats(self, /) -> ProxyStats:
        """
        The engine's numbers.
        """
    def submit(self, /, request: Request | str, now: SupportsFloat | SupportsIndex, *, options: ProxyOptions | None = None, session: str | None = None, replace_session: bool = False, stay_in: str | None = None, outside_sessions: bool = False, priority: SupportsIndex = 0, key: str | None = None) -> int:
        """
        Takes a job in: a request (a `Request`, or a URL to GET), options, which win over those of
        the engine, a priority (higher ones go first, always) and a text that comes back with its
        event, over snapshots too. Gives the job's id.

        Jobs of one ``session`` name go one after the other, in the order of their submission,
        through one session, until `end_session`. If that is lost, they end as ``session_lost``, or
        with ``replace_session`` go through a new one. A job that is to ``stay_in`` the session of an
        id goes through that as long as it is there, ahead of all others: so does the redirect of a
        request without a name. Jobs ``outside_sessions`` leave the choice of an address to the
        service. All others go through any session of the pool.

        Raises `NotSubmitted` if the queue is full or the engine closed, and for a request that
        could not be sent, what `ProxyApi.request` raises.

        >>> from silkline import ProxyApi, ProxyEngine, ProxyOptions, Request
        >>> engine = ProxyEngine(ProxyApi("KEY"))
        >>> request = Request("POST", "https://example.com/login", None, b"user=a")
        >>> engine.submit(request, 0.0, session="login", options=ProxyOptions(cookies="disable"))
        1
        >>> send = engine.poll(0.0)
        >>> send.session_name, send.connect.method, send.request.body
        ('login', 'CONNECT', b'user=a')
        """
    def submit_many(self, /, requests: Iterable[Request | str], now: SupportsFloat | SupportsIndex, *, options: ProxyOptions | None = None, priority: SupportsIndex = 0) -> list[int]:
        """
        Takes a job in for each request of an iterable, through any session of the pool, as long as
        there is room, and gives the ids of the jobs. Nothing is taken from an iterator for which
        there is no room, so the same one can be passed again later. A request that is wrong raises;
        those before it are taken in.

        >>> from silkline import ProxyApi, ProxyEngine
        >>> engine = ProxyEngine(ProxyApi("KEY"), queue_size=2)
        >>> urls = (f"https://example.com/{n}" for n in range(3))
        >>> engine.submit_many(urls, 0.0), engine.room
        ([1, 2], 0)
        >>> next(urls)
        'https://example.com/2'
        """
    def supply(self, /, job: SupportsIndex, request: Request | str, now: SupportsFloat | SupportsIndex) -> bool:
        """
        Gives a job the request that a snapshot did not keep whole; false if none is waited for.
        """

@final
class ProxyFetch:
    """
    Something for the host to fetch from a target.

    >>> from silkline import basic_authorization
    >>> from silkline.service import ProxyService
    >>> headers = {"Proxy-Authorization": basic_authorization("KEY")}
    >>> service = ProxyService()
    >>> fetch = service.handle_request("GET", "http://example.com/", headers, 0.0)
    >>> fetch.outgoing, fetch.timeout, fetch
    ('127.0.0.2', 30.0, ProxyFetch(1, GET http://example.com/))
    """
    def __repr__(self, /) -> str: ...
    @property
    def headers(self, /) -> Headers:
        """
        The headers that the target is to see.
        """
    @property
    def inspect_body(self, /) -> bool:
        """
        Whether ban rules look into the body, so that its start is wanted with the outcome.
        """
    @property
    def method(self, /) -> str:
        """
        The method.
        """
    @property
    def outgoing(self, /) -> str:
        """
        The local address to leave from.
        """
    @property
    def ticket(self, /) -> int:
        """
        Names the request from here on.
        """
    @property
    def timeout(self, /) -> float:
        """
        The seconds until the attempt fails with ``timeout``.
        """
    @property
    def url(self, /) -> str:
        """
        The absolute URL.
        """

@final
class ProxyFetched:
    """
    The answer of a target.

    >>> from silkline import ProxyApi, ProxyEngine
    >>> engine = ProxyEngine(ProxyApi("KEY"))
    >>> job = engine.submit("http://example.com/", 0.0)
    >>> send = engine.poll(0.0)
    >>> headers = {"X-Crawlera-Session": "7", "X-Crawlera-Version": "1"}
    >>> engine.handle_response(send.request_id, 200, headers, b"<html>", 1.0)
    'accepted'
    >>> fetched = engine.poll(1.0).response
    >>> fetched.status, fetched.body, fetched.session, fetched.request_id
    (200, b'<html>', '7', 1)
    """
    __match_args__: Final[tuple[Literal["status"], Literal["headers"], Literal["body"]]]
    def __repr__(self, /) -> str: ...
    @property
    def body(self, /) -> bytes:
        """
        What the driver gave of the body.
        """
    @property
    def headers(self, /) -> Headers:
        """
        The headers.
        """
    @property
    def outgoing(self, /) -> str | None:
        """
        The address that the request left from, if the service told.
        """
    @property
    def request_id(self, /) -> int | None:
        """
        The request that it answers: the driver may have more of the body. `None` for an answer that
        the application called a ban.
        """
    @property
    def session(self, /) -> str | None:
        """
        The session that it came through.
        """
    @property
    def status(self, /) -> int:
        """
        The status.
        """

@final
class ProxyFinished:
    """
    A job ended: with a ``response`` of the target, or with an ``error``.

    >>> from silkline import ProxyApi, ProxyEngine
    >>> engine = ProxyEngine(ProxyApi("KEY"))
    >>> job = engine.submit("http://example.com/", 0.0, key="a")
    >>> engine.cancel(job, 1.0)
    True
    >>> finished = engine.poll(1.0)
    >>> finished.job, finished.key, finished.request.url, finished.ok, finished.error
    (1, 'a', 'http://example.com/', False, ProxyJobError('the job was cancelled'))
    >>> finished.error.code, finished.attempts, finished.billed, finished.elapsed
    ('job_cancelled', 0, 0, 1.0)
    """
    __match_args__: Final[tuple[Literal["job"], Literal["key"], Literal["response"], Literal["error"]]]
    def __repr__(self, /) -> str: ...
    @property
    def attempts(self, /) -> int:
        """
        How often it was sent.
        """
    @property
    def billed(self, /) -> int:
        """
        How many of its attempts are known to be billed.
        """
    @property
    def elapsed(self, /) -> float:
        """
        How many seconds it took since it was submitted.
        """
    @property
    def error(self, /) -> SilklineError | None:
        """
        Why there is no answer, as an exception object with a ``code``; `None` if there is one.
        """
    @property
    def job(self, /) -> int:
        """
        The job's id.
        """
    @property
    def key(self, /) -> str | None:
        """
        The text that it was submitted with.
        """
    @property
    def ok(self, /) -> bool:
        """
        Whether the target answered.
        """
    @property
    def possibly_billed(self, /) -> int:
        """
        Of how many nobody knows, because their answer was lost.
        """
    @property
    def request(self, /) -> Request:
        """
        Its request, as it was submitted.
        """
    @property
    def response(self, /) -> ProxyFetched | None:
        """
        The answer; with an error, the one that the application called a ban.
        """

@final
class ProxyIncomplete:
    """
    A job that came out of a snapshot without its secrets. It waits until `ProxyEngine.supply` or
    `ProxyEngine.cancel`.

    >>> from silkline import ProxyApi, ProxyEngine, Request
    >>> engine = ProxyEngine(ProxyApi("KEY"))
    >>> job = engine.submit(Request("GET", "http://example.com/", {"Cookie": "a=b"}), 0.0)
    >>> again = ProxyEngine.restore(ProxyApi("KEY"), engine.snapshot(0.0), 0.0)
    >>> incomplete = again.poll(0.0)
    >>> incomplete.job, incomplete.request.url, incomplete.headers, incomplete.body
    (1, 'http://example.com/', ['Cookie'], False)
    >>> again.supply(1, Request("GET", "http://example.com/", {"Cookie": "a=b"}), 0.0)
    True
    """
    __match_args__: Final[tuple[Literal["job"], Literal["key"], Literal["request"]]]
    def __repr__(self, /) -> str: ...
    @property
    def body(self, /) -> bool:
        """
        Whether the body is missing.
        """
    @property
    def headers(self, /) -> list[str]:
        """
        The names of the headers that are missing.
        """
    @property
    def job(self, /) -> int:
        """
        The job's id.
        """
    @property
    def key(self, /) -> str | None:
        """
        The text that it was submitted with.
        """
    @property
    def request(self, /) -> Request:
        """
        Its request, less what is missing.
        """
    @property
    def url(self, /) -> bool:
        """
        Whether the URL is missing: it held the key.
        """

@final
class ProxyOptions:
    """
    The options of a proxied request: one for each request header of the service.

    Options are checked when they are made, so those that exist can be sent. Nothing is set by
    default: the service's own defaults hold. ``session`` is ``"create"`` or an id and excludes
    ``region``; ``timeout`` is in seconds, for each attempt; ``cookies`` is ``"enable"``,
    ``"disable"`` or ``"discard"``; ``profile`` is ``"pass"``, ``"desktop"`` or ``"mobile"``, as is
    the deprecated ``ua``; ``profile_pass`` names the headers that pass in spite of the profile;
    ``debug`` is any of ``"request-time"`` and ``"ua"``; ``extra`` holds ``X-Crawlera-*`` headers that
    have no option here.

    >>> from silkline import ProxyOptions
    >>> options = ProxyOptions(session="create", max_retries=2, cookies="disable")
    >>> options
    ProxyOptions(session='create', max_retries=2, cookies='disable')
    >>> dict(options.headers())["X-Crawlera-Session"]
    'create'
    >>> options.replace(region="us")
    Traceback (most recent call last):
    ...
    silkline.exceptions.InvalidProxyOptions: a session cannot be used together with a region
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __getnewargs_ex__(self, /) -> tuple[tuple[()], dict[str, Any]]: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, *, session: str | None = None, max_retries: SupportsIndex | None = None, timeout: SupportsFloat | SupportsIndex | None = None, cookies: str | None = None, profile: str | None = None, profile_pass: SupportsGetItem[int, str] | None = None, ua: str | None = None, no_bancheck: bool | None = None, region: str | None = None, state: str | None = None, city: str | None = None, job_id: str | None = None, client: str | None = None, debug: SupportsGetItem[int, str] | None = None, use_https: bool | None = None, extra: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]] | None = None) -> ProxyOptions: ...
    def __repr__(self, /) -> str: ...
    @property
    def city(self, /) -> str | None:
        """
        The city to leave from.
        """
    @property
    def client(self, /) -> str | None:
        """
        The program that sends, as ``name/version``.
        """
    @property
    def cookies(self, /) -> str | None:
        """
        What the service does with cookies.
        """
    @property
    def debug(self, /) -> list[str]:
        """
        The debug headers that the answer should have.
        """
    @property
    def extra(self, /) -> list[tuple[str, str]]:
        """
        The ``X-Crawlera-*`` headers that have no option here, as pairs.
        """
    @classmethod
    def from_headers(cls, /, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]]) -> ProxyOptions:
        """
        Reads the options from the ``X-Crawlera-*`` headers of a request; other headers are passed
        over.

        >>> from silkline import ProxyOptions
        >>> ProxyOptions.from_headers({"x-crawlera-session": "7", "Accept": "text/html"})
        ProxyOptions(session='7')
        """
    def headers(self, /) -> Headers:
        """
        The headers of these options, spelled as the documentation does; only what is set.

        >>> from silkline import ProxyOptions
        >>> ProxyOptions(profile="mobile").headers()
        Headers([('X-Crawlera-Profile', 'mobile')])
        """
    @property
    def job_id(self, /) -> str | None:
        """
        The name under which the service's logs show the request.
        """
    @property
    def max_retries(self, /) -> int | None:
        """
        How many times the service itself retries.
        """
    @property
    def no_bancheck(self, /) -> bool:
        """
        Whether the service passes any answer on instead of looking for bans.
        """
    @property
    def profile(self, /) -> str | None:
        """
        Whose browser headers the target sees.
        """
    @property
    def profile_pass(self, /) -> list[str]:
        """
        The names of the headers that pass in spite of the profile.
        """
    @property
    def region(self, /) -> str | None:
        """
        The country to leave from, in upper case.
        """
    def replace(self, /, **changes: "object") -> ProxyOptions:
        """
        The same options with others set, by the names of the arguments. ``None`` unsets one.

        >>> from silkline import ProxyOptions
        >>> ProxyOptions(session="7", profile="mobile").replace(session=None, region="de")
        ProxyOptions(profile='mobile', region='DE')
        """
    @property
    def session(self, /) -> str | None:
        """
        ``"create"``, or the id of the session.
        """
    @property
    def state(self, /) -> str | None:
        """
        The state to leave from.
        """
    @property
    def timeout(self, /) -> float | None:
        """
        How many seconds the service waits for the target in each attempt.
        """
    @property
    def ua(self, /) -> str | None:
        """
        The deprecated form of the profile.
        """
    @property
    def use_https(self, /) -> bool:
        """
        Whether the service fetches an ``http`` target over ``https``.
        """
    @property
    def warnings(self, /) -> list[str]:
        """
        Codes of what is allowed but hardly meant.

        >>> from silkline import ProxyOptions
        >>> ProxyOptions(profile="desktop", ua="mobile").warnings
        ['ua_ignored']
        """
    def with_defaults(self, /, defaults: ProxyOptions) -> ProxyOptions:
        """
        These options, with what is not set here taken from others.

        >>> from silkline import ProxyOptions
        >>> defaults = ProxyOptions(profile="desktop", cookies="discard")
        >>> ProxyOptions(profile="mobile").with_defaults(defaults)
        ProxyOptions(cookies='discard', profile='mobile')
        """

@final
class ProxyRelay:
    """
    The head of a target's answer to pass on, with the service's headers; the body follows.

    >>> from silkline import basic_authorization
    >>> from silkline.service import ProxyService
    >>> headers = {"Proxy-Authorization": basic_authorization("KEY")}
    >>> service = ProxyService()
    >>> fetch = service.handle_request("GET", "http://example.com/", headers, 0.0)
    >>> relay = service.handle_responded(fetch.ticket, 404, {"Content-Type": "text/plain"}, b"", 0.5)
    >>> relay, relay.headers["X-Crawlera-Slave"]
    (ProxyRelay(1, 404), '127.0.0.2:3128')
    """
    def __repr__(self, /) -> str: ...
    @property
    def headers(self, /) -> Headers:
        """
        The headers.
        """
    @property
    def max_body_bytes(self, /) -> int:
        """
        A body of more bytes is too large: the connection is closed.
        """
    @property
    def status(self, /) -> int:
        """
        The status.
        """
    @property
    def ticket(self, /) -> int:
        """
        Whose answer it is.
        """
    @property
    def truncated(self, /) -> int | None:
        """
        After this many bytes a fault script wants the connection closed.
        """

@final
class ProxySend:
    """
    Send a request, and report its answer or failure under its id.

    With a ``proxy``, the request goes through it: an https target needs a tunnel, which ``connect``
    opens. Without one, it is a call of the sessions API, which goes to the service itself.

    >>> from silkline import ProxyApi, ProxyEngine
    >>> engine = ProxyEngine(ProxyApi("KEY"))
    >>> job = engine.submit("http://example.com/", 0.0)
    >>> send = engine.poll(0.0)
    >>> send.kind, send.request.method, send.request.url, send.request.headers["X-Crawlera-Session"]
    ('fetch', 'GET', 'http://example.com/', 'create')
    >>> send.job == job, send.session, send.deadline, send.connect
    (True, None, 190.0, None)
    """
    __match_args__: Final[tuple[Literal["request_id"], Literal["request"], Literal["proxy"], Literal["connect"]]]
    def __repr__(self, /) -> str: ...
    @property
    def connect(self, /) -> Request | None:
        """
        What opens the tunnel, for an https target.
        """
    @property
    def deadline(self, /) -> float:
        """
        When the engine gives it up, in seconds on the driver's clock.
        """
    @property
    def job(self, /) -> int | None:
        """
        The job that it is for.
        """
    @property
    def kind(self, /) -> Literal["create_session", "delete_session", "fetch", "list_sessions"]:
        """
        What it is for: ``"fetch"`` for a job's request, the others are calls of the sessions API.
        """
    @property
    def proxy(self, /) -> ProxyEndpoint | None:
        """
        The proxy to use; `None` for calls of the sessions API.
        """
    @property
    def request(self, /) -> Request:
        """
        The request.
        """
    @property
    def request_id(self, /) -> int:
        """
        By which to speak of the request.
        """
    @property
    def session(self, /) -> str | None:
        """
        The session in use, or the one to delete; `None` outside sessions or if it makes one.
        """
    @property
    def session_name(self, /) -> str | None:
        """
        The name of the sequence of requests that the job belongs to.
        """
    @property
    def warnings(self, /) -> list[str]:
        """
        What is allowed but hardly meant.
        """

@final
class ProxyService:
    """
    The proxy service of Smart Proxy Manager, without sockets and clock.

    The host passes every request in, fetches from the address that a fetch names, tells what came
    of it, and passes the target's answer on; it calls ``poll`` after anything it passed in and at
    the moment that the last call named. Moments are seconds on any clock that does not go back.

    Every argument that is left out keeps the documented default. ``outgoing`` are the addresses
    that sessions leave from, ``delay`` the seconds between requests of one address and
    ``domain_delays`` other values for some domains. Each request that comes too early adds
    ``delay_growth`` of the domain's delay to the spacing, since the real growth is unpublished.
    ``bans`` are rules of a domain (``None`` for any), statuses and texts of a body; ``faults`` is
    a fault script, as JSON.

    >>> from silkline import basic_authorization
    >>> from silkline.service import ProxyService
    >>> service = ProxyService(outgoing=["127.0.0.2"], seed=1)
    >>> key = basic_authorization("KEY")
    >>> answer = service.handle_api("POST", "/sessions", {"Authorization": key}, 0.0)
    >>> session = answer.body.decode()
    >>> headers = {"Proxy-Authorization": key, "X-Crawlera-Session": session}
    >>> step = service.handle_request("GET", "http://example.com/", headers, 1.0)
    >>> step.outgoing
    '127.0.0.2'
    >>> relay = service.handle_responded(step.ticket, 200, {}, b"", 1.5)
    >>> relay.headers["X-Crawlera-Session"] == session
    True
    >>> service.handle_finished(step.ticket, 0, 1.6)
    >>> service.handle_request("GET", "http://example.com/", headers, 2.0)
    ProxyWait(2)
    >>> service.poll(2.0)
    13.0
    """
    def __new__(cls, /, *, keys: SupportsGetItem[int, str] | None = None, disabled_keys: SupportsGetItem[int, str] | None = None, outgoing: SupportsGetItem[int, str] | None = None, sessions_per_address: SupportsIndex | None = None, max_sessions: SupportsIndex | None = None, session_idle: SupportsFloat | SupportsIndex | None = None, delay: SupportsFloat | SupportsIndex | None = None, domain_delays: dict[str, SupportsFloat | SupportsIndex] | None = None, delay_growth: SupportsFloat | SupportsIndex | None = None, retries: SupportsIndex | None = None, timeout: SupportsFloat | SupportsIndex | None = None, max_connections: SupportsIndex | None = None, max_outstanding: SupportsIndex | None = None, max_header_bytes: SupportsIndex | None = None, max_body_bytes: SupportsIndex | None = None, bans: SupportsGetItem[int, tuple[str | None, SupportsGetItem[int, SupportsIndex], SupportsGetItem[int, str]]] | None = None, forbidden_domains: SupportsGetItem[int, str] | None = None, withheld_headers: SupportsGetItem[int, str] | None = None, faults: str | None = None, seed: SupportsIndex | None = None) -> ProxyService: ...
    def handle_api(self, /, method: str, path: str, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], now: SupportsFloat | SupportsIndex) -> ServiceAnswer:
        """
        Answers a request for the service itself: the calls to ``/sessions``.
        """
    def handle_closed(self, /, ticket: SupportsIndex, now: SupportsFloat | SupportsIndex) -> None:
        """
        Takes note that the client of a request went away.
        """
    def handle_connect(self, /, authority: str, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], now: SupportsFloat | SupportsIndex) -> ServiceAnswer | ProxyTunnel:
        """
        Takes a CONNECT to host and port.
        """
    def handle_failed(self, /, ticket: SupportsIndex, failure: str, now: SupportsFloat | SupportsIndex) -> ServiceAnswer | ProxyFetch | ProxyRelay | ProxyWait:
        """
        Takes the failure of a fetch, by its name: ``nxdomain``, ``timeout``, ….
        """
    def handle_finished(self, /, ticket: SupportsIndex, body_bytes: SupportsIndex, now: SupportsFloat | SupportsIndex) -> None:
        """
        Takes note that an answer was passed on, with how many bytes of body.
        """
    def handle_request(self, /, method: str, url: str, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], now: SupportsFloat | SupportsIndex, tunnel: ProxyTunnel | None = None) -> ServiceAnswer | ProxyFetch | ProxyRelay | ProxyWait:
        """
        Takes a request whose URL is absolute, with the tunnel it came through. The body stays
        with the host.
        """
    def handle_responded(self, /, ticket: SupportsIndex, status: SupportsIndex, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], body_start: SupportsGetItem[int, SupportsIndex], now: SupportsFloat | SupportsIndex) -> ServiceAnswer | ProxyFetch | ProxyRelay | ProxyWait:
        """
        Takes a target's answer: status, headers and, if the fetch asked for it, the start of the
        body.
        """
    def handle_unreadable(self, /, too_large: bool, now: SupportsFloat | SupportsIndex) -> ServiceAnswer:
        """
        Answers bytes that are no request, or one whose head is too large to be read.
        """
    def poll(self, /, now: SupportsFloat | SupportsIndex) -> ProxyFetch | float | None:
        """
        What is to be done next: a fetch, the moment to come back, or nothing.
        """
    def stats_json(self, /) -> str:
        """
        The counts so far, as JSON.
        """

@final
class ProxySessionList:
    """
    The sessions of an account.

    >>> from silkline import ProxyApi
    >>> body = b'{"1836172": "192.0.2.1", "1691272": null}'
    >>> dict(ProxyApi("KEY").read_session_list(200, {}, body).sessions)
    {'1836172': '192.0.2.1', '1691272': None}
    """
    def __repr__(self, /) -> str: ...
    @property
    def duplicates(self, /) -> list[str]:
        """
        The sessions that the answer names more than once; the last address counts.
        """
    @property
    def sessions(self, /) -> list[tuple[str, str | None]]:
        """
        Each session's id and outgoing address, in the answer's order; ``None``: it has none yet.
        """

@final
class ProxySessionLost:
    """
    A named session was lost.

    >>> from silkline import ProxyApi, ProxyEngine
    >>> engine = ProxyEngine(ProxyApi("KEY"))
    >>> job = engine.submit("http://example.com/", 0.0, session="login")
    >>> send = engine.poll(0.0)
    >>> headers = {"X-Crawlera-Session": "7", "X-Crawlera-Version": "1"}
    >>> engine.handle_response(send.request_id, 200, headers, b"", 1.0)
    'accepted'
    >>> job = engine.submit("http://example.com/", 30.0, session="login")
    >>> send = engine.poll_batch(30.0, 2)[1]
    >>> engine.handle_response(send.request_id, 400, {"X-Crawlera-Error": "bad_session_id"}, b"", 31.0)
    'accepted'
    >>> engine.poll_batch(31.0, 3)[:2]
    [ProxySessionLost('login', '7', 'gone'), <ProxyFinished 2, ProxyJobError('session `login` was lost') of 'http://example.com/'>]
    """
    __match_args__: Final[tuple[Literal["name"], Literal["session"], Literal["cause"]]]
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __repr__(self, /) -> str: ...
    @property
    def cause(self, /) -> Literal["banned", "expired", "gone", "timed_out"]:
        """
        How it was lost.
        """
    @property
    def name(self, /) -> str:
        """
        The name.
        """
    @property
    def session(self, /) -> str:
        """
        The id of the session.
        """

@final
class ProxyStats:
    """
    The numbers of a `ProxyEngine`, since it was made or since the snapshots that it comes from began.

    >>> from silkline import ProxyApi, ProxyEngine
    >>> engine = ProxyEngine(ProxyApi("KEY"))
    >>> job = engine.submit("https://example.com/", 0.0)
    >>> stats = engine.stats()
    >>> stats.submitted, stats.queued, stats.pool.limit
    (1, 1, 100)
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __repr__(self, /) -> str: ...
    @property
    def bans(self, /) -> int:
        """
        Answers that were bans, by the service's or the application's word.
        """
    @property
    def billed(self, /) -> int:
        """
        Answers that are billed.
        """
    @property
    def calls(self, /) -> int:
        """
        Calls of the sessions API handed out.
        """
    @property
    def cancelled(self, /) -> int:
        """
        Jobs that ended because they were cancelled.
        """
    @property
    def closed(self, /) -> int:
        """
        Jobs that ended because the engine was closed.
        """
    @property
    def concurrency(self, /) -> int:
        """
        How many requests may be under way at the moment.
        """
    @property
    def failed(self, /) -> int:
        """
        Jobs that ended with an error, other than those of the next two.
        """
    @property
    def in_flight(self, /) -> int:
        """
        Requests under way, with calls of the sessions API.
        """
    @property
    def late(self, /) -> int:
        """
        Answers that came after that.
        """
    @property
    def names(self, /) -> int:
        """
        Names that have a session, or jobs.
        """
    @property
    def paused(self, /) -> bool:
        """
        Whether the engine waits because of a limit of the account or the service.
        """
    @property
    def pool(self, /) -> PoolStats:
        """
        The pool's numbers.
        """
    @property
    def possibly_billed(self, /) -> int:
        """
        Requests of which nobody knows, because their answer was lost.
        """
    @property
    def queued(self, /) -> int:
        """
        Jobs that can be sent as soon as slots and sessions let them.
        """
    @property
    def requests(self, /) -> int:
        """
        Requests handed out for jobs.
        """
    @property
    def retries(self, /) -> int:
        """
        Tries beyond the first of their job.
        """
    @property
    def session_limits(self, /) -> int:
        """
        Times that the service had no room for a further session.
        """
    @property
    def sessions_adopted(self, /) -> int:
        """
        Sessions taken over from an earlier process.
        """
    @property
    def sessions_created(self, /) -> int:
        """
        Sessions made.
        """
    @property
    def sessions_deleted(self, /) -> int:
        """
        Sessions deleted at the service.
        """
    @property
    def sessions_expired(self, /) -> int:
        """
        Sessions dropped because nothing was sent through them for too long.
        """
    @property
    def sessions_gone(self, /) -> int:
        """
        Sessions that the service did not know any more.
        """
    @property
    def sessions_retired(self, /) -> int:
        """
        Sessions retired after bans or time-outs.
        """
    @property
    def slowed(self, /) -> int:
        """
        Answers that asked for a slower pace of their session.
        """
    @property
    def stopped(self, /) -> bool:
        """
        Whether it is stopped because the account is refused.
        """
    @property
    def submitted(self, /) -> int:
        """
        Jobs taken in.
        """
    @property
    def succeeded(self, /) -> int:
        """
        Jobs that ended with an answer of the target.
        """
    @property
    def throttled(self, /) -> int:
        """
        Answers that asked the whole engine to wait.
        """
    @property
    def timed_out(self, /) -> int:
        """
        Requests given up at their deadline.
        """
    @property
    def unbilled(self, /) -> int:
        """
        Answers that are not: errors of the service.
        """
    @property
    def unfinished(self, /) -> int:
        """
        Jobs unfinished.
        """
    @property
    def waiting(self, /) -> int:
        """
        Jobs that wait before another try.
        """

@final
class ProxyStopped:
    """
    The account is refused: the engine is stopped, its queue kept, until `resume` or `close`.

    >>> from silkline import ProxyApi, ProxyEngine
    >>> engine = ProxyEngine(ProxyApi("KEY"))
    >>> job = engine.submit("http://example.com/", 0.0)
    >>> send = engine.poll(0.0)
    >>> headers = {"X-Crawlera-Error": "user_suspended"}
    >>> engine.handle_response(send.request_id, 403, headers, b"", 1.0)
    'accepted'
    >>> engine.poll(1.0).error.code
    'user_suspended'
    """
    __match_args__: Final[tuple[Literal["error"]]]
    def __repr__(self, /) -> str: ...
    @property
    def error(self, /) -> ProxyServiceError:
        """
        What the service said, which can be raised.
        """

@final
class ProxyTunnel:
    """
    An open tunnel: what its CONNECT said counts for each request inside.

    >>> from silkline import basic_authorization
    >>> from silkline.service import ProxyService
    >>> headers = {"Proxy-Authorization": basic_authorization("KEY")}
    >>> ProxyService().handle_connect("example.com:443", headers, 0.0)
    ProxyTunnel(example.com:443)
    """
    def __repr__(self, /) -> str: ...
    @property
    def authority(self, /) -> str:
        """
        Host and port of the target.
        """
    @property
    def headers(self, /) -> Headers:
        """
        The headers of the 200 that answers the CONNECT.
        """

@final
class ProxyWait:
    """
    A request that is held back: its fetch comes from ``poll``.

    >>> from silkline import basic_authorization
    >>> from silkline.service import ProxyService
    >>> headers = {"Proxy-Authorization": basic_authorization("KEY")}
    >>> service = ProxyService()
    >>> fetch = service.handle_request("GET", "http://example.com/", headers, 0.0)
    >>> service.handle_request("GET", "http://example.com/", headers, 0.5)
    ProxyWait(2)
    >>> service.poll(12.0)
    ProxyFetch(2, GET http://example.com/)
    """
    def __repr__(self, /) -> str: ...
    @property
    def ticket(self, /) -> int:
        """
        Names the request from here on.
        """

@final
class Query:
    """
    A page to extract, and how.

    A query is checked when it is made, so one that exists can be sent. `extra` holds members that
    the service's documentation does not name; their values are anything that JSON can hold. The
    successor's ``dialect`` has room for longer URLs.

    >>> from silkline import Query
    >>> query = Query("https://example.com/", "article", meta="first", extra={"tag": [1]})
    >>> query
    Query('https://example.com/', 'article', meta='first', extra={'tag': [1]})
    >>> query.to_json()
    '{"url":"https://example.com/","pageType":"article","meta":"first","tag":[1]}'
    >>> Query("example.com", "article")
    Traceback (most recent call last):
    ...
    silkline.exceptions.InvalidQuery: query url `example.com` (11 characters) is not an absolute http(s) url with a host
    """
    __match_args__: Final[tuple[Literal["url"], Literal["page_type"]]]
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, url: str, page_type: str, *, meta: str | None = None, article_body_raw: bool | None = None, full_html: bool | None = None, custom_html: str | None = None, extra: Mapping[str, Any] | None = None, dialect: Literal["automatic_extraction", "zyte_api"] = ...) -> Query: ...
    def __reduce__(self, /) -> tuple[Any, tuple[str]]: ...
    def __repr__(self, /) -> str: ...
    @classmethod
    def _rebuild(cls, /, json: str) -> Query:
        """
        What pickling made text of.
        """
    @property
    def article_body_raw(self, /) -> bool | None:
        """
        Whether the article's HTML is wanted; `None` leaves it to the service.
        """
    @property
    def custom_html(self, /) -> str | None:
        """
        The HTML to extract from.
        """
    @property
    def extra(self, /) -> dict[str, Any]:
        """
        The members that the documentation does not name; a new dict each time.
        """
    @classmethod
    def from_json(cls, /, json: str, *, dialect: Literal["automatic_extraction", "zyte_api"] = ...) -> Query:
        """
        Reads a query from JSON text in the service's own spelling.

        >>> from silkline import Query
        >>> Query.from_json('{"url": "https://example.com/", "pageType": "product"}')
        Query('https://example.com/', 'product')
        """
    @property
    def full_html(self, /) -> bool | None:
        """
        Whether the whole page's HTML is wanted; `None` leaves it to the service.
        """
    @property
    def meta(self, /) -> str | None:
        """
        The text that comes back with the result.
        """
    @property
    def page_type(self, /) -> str:
        """
        The page type, one of `PAGE_TYPES`.
        """
    def to_json(self, /) -> str:
        """
        The query as compact JSON, as it is sent.

        >>> from silkline import Query
        >>> Query("https://example.com/", "product", full_html=True).to_json()
        '{"url":"https://example.com/","pageType":"product","fullHtml":true}'
        """
    @property
    def url(self, /) -> str:
        """
        The URL as given.
        """

@final
class QueryError:
    """
    Why a query has no item. Data, not an exception: the other queries of the answer have theirs.

    >>> from silkline import QueryError
    >>> error = QueryError.from_text("Domain a.com is occupied, please retry in 23.5 seconds")
    >>> error.code, error.domain, error.retry_after
    ('domain_occupied', 'a.com', 23.5)
    >>> error.billed, error.retry
    (False, True)
    """
    __match_args__: Final[tuple[Literal["code"], Literal["text"]]]
    def __eq__(self, value: object, /) -> bool: ...
    def __getnewargs_ex__(self, /) -> tuple[tuple[str, str], dict[str, Any]]: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, code: str, text: str, *, billed: bool = False, retry: bool = False, max_retries: SupportsIndex | None = None, retry_after: SupportsFloat | SupportsIndex | None = None, domain: str | None = None, status: SupportsIndex | None = None) -> QueryError: ...
    def __repr__(self, /) -> str: ...
    def __str__(self, /) -> str: ...
    @property
    def billed(self, /) -> bool:
        """
        Whether the service charges for the query nevertheless.
        """
    @property
    def code(self, /) -> str:
        """
        The stable code.
        """
    @property
    def domain(self, /) -> str | None:
        """
        The domain that is occupied.
        """
    @staticmethod
    def from_text(text: str) -> QueryError:
        """
        Reads the text of a result's `error` member.

        >>> from silkline import QueryError
        >>> error = QueryError.from_text("Downloader error: http404")
        >>> error.code, error.status, error.billed
        ('downloader_http', 404, True)
        """
    @property
    def max_retries(self, /) -> int | None:
        """
        How often at most to try again, where the error itself limits that.
        """
    @property
    def retry(self, /) -> bool:
        """
        Whether another attempt can succeed.
        """
    @property
    def retry_after(self, /) -> float | None:
        """
        How many seconds the service wants to be left alone.
        """
    @property
    def status(self, /) -> int | None:
        """
        The HTTP status that the page was answered with.
        """
    @property
    def text(self, /) -> str:
        """
        The service's own text, or what is wrong with its result.
        """

@final
class Rate:
    """
    How often something may happen on average: so many times in a period of so many seconds.

    >>> from silkline.schedule import Rate
    >>> Rate(1, 3)
    Rate(1, 3.0)
    """
    __match_args__: Final[tuple[Literal["count"], Literal["period"]]]
    def __eq__(self, value: object, /) -> bool: ...
    def __getnewargs__(self, /) -> tuple[int, float]: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, count: SupportsIndex, period: SupportsFloat | SupportsIndex = 1.0) -> Rate: ...
    def __repr__(self, /) -> str: ...
    @property
    def count(self, /) -> int:
        """
        How many times in a period.
        """
    @property
    def period(self, /) -> float:
        """
        The period in seconds.
        """

@final
class RateLimiter:
    """
    A token bucket: ``burst`` tokens at most, refilled at a rate; full in the beginning.

    A taker of several tokens at once (a batch of queries) needs one and takes all, leaving a debt
    that the next taker waits for. The rate is a number of tokens a second, or a `Rate`.

    >>> from silkline.schedule import RateLimiter
    >>> limiter = RateLimiter(5, burst=1, now=0.0)
    >>> limiter.try_acquire(1, 0.0) is None
    True
    >>> limiter.try_acquire(1, 0.0)
    0.2
    >>> limiter.try_acquire(3, 0.2) is None, limiter.ready_at(0.2)
    (True, 0.8)
    """
    def __new__(cls, /, rate: Rate | SupportsFloat | SupportsIndex, *, burst: SupportsIndex, now: SupportsFloat | SupportsIndex = 0.0) -> RateLimiter: ...
    def give_back(self, /) -> bool:
        """
        Undoes the latest taking, because its use never happened; false if that is not possible.
        """
    def ready_at(self, /, now: SupportsFloat | SupportsIndex) -> float:
        """
        When the next token is there: ``now`` if one is.
        """
    def try_acquire(self, /, count: SupportsIndex, now: SupportsFloat | SupportsIndex) -> float | None:
        """
        Takes so many tokens if there is one; otherwise gives the moment before which there is none.
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
    __match_args__: Final[tuple[Literal["method"], Literal["url"], Literal["headers"], Literal["body"]]]
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
class Result:
    """
    What the service found out about one query.

    It keeps the bytes of its answer, and decodes a part when it is first asked for.

    >>> from silkline import ExtractionApi, Query
    >>> api = ExtractionApi("KEY")
    >>> queries = [Query("https://example.com/", "product", meta="7")]
    >>> body = b'''[{
    ...     "query": {"id": "1-a", "domain": "example.com", "userQuery": {
    ...         "url": "https://example.com/", "pageType": "product", "meta": "7"}},
    ...     "product": {"name": "Lamp"}, "webPage": {}, "algorithmVersion": "1.2", "more": [1]}]'''
    >>> [result] = api.results(queries, 200, [], body)
    >>> result.ok, result.item, bytes(result.item_bytes)
    (True, {'name': 'Lamp'}, b'{"name": "Lamp"}')
    >>> result.query is queries[0], result.id, result.domain, result.meta
    (True, '1-a', 'example.com', '7')
    >>> result.unknown
    {'more': [1]}
    """
    def __repr__(self, /) -> str: ...
    @property
    def algorithm_version(self, /) -> str | None:
        """
        The version of the service's algorithm.
        """
    @property
    def dialect(self, /) -> Literal["automatic_extraction", "zyte_api"]:
        """
        The service that answered.
        """
    @property
    def domain(self, /) -> str | None:
        """
        The domain that the service counts the query to.
        """
    @property
    def error(self, /) -> QueryError | None:
        """
        Why there is no item; `None` if there is one.
        """
    @property
    def html(self, /) -> str | None:
        """
        The HTML of the whole page, if it was asked for; decoded each time.
        """
    @property
    def id(self, /) -> str | None:
        """
        The service's id of the query.
        """
    @property
    def item(self, /) -> dict[str, Any] | None:
        """
        The item, decoded by `json.loads` when it is first asked for; then the same object.
        """
    @property
    def item_bytes(self, /) -> memoryview | None:
        """
        The item's JSON text, as a view of the answer's bytes, or of those it was converted to.
        """
    @property
    def item_native(self, /) -> dict[str, Any] | None:
        """
        The item as the service sent it; also one that came with an error. The same as `item` in
        the dialect whose schema that is.

        >>> from silkline import ExtractionApi
        >>> api = ExtractionApi("KEY", dialect="zyte_api")
        >>> queries = [{"url": "https://example.com/", "pageType": "product"}]
        >>> body = b'{"product": {"brand": {"name": "B"}, "metadata": {"probability": 0.5}}}'
        >>> [result] = api.results(queries, 200, [], body)
        >>> result.item_native
        {'brand': {'name': 'B'}, 'metadata': {'probability': 0.5}}
        >>> result.item["brand"], result.item["probability"]
        ('B', 0.5)
        """
    @property
    def item_native_bytes(self, /) -> memoryview | None:
        """
        The JSON text of the item as the service sent it, as a view of the answer's bytes.
        """
    @property
    def meta(self, /) -> str | None:
        """
        The meta that the result repeats.
        """
    @property
    def ok(self, /) -> bool:
        """
        Whether there is an item.
        """
    @property
    def page_type(self, /) -> str | None:
        """
        The page type that was asked for; for a result that belongs to no query, the one it tells.
        """
    @property
    def query(self, /) -> Query | None:
        """
        The query that it belongs to; `None` for a result that belongs to none.
        """
    @property
    def query_bytes(self, /) -> memoryview | None:
        """
        The JSON text of what the result says of its query, as a view of the answer's bytes.
        """
    @property
    def query_index(self, /) -> int | None:
        """
        The index of the query that it belongs to.
        """
    @property
    def raw(self, /) -> memoryview | None:
        """
        The JSON text of the whole result, as a view of the answer's bytes; `None` if the answer has
        no result for the query.
        """
    def to_json(self, /) -> str:
        """
        The result as the Automatic Extraction API would have written it, whatever the service.
        """
    @property
    def unknown(self, /) -> dict[str, Any]:
        """
        Each member that none of the above gives; looked for and decoded each time.
        """
    @property
    def unknown_bytes(self, /) -> dict[str, memoryview]:
        """
        The JSON text of each of the unknown members, as views of the answer's bytes.
        """
    @property
    def unmapped(self, /) -> dict[str, Any]:
        """
        What `item` has no room for: each such part of `item_native`, by its place there (a JSON
        pointer); a new dict each time.
        """
    @property
    def url(self, /) -> str | None:
        """
        The URL that the result repeats.
        """
    @property
    def web_page(self, /) -> Any | None:
        """
        What the service knows of the page, such as its languages; decoded when first asked for.
        """
    @property
    def web_page_bytes(self, /) -> memoryview | None:
        """
        The JSON text of `web_page`, as a view of the answer's bytes.
        """

@final
class RetryPolicy:
    """
    A wait and a budget for each class of failures.

    The preset ``"default"`` is the published behaviour of the services' own clients, ``"zyte_api"``
    that of the successor's client, ``"zyte_api_aggressive"`` (or ``"aggressive"``) the same with
    twice the attempts, ``"smart_proxy"`` that of clients of Smart Proxy Manager.

    >>> from silkline.schedule import Budget, Progress, RetryPolicy, Rng, Rule
    >>> policy = RetryPolicy()
    >>> rule = policy.rule("query")
    >>> policy = policy.with_rule("query", Rule(rule.wait, Budget("retries", 1)))
    >>> progress, rng = Progress(0.0), Rng(1)
    >>> 3 <= policy.next(progress, "query", 5.0, rng) <= 8
    True
    >>> policy.next(progress, "query", 15.0, rng) is None, progress.failures("query")
    (True, 2)
    """
    def __copy__(self, /) -> RetryPolicy: ...
    def __deepcopy__(self, /, _memo: Any) -> RetryPolicy: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, preset: Literal["aggressive", "default", "smart_proxy", "zyte_api", "zyte_api_aggressive"] = ..., rules: dict[Literal["account", "ban", "billed_query", "download", "download_internal", "garbled", "network", "occupied", "query", "server", "target", "throttled"], Rule] | None = None) -> RetryPolicy: ...
    def __repr__(self, /) -> str: ...
    def next(self, /, progress: Progress, failure: Literal["account", "ban", "billed_query", "download", "download_internal", "garbled", "network", "occupied", "query", "server", "target", "throttled"], now: SupportsFloat | SupportsIndex, rng: Rng, *, asked: SupportsFloat | SupportsIndex | None = None) -> float | None:
        """
        Counts a failure, and gives the seconds to wait before the next try; `None` to give up.
        ``asked`` is the service's own delay, which is the least.
        """
    def rule(self, /, failure: Literal["account", "ban", "billed_query", "download", "download_internal", "garbled", "network", "occupied", "query", "server", "target", "throttled"]) -> Rule:
        """
        The rule of a class.
        """
    def with_rule(self, /, failure: Literal["account", "ban", "billed_query", "download", "download_internal", "garbled", "network", "occupied", "query", "server", "target", "throttled"], rule: Rule) -> RetryPolicy:
        """
        The same with another rule for a class.
        """

@final
class Rng:
    """
    A small seeded generator, for jitter and ties. Not for secrets.

    The same seed gives the same numbers in every language. Without a seed, the operating system
    gives one.

    >>> from silkline.schedule import Rng
    >>> rng = Rng(1234567)
    >>> rng.next_u64(), rng.up_to(9)
    (6457827717110365317, 1)
    >>> Rng(rng.state).next_u64() == rng.next_u64()
    True
    """
    def __new__(cls, /, seed: SupportsIndex | None = None) -> Rng: ...
    def next_u64(self, /) -> int:
        """
        The next 64 random bits.
        """
    @property
    def state(self, /) -> int:
        """
        The state, a seed from which another generator goes on with the same sequence.
        """
    def up_to(self, /, most: SupportsIndex) -> int:
        """
        A number from 0 to ``most``.
        """

@final
class Rule:
    """
    The wait and the budget of a class of failures.

    >>> from silkline.schedule import Budget, Rule, Wait
    >>> Rule(Wait(1, 2), Budget("retries", 3)).budget
    Budget('retries', 3)
    """
    __match_args__: Final[tuple[Literal["wait"], Literal["budget"]]]
    def __copy__(self, /) -> Rule: ...
    def __deepcopy__(self, /, _memo: Any) -> Rule: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, wait: Wait, budget: Budget) -> Rule: ...
    def __repr__(self, /) -> str: ...
    @property
    def budget(self, /) -> Budget:
        """
        When to give up.
        """
    @property
    def wait(self, /) -> Wait:
        """
        How long to wait.
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

@final
class SessionKey:
    """
    A session of a pool, as long as it is in the pool.

    >>> from silkline.schedule import SessionPool
    >>> pool = SessionPool()
    >>> session = pool.adopt("a", 12, 0.0)
    >>> session == pool.find("a"), pool.id(session)
    (True, 'a')
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...

@final
class SessionPool:
    """
    A pool of sessions: pure scheduling, without any request of its own.

    A session serves one request at a time and is ready again when its pace says so; sessions known
    to leave from one address share one pace. Sessions past their idle time are never handed out.

    Every argument that is left out keeps its default: ``size`` sessions at most (100), ``margin``
    seconds by which a request may arrive later than it was sent (0.25; `None`: as late as its
    answer), ``idle`` seconds after which the service forgets a session (1800), ``lifetime`` seconds
    after its first request when it does so anyway (never), ``safety`` seconds before that it is not
    used any more (30), ``max_bans`` (1) and ``max_timeouts`` in a row (2) that retire a session,
    ``anonymous_percent`` of the pool that named sessions must leave (50). The preset ``"zyte_api"``
    begins with sessions of the successor: 120 seconds idle, 900 in all, 3 bans in a row.

    >>> from silkline.schedule import SessionPool, Unavailable, Use
    >>> pool = SessionPool(size=2)
    >>> place = pool.reserve(0.0)
    >>> session = pool.add(place, "a", 1.0)
    >>> use = pool.try_acquire(12, 1.0)
    >>> pool.try_acquire(12, 1.0)
    Unavailable('busy')
    >>> pool.finish(use, "answered", 1.5)
    False
    >>> match pool.try_acquire(12, 2.0):
    ...     case Use():
    ...         print("go")
    ...     case Unavailable(reason, until):
    ...         print(reason, until)
    cooling 13.25
    """
    def __new__(cls, /, preset: Literal["default", "zyte_api"] | None = None, *, size: SupportsIndex | None = None, margin: SupportsFloat | SupportsIndex | None = ..., idle: SupportsFloat | SupportsIndex | None = None, lifetime: SupportsFloat | SupportsIndex | None = None, safety: SupportsFloat | SupportsIndex | None = None, max_bans: SupportsIndex | None = None, max_timeouts: SupportsIndex | None = None, anonymous_percent: SupportsIndex | None = None) -> SessionPool: ...
    def add(self, /, place: Place, id: str, now: SupportsFloat | SupportsIndex, *, address: str | None = None, first_use: tuple[SupportsFloat | SupportsIndex, SupportsFloat | SupportsIndex] | None = None) -> SessionKey:
        """
        Fills a place with the session that the service made; ``address`` if it told one;
        ``first_use`` (when it was sent, and the delay of its domain) if the request that created the
        session went through it.

        A known id is the same session again: it keeps its state and the place is free.
        """
    def address(self, /, session: SessionKey) -> str | None:
        """
        The address of a session, if known.
        """
    def adopt(self, /, id: str, delay: SupportsFloat | SupportsIndex, now: SupportsFloat | SupportsIndex, *, address: str | None = None) -> SessionKey:
        """
        Takes in a session that the service lists, as if used at this moment. Beyond the limit too:
        it exists.
        """
    def announced(self, /, session: SessionKey) -> float:
        """
        The delay in seconds that the service announced with the last answer of a session.
        """
    def ban(self, /, session: SessionKey) -> bool:
        """
        Counts a ban that was learned outside of the end of a use; true if the session is retired.
        """
    def cancel(self, /, place: Place) -> None:
        """
        Gives back the place of a creation that failed.
        """
    def end_name(self, /, name: str) -> SessionKey | None:
        """
        Takes a name away; the session serves everybody again when it is free.
        """
    def find(self, /, id: str) -> SessionKey | None:
        """
        The session with an id.
        """
    def find_lost(self, /, *, named: bool = False) -> Place | None:
        """
        Takes back the place of a lost creation, because its answer came after all; `None` if none
        of that kind is kept.
        """
    def finish(self, /, use: Use, ending: Literal["answered", "banned", "broken", "gone", "not_sent", "refused", "slower", "timed_out"], now: SupportsFloat | SupportsIndex, *, asked: SupportsFloat | SupportsIndex | None = None) -> bool:
        """
        Ends a use; true if the session is retired: gone, worn out by bans or time-outs. With
        ``"slower"``, ``asked`` is the delay that the service named.
        """
    def grow(self, /, by: SupportsIndex) -> None:
        """
        Raises the limit again, up to the configured size.
        """
    @property
    def has_names(self, /) -> bool:
        """
        Whether sessions may have names at all.
        """
    @property
    def has_room(self, /) -> bool:
        """
        Whether there is a place for one more session.
        """
    def id(self, /, session: SessionKey) -> str | None:
        """
        The id of a session; `None` if it is gone.
        """
    def ids(self, /) -> list[str]:
        """
        The ids of all sessions.
        """
    def lose(self, /, place: Place, now: SupportsFloat | SupportsIndex) -> None:
        """
        Keeps the place of a creation whose answer was lost until the service has forgotten the
        session that it may have made.
        """
    @property
    def may_name(self, /) -> bool:
        """
        Whether one more session may get a name.
        """
    def name(self, /, session: SessionKey) -> str | None:
        """
        The name of a session.
        """
    def named(self, /, name: str) -> SessionKey | None:
        """
        The session of a name.
        """
    @property
    def next_expiry(self, /) -> float | None:
        """
        When the next session that nobody uses is past its idle time.
        """
    @property
    def next_place(self, /) -> float | None:
        """
        When the first place of a lost creation comes back.
        """
    def not_before(self, /, session: SessionKey, moment: SupportsFloat | SupportsIndex) -> None:
        """
        Nothing is to go through a session before a moment.
        """
    def ready_at(self, /, now: SupportsFloat | SupportsIndex) -> Unavailable | None:
        """
        Whether an anonymous session can be had: `None`, or why not.
        """
    def remove(self, /, session: SessionKey) -> str | None:
        """
        Takes a session out of the pool; its id, or `None` if it is gone already.
        """
    def reserve(self, /, now: SupportsFloat | SupportsIndex, *, named: bool = False) -> Place | None:
        """
        Reserves a place for a session to be created; `None` if the pool is full, or if it may hold
        no further named one.
        """
    def sent(self, /, use: Use, now: SupportsFloat | SupportsIndex) -> Use:
        """
        The request left later than it was handed out: gives its use as it is from then on.
        """
    def session_ready_at(self, /, session: SessionKey) -> float | None:
        """
        When a session's pace lets the next request through; `None` while only an answer can tell,
        or if it is gone.
        """
    def set_address(self, /, session: SessionKey, address: str) -> None:
        """
        Says from which address a session leaves: it shares the pace of others there. Of a session
        in use, it counts from the end of the use on.
        """
    def set_name(self, /, session: SessionKey, name: str) -> bool:
        """
        Gives a session a name: from then on only `try_acquire_session` hands it out. False if
        another session has the name, or if no further session may be named.
        """
    def shrink(self, /) -> None:
        """
        The service keeps no more sessions than there are: the limit falls to that, at least 1.
        """
    def slow_down(self, /, session: SessionKey, now: SupportsFloat | SupportsIndex, *, asked: SupportsFloat | SupportsIndex | None = None) -> None:
        """
        The service says that a session is too fast, in an answer that nobody waited for.
        """
    def stats(self, /) -> PoolStats:
        """
        The pool's numbers.
        """
    def take_expired(self, /, now: SupportsFloat | SupportsIndex) -> str | None:
        """
        The id of a session past its idle time, each given once: the service has forgotten it.
        """
    def try_acquire(self, /, delay: SupportsFloat | SupportsIndex, now: SupportsFloat | SupportsIndex) -> Use | Unavailable:
        """
        Takes the anonymous session that has been ready longest, for a request to a domain that asks
        for ``delay`` seconds afterwards; or says why there is none.
        """
    def try_acquire_session(self, /, session: SessionKey, delay: SupportsFloat | SupportsIndex, now: SupportsFloat | SupportsIndex) -> Use | Unavailable:
        """
        Takes a certain session, named or not.
        """

@final
class Turn:
    """
    A request under way, as `Pace.begin` counted it.

    >>> from silkline.schedule import Pace
    >>> Pace(0.25).begin(12, 3.0).sent
    3.0
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __ne__(self, value: object, /) -> bool: ...
    @property
    def sent(self, /) -> float:
        """
        When it was sent, as far as known.
        """

@final
class Unavailable:
    """
    Why no session can be had: all are in use (``"busy"``), there is none (``"empty"``), or not
    before a moment (``"cooling"``).

    >>> from silkline.schedule import SessionPool
    >>> pool = SessionPool()
    >>> pool.try_acquire(12, 0.0)
    Unavailable('empty')
    >>> session = pool.adopt("a", 12, 0.0)
    >>> pool.try_acquire(12, 0.0)
    Unavailable('cooling', 12.0)
    """
    __match_args__: Final[tuple[Literal["reason"], Literal["until"]]]
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __repr__(self, /) -> str: ...
    @property
    def reason(self, /) -> Literal["busy", "cooling", "empty"]:
        """
        Why.
        """
    @property
    def until(self, /) -> float | None:
        """
        The moment before which there is none, if only time is missing.
        """

@final
class Unmapped:
    """
    A part of an item that the other schema has no place for.

    >>> from silkline.zyte_api.items import to_zyte_api
    >>> item = {"url": "https://example.com/", "articleBodyRaw": "<div>…"}
    >>> [part] = to_zyte_api("article", item).unmapped
    >>> part.path, part.value
    ('/articleBodyRaw', '<div>…')
    """
    __match_args__: Final[tuple[Literal["path"], Literal["value"]]]
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __repr__(self, /) -> str: ...
    @property
    def path(self, /) -> str:
        """
        Where it stands in the original: a JSON pointer (RFC 6901).
        """
    @property
    def value(self, /) -> Any:
        """
        The value, decoded each time.
        """
    @property
    def value_json(self, /) -> str:
        """
        The value's JSON text, as it was written.
        """

@final
class Usage:
    """
    Queries counted by whether the service charges for them.

    >>> from silkline import ExtractionApi, Query, Usage
    >>> queries = [Query("https://example.com/", "article")]
    >>> body = b'''[{"query": {"userQuery": {"url": "https://example.com/", "pageType": "article"}},
    ...               "error": "Downloader error: http404"}]'''
    >>> usage = Usage.of_results(ExtractionApi("KEY").results(queries, 200, [], body))
    >>> usage + usage
    Usage(queries=2, billed=2, unbilled=0, unknown=0)
    """
    def __add__(self, other: object, /) -> Usage: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __getnewargs_ex__(self, /) -> tuple[tuple[()], dict[str, Any]]: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, *, queries: SupportsIndex = 0, billed: SupportsIndex = 0, unbilled: SupportsIndex = 0, unknown: SupportsIndex = 0) -> Usage: ...
    def __radd__(self, other: object, /) -> Usage: ...
    def __repr__(self, /) -> str: ...
    @property
    def billed(self, /) -> int:
        """
        Queries that are charged: items, and errors of fetching the page.
        """
    @staticmethod
    def of_results(results: SupportsGetItem[int, Result]) -> Usage:
        """
        What the results of an answer say.

        >>> from silkline import Usage
        >>> Usage.of_results([])
        Usage(queries=0, billed=0, unbilled=0, unknown=0)
        """
    @property
    def queries(self, /) -> int:
        """
        All queries: the sum of the others.
        """
    @property
    def unbilled(self, /) -> int:
        """
        Queries that are not charged: all other errors.
        """
    @property
    def unknown(self, /) -> int:
        """
        Queries of which nobody can tell, because the service's answer does not.
        """

@final
class Use:
    """
    A session in use by one request.

    >>> from silkline.schedule import SessionPool
    >>> pool = SessionPool()
    >>> session = pool.adopt("a", 12, 0.0)
    >>> use = pool.try_acquire(12, 60.0)
    >>> use.session == session, use.sent
    (True, 60.0)
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __ne__(self, value: object, /) -> bool: ...
    @property
    def sent(self, /) -> float:
        """
        When the request was sent, as far as known.
        """
    @property
    def session(self, /) -> SessionKey:
        """
        The session.
        """

@final
class Wait:
    """
    A wait with full jitter: a random time between ``least`` and ``most`` seconds, and a part that
    may grow with each try.

    >>> from silkline.schedule import Rng, Wait
    >>> wait = Wait(3, 7).growing(1, 55).with_first(2, 20, 40)
    >>> [wait.range(failures) for failures in (1, 2, 3, 4, 20)]
    [(20.0, 40.0), (20.0, 40.0), (3.0, 11.0), (3.0, 15.0), (3.0, 62.0)]
    >>> 20 <= wait.after(1, Rng(1)) <= 40
    True
    """
    def __copy__(self, /) -> Wait: ...
    def __deepcopy__(self, /, _memo: Any) -> Wait: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, least: SupportsFloat | SupportsIndex, most: SupportsFloat | SupportsIndex) -> Wait: ...
    def __repr__(self, /) -> str: ...
    def after(self, /, failures: SupportsIndex, rng: Rng) -> float:
        """
        The wait after so many failures, in seconds.
        """
    def growing(self, /, step: SupportsFloat | SupportsIndex, cap: SupportsFloat | SupportsIndex) -> Wait:
        """
        The same with a part that doubles from ``step`` with each try, up to ``cap`` seconds.
        """
    def range(self, /, failures: SupportsIndex) -> tuple[float, float]:
        """
        The shortest and the longest wait after so many failures.
        """
    def with_first(self, /, tries: SupportsIndex, least: SupportsFloat | SupportsIndex, most: SupportsFloat | SupportsIndex) -> Wait:
        """
        The same, but the first ``tries`` waits are between ``least`` and ``most`` seconds.
        """

@final
class WaitUntil:
    """
    Nothing to do before this moment, unless a command or an input comes.

    >>> from silkline import ExtractionApi, ExtractionEngine
    >>> engine = ExtractionEngine(ExtractionApi("KEY"))
    >>> queries = [{"url": f"https://example.com/{n}", "pageType": "article"} for n in range(2)]
    >>> engine.submit_many(queries, 0.0)
    [1, 2]
    >>> engine.poll_batch(0.0, 10)[1]
    WaitUntil(0.2, 'rate')
    """
    __match_args__: Final[tuple[Literal["at"], Literal["reason"]]]
    def __eq__(self, value: object, /) -> bool: ...
    def __getnewargs__(self, /) -> tuple[float, Literal["answers", "back_off", "budget", "domain_occupied", "rate", "session_cooling", "slots_busy"]]: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, at: SupportsFloat | SupportsIndex, reason: Literal["answers", "back_off", "budget", "domain_occupied", "rate", "session_cooling", "slots_busy"]) -> WaitUntil: ...
    def __repr__(self, /) -> str: ...
    @property
    def at(self, /) -> float:
        """
        The moment, in seconds on the driver's clock; never later than the first deadline.
        """
    @property
    def reason(self, /) -> Literal["answers", "back_off", "budget", "domain_occupied", "rate", "session_cooling", "slots_busy"]:
        """
        Why nothing can be sent now.
        """

@final
class ZyteApiFetch:
    """
    A page for the host to fetch, and what it is wanted for.

    >>> from silkline import basic_authorization
    >>> from silkline.service import ZyteApiService
    >>> headers = {"Authorization": basic_authorization("KEY"), "Content-Type": "application/json"}
    >>> body = b'{"url": "https://example.com/", "product": true}'
    >>> step = ZyteApiService().handle_request("POST", "/v1/extract", headers, body, 0.0)
    >>> step, step.item
    (ZyteApiFetch(1, GET https://example.com/), 'product')
    """
    def __repr__(self, /) -> str: ...
    @property
    def body(self, /) -> bytes:
        """
        The body to send.
        """
    @property
    def browser_html(self, /) -> bool:
        """
        Whether the page is wanted as a browser shows it.
        """
    @property
    def follow_redirects(self, /) -> bool:
        """
        Whether redirects are followed.
        """
    @property
    def headers(self, /) -> Headers:
        """
        Headers that the target is to see besides those of a browser.
        """
    @property
    def item(self, /) -> str | None:
        """
        The item to extract, by Zyte API's name of it.
        """
    @property
    def method(self, /) -> str:
        """
        The method.
        """
    @property
    def ticket(self, /) -> int:
        """
        Names the request from here on.
        """
    @property
    def url(self, /) -> str | None:
        """
        The page's URL; ``None`` if the answer is only held back.
        """

@final
class ZyteApiPage:
    """
    What a target answered.

    >>> from silkline.service import ZyteApiPage
    >>> ZyteApiPage("https://example.com/", 200, {"Content-Type": "text/html"}, b"<p>")
    ZyteApiPage(200, <3 bytes>)
    """
    def __new__(cls, /, url: str, status: SupportsIndex, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], body: bytes | bytearray | memoryview, *, browser_html: str | None = None, item: str | None = None) -> ZyteApiPage: ...
    def __repr__(self, /) -> str: ...
    @property
    def body(self, /) -> bytes:
        """
        The target's body.
        """
    @property
    def browser_html(self, /) -> str | None:
        """
        The page as a browser shows it; wanted where the request asks for it.
        """
    @property
    def headers(self, /) -> Headers:
        """
        The target's headers.
        """
    @property
    def item(self, /) -> str | None:
        """
        The item, as JSON in Zyte API's schema; wanted where the request asks for it.
        """
    @property
    def status(self, /) -> int:
        """
        The target's status.
        """
    @property
    def url(self, /) -> str:
        """
        Where, after all redirects.
        """

@final
class ZyteApiService:
    """
    Zyte API's ``POST /v1/extract``, without sockets and clock.

    The host passes every request in, fetches the page that is wanted, and tells what came of it; it
    calls `poll` after anything it passed in and at the moment that the last call named. Moments
    are seconds on any clock that does not go back. The same arguments and calls give the same
    answers.

    Every argument that is left out keeps the documented default. ``keys`` are the good keys (left
    out: any non-empty one), ``disabled_keys`` those of suspended accounts. Rates are in requests a
    minute (``math.inf`` for no limit), a minute's worth of them at once: ``rate`` for each key,
    ``system_rate`` for all together, ``domain_rate`` for each website. ``occupied`` maps domains to
    the seconds for which they are over their limit from the first request on, ``forbidden_domains``
    names those that are refused. ``bans`` are rules of a domain (``None`` for any), statuses and
    texts of a body; ``faults`` is a fault script, as JSON.

    >>> import json
    >>> from silkline import basic_authorization
    >>> from silkline.service import ZyteApiPage, ZyteApiService
    >>> service = ZyteApiService(keys=["KEY"], seed=1)
    >>> headers = {"Authorization": basic_authorization("KEY"), "Content-Type": "application/json"}
    >>> body = b'{"url": "https://example.com/", "httpResponseBody": true}'
    >>> step = service.handle_request("POST", "/v1/extract", headers, body, 0.0)
    >>> page = ZyteApiPage(step.url, 404, {}, b"gone")
    >>> answer = service.handle_fetched(step.ticket, page, 0.5)
    >>> answer.status, json.loads(answer.body)["statusCode"]
    (200, 404)
    """
    def __new__(cls, /, *, keys: SupportsGetItem[int, str] | None = None, disabled_keys: SupportsGetItem[int, str] | None = None, rate: SupportsFloat | SupportsIndex | None = None, system_rate: SupportsFloat | SupportsIndex | None = None, domain_rate: SupportsFloat | SupportsIndex | None = None, occupied: dict[str, SupportsFloat | SupportsIndex] | None = None, max_payload: SupportsIndex | None = None, timeout: SupportsFloat | SupportsIndex | None = None, forbidden_domains: SupportsGetItem[int, str] | None = None, bans: SupportsGetItem[int, tuple[str | None, SupportsGetItem[int, SupportsIndex], SupportsGetItem[int, str]]] | None = None, faults: str | None = None, seed: SupportsIndex | None = None) -> ZyteApiService: ...
    def handle_closed(self, /, ticket: SupportsIndex, now: SupportsFloat | SupportsIndex) -> None:
        """
        The client of a request went away: nothing more is wanted for it.
        """
    def handle_fetched(self, /, ticket: SupportsIndex, outcome: ZyteApiPage | str, now: SupportsFloat | SupportsIndex) -> ServiceAnswer | None:
        """
        Takes what came of a page: a `ZyteApiPage`, or the name of a failure. Gives the answer if
        nothing holds it back.
        """
    def handle_malformed(self, /, now: SupportsFloat | SupportsIndex) -> ServiceAnswer:
        """
        Answers what the host could not read as an HTTP request.
        """
    def handle_request(self, /, method: str, url: str, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], body: bytes, now: SupportsFloat | SupportsIndex) -> ServiceAnswer | ZyteApiFetch:
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
class ZyteProxyService:
    """
    Zyte API's proxy mode, without sockets and clock. It is driven as `ProxyService` is.

    Every argument that is left out keeps the documented default. ``outgoing`` are the addresses
    that sessions leave from. Rates are in requests a minute: ``rate`` for each key, ``system_rate``
    for all together, ``domain_rate`` for each website. Sessions live for ``session_life`` seconds in
    all, for ``session_idle`` after a request, and until ``session_bans`` bans in a row. ``bans`` are
    rules of a domain (``None`` for any), statuses and texts of a body; ``faults`` is a fault script,
    as JSON.

    >>> from silkline import basic_authorization
    >>> from silkline.service import ZyteProxyService
    >>> service = ZyteProxyService(outgoing=["127.0.0.2"], seed=1)
    >>> headers = {
    ...     "Proxy-Authorization": basic_authorization("KEY"),
    ...     "Zyte-Session-ID": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    ... }
    >>> step = service.handle_request("GET", "http://example.com/", headers, 0.0)
    >>> step.outgoing
    '127.0.0.2'
    >>> service.handle_responded(step.ticket, 302, {"Location": "/b"}, b"", 0.5)
    ProxyFetch(1, GET http://example.com/b)
    """
    def __new__(cls, /, *, keys: SupportsGetItem[int, str] | None = None, disabled_keys: SupportsGetItem[int, str] | None = None, outgoing: SupportsGetItem[int, str] | None = None, sessions_per_address: SupportsIndex | None = None, max_sessions: SupportsIndex | None = None, session_life: SupportsFloat | SupportsIndex | None = None, session_idle: SupportsFloat | SupportsIndex | None = None, session_bans: SupportsIndex | None = None, rate: SupportsFloat | SupportsIndex | None = None, system_rate: SupportsFloat | SupportsIndex | None = None, domain_rate: SupportsFloat | SupportsIndex | None = None, retries: SupportsIndex | None = None, max_redirects: SupportsIndex | None = None, timeout: SupportsFloat | SupportsIndex | None = None, max_header_bytes: SupportsIndex | None = None, max_body_bytes: SupportsIndex | None = None, bans: SupportsGetItem[int, tuple[str | None, SupportsGetItem[int, SupportsIndex], SupportsGetItem[int, str]]] | None = None, forbidden_domains: SupportsGetItem[int, str] | None = None, faults: str | None = None, seed: SupportsIndex | None = None) -> ZyteProxyService: ...
    def handle_api(self, /, method: str, path: str, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], now: SupportsFloat | SupportsIndex) -> ServiceAnswer:
        """
        Answers a request for the service itself, which has nothing to be asked for.
        """
    def handle_closed(self, /, ticket: SupportsIndex, now: SupportsFloat | SupportsIndex) -> None:
        """
        Takes note that the client of a request went away.
        """
    def handle_connect(self, /, authority: str, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], now: SupportsFloat | SupportsIndex) -> ServiceAnswer | ProxyTunnel:
        """
        Takes a CONNECT to host and port.
        """
    def handle_failed(self, /, ticket: SupportsIndex, failure: str, now: SupportsFloat | SupportsIndex) -> ServiceAnswer | ProxyFetch | ProxyRelay | ProxyWait:
        """
        Takes the failure of a fetch, by its name: ``nxdomain``, ``timeout``, ….
        """
    def handle_finished(self, /, ticket: SupportsIndex, body_bytes: SupportsIndex, now: SupportsFloat | SupportsIndex) -> None:
        """
        Takes note that an answer was passed on, with how many bytes of body.
        """
    def handle_request(self, /, method: str, url: str, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], now: SupportsFloat | SupportsIndex, tunnel: ProxyTunnel | None = None) -> ServiceAnswer | ProxyFetch | ProxyRelay | ProxyWait:
        """
        Takes a request whose URL is absolute, with the tunnel it came through. The body stays
        with the host.
        """
    def handle_responded(self, /, ticket: SupportsIndex, status: SupportsIndex, headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]], body_start: SupportsGetItem[int, SupportsIndex], now: SupportsFloat | SupportsIndex) -> ServiceAnswer | ProxyFetch | ProxyRelay | ProxyWait:
        """
        Takes a target's answer: status, headers and, if the fetch asked for it, the start of the
        body.
        """
    def handle_unreadable(self, /, too_large: bool, now: SupportsFloat | SupportsIndex) -> ServiceAnswer:
        """
        Answers bytes that are no request, or one whose head is too large to be read.
        """
    def poll(self, /, now: SupportsFloat | SupportsIndex) -> ProxyFetch | float | None:
        """
        What is to be done next: a fetch, the moment to come back, or nothing.
        """
    def stats_json(self, /) -> str:
        """
        The counts so far, as JSON.
        """

def basic_authorization(api_key: str) -> str:
    """
    The value of `Authorization` (or `Proxy-Authorization`) for a key.

    >>> from silkline import basic_authorization
    >>> basic_authorization("secret")
    'Basic c2VjcmV0Og=='
    """

def basic_credentials(value: str) -> tuple[str, str] | None:
    """
    The user and password of a Basic authorization value; `None` if it is none.

    >>> from silkline import basic_credentials
    >>> basic_credentials("Basic c2VjcmV0Og==")
    ('secret', '')
    """

def connect_status(message: str) -> int | None:
    """
    The status of a failed CONNECT in an HTTP client's error message; ``None`` if there is none.

    >>> from silkline import connect_status
    >>> connect_status("Tunnel connection failed: 407 Proxy Authentication Required")
    407
    """

def from_zyte_api(page_type: str, item: Mapping[str, Any] | bytes | bytearray | memoryview | str) -> Converted:
    """
    An item of Zyte API in the schema of Automatic Extraction. `page_type` is the older name:
    `forumPosts` reads a `forumThread`. The item is a mapping, or JSON text.

    >>> from silkline.zyte_api.items import from_zyte_api
    >>> found = from_zyte_api("product", {"brand": {"name": "Acme"}, "productId": "A1"})
    >>> found.item
    {'brand': 'Acme', 'probability': 1.0}
    >>> found.unmapped
    [Unmapped('/productId', 'A1')]
    """

def parse_http_date(text: str) -> int | None:
    """
    Seconds since 1970-01-01 of an HTTP date, in any of its three forms; `None` if it is none.

    >>> from silkline import parse_http_date
    >>> parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT")
    784111777
    """

def proxy_leaks(headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """
    Finds the headers that must not reach a target, as pairs of name and ``"option"`` or
    ``"proxy_authorization"``: options of the service and of its successor (``X-Crawlera-*``,
    ``Zyte-*``) and what authorizes at a proxy. `ProxyApi.leaks` finds the key itself, too.

    >>> from silkline import proxy_leaks
    >>> proxy_leaks({"Accept": "text/html", "X-Crawlera-Session": "7"})
    [('X-Crawlera-Session', 'option')]
    """

def read_connect_failure(status: SupportsIndex) -> ProxyServiceError | None:
    """
    The error behind a CONNECT of which only the status is known; ``None`` if that is a success.

    >>> from silkline import read_connect_failure
    >>> error = read_connect_failure(407)
    >>> error.code, error.action
    ('bad_proxy_auth', 'stop_all_after_retries')
    """

def retry_after(headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]]) -> float | None:
    """
    The delay in seconds that `Retry-After` asks for; `None` if it is unknown.

    A date becomes a delay through the answer's own `Date`.

    >>> from silkline import retry_after
    >>> retry_after({"Retry-After": "120"})
    120.0
    """

def strip_proxy_leaks(headers: Mapping[str, str] | Iterable[tuple[str, str]] | Mapping[bytes, list[bytes]] | Iterable[tuple[bytes, bytes]]) -> Headers:
    """
    The same headers without those that `proxy_leaks` finds.

    >>> from silkline import strip_proxy_leaks
    >>> strip_proxy_leaks({"Accept": "text/html", "X-Crawlera-Session": "7"})
    Headers([('Accept', 'text/html')])
    """

def to_zyte_api(page_type: str, item: Mapping[str, Any] | bytes | bytearray | memoryview | str) -> Converted:
    """
    An item of Automatic Extraction in the schema of Zyte API. The item is a mapping, or JSON text.

    >>> from silkline.zyte_api.items import to_zyte_api
    >>> to_zyte_api("jobPosting", {"title": "Cook", "probability": 0.9}).item
    {'jobTitle': 'Cook', 'metadata': {'probability': 0.9}}
    """
