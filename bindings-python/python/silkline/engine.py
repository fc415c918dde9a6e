"""The machines that decide what to send when, without sockets and clock.

A driver passes everything in: queries, the time, answers and failures. It calls `poll` after
anything it passed in, and at the moment that the last call named, and does what that says.
"""

from __future__ import annotations

from ._core import (
    Abort,
    ExtractionEngine,
    ExtractionFinished,
    ExtractionSend,
    ExtractionStats,
    ExtractionStopped,
    ExtractionUnmatched,
    Idle,
    ProxyEndpoint,
    ProxyEngine,
    ProxyFetched,
    ProxyFinished,
    ProxyIncomplete,
    ProxySend,
    ProxySessionLost,
    ProxyStats,
    ProxyStopped,
    WaitUntil,
)

__all__ = [
    "Abort",
    "ExtractionEngine",
    "ExtractionFinished",
    "ExtractionSend",
    "ExtractionStats",
    "ExtractionStopped",
    "ExtractionUnmatched",
    "Idle",
    "ProxyEndpoint",
    "ProxyEngine",
    "ProxyFetched",
    "ProxyFinished",
    "ProxyIncomplete",
    "ProxySend",
    "ProxySessionLost",
    "ProxyStats",
    "ProxyStopped",
    "WaitUntil",
]
