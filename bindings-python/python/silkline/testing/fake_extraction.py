"""The Automatic Extraction API inside of the process."""

from __future__ import annotations

import asyncio
import inspect
import json
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from silkline.aio import Answer
from silkline.service import ExtractionService, FetchedPage, FetchQuery, ServiceAnswer

from .faults import Failure, FaultScript, script

if TYPE_CHECKING:
    from silkline import Request

__all__ = ["FakeExtraction", "PageOutcome"]

PageOutcome: TypeAlias = "Mapping[str, Any] | FetchedPage | int | Failure"
"""What a page holds: its item, a whole `silkline.service.FetchedPage`, or the status or the `Failure`
for which it cannot be had."""

_Items: TypeAlias = (
    "Mapping[str, PageOutcome] | Callable[[FetchQuery], PageOutcome | Awaitable[PageOutcome]]"
)
_NOT_FOUND = 404


class FakeExtraction:
    """The Automatic Extraction API without sockets: limits, errors, faults and counts are its own.

    >>> from silkline.blocking import Extractor
    >>> from silkline.testing import FakeExtraction
    >>> service = FakeExtraction(items={"http://shop.example/1": {"name": "Lamp"}})
    >>> query = {"url": "http://shop.example/1", "pageType": "product"}
    >>> with Extractor("KEY", transport=service) as extractor:
    ...     [outcome.result.item for outcome in extractor.results([query])]
    [{'name': 'Lamp'}]
    >>> service.stats()["billed"]
    1

    ``items`` says what is on the pages: a mapping by URL, of which any other page is a 404, or a
    function of the query, which may be a coroutine function. Left out, each page has a small item
    with its URL. All else is for `silkline.service.ExtractionService`, but without limit of the rate
    unless ``rate`` is given, and with fault scripts as lists too. Time is the real one.
    """

    def __init__(
        self, items: _Items | None = None, *, faults: FaultScript | None = None, **service: Any
    ) -> None:
        self.items: _Items | None = items
        """What is on the pages; may be replaced."""
        self._service = ExtractionService(
            **{"rate": math.inf, "epoch": time.time(), **service, "faults": script(faults)}
        )
        self._zero = time.monotonic()
        self._ready: dict[int, ServiceAnswer] = {}

    def stats(self) -> dict[str, Any]:
        """What the service counted."""
        counts: dict[str, Any] = json.loads(self._service.stats_json())
        return counts

    # --- the transport ------------------------------------------------------------------------

    async def start(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do."""

    async def send(self, request: Request) -> Answer:
        """Answers a request, as a transport of `silkline.aio.Extractor`."""
        step = self._service.handle_request(
            request.method, request.url, request.headers.items(), request.body, self._now()
        )
        if isinstance(step, ServiceAnswer):
            return _answer(step)
        try:
            await asyncio.gather(*(self._make(step.ticket, query) for query in step.queries))
            return _answer(await self._release(step.ticket))
        finally:
            self._ready.pop(step.ticket, None)
            self._service.handle_closed(step.ticket, self._now())

    def ask(self, request: Request) -> Answer:
        """Answers a request for programs that drive the core themselves.

        >>> from silkline import ExtractionApi, Query
        >>> from silkline.testing import FakeExtraction
        >>> api, queries = ExtractionApi("KEY"), [Query("http://a.example/", "article")]
        >>> answer = FakeExtraction().ask(api.request(queries))
        >>> api.results(queries, *answer)[0].item
        {'url': 'http://a.example/'}
        """
        return asyncio.run(self.send(request))

    def _now(self) -> float:
        return time.monotonic() - self._zero

    async def _release(self, ticket: int) -> ServiceAnswer:
        """Waits until the service gives an answer."""
        while ticket not in self._ready:
            output = self._service.poll(self._now())
            if isinstance(output, ServiceAnswer):
                self._keep(output)
            else:
                await asyncio.sleep(0.01 if output is None else max(output - self._now(), 0.001))
        return self._ready.pop(ticket)

    def _keep(self, answer: ServiceAnswer) -> None:
        if answer.ticket is not None:
            self._ready[answer.ticket] = answer

    async def _make(self, ticket: int, query: FetchQuery) -> None:
        outcome = await self._outcome(query)
        answer = self._service.handle_fetched(ticket, query.index, outcome, self._now())
        if answer is not None:
            self._keep(answer)

    async def _outcome(self, query: FetchQuery) -> FetchedPage | int | str:
        found: Any
        if self.items is None:
            found = {"url": query.url}
        elif callable(self.items):
            found = self.items(query)
            if inspect.isawaitable(found):
                found = await found
        else:
            found = self.items.get(query.url, _NOT_FOUND)
        if isinstance(found, Failure):
            return found.name
        if isinstance(found, (int, FetchedPage)):
            return found
        html = query.custom_html or "<html></html>"
        return FetchedPage(
            json.dumps(dict(found)), '{"inLanguages": []}', html if query.full_html else None
        )


def _answer(answer: ServiceAnswer) -> Answer:
    if answer.dropped or answer.truncated is not None:
        raise ConnectionResetError("the connection is closed, as the script asks")
    headers = [(name.encode(), value.encode("utf-8")) for name, value in answer.headers]
    return Answer(answer.status, headers, answer.body)
