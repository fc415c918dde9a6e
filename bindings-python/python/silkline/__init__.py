"""Silkline: the decisions of a crawl, without the IO.

Builds the requests of Zyte's crawling services and reads their answers. It opens no socket: the
program that drives it brings an HTTP client.
"""

from ._core import ERROR_CODES as _ERROR_CODES
from ._core import PAGE_TYPES as _PAGE_TYPES
from ._core import VERSION as __version__
from ._core import (
    ExtractionApi,
    Headers,
    Problem,
    ProxiedRequest,
    ProxyAnswer,
    ProxyApi,
    ProxyOptions,
    ProxySessionList,
    Query,
    QueryError,
    Request,
    Result,
    Usage,
    basic_authorization,
    basic_credentials,
    connect_status,
    parse_http_date,
    proxy_leaks,
    read_connect_failure,
    retry_after,
    strip_proxy_leaks,
)
from .exceptions import (
    InvalidApiKey,
    InvalidBatch,
    InvalidEndpoint,
    InvalidFaults,
    InvalidHeader,
    InvalidJson,
    InvalidMethod,
    InvalidProblem,
    InvalidProxiedRequest,
    InvalidProxyOptions,
    InvalidQuery,
    InvalidSessionId,
    ProxyServiceError,
    ServiceError,
    SessionCallFailed,
    SilklineError,
)

__all__ = [
    "ERROR_CODES",
    "PAGE_TYPES",
    "ExtractionApi",
    "Headers",
    "InvalidApiKey",
    "InvalidBatch",
    "InvalidEndpoint",
    "InvalidFaults",
    "InvalidHeader",
    "InvalidJson",
    "InvalidMethod",
    "InvalidProblem",
    "InvalidProxiedRequest",
    "InvalidProxyOptions",
    "InvalidQuery",
    "InvalidSessionId",
    "Problem",
    "ProxiedRequest",
    "ProxyAnswer",
    "ProxyApi",
    "ProxyOptions",
    "ProxyServiceError",
    "ProxySessionList",
    "Query",
    "QueryError",
    "Request",
    "Result",
    "ServiceError",
    "SessionCallFailed",
    "SilklineError",
    "Usage",
    "__version__",
    "basic_authorization",
    "basic_credentials",
    "connect_status",
    "parse_http_date",
    "proxy_leaks",
    "read_connect_failure",
    "retry_after",
    "strip_proxy_leaks",
]

ERROR_CODES: tuple[str, ...] = tuple(_ERROR_CODES)
"""The code of every error, sorted. A code keeps its meaning in every version and language."""

PAGE_TYPES: tuple[str, ...] = tuple(_PAGE_TYPES)
"""The name of every page type."""
