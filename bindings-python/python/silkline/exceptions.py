"""What can go wrong: every exception of the package, under one base.

Three families: the program asked for something that cannot be (``Invalid...``, which are also
``ValueError``), the service refused or answered badly (`ServiceError`), and misuse of the API. An
error of one query inside an answer is data, not an exception.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._core import Headers, Problem, Usage

__all__ = [
    "ExtractionJobError",
    "InvalidApiKey",
    "InvalidBatch",
    "InvalidEndpoint",
    "InvalidFaults",
    "InvalidHeader",
    "InvalidItem",
    "InvalidJson",
    "InvalidMethod",
    "InvalidPlan",
    "InvalidPool",
    "InvalidProblem",
    "InvalidProxiedRequest",
    "InvalidProxyOptions",
    "InvalidQuery",
    "InvalidRate",
    "InvalidSessionId",
    "InvalidSetting",
    "InvalidSnapshot",
    "NotSubmitted",
    "ProxyJobError",
    "ProxyServiceError",
    "ServiceError",
    "SessionCallFailed",
    "SilklineError",
    "UnknownRequest",
]


class SilklineError(Exception):
    """The base of every exception that Silkline raises of its own.

    The data of an error are attributes, so that no program needs to read the message. Exceptions
    can be pickled and copied.

    >>> from silkline import Headers, SilklineError
    >>> try:
    ...     Headers({"a b": "c"})
    ... except SilklineError as error:
    ...     print(error.code, error)
    invalid_header_name header name `a b` is not a token
    """

    code: str = "silkline"
    """What went wrong, in a word that keeps its meaning in every version and language."""

    def __init__(self, message: str = "", /, **data: object) -> None:
        super().__init__(message)
        self.__dict__.update(data)


class InvalidApiKey(SilklineError, ValueError):
    """A key that cannot be sent. The key itself is never shown.

    >>> from silkline import InvalidApiKey, basic_authorization
    >>> try:
    ...     basic_authorization("two words")
    ... except InvalidApiKey as error:
    ...     print(error.code, error.position, error.length)
    api_key_invalid 3 9
    """

    position: int | None = None
    """Where the character stands that no key has, counted from 0."""
    length: int | None = None
    """How many characters the key has."""


class InvalidFaults(SilklineError, ValueError):
    """A fault script that cannot be read.

    >>> from silkline import InvalidFaults
    >>> from silkline.service import ExtractionService
    >>> try:
    ...     ExtractionService(faults='[{"then": {}}]')
    ... except InvalidFaults as error:
    ...     print(error.code, error.reason[:7])
    invalid_faults rule 0:
    """

    reason: str = ""
    """What is wrong and where."""


class InvalidHeader(SilklineError, ValueError):
    r"""A header that cannot be sent.

    >>> from silkline import Headers, InvalidHeader
    >>> try:
    ...     Headers({"Cookie": "a\r\nb"})
    ... except InvalidHeader as error:
    ...     print(error.code, error.name, error.position)
    invalid_header_value Cookie 1
    """

    name: str = ""
    """The header's name."""
    position: int | None = None
    """Where the character stands that no value may hold."""


class InvalidMethod(SilklineError, ValueError):
    """A text that is not an HTTP method.

    >>> from silkline import InvalidMethod, Request
    >>> try:
    ...     Request("GET /", "https://example.com/")
    ... except InvalidMethod as error:
    ...     print(error.code, error.method)
    invalid_method GET /
    """

    method: str = ""
    """The text as given."""


class InvalidEndpoint(SilklineError, ValueError):
    """An address that cannot be an endpoint. Credentials in it are not shown.

    >>> from silkline import ExtractionApi, InvalidEndpoint
    >>> try:
    ...     ExtractionApi("KEY", endpoint="localhost:8010")
    ... except InvalidEndpoint as error:
    ...     print(error.code, error.endpoint)
    endpoint_invalid localhost:8010
    """

    endpoint: str | None = None
    """The address as given."""


