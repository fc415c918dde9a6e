"""Marks the requests that a spider begins with: a resumed crawl has begun already."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from scrapy.http import Request

from .journal import START

if TYPE_CHECKING:
    from scrapy import Spider

__all__ = ["StartMiddleware"]


class StartMiddleware:
    """A spider middleware, for start methods old and new."""

    def process_start_requests(
        self,
        start_requests: Iterable[Any],
        spider: Spider,  # noqa: ARG002
    ) -> Iterator[Any]:
        """What the old method gives."""
        for found in start_requests:
            yield _marked(found)

    async def process_start(self, start: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """What the new method gives, from 2.13 on."""
        async for found in start:
            yield _marked(found)


def _marked(found: Any) -> Any:
    if isinstance(found, Request):
        found.meta[START] = True
    return found
