"""What Scrapy's exceptions mean to the engine."""

from __future__ import annotations

from typing import Literal

from silkline import connect_status

__all__ = ["failure_of", "tunnel_status"]

# By name: they are Twisted's, Scrapy's from 2.15 on, or a download handler's own.
_NEVER_LEFT = {
    "CannotResolveHostError",
    "ConnectBindError",
    "ConnectError",
    "ConnectionRefusedError",
    "DNSLookupError",
    "DownloadConnectionRefusedError",
    "NoRouteError",
    "TCPTimedOutError",
    "UnknownHostError",
}
_TIMED_OUT = {"DownloadTimeoutError", "TimeoutError"}


def failure_of(exception: BaseException) -> Literal["network", "not_sent", "timeout"]:
    """The engine's word for a download that failed."""
    names = {base.__name__ for base in type(exception).__mro__}
    if names & _TIMED_OUT:  # first: Twisted's own is a ConnectError, too
        return "timeout"
    return "not_sent" if names & _NEVER_LEFT else "network"


def tunnel_status(exception: BaseException) -> int | None:
    """The status that answered a CONNECT: Scrapy tells it in the text of the exception only."""
    if type(exception).__name__ not in {"TunnelError", "DownloadFailedError"}:
        return None
    return connect_status(str(exception))
