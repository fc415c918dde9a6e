"""The add-on: wires the components from the settings, so that a project has nothing to set up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import apis, engines
from .engines import CONCURRENCY
from .extraction.wiring import wire_extraction
from .lease import SLOT
from .migration.smartproxy_pool import adopt
from .settings import InvalidOption, Options

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

__all__ = ["Addon"]

_ADDON = 15
"""The priority that Scrapy gives to add-ons."""
_SCHEDULER = "silkline.scrapy.scheduler.Scheduler"
_FRONT = "silkline.scrapy.middleware.FrontMiddleware"
_PROXY = "silkline.scrapy.middleware.ProxyMiddleware"
_STARTS = "silkline.scrapy.starts.StartMiddleware"
_FACTORY = "silkline.scrapy.tls.ClientContextFactory"
_STOCK_SCHEDULER = "scrapy.core.scheduler.Scheduler"


class Addon:
    """``ADDONS = {"silkline.scrapy.Addon": 500}`` and ``SILKLINE_API_KEY`` are all that is needed.

    Wrong settings raise `InvalidOption` before the crawl starts.
    """

    def update_settings(self, settings: BaseSettings) -> None:
        """Called by Scrapy before it makes its components."""
        adopt(settings)
        options = Options.read(settings)
        self._extraction(settings, options)
        if options.proxy_enabled:
            self._proxy(settings, options)

    def _extraction(self, settings: BaseSettings, options: Options) -> None:
        apis.extraction_api(options)
        wire_extraction(settings)

    def _proxy(self, settings: BaseSettings, options: Options) -> None:
        engines.check(options, apis.proxy_api(options))
        scheduler = settings["SCHEDULER"]
        if scheduler not in (_STOCK_SCHEDULER, _SCHEDULER):
            raise InvalidOption.of(
                "SCHEDULER",
                f"{scheduler!r} cannot be combined with sessions, whose order the add-on's own "
                "scheduler keeps; leave it out, or set SILKLINE_PROXY_ENABLED = False",
            )
        settings.set("SCHEDULER", _SCHEDULER, "addon")
        _add(settings, "DOWNLOADER_MIDDLEWARES", {_FRONT: 1, _PROXY: 980})
        if not settings.getpriority("CONCURRENT_REQUESTS"):  # as Scrapy has it
            settings.set("CONCURRENT_REQUESTS", options.concurrency or CONCURRENCY, "addon")
        # What the engine paces needs no other pace. AutoThrottle passes it over up to 2.18, too.
        slot = {"concurrency": settings.getint("CONCURRENT_REQUESTS") or 1 << 20, "delay": 0}
        _add(settings, "DOWNLOAD_SLOTS", {SLOT: {**slot, "throttle": False}})
        if settings.get("JOBDIR") and options.journal:
            _add(settings, "SPIDER_MIDDLEWARES", {_STARTS: 1})
        if options.proxy_ca is not None:
            self._trust(settings)

    def _trust(self, settings: BaseSettings) -> None:
        name = "DOWNLOADER_CLIENTCONTEXTFACTORY"
        if (settings.getpriority(name) or 0) > 0 and settings[name] != _FACTORY:
            raise InvalidOption.of(
                "SILKLINE_PROXY_CA", f"it cannot be combined with a {name} of the project's own"
            )
        settings.set(name, _FACTORY, "addon")


def _add(settings: BaseSettings, name: str, more: dict[str, Any]) -> None:
    """Adds to a setting that is a dict; what the project says of a key holds."""
    merged = {**more, **settings.getdict(name)}
    settings.set(name, merged, max(settings.getpriority(name) or 0, _ADDON))
