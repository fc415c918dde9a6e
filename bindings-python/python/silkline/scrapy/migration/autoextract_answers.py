"""Where rewritten requests get their answers: from the engine, in place of a download.

It listens where Scrapy's downloader asks its handlers, so that cache, slots and delays above work as
they did; a project that exchanges a path need not name a handler.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scrapy.http import TextResponse
from twisted.internet.defer import Deferred, fail

from silkline import ExtractionApi, Query
from silkline.scrapy.extraction.errors import error_of
from silkline.scrapy.extraction.extraction import Extraction, Terms
from silkline.scrapy.settings import Options
from silkline.scrapy.versions import ASYNC_HANDLERS, awaitable, deferred

from .autoextract_errors import AutoExtractError

if TYPE_CHECKING:
    import scrapy
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from silkline.engine import ExtractionFinished

    from .autoextract_settings import AutoExtractSettings

__all__ = ["Answers", "answer_of_service"]


def answer_of_service(crawler: Crawler, settings: AutoExtractSettings) -> Answers:
    """The answers of one crawl, with the add-on's terms if it is there."""
    api = ExtractionApi(settings.user, settings.url)
    if crawler.settings.get("SILKLINE_DIALECT") == "zyte_api":
        # The project's requests still bear the older service's URL.
        endpoint = crawler.settings.get("SILKLINE_ENDPOINT")
        api = ExtractionApi(settings.user, endpoint, "zyte_api")
    terms = Terms(api)
    shared = crawler.settings.get("SILKLINE_API_KEY")
    if shared:
        terms = replace(Terms.of(Options.read(crawler.settings)), api=api)
    terms = replace(terms, deadline=terms.deadline or float(settings.timeout))
    if shared == settings.user:  # one key, one pace
        return Answers(crawler, Extraction.of(crawler, terms))
    return Answers(crawler, Extraction(crawler, terms))


class Answers:
    """Answers requests for the service's URL."""

    def __init__(self, crawler: Crawler, extraction: Extraction) -> None:
        self._crawler = crawler
        self._extraction = extraction
        self._listens = False

    def listen(self) -> None:
        """Begins to, once there is a downloader."""
        engine: Any = self._crawler.engine
        handlers = getattr(engine.downloader, "handlers", None)
        if self._listens or handlers is None:
            return
        self._listens = True
        if ASYNC_HANDLERS:
            download = handlers.download_request_async

            async def answered(request: scrapy.Request) -> Response:
                if not self._is_ours(request):
                    return await download(request)  # type: ignore[no-any-return]
                response: Response = await awaitable(self._answer(request))
                return response

            handlers.download_request_async = answered
        else:
            download_old = handlers.download_request

            def answered_old(request: scrapy.Request, spider: scrapy.Spider) -> Deferred[Response]:
                if not self._is_ours(request):
                    return deferred(download_old, request, spider)
                return self._answer(request)

            handlers.download_request = answered_old

    def _is_ours(self, request: scrapy.Request) -> bool:
        return "_autoextract_processed" in request.meta and request.method == "POST"

    def _answer(self, request: scrapy.Request) -> Deferred[Response]:
        url = request.meta["_autoextract_processed"]["original_url"]
        try:
            (payload,) = json.loads(request.body)
            query = Query.from_json(json.dumps(payload))
        except ValueError as error:
            return fail(_failed(url, error))
        more = request.meta["autoextract"].get("headers")

        def made(finished: ExtractionFinished) -> Response:
            error = error_of(finished)
            result = finished.result
            if error is not None or result is None or result.raw is None:
                raise _failed(url, error)
            body = f"[{result.to_json()}]".encode()
            headers = {"Content-Type": "application/json"}
            return TextResponse(request.url, request=request, headers=headers, body=body)

        return self._extraction.outcome(request, query, more).addCallback(made)


def _failed(url: str, error: Exception | None) -> AutoExtractError:
    text = getattr(error, "text", None) or str(error)
    failed = AutoExtractError(
        f"Received error from AutoExtract for {url}: {text}", code=getattr(error, "code", "unknown")
    )
    failed.__cause__ = error
    return failed
