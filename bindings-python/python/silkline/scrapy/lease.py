"""What a request carries while it is under way, and only then.

Address and authorization of the proxy, session and options are put on a request as late as can be,
and taken off when its answer is there: what spiders and middlewares copy from it, redirects and
retries, then never passes for something that the spider asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from silkline import proxy_leaks

if TYPE_CHECKING:
    from scrapy.http import Request

    from silkline.engine import ProxySend

    from .jobs import Job

__all__ = ["SLOT", "SWALLOWED", "TOKEN", "Lease"]

SLOT = "silkline"
"""The slot of Scrapy's downloader for what the engine paces."""
TOKEN = "_silkline"  # noqa: S105
"""Meta key: the number of a request's lease, or less than 0 that of a job it goes back to."""
SWALLOWED = 0
"""Value of that key for a request whose job goes on, or has gone on, with another."""
_MISSING = object()


@dataclass(eq=False)
class Lease:
    """One turn of a request: from the engine's word that it may be sent to its answer."""

    send: ProxySend
    job: Job
    request: Request
    since: float = 0.0
    """When its turn came."""
    sent: bool = False
    """Whether it has left for the downloader."""
    given_up: bool = False
    """Whether the engine waits for its answer no longer."""
    _headers: dict[str, list[bytes]] = field(default_factory=dict)
    _meta: dict[str, Any] = field(default_factory=dict)

    def mark(self) -> None:
        """Ties the request to this lease, and keeps proxies of the environment away from it."""
        self.request.meta[TOKEN] = self.send.request_id
        self.request.meta["proxy"] = None

    def apply(self, timeout: float, *, own_slot: bool, keep_own: bool) -> None:
        """Puts on the request what it needs on its way; ``timeout`` is what the engine waits.

        Of the spider's own options the engine has made headers; as they stand they only go out if
        they say what it does not know, and the service does (``keep_own``).
        """
        self.sent = True
        headers = dict(self.send.request.headers)
        if not (keep_own and self.job.route.own_session):
            for name, _ in proxy_leaks(dict(self.request.headers.items())):
                self._keep(name)
                self.request.headers.pop(name, None)
        if self.send.proxy is not None:
            headers["Proxy-Authorization"] = self.send.proxy.authorization
            self._put("proxy", self.send.proxy.url)
        for name, value in headers.items():
            self._keep(name)
            self.request.headers[name] = value
        self._put("download_timeout", max(timeout, 0.1))
        if own_slot:
            self._put("download_slot", SLOT)
            self._put("autothrottle_dont_adjust_delay", value=True)

    def undo(self) -> None:
        """Takes it off."""
        for name, values in self._headers.items():
            if values:
                self.request.headers.setlist(name, values)
            else:
                self.request.headers.pop(name, None)
        self._headers.clear()
        for key, value in self._meta.items():
            if value is _MISSING:
                self.request.meta.pop(key, None)
            else:
                self.request.meta[key] = value
        self._meta.clear()
        self.request.meta.pop(TOKEN, None)
        if self.request.meta.get("proxy", _MISSING) is None:
            del self.request.meta["proxy"]

    def _keep(self, name: str) -> None:
        self._headers.setdefault(name.lower(), self.request.headers.getlist(name))

    def _put(self, key: str, value: object) -> None:
        self._meta.setdefault(key, self.request.meta.get(key, _MISSING))
        self.request.meta[key] = value
