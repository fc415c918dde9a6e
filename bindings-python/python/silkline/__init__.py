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
    Query,
    QueryError,
    Request,
    Result,
    Usage,
    basic_authorization,
    basic_credentials,
    parse_http_date,
    retry_after,
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
    InvalidQuery,
    ServiceError,
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
    "InvalidQuery",
    "Problem",
    "Query",
    "QueryError",
    "Request",
    "Result",
    "ServiceError",
    "SilklineError",
    "Usage",
    "__version__",
    "basic_authorization",
    "basic_credentials",
    "parse_http_date",
    "retry_after",
]

ERROR_CODES: tuple[str, ...] = tuple(_ERROR_CODES)
"""The code of every error, sorted. A code keeps its meaning in every version and language."""

PAGE_TYPES: tuple[str, ...] = tuple(_PAGE_TYPES)
"""The name of every page type."""