class InvalidBatch(SilklineError, ValueError):
    """A list of queries that no request can carry.

    >>> from silkline import ExtractionApi, InvalidBatch
    >>> try:
    ...     ExtractionApi("KEY").request([])
    ... except InvalidBatch as error:
    ...     print(error.code)
    batch_empty
    """

    count: int = 0
    """How many queries there are."""
    limit: int | None = None
    """How many there may be."""


class InvalidQuery(SilklineError, ValueError):
    """A query that the service would refuse, or that cannot be written down.

    The message names the field, the limit and the size of the value.

    >>> from silkline import InvalidQuery, Query
    >>> try:
    ...     Query("https://example.com/", "article", meta="x" * 5000)
    ... except InvalidQuery as error:
    ...     print(error.code, error.length, error)
    query_meta_too_long 5000 query meta has 5000 bytes of utf-8, the limit is 4096
    """

    field: str | None = None
    """The member, in the service's spelling."""
    length: int | None = None
    """The size of the value, in the unit of its limit."""
    limit: int | None = None
    """The limit that the value is over."""
    position: int | None = None
    """Where in the value the fault is."""
    expected: str | None = None
    """The type that the documentation names."""
    found: str | None = None
    """The type that was found."""
    page_type: str | None = None
    """The page type as given."""
    url: str | None = None
    """The URL as given."""
    value: str | None = None
    """The beginning of the value that cannot be carried over."""
    dialect: str | None = None
    """The dialect that it cannot be carried over to."""
    reason: str | None = None
    """Why not."""


class InvalidItem(SilklineError, ValueError):
    """An item that cannot be converted into the schema of the other service.

    >>> from silkline import InvalidItem
    >>> from silkline.zyte_api.items import from_zyte_api
    >>> try:
    ...     from_zyte_api("vehicle", {})
    ... except InvalidItem as error:
    ...     print(error.code, error.page_type)
    item_no_counterpart vehicle
    """

    page_type: str | None = None
    """The page type that only one of the services has."""
    found: str | None = None
    """The JSON type that was found where an object should be."""
    position: int | None = None
    """The byte at which the text is not JSON."""


class InvalidJson(SilklineError, ValueError):
    """A text that is not JSON: the cause of other exceptions.

    >>> from silkline import InvalidProblem, Problem
    >>> try:
    ...     Problem.read(b'{"title": ')
    ... except InvalidProblem as error:
    ...     print(repr(error.__cause__), error.__cause__.code)
    InvalidJson('json ends early, at byte 10') json_truncated
    """

    position: int = 0
    """The byte from which on it is no JSON."""


class InvalidProblem(SilklineError, ValueError):
    """A body that is no problem document, or a member that cannot be in one.

    >>> from silkline import InvalidProblem, Problem
    >>> try:
    ...     Problem.read(b"[]")
    ... except InvalidProblem as error:
    ...     print(error.code, error.found)
    problem_not_object array
    """

    name: str | None = None
    """The name of the member."""
    position: int | None = None
    """The byte from which on it is no JSON."""
    found: str | None = None
    """The type that was found instead of an object."""
    length: int | None = None
    """The size of the document in bytes."""


class ServiceError(SilklineError):
    """There are no results at all: the service refused the request, or its answer is unreadable.

    >>> from silkline import ExtractionApi, Query, ServiceError
    >>> queries = [Query("https://example.com/", "article")]
    >>> try:
    ...     ExtractionApi("KEY").results(queries, 429, {"Retry-After": "30"}, b"")
    ... except ServiceError as error:
    ...     print(error.code, error.status, error.retry, error.retry_after, error.body)
    error_body_empty 429 throttling 30.0 b''
    """

    status: int = 0
    """The status of the answer."""
    problem: Problem | None = None
    """The problem document, if the answer held one."""
    retry_after: float | None = None
    """How many seconds the service wants to be left alone."""
    retry: str = "final"
    """What the failure means for further requests: account, final, server or throttling."""
    billed: bool = False
    """Whether the service charges for the queries."""
    billing_known: bool = False
    """Whether the service is known not to have worked on the queries."""
    usage: Usage
    """What the queries of the request cost."""
    headers: Headers
    """The headers of the answer."""
    body: bytes = b""
    """The body of the answer as it came."""


