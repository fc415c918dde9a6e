"""Headers of the proxy services on requests: which of them may go where."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import scrapy

__all__ = ["clean", "conflict", "translate"]

_log = logging.getLogger(__name__)

_SMART_PROXY = b"x-crawlera-"
_ZYTE_API = b"zyte-"
_TRANSLATIONS = {
    b"zyte-device": b"x-crawlera-profile",
    b"zyte-geolocation": b"x-crawlera-region",
    b"zyte-jobid": b"x-crawlera-jobid",
    b"zyte-override-headers": b"x-crawlera-profile-pass",
}
# The successor's proxy understands these of the older service, and translates them best.
_UNDERSTOOD = {
    b"x-crawlera-cookies",
    b"x-crawlera-jobid",
    b"x-crawlera-profile",
    b"x-crawlera-profile-pass",
    b"x-crawlera-region",
    b"x-crawlera-session",
}


def translate(request: scrapy.Request) -> None:
    """Gives headers of the successor the names that Smart Proxy Manager has for them."""
    for header, translation in _TRANSLATIONS.items():
        if header in request.headers:
            value = _take(request, header)
            request.headers[translation] = value
            _log.warning(
                "Translating header %r (%r) to %r on request %r",
                header,
                value,
                translation,
                request,
            )


def clean(request: scrapy.Request, to: str | None) -> None:
    """Takes away the headers that are not for where a request goes: a proxy's name, or none.

    ``to`` is ``"zyte_api"``, ``"smart_proxy_manager"``, or nothing for requests without proxy.
    """
    if to is None:
        for header in _found(request, (_SMART_PROXY, _ZYTE_API)):
            _log.warning(
                "Dropping header %r (%r) from request %r, as this request does not go through the "
                "proxy. If you are sure that you need to send it, use the "
                "ZYTE_SMARTPROXY_KEEP_HEADERS setting.",
                header, _take(request, header), request,
            )  # fmt: skip
        return
    to_successor = to == "zyte_api"
    for header in _found(request, (_SMART_PROXY if to_successor else _ZYTE_API,)):
        if to_successor and header.lower() in _UNDERSTOOD:
            _log.warning("Keeping deprecated header %r.", header)
            continue
        _log.warning(
            "Dropping header %r (%r) from request %r, as the request is proxied with %s, which has "
            "no such header, and there is no automatic translation of it.",
            header, _take(request, header), request,
            "Zyte API" if to_successor else "Zyte Smart Proxy Manager",
        )  # fmt: skip


def conflict(request: scrapy.Request, names: Iterable[str]) -> bool:
    """Whether a request has all of the headers."""
    return all(name in request.headers for name in names)


def _found(request: scrapy.Request, prefixes: tuple[bytes, ...]) -> list[bytes]:
    return [name for name in request.headers if name and name.lower().startswith(prefixes)]


def _take(request: scrapy.Request, header: bytes) -> bytes:
    values: list[bytes] = request.headers.getlist(header)
    del request.headers[header]
    return b"".join(values)
