"""Which way a request goes: not through the proxy, outside sessions, or through which session."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from silkline import ProxyOptions
from silkline.exceptions import SilklineError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy.http import Request

__all__ = [
    "CAME_THROUGH",
    "END_SESSION",
    "REPLACE_SESSION",
    "SESSION",
    "SESSION_HEADER",
    "Route",
    "route",
]

SESSION = "silkline_session"
"""Meta key: the name of a session, or False for none."""
REPLACE_SESSION = "silkline_replace_session"
"""Meta key: whether the request may go through a new session if the named one is lost."""
END_SESSION = "silkline_end_session"
"""Meta key: whether the named session ends after the request."""
SESSION_HEADER = "X-Crawlera-Session"
CAME_THROUGH = "_silkline_session"
"""Meta key: after how many redirects a request came through which session, by name and id."""
_REGION_HEADER = "X-Crawlera-Region"
_PREFIX = b"x-crawlera-"


@dataclass(frozen=True)
class Route:
    """Through the proxy, and how."""

    session: str | None = None
    """The name of its session."""
    replace: bool = False
    """Whether that may be a new one."""
    stay_in: str | None = None
    """The id of the session that it goes on in, as long as that is there."""
    outside: bool = False
    """Whether it goes outside sessions."""
    options: ProxyOptions | None = None
    """What the request's own headers ask of the service."""
    own_session: bool = False
    """Whether it keeps a session header of which only the spider knows what it means."""

    @property
    def is_any(self) -> bool:
        """Whether any session of the pool will do."""
        return self.session is None and self.stay_in is None and not self.outside

    def bypassing(self) -> Route:
        """The same for a request that no scheduler has seen: outside sessions, unless named."""
        return replace(self, outside=True) if self.is_any else self


def route(request: Request, names: Mapping[str, str]) -> Route | None:
    """The way of a request; ``None`` if it does not go through the proxy.

    ``names`` are those of the sessions that spiders asked for by header, by the sessions' ids.
    """
    meta: dict[str, Any] = request.meta
    if meta.get("dont_proxy") or meta.get("proxy") or _is_extracted(meta):
        return None
    if not request.url.startswith(("http://", "https://")):
        return None
    named = meta.get(SESSION)
    options, wrong = _own_options(request)
    if wrong:
        return Route(outside=True, own_session=True)
    came_through = meta.get(CAME_THROUGH)
    if came_through is not None and came_through[0] < meta.get("redirect_times", 0):
        # A redirect, by whichever middleware.
        _, name, session = came_through
        return Route(name, stay_in=None if name else session, options=options)
    asked = _text(request, SESSION_HEADER)
    if isinstance(named, str) and named:
        return Route(named, bool(meta.get(REPLACE_SESSION)), options=options)
    if asked is not None:
        known = names.get(asked)
        if known is None:
            return Route(outside=True, options=options, own_session=True)
        return Route(known, options=options)
    if named is False or _text(request, _REGION_HEADER) is not None:
        return Route(outside=True, options=options)
    return Route(options=options)


def _is_extracted(meta: Mapping[str, Any]) -> bool:
    """Whether a request is for the extraction service, or will be."""
    older = meta.get("autoextract")
    return bool(meta.get("silkline")) or (isinstance(older, dict) and bool(older.get("enabled")))


def asks_for_session(request: Request) -> bool:
    """Whether a spider asks for a session by header, as the service's documentation shows."""
    return (_text(request, SESSION_HEADER) or "").lower() == "create"


def _text(request: Request, name: str) -> str | None:
    value = request.headers.get(name)
    return (value.decode("latin-1").strip() or None) if value else None


def _own_options(request: Request) -> tuple[ProxyOptions | None, bool]:
    """The options in the headers, but for the session; and whether the service knows no such."""
    own = {
        name: values
        for name, values in request.headers.items()
        if name.lower().startswith(_PREFIX) and name.lower() != SESSION_HEADER.lower().encode()
    }
    if not own:
        return None, False
    try:
        return ProxyOptions.from_headers(own), False
    except SilklineError:
        return None, True