class InvalidProxyOptions(SilklineError, ValueError):
    """Options of a proxied request that the service would refuse, or that contradict each other.

    >>> from silkline import InvalidProxyOptions, ProxyOptions
    >>> try:
    ...     ProxyOptions(profile="tablet")
    ... except InvalidProxyOptions as error:
    ...     print(error.code, error.header, error.value, error.expected)
    proxy_option_value X-Crawlera-Profile tablet `pass`, `desktop` or `mobile`
    """

    header: str | None = None
    """The header of the option."""
    value: str | int | None = None
    """The value as given."""
    expected: str | None = None
    """What the option takes."""
    position: int | None = None
    """Where the character stands that no value may hold."""
    timeout: float | None = None
    """The time-out as given, in seconds."""
    reason: str | None = None
    """Why the option cannot be carried over to the service."""


class InvalidProxiedRequest(SilklineError, ValueError):
    """A request that cannot go through the proxy.

    >>> from silkline import InvalidProxiedRequest, ProxyApi, Request
    >>> try:
    ...     ProxyApi("KEY").request(Request("GET", "ftp://example.com/"))
    ... except InvalidProxiedRequest as error:
    ...     print(error.code, error.url)
    target_url_scheme ftp://example.com/
    """

    url: str | None = None
    """The URL of the target, without user and password."""
    size: int | None = None
    """The size of the headers in bytes."""


class InvalidSessionId(SilklineError, ValueError):
    """An id of a session that no service can have made.

    >>> from silkline import InvalidSessionId, ProxyApi
    >>> try:
    ...     ProxyApi("KEY").delete_session("..")
    ... except InvalidSessionId as error:
    ...     print(error.code, error.id, error.reason)
    session_id_invalid .. would change the path of a call
    """

    id: str = ""
    """The id as given."""
    reason: str = ""
    """What is wrong with it."""


class ProxyServiceError(SilklineError):
    """An error of the proxy service, not of the target.

    >>> from silkline import ProxyApi
    >>> error = ProxyApi("KEY").read(400, {"X-Crawlera-Error": "bad_session_id"}).error
    >>> error.code, error.status, error.action, error.billed
    ('bad_session_id', 400, 'drop_session', False)
    """

    status: int = 0
    """The status of the answer."""
    text: str = ""
    """The code as the service spelled it; empty if it sent none."""
    detail: str = ""
    """The beginning of the body, in which the service says what happened."""
    action: str = "final"
    """What the documentation advises, for example ``retry_elsewhere`` or ``drop_session``."""
    retry_after: float | None = None
    """How many seconds the service wants to be left alone."""
    is_ban: bool = False
    """Whether the target banned the outgoing address."""
    billed: bool = False
    """Whether the answer costs money."""


class SessionCallFailed(SilklineError):
    """An answer to a call of the sessions API that is not what the service gives.

    >>> from silkline import ProxyApi, SessionCallFailed
    >>> try:
    ...     ProxyApi("KEY").read_created_session(200, {}, b"")
    ... except SessionCallFailed as error:
    ...     print(error.code, error.reason)
    session_answer_malformed is empty but should be a session id
    """

    reason: str = ""
    """What is wrong with the answer."""


class InvalidRate(SilklineError, ValueError):
    """A rate or a burst that cannot be kept.

    >>> from silkline import InvalidRate
    >>> from silkline.schedule import RateLimiter
    >>> try:
    ...     RateLimiter(0, burst=1)
    ... except InvalidRate as error:
    ...     print(error.code)
    rate_invalid
    """


class InvalidPlan(SilklineError, ValueError):
    """A plan that cannot be made.

    >>> from silkline import InvalidPlan
    >>> from silkline.plan import Plan
    >>> try:
    ...     Plan("proxy", pages=0)
    ... except InvalidPlan as error:
    ...     print(error.code, error.reason)
    invalid_plan pages is 0, it must be in 1..=1000000000
    """

    reason: str = ""
    """What is wrong with it."""


