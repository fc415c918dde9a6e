"""Projects that put the add-on, with its sessions, beside the middleware of their older one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from silkline.scrapy.pool import Pool

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

__all__ = ["adopt", "pool_of"]

_SCHEDULER = "silkline.scrapy.scheduler.Scheduler"


def pool_of(crawler: Crawler) -> Pool | None:
    """The add-on's sessions, if it is there and has some."""
    return Pool.of(crawler) if crawler.settings.get("SCHEDULER") == _SCHEDULER else None


def adopt(settings: BaseSettings) -> None:
    """Takes what the add-on needs from the settings of the middlewares, where it has none itself."""
    names = {getattr(key, "__name__", str(key).rpartition(".")[2]) for key in _enabled(settings)}
    if "SmartProxyMiddleware" in names:
        _take(settings, "SILKLINE_API_KEY", ("ZYTE_SMARTPROXY_APIKEY", "CRAWLERA_APIKEY"))
        _take(settings, "SILKLINE_PROXY_URL", ("ZYTE_SMARTPROXY_URL", "CRAWLERA_URL"), _address)
        address = settings.get("SILKLINE_PROXY_URL") or ""
        if urlsplit(address).hostname == "api.zyte.com" and not settings.get("SILKLINE_DIALECT"):
            settings.set("SILKLINE_DIALECT", "zyte_api", "addon")
        limits = ("ZYTE_SMARTPROXY_DOWNLOAD_TIMEOUT", "CRAWLERA_DOWNLOAD_TIMEOUT")
        _take(settings, "SILKLINE_DEADLINE", limits)
        delays = ("ZYTE_SMARTPROXY_PRESERVE_DELAY", "CRAWLERA_PRESERVE_DELAY")
        _take(settings, "SILKLINE_KEEP_DOWNLOAD_DELAY", delays)
    if "AutoExtractMiddleware" in names:
        _take(settings, "SILKLINE_API_KEY", ("AUTOEXTRACT_USER",))
        _take(settings, "SILKLINE_ENDPOINT", ("AUTOEXTRACT_URL",))


def _enabled(settings: BaseSettings) -> list[Any]:
    middlewares = settings.getdict("DOWNLOADER_MIDDLEWARES")
    return [key for key, place in middlewares.items() if place is not None]


def _take(settings: BaseSettings, name: str, others: tuple[str, ...], made: Any = None) -> None:
    for other in others:
        value = settings.get(other)
        if value is not None and settings.get(name) is None:
            settings.set(name, value if made is None else made(value), "addon")


def _address(url: str) -> str:
    """An address without credentials, as the older middleware reads one."""
    scheme, found, rest = url.rpartition("://")
    return f"{scheme if found else 'http'}://{rest.rpartition('@')[2]}"
