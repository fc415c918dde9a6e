"""Silkline: the decisions of a crawl, without the IO.

Builds the requests of Zyte's crawling services and reads their answers. It opens no socket: the
program that drives it brings an HTTP client.
"""

from ._core import VERSION as __version__
from ._core import (
    Headers,
    Request,
    basic_authorization,
    retry_after,
)
from .exceptions import (
    InvalidApiKey,
    InvalidFaults,
    InvalidHeader,
    InvalidMethod,
    SilklineError,
)

__all__ = [
    "Headers",
    "InvalidApiKey",
    "InvalidFaults",
    "InvalidHeader",
    "InvalidMethod",
    "Request",
    "SilklineError",
    "__version__",
    "basic_authorization",
    "retry_after",
]
