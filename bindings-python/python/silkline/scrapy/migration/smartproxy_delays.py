"""Delays of slots of Scrapy's downloader, raised while the service wants to be left alone."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import scrapy
    from scrapy.crawler import Crawler

__all__ = ["Delays", "exp_backoff"]


def exp_backoff(step: float, most: float) -> Iterator[float]:
    """Seconds that grow with each turn, with full jitter: at most 1, 2, 4, … steps."""
    turns = math.log2(max(most, step) / step) if step > 0 else 0
    for turn in count():
        # Later powers would be too large for a float.
        yield random.uniform(0, step * 2**turn if turn <= turns else most)  # noqa: S311


class Delays:
    """The delays that were changed, and each slot's own back-off."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._saved: dict[str, float] = {}
        self._backoffs: dict[str | None, Iterator[float]] = {}
        self.step: float = 15.0
        self.most: float = 180.0

    def next(self, request: scrapy.Request) -> float:
        """The next delay of the back-off of a request's slot."""
        key = request.meta.get("download_slot")
        if key not in self._backoffs:
            self._backoffs[key] = exp_backoff(self.step, self.most)
        return next(self._backoffs[key])

    def reset(self, request: scrapy.Request) -> None:
        """Begins the back-off of a request's slot anew."""
        self._backoffs.pop(request.meta.get("download_slot"), None)

    def set(self, request: scrapy.Request, delay: float) -> bool:
        """Changes the delay of a request's slot, until `restore`; false if it has none."""
        key, slot = self._slot(request)
        if slot is None:
            return False
        self._saved.setdefault(key, slot.delay)
        slot.delay = delay
        return True

    def restore(self, request: scrapy.Request) -> None:
        """Gives a request's slot the delay that it had."""
        key, slot = self._slot(request)
        if slot is not None and key in self._saved:
            slot.delay = self._saved.pop(key)

    def _slot(self, request: scrapy.Request) -> tuple[Any, Any]:
        key = request.meta.get("download_slot")
        engine: Any = self._crawler.engine
        return key, engine.downloader.slots.get(key)
