"""Where the objects that speak the services' protocols are made, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from silkline import ExtractionApi, ProxyApi
from silkline.exceptions import InvalidEndpoint, SilklineError

from .settings import InvalidOption, Options

__all__ = ["extraction_api", "proxy_api"]

_T = TypeVar("_T")


def proxy_api(options: Options) -> ProxyApi:
    """What builds the requests through the proxy."""
    dialect = options.dialect or "smart_proxy_manager"
    make = lambda: ProxyApi(options.api_key, options.proxy_url, dialect)  # noqa: E731
    return _checked("SILKLINE_PROXY_URL", make)


def extraction_api(options: Options) -> ExtractionApi:
    """What builds the requests of the extraction service."""
    dialect = options.dialect or "automatic_extraction"
    make = lambda: ExtractionApi(options.api_key, options.endpoint, dialect)  # noqa: E731
    return _checked("SILKLINE_ENDPOINT", make)


def _checked(endpoint: str, make: Callable[[], _T]) -> _T:
    try:
        return make()
    except InvalidEndpoint as error:
        raise InvalidOption.of(endpoint, str(error)) from error
    except SilklineError as error:
        raise InvalidOption.of("SILKLINE_API_KEY", str(error)) from error
