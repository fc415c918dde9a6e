"""What the parts of one crawl share: one engine, whoever asks it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from scrapy import signals
from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from silkline import ExtractionApi, ExtractionEngine
from silkline.scrapy.apis import extraction_api
from silkline.scrapy.settings import Options

from .counts import Counts
from .driver import Driver
from .errors import error_of, is_end
from .leave import leave
from .requests import ITEM, RESULT, query_of
from .responses import response_of
from .room import Room

if TYPE_CHECKING:
    from collections.abc import Mapping

    import scrapy
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from silkline import Query
    from silkline.engine import ExtractionFinished
    from silkline.schedule import RetryPolicy

__all__ = ["Extraction", "Terms"]

_NO_LIMIT = 1e6
_CRAWLS: WeakKeyDictionary[Crawler, Extraction] = WeakKeyDictionary()


@dataclass(frozen=True)
class Terms:
    """With what an engine is made. ``None``: its own default holds."""

    api: ExtractionApi
    rate: float | None = None
    concurrency: int | None = None
    batch_size: int | None = None
    deadline: float | None = None
    budget: int | None = None
    policy: RetryPolicy | None = None
    ahead: int = 1_000

    @classmethod
    def of(cls, options: Options) -> Terms:
        """The terms that the add-on's settings name."""
        return cls(
            extraction_api(options),
            rate=options.rate,
            concurrency=options.extraction_concurrency,
            batch_size=options.batch_size,
            deadline=options.extraction_deadline,
            budget=options.budget,
            policy=options.extraction_policy,
            ahead=options.extraction_ahead,
        )

    def engine(self) -> ExtractionEngine:
        """A new engine."""
        return ExtractionEngine(
            self.api,
            rate=_NO_LIMIT if self.rate == math.inf else self.rate,
            concurrency=self.concurrency,
            batch_size=self.batch_size,
            deadline=self.deadline,
            cap=self.budget,
            policy=self.policy,
        )


class Extraction:
    """The engine of a crawl with its driver."""

    def __init__(self, crawler: Crawler, terms: Terms) -> None:
        self._crawler = crawler
        self._dialect = terms.api.dialect
        self._cached = crawler.settings.getbool("HTTPCACHE_ENABLED")
        self._room = Room(crawler, terms.ahead)
        self._driver = Driver(crawler, terms.engine(), Counts(crawler), terms.deadline)
        crawler.signals.connect(self._ended, signals.spider_closed)
        crawler.signals.connect(self._forgotten, signals.engine_stopped)

    @classmethod
    def of(cls, crawler: Crawler, terms: Terms | None = None) -> Extraction:
        """The one of a crawl; whoever asks first sets the terms."""
        found = _CRAWLS.get(crawler)
        if found is None:
            found = cls(crawler, terms or Terms.of(Options.read(crawler.settings)))
            _CRAWLS[crawler] = found
        return found

    def response(self, request: scrapy.Request) -> Deferred[Response]:
        """The response to an extraction request; its failures are those of `.errors`."""
        try:
            query = query_of(request, self._dialect)
        except Exception as error:  # noqa: BLE001 -- the errback's
            return fail(error)
        request.meta.pop(ITEM, None)
        request.meta.pop(RESULT, None)

        def answered(finished: ExtractionFinished) -> Response:
            error = error_of(finished)
            if error is not None or finished.result is None:
                raise error or RuntimeError(f"{query.url} has neither item nor error")
            native = self._dialect != "automatic_extraction"
            return response_of(
                request, finished, finished.result, cached=self._cached, native=native
            )

        return self.outcome(request, query).addCallback(answered)

    def outcome(
        self, request: scrapy.Request, query: Query, headers: Mapping[str, str] | None = None
    ) -> Deferred[ExtractionFinished]:
        """What came of the query of a request, which Scrapy does not count meanwhile.

        The headers are sent with the query, if it has a request of its own.
        """
        try:
            waiting = self._driver.submit(query, request.priority, headers)
        except Exception as error:  # noqa: BLE001 -- the errback's
            return fail(error)
        unmake = self._room.make(request)

        def done(outcome: ExtractionFinished | Failure) -> ExtractionFinished | Failure:
            unmake()
            if isinstance(outcome, Failure) and is_end(outcome.value):
                leave(self._crawler, request)
            return outcome

        return waiting.addBoth(done)

    def _ended(self) -> None:
        self._driver.abandon()

    def _forgotten(self) -> None:
        self._ended()
        _CRAWLS.pop(self._crawler, None)
