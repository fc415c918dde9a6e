"""The services' side of the protocols, without sockets: for sandboxes, tests and simulations.

`silkline.sandbox` hosts these machines over real HTTP.
"""

from __future__ import annotations

from ._core import (
    ExtractionService,
    FetchedPage,
    FetchQuery,
    ProxyFetch,
    ProxyRelay,
    ProxyService,
    ProxyTunnel,
    ProxyWait,
    ServiceAnswer,
    ServiceFetch,
    ZyteApiFetch,
    ZyteApiPage,
    ZyteApiService,
    ZyteProxyService,
)

__all__ = [
    "ExtractionService",
    "FetchQuery",
    "FetchedPage",
    "ProxyFetch",
    "ProxyRelay",
    "ProxyService",
    "ProxyTunnel",
    "ProxyWait",
    "ServiceAnswer",
    "ServiceFetch",
    "ZyteApiFetch",
    "ZyteApiPage",
    "ZyteApiService",
    "ZyteProxyService",
]
