"""The sandbox with pages that are made, not fetched, and counted: real sockets, quick answers."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from silkline.sandbox import Sandbox
from silkline.sandbox import extraction as host
from silkline.schedule import Budget, RetryPolicy, Rule, Wait
from silkline.service import FetchedPage, FetchQuery

# What goes wrong in every way there is.
FAULTS = json.dumps(
    [
        {
            "when": {"request": 20},
            "then": {"problem": "user-rate-limit-exceeded", "retry_after": 0},
        },
        {"when": {"every": 31}, "then": {"drop": True}},
        {"when": {"every": 17}, "then": {"status": 503}},
        {"when": {"url": "*7"}, "times": 10, "then": {"error": "query timed out"}},
    ]
)


class Pages(Counter[str]):
    """How often each page was made."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__()
        self.seconds = seconds

    async def make(self, query: FetchQuery) -> FetchedPage | int:
        self[query.url] += 1
        if self.seconds:
            await asyncio.sleep(self.seconds)
        if "missing" in query.url:
            return 404
        return FetchedPage(f'{{"url": "{query.url}"}}', '{"inLanguages": []}')


@contextmanager
def pages(seconds: float = 0.0) -> Iterator[Pages]:
    """Makes the pages of every sandbox in the block."""
    made = Pages(seconds)

    async def outcome(_: Any, query: FetchQuery) -> FetchedPage | int:
        return await made.make(query)

    before = host.ExtractionHost._outcome
    host.ExtractionHost._outcome = outcome  # type: ignore[assignment]
    try:
        yield made
    finally:
        host.ExtractionHost._outcome = before  # type: ignore[method-assign]


@contextmanager
def sandbox(**options: Any) -> Iterator[Sandbox]:
    """A sandbox on a thread."""
    started = threading.Event()
    box = Sandbox(**{"rate": math.inf, **options})
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        stop = asyncio.Event()
        async with box:
            loops.append((asyncio.get_running_loop(), stop))
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(20)
    try:
        yield box
    finally:
        loop, stop = loops[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def queries(count: int, domains: int = 10) -> list[dict[str, Any]]:
    return [
        {"url": f"http://s{number % domains}.example/{number}", "pageType": "article"}
        for number in range(count)
    ]


def quick_policy() -> RetryPolicy:
    """The default's budgets with waits of a tenth of a second."""
    policy = RetryPolicy()
    for failure in ("network", "server", "throttled", "query", "garbled", "occupied"):
        rule = policy.rule(failure)
        budget = Budget("retries", 30) if failure in {"network", "server"} else rule.budget
        policy = policy.with_rule(failure, Rule(Wait(0.05, 0.1), budget))
    return policy