class InvalidPool(SilklineError, ValueError):
    """A pool of sessions that the service would not keep.

    >>> from silkline import InvalidPool
    >>> from silkline.schedule import SessionPool
    >>> try:
    ...     SessionPool(size=5001)
    ... except InvalidPool as error:
    ...     print(error.code, error.size)
    pool_size_invalid 5001
    """

    size: int | None = None
    """The size as given."""
    percent: int | None = None
    """The share of anonymous sessions as given."""


class InvalidSetting(SilklineError, ValueError):
    """A setting that no engine can work with.

    >>> from silkline import ExtractionApi, ExtractionEngine, InvalidSetting
    >>> try:
    ...     ExtractionEngine(ExtractionApi("KEY"), batch_size=101)
    ... except InvalidSetting as error:
    ...     print(error.setting, error.value, error.least, error.most)
    batch_size 101 1 100
    """

    setting: str = ""
    """The setting's name."""
    value: int = 0
    """As given."""
    least: int = 0
    """The least value."""
    most: int = 0
    """The greatest value."""


class InvalidSnapshot(SilklineError, ValueError):
    """Bytes that are no snapshot of the engine.

    >>> from silkline import ExtractionApi, ExtractionEngine, InvalidSnapshot
    >>> try:
    ...     ExtractionEngine.restore(ExtractionApi("KEY"), b"", 0.0)
    ... except InvalidSnapshot as error:
    ...     print(error.code)
    snapshot_unknown
    """

    reason: str | None = None
    """What is wrong with the content."""
    found: str | int | None = None
    """The machine or the version that it names."""
    expected: str | None = None
    """The machine that was to be restored."""
    known: int | None = None
    """The latest version that this library reads."""


class NotSubmitted(SilklineError, RuntimeError):
    """A job that an engine does not take: its queue is full, or it was closed.

    >>> from silkline import ExtractionApi, ExtractionEngine, NotSubmitted
    >>> engine = ExtractionEngine(ExtractionApi("KEY"), queue_size=1)
    >>> query = {"url": "https://example.com/", "pageType": "article"}
    >>> try:
    ...     engine.submit(query, 0.0)
    ...     engine.submit(query, 0.0)
    ... except NotSubmitted as error:
    ...     print(error.code, error.limit)
    1
    queue_full 1
    """

    limit: int | None = None
    """How many jobs may be unfinished."""


class UnknownRequest(SilklineError, LookupError):
    """An id that no request has that was handed out and not answered.

    >>> from silkline import ExtractionApi, ExtractionEngine, UnknownRequest
    >>> try:
    ...     ExtractionEngine(ExtractionApi("KEY")).handle_failure(7, "network", 0.0)
    ... except UnknownRequest as error:
    ...     print(error.code, error.id)
    unknown_request 7
    """

    id: int = 0
    """The id as given."""


class ExtractionJobError(SilklineError):
    """Why a job has no item, where neither the service nor the query's result says it.

    It comes as an object in the event of the job, and can be raised.

    >>> from silkline import ExtractionApi, ExtractionEngine
    >>> engine = ExtractionEngine(ExtractionApi("KEY"))
    >>> job = engine.submit({"url": "https://example.com/", "pageType": "article"}, 0.0)
    >>> engine.close(1.0, 0.0)
    >>> engine.poll(1.0).error
    ExtractionJobError('the machine was closed')
    """


class ProxyJobError(SilklineError):
    """Why a job of a `ProxyEngine` has no response, where the service does not say it.

    It comes as an object in the event of the job, and can be raised.

    >>> from silkline import ProxyApi, ProxyEngine
    >>> engine = ProxyEngine(ProxyApi("KEY"))
    >>> job = engine.submit("https://example.com/", 0.0)
    >>> engine.close(1.0, 0.0)
    >>> engine.poll(1.0).error
    ProxyJobError('the machine was closed')
    """

    session: str | None = None
    """The name of the session that was lost."""
