"""Requests as the pool keeps them, from the scheduler to their end."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy.http import Request
    from twisted.internet.defer import Deferred

    from silkline.engine import ProxyFinished

    from .lease import Lease
    from .routing import Route

__all__ = ["Backlog", "Job"]


@dataclass(eq=False)
class Job:
    """A request that the engine knows."""

    number: int
    route: Route
    request: Request | None
    """What is to be sent; ``None`` while Scrapy has it."""
    waiter: Deferred[Lease] | None = None
    """Who waits for its turn in the middleware."""
    bypass: bool = False
    """Whether it came past the scheduler, and waits there."""
    lease: Lease | None = None
    """Its turn, while it has one."""
    ended: ProxyFinished | None = None
    """What the engine says of its end."""
    error: Exception | None = None
    """Why it has no answer."""
    told: bool = False
    """Whether Scrapy has been told of its end."""

    @property
    def is_any(self) -> bool:
        """Whether any session of the pool will do."""
        return self.route.is_any


class Backlog:
    """Requests for any session, beyond those that the engine is shown: by priority, then by age."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Request, Route]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._heap)

    def push(self, request: Request, route: Route) -> None:
        """Adds a request."""
        self._count += 1
        heappush(self._heap, (-request.priority, self._count, request, route))

    def pop(self) -> tuple[Request, Route]:
        """Takes the one whose turn it is."""
        _, _, request, route = heappop(self._heap)
        return request, route
