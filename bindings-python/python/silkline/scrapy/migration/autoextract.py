"""In place of ``scrapy_autoextract.AutoExtractMiddleware``.

Settings, meta keys, what responses hold, and stats are those of scrapy-autoextract. What is sent
when, and again, is decided by `silkline.ExtractionEngine`: its middleware sent at once, and lost
what the service throttled.
"""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Any

from scrapy import signals
from scrapy.exceptions import DropItem, IgnoreRequest
from scrapy.http import Headers, HtmlResponse
from scrapy.utils.python import global_object_name

from silkline import __version__, basic_authorization
from silkline.scrapy.extraction.errors import QueryFailed

from .autoextract_answers import answer_of_service
from .autoextract_errors import AutoExtractConfigError, AutoExtractError
from .autoextract_settings import AutoExtractSettings

if TYPE_CHECKING:
    import scrapy
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from typing_extensions import Self

__all__ = ["AutoExtractMiddleware"]

logger: logging.Logger = logging.getLogger(__name__)

PROCESSED = "_autoextract_processed"
"""Meta key of what the middleware knows of a request that it has rewritten."""


class AutoExtractMiddleware:
    """For ``DOWNLOADER_MIDDLEWARES``, where scrapy-autoextract's was, with its number."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._settings = AutoExtractSettings.read(crawler)
        self._answers = answer_of_service(crawler, self._settings)
        self._count = 0
        self._seconds = 0.0
        self._longest = 0.0
        logger.info(
            "Using the extraction service %s in place of scrapy-autoextract; %s",
            self._settings.url, self._settings.note, extra={"spider": crawler.spider},
        )  # fmt: skip

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy."""
        middleware = cls(crawler)
        crawler.signals.connect(middleware.spider_closed, signals.spider_closed)
        return middleware

    def spider_closed(self, spider: scrapy.Spider) -> None:
        """Says how long it took."""
        if self._count:
            logger.info(
                'Total "%i" responses from AutoExtract, average latency=%.3f, max latency=%.3f',
                self._count, self._seconds / self._count, self._longest, extra={"spider": spider},
            )  # fmt: skip

    # --- requests -----------------------------------------------------------------------------

    def process_request(
        self,
        request: scrapy.Request,
        spider: scrapy.Spider | None = None,  # noqa: ARG002 -- older versions pass it
    ) -> scrapy.Request | None:
        """Turns a request that asks for it into one for the service."""
        if not _wanted(request):
            return None
        self._answers.listen()
        if request.meta.get(PROCESSED):
            return None
        if request.method != "GET":
            raise AutoExtractError("Only GET requests are supported by AutoExtract")
        asked = request.meta["autoextract"]
        page_type = self._page_type(request)
        extra, more = _dict_of(asked, "extra"), _dict_of(asked, "headers")
        processed = {"original_url": request.url, "timing": {"start_ts": time.time()}}
        request.meta[PROCESSED] = processed
        request.meta["download_timeout"] = self._settings.timeout
        self._set_slot(request)
        headers = Headers(
            {
                "Content-Type": "application/json",
                "User-Agent": f"silkline/{__version__}",
                "Authorization": basic_authorization(self._settings.user),
            }
        )
        headers.update(more)
        payload = {"url": request.url, "pageType": page_type, **extra}
        self._inc("request_count")
        return request.replace(
            url=self._settings.url,
            method="POST",
            headers=headers,
            body=json.dumps([payload], sort_keys=True),
        )

    def _page_type(self, request: scrapy.Request) -> str:
        page_type = request.meta["autoextract"].get("pageType", self._settings.page_type)
        if not page_type or not isinstance(page_type, str):
            raise AutoExtractConfigError(f"Invalid pageType value: {page_type}")
        return page_type

    def _set_slot(self, request: scrapy.Request) -> None:
        if self._settings.slot_policy == "per_domain":
            engine: Any = self.crawler.engine
            downloader = engine.downloader
            if hasattr(downloader, "get_slot_key"):  # from 2.12 on
                request.meta["download_slot"] = downloader.get_slot_key(request)
            else:
                request.meta["download_slot"] = downloader._get_slot_key(request, None)  # noqa: SLF001
        elif self._settings.slot_policy == "single_slot":
            request.meta["download_slot"] = "__AutoExtract__"

    # --- responses ----------------------------------------------------------------------------

    def process_response(
        self,
        request: scrapy.Request,
        response: Response,
        spider: scrapy.Spider | None = None,  # noqa: ARG002 -- older versions pass it
    ) -> Response:
        """Turns the service's answer into a response of the page, with the item in its meta."""
        if not _wanted(request) or not request.meta.get(PROCESSED):
            return response
        url = request.meta[PROCESSED]["original_url"]
        result = self._result_of(response, url)
        processed = self._timed(request)
        latency = processed["timing"]["latency"]
        self._count += 1
        self._seconds += latency
        self._longest = max(self._longest, latency)
        self._set("response_count", self._count)
        self._set("response_avg_latency", self._seconds / self._count)
        self._set("response_max_latency", self._longest)
        page_type = self._page_type(request)
        processed[page_type] = result.get(page_type) or {}
        request.meta["autoextract"] = processed
        html = result.get("html", "<body></body>")
        body = html.encode("utf-8", "replace")
        return HtmlResponse(url, request=request, body=body, encoding="utf-8", flags=response.flags)

    def _result_of(self, response: Response, url: str) -> dict[str, Any]:
        try:
            answer = json.loads(response.body)
        except ValueError:
            self._inc("errors/json_decode")
            text = (
                f"Cannot parse JSON response from AutoExtract for {url}: {response.body[:2000]!r}"
            )
            raise AutoExtractError(text) from None
        if response.status != 200:
            self._inc(f"errors/response_error/{response.status}")
            raise AutoExtractError(f"Received error from AutoExtract for {url}: {answer}")
        if not isinstance(answer, list) or len(answer) != 1 or not isinstance(answer[0], dict):
            self._inc("errors/type_error")
            raise AutoExtractError(
                f"Received invalid response from AutoExtract for {url}: {answer}"
            )
        result: dict[str, Any] = answer[0]
        if result.get("error"):
            self._inc("errors/result_error")
            raise AutoExtractError(f"Received error from AutoExtract for {url}: {result['error']}")
        return result

    def process_exception(
        self,
        request: scrapy.Request,
        exception: Exception,
        spider: scrapy.Spider | None = None,
    ) -> None:
        """Counts and logs what went wrong."""
        if isinstance(exception, (IgnoreRequest, DropItem)):
            return
        if not _wanted(request) or not request.meta.get(PROCESSED):
            return
        processed = self._timed(request)
        request.meta["autoextract"] = processed
        logger.warning(
            "AutoExtract failure after %.3fs for %s: %r",
            processed["timing"]["latency"], processed["original_url"], exception,
            extra={"spider": spider or self.crawler.spider},
        )  # fmt: skip
        if isinstance(exception.__cause__, QueryFailed):
            self._inc("errors/result_error")
        self._inc("errors/total_count")
        self._inc(f"errors/type_count/{global_object_name(exception.__class__)}")

    def _timed(self, request: scrapy.Request) -> dict[str, Any]:
        processed: dict[str, Any] = request.meta.pop(PROCESSED)
        now = time.time()
        timing = processed["timing"]
        timing.update({"end_ts": now, "latency": now - timing["start_ts"]})
        return processed

    def _inc(self, name: str) -> None:
        if self.crawler.stats is not None:
            self.crawler.stats.inc_value(f"autoextract/{name}")

    def _set(self, name: str, value: float) -> None:
        if self.crawler.stats is not None:
            self.crawler.stats.set_value(f"autoextract/{name}", value)


def _wanted(request: scrapy.Request) -> bool:
    asked = request.meta.get("autoextract")
    return isinstance(asked, dict) and bool(asked.get("enabled"))


def _dict_of(asked: dict[str, Any], name: str) -> dict[str, Any]:
    found = asked.get(name) or {}
    if not isinstance(found, dict):
        raise AutoExtractError(f'Invalid type for "{name}" meta')
    return found
