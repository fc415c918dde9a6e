"""In place of ``scrapy_zyte_smartproxy.ZyteSmartProxyMiddleware``.

Settings, attributes of spiders, meta keys, stats and hooks are those of scrapy-zyte-smartproxy, and
of scrapy-crawlera before it. What differs is what was wrong there: ``Retry-After`` may be a date,
each slot backs off on its own, and nothing of the key is logged.
"""

from __future__ import annotations

import logging
import os
import warnings
from base64 import urlsafe_b64decode
from collections import defaultdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse, urlsplit

from scrapy import signals
from scrapy.resolver import dnscache
from twisted.internet import error as net

from silkline import __version__, basic_authorization, retry_after
from silkline.scrapy.versions import close_spider, downloader_of

from . import smartproxy_headers as headers
from . import smartproxy_settings as settings_of
from .smartproxy_delays import Delays
from .smartproxy_pool import pool_of

if TYPE_CHECKING:
    import scrapy
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from typing_extensions import Self

__all__ = ["SmartProxyMiddleware"]

logger: logging.Logger = logging.getLogger(__name__)

_GONE: tuple[type[BaseException], ...] = (net.ConnectionRefusedError, net.ConnectionDone)


class SmartProxyMiddleware:
    """For ``DOWNLOADER_MIDDLEWARES``, where ``ZyteSmartProxyMiddleware`` was, with its number."""

    url: str = "http://proxy.zyte.com:8011"
    maxbans = 400
    ban_code = 503
    download_timeout = 190
    connection_refused_delay = 90
    preserve_delay = False
    conflicting_headers: tuple[str, ...] = ("X-Crawlera-Profile", "X-Crawlera-UA")
    backoff_step = 15
    backoff_max = 180
    max_auth_retry_times = 10
    apikey = ""
    client: str = f"silkline/{__version__}"

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.job_id: str | None = os.environ.get("SCRAPY_JOB")
        self.spider: scrapy.Spider | None = None
        self.enabled: bool = False
        self.enabled_for_domain: dict[str, bool] = {}
        self.force_enable_on_http_codes: list[int] = []
        self._settings: list[tuple[str, type]] = [
            ("apikey", str),
            ("url", str),
            ("maxbans", int),
            ("download_timeout", int),
            ("preserve_delay", bool),
            ("backoff_step", int),
            ("backoff_max", int),
            ("force_enable_on_http_codes", list),
        ]
        self._origin = settings_of.ZYTE
        self._pool = pool_of(crawler)
        if self._pool is not None:
            self._pool.before = self.prepare
        self._delays = Delays(crawler)
        self._bans: defaultdict[str | None, int] = defaultdict(int)
        self._headers: dict[str, Any] = {}
        self._auth_url: str | None = None
        self._authless_url: str | None = None
        self._httpproxy = crawler.settings.getbool("HTTPPROXY_ENABLED", True)
        self._keep_headers = crawler.settings.getbool("ZYTE_SMARTPROXY_KEEP_HEADERS")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy."""
        middleware = cls(crawler)
        crawler.signals.connect(middleware.open_spider, signals.spider_opened)
        return middleware

    # --- the hooks of subclasses --------------------------------------------------------------

    def is_enabled(self, spider: scrapy.Spider) -> bool:
        """Whether the spider's requests go through the proxy; for rules of your own."""
        return settings_of.enabled(self.crawler.settings, spider)

    def get_proxyauth(self, spider: scrapy.Spider) -> bytes:  # noqa: ARG002 -- for rules of your own
        """The ``Proxy-Authorization`` header; for rules of your own."""
        return basic_authorization(self.apikey).encode("ascii")

    # --- the spider ---------------------------------------------------------------------------

    def open_spider(self, spider: scrapy.Spider) -> None:
        """Reads what the spider and its settings say."""
        settings = self.crawler.settings
        self.enabled = self.is_enabled(spider)
        self.spider = spider
        self._origin = settings_of.origin_of(settings, spider)
        for name, kind in self._settings:
            own = getattr(self, name, None)
            setattr(self, name, settings_of.read(settings, spider, name, kind, own))
        self.force_enable_on_http_codes = [int(code) for code in self.force_enable_on_http_codes]
        self._headers = settings_of.read(settings, spider, "default_headers", dict, {})
        self._delays.step, self._delays.most = self.backoff_step, self.backoff_max
        self._fix_url()
        if not self.enabled and not self.force_enable_on_http_codes:
            return
        extra = {"spider": spider}
        if not self.apikey:
            logger.warning("Zyte proxy services cannot be used without an API key", extra=extra)
            return
        self._auth_url = self._make_auth_url(spider)
        parts = urlsplit(self._auth_url)
        self._authless_url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        delays = ""
        if not self.preserve_delay:
            self._drop_delays(spider)
            delays = ". Scrapy's own download delays are off, unless ZYTE_SMARTPROXY_PRESERVE_DELAY is set"
        logger.info(
            "Using the proxy service %s in place of scrapy-zyte-smartproxy, %s pooled sessions; %s%s",
            self._authless_url,
            "without" if self._pool is None else "with",
            settings_of.note(settings, spider),
            delays,
            extra=extra,
        )

    def _fix_url(self) -> None:
        if self.url.startswith("https://"):
            shown = self.url.rpartition("@")[2].removeprefix("https://")
            logger.warning('ZYTE_SMARTPROXY_URL "https://%s" set with "https://" protocol.', shown)
        elif not self.url.startswith("http://"):
            logger.warning(
                'Adding "http://" to ZYTE_SMARTPROXY_URL %s', self.url.rpartition("@")[2]
            )
            self.url = "http://" + self.url

    def _make_auth_url(self, spider: scrapy.Spider) -> str:
        authorization = self.get_proxyauth(spider)
        if not authorization.startswith(b"Basic "):
            raise ValueError(
                "Zyte proxy services only support HTTP basic access authentication, and "
                f"{type(self).__name__}.get_proxyauth() returned something else"
            )
        credentials = urlsafe_b64decode(authorization[6:].strip()).decode("utf-8")
        parts = urlparse(self.url)
        host = parts.netloc.rpartition("@")[2]
        return parts._replace(netloc=f"{credentials}@{host}").geturl()

    def _drop_delays(self, spider: Any) -> None:
        spider.download_delay = 0
        downloader = downloader_of(self.crawler)
        if hasattr(downloader, "_delay"):  # newer versions read the delay before
            downloader._delay = 0.0  # noqa: SLF001

    # --- requests -----------------------------------------------------------------------------

    def process_request(
        self,
        request: scrapy.Request,
        spider: scrapy.Spider | None = None,  # noqa: ARG002 -- older versions pass it
    ) -> None:
        """Sends a request through the proxy, or keeps the proxy's headers off it."""
        if not self._is_enabled_for_request(request):
            if not self._keep_headers:
                headers.clean(request, None)
            return
        if self._is_pooled(request):
            self.prepare(request)
            self._count_request(request)
            return
        if "proxy" not in request.meta:
            request.meta["proxy"] = self._auth_url
        elif (
            request.meta["proxy"] == self._authless_url
            and b"Proxy-Authorization" not in request.headers
        ):
            said = (
                f"The value of the 'proxy' meta key of request {request} has no API key. You seem "
                "to have copied the value of the 'proxy' request meta key from a response or from "
                "a different request. Copying request meta keys set by middlewares from one "
                "request to another is a bad practice that can cause issues."
            )
            logger.warning(said)
            request.meta["proxy"] = self._auth_url
        if not self._httpproxy and request.meta["proxy"] == self._auth_url and self.spider:
            # Scrapy's middleware, which takes the key out of the URL, is off.
            request.meta["proxy"] = self._authless_url
            request.headers["Proxy-Authorization"] = self.get_proxyauth(self.spider)
        request.meta["download_timeout"] = self.download_timeout
        self._set_headers(request)
        self._count_request(request)

    def prepare(self, request: scrapy.Request) -> bool:
        """Called with pooled sessions, before a request gets its own: whether it is to have one."""
        if self.spider is None and self.crawler.spider is not None:
            self.open_spider(self.crawler.spider)
        wanted = self._is_enabled_for_request(request)
        if wanted:
            self._set_headers(request)
        return wanted

    def _is_pooled(self, request: scrapy.Request) -> bool:
        if self._pool is None:
            return False
        return self._pool.lease_of(request) is not None or self._pool.route(request) is not None

    def _set_headers(self, request: scrapy.Request) -> None:
        successor = self._targets_zyte_api(request)
        self._set_default_headers(request)
        prefix = "Zyte-" if successor else "X-Crawlera-"
        if self.job_id:
            request.headers[f"{prefix}JobId"] = self.job_id
        request.headers[f"{prefix}Client"] = self.client
        if not self._keep_headers:
            if not successor:
                headers.translate(request)
            headers.clean(request, "zyte_api" if successor else "smart_proxy_manager")

    def _count_request(self, request: scrapy.Request) -> None:
        successor = self._targets_zyte_api(request)
        self._count(successor, "request")
        self._count(successor, f"request/method/{request.method}")

    def _set_default_headers(self, request: scrapy.Request) -> None:
        for name, value in self._headers.items():
            if value is not None:
                request.headers.setdefault(name, value)
        if headers.conflict(request, self.conflicting_headers):
            both = str(self.conflicting_headers)
            page = "https://docs.zyte.com/smart-proxy-manager.html#request-headers"
            warnings.warn(  # noqa: B028 -- no line of the project is at fault
                f"The headers {both} are conflicting on some of your requests. Please check {page} "
                "for more information. You can set LOG_LEVEL=DEBUG to see the urls with problems."
            )
            said = (
                f"The headers {both} are conflicting on request {request.url}. X-Crawlera-UA will "
                f"be ignored. Please check {page} for more information"
            )
            logger.debug(said, extra={"spider": self.spider})

    def _targets_zyte_api(self, request: scrapy.Request) -> bool:
        if self._auth_url is None:
            return False
        proxy = request.meta.get("proxy") or self._auth_url
        return urlparse(proxy).hostname == "api.zyte.com"

    def _is_enabled_for_request(self, request: scrapy.Request) -> bool:
        domain = urlparse(request.url).netloc
        wanted = self.enabled or self.enabled_for_domain.get(domain, False)
        return wanted and not request.meta.get("dont_proxy", False)

    # --- responses ----------------------------------------------------------------------------

    def process_response(
        self,
        request: scrapy.Request,
        response: Response,
        spider: scrapy.Spider | None = None,  # noqa: ARG002 -- older versions pass it
    ) -> scrapy.Request | Response:
        """Counts, slows down, and tries again what the proxy could not authorize."""
        error = self._error_of(response)
        successor = self._targets_zyte_api(request)
        if not self._is_enabled_for_request(request):
            if response.status not in self.force_enable_on_http_codes:
                return response
            self.enabled_for_domain[urlparse(request.url).netloc] = True
            self._count(successor, "retries/should_have_been_enabled")
            return _again(request)
        if not {b"X-Crawlera-Version", b"Zyte-Request-Id"} & set(response.headers):
            return response
        self._delays.restore(request)
        if self._is_pooled(request):
            pass  # the engine has slowed down, and tried again
        elif self._is_auth_error(response):
            self._slow_down(request, self._delays.next(request), "autherror")
            retries = request.meta.get(self._origin.retries, 0)
            if retries < self.max_auth_retry_times:
                logger.warning("The proxy service does not know the key; the request is retried")
                self._count(successor, "retries/auth")
                again = _again(request)
                again.meta[self._origin.retries] = retries + 1
                return again
            self._count(successor, "retries/auth/max_reached")
            logger.warning("The proxy service still does not know the key: check the settings")
        elif response.status in {429, 503} and error and error != "banned":
            self._slow_down(request, self._delays.next(request), error.lstrip("/"))
        else:
            self._count(successor, "delay/reset_backoff")
            self._delays.reset(request)
        self._count_ban(request, response, successor)
        self._count(successor, "response")
        self._count(successor, f"response/status/{response.status}")
        if error:
            self._count(successor, "response/error")
            self._count(successor, f"response/error/{error}")
        return response

    def _count_ban(self, request: scrapy.Request, response: Response, successor: bool) -> None:
        key = request.meta.get("download_slot")
        if not self._is_banned(response):
            self._bans[key] = 0
            return
        self._bans[key] += 1
        self._count(successor, "response/banned")
        if self._bans[key] > self.maxbans:
            close_spider(self.crawler, "banned", self.spider)
            return
        received = [(name, value) for name in response.headers for value in _values(response, name)]
        seconds = retry_after(received)
        if seconds:
            self._slow_down(request, seconds, "banned")

    def _is_banned(self, response: Response) -> bool:
        if response.status in {520, 521}:
            return bool(response.headers.get("Zyte-Error-Type"))
        return response.status == self.ban_code and (
            response.headers.get("X-Crawlera-Error") in {b"banned", b"slavebanned"}
        )

    def _is_auth_error(self, response: Response) -> bool:
        return response.status == 407 and (
            response.headers.get("X-Crawlera-Error") in {b"bad_proxy_auth", b"bad_auth"}
        )

    def _error_of(self, response: Response) -> str | None:
        """The error's code; under the header of either service, for whoever looks at one."""
        for name, other in (
            ("Zyte-Error-Type", "X-Crawlera-Error"),
            ("X-Crawlera-Error", "Zyte-Error-Type"),
        ):
            value = response.headers.get(name)
            if value is not None:
                response.headers[other] = value
                return value.decode("utf-8", "replace")
        return None

    def process_exception(
        self,
        request: scrapy.Request,
        exception: Exception,
        spider: scrapy.Spider | None = None,  # noqa: ARG002 -- older versions pass it
    ) -> None:
        """Leaves a proxy alone that is gone, and has its address looked up again."""
        if not self._is_enabled_for_request(request) or self._is_pooled(request):
            return
        names = {base.__name__ for base in type(exception).__mro__}
        if isinstance(exception, _GONE) or "DownloadConnectionRefusedError" in names:
            dnscache.pop(urlparse(self.url).hostname or "", None)
            self._slow_down(request, self.connection_refused_delay, "conn_refused")

    def _slow_down(self, request: scrapy.Request, delay: float, reason: str) -> None:
        if self._delays.set(request, delay):
            successor = self._targets_zyte_api(request)
            self._count(successor, f"delay/{reason}")
            self._count(successor, f"delay/{reason}/total", delay)

    def _count(self, successor: bool, name: str, by: float = 1) -> None:
        stats: Any = self.crawler.stats
        if stats is not None:
            prefix = "zyte_api_proxy" if successor else self._origin.stats
            stats.inc_value(f"{prefix}/{name}", by)


def _again(request: scrapy.Request) -> scrapy.Request:
    again = request.copy()
    again.dont_filter = True
    return again


def _values(response: Response, name: Any) -> list[bytes]:
    return list(response.headers.getlist(name))
