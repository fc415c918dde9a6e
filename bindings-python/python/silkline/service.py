"""The services' side of the protocols, without sockets: for sandboxes, tests and simulations.

`silkline.sandbox` hosts these machines over real HTTP.
"""

from __future__ import annotations

from ._core import ExtractionService, FetchedPage, FetchQuery, ServiceAnswer, ServiceFetch

__all__ = [
    "ExtractionService",
    "FetchQuery",
    "FetchedPage",
    "ServiceAnswer",
    "ServiceFetch",
]
