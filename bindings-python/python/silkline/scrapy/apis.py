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
    _no_other_dialect(options)
    return _checked("SILKLINE_PROXY_URL", lambda: ProxyApi(options.api_key, options.proxy_url))


def extraction_api(options: Options) -> ExtractionApi:
    """What builds the requests of the extraction service."""
    _no_other_dialect(options)
    return _checked("SILKLINE_ENDPOINT", lambda: ExtractionApi(options.api_key, options.endpoint))


def _no_other_dialect(options: Options) -> None:
    if options.dialect is not None:
        raise InvalidOption.of("SILKLINE_DIALECT", f"there is no dialect {options.dialect!r}")


def _checked(endpoint: str, make: Callable[[], _T]) -> _T:
    try:
        return make()
    except InvalidEndpoint as error:
        raise InvalidOption.of(endpoint, str(error)) from error
    except SilklineError as error:
        raise InvalidOption.of("SILKLINE_API_KEY", str(error)) from error
