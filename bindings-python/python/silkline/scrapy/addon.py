"""The add-on: wires the components from the settings, so that a project has nothing to set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import apis
from .extraction.wiring import wire_extraction
from .settings import InvalidOption, Options

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

__all__ = ["Addon"]

_STOCK_SCHEDULER = "scrapy.core.scheduler.Scheduler"


class Addon:
    """``ADDONS = {"silkline.scrapy.Addon": 500}`` and ``SILKLINE_API_KEY`` are all that is needed.

    Wrong settings raise `InvalidOption` before the crawl starts.
    """

    def update_settings(self, settings: BaseSettings) -> None:
        """Called by Scrapy before it makes its components."""
        options = Options.read(settings)
        self._extraction(settings, options)
        if options.proxy_enabled:
            self._proxy(settings, options)

    def _extraction(self, settings: BaseSettings, options: Options) -> None:
        apis.extraction_api(options)
        wire_extraction(settings)

    def _proxy(self, settings: BaseSettings, options: Options) -> None:
        apis.proxy_api(options)
        scheduler = settings["SCHEDULER"]
        if scheduler != _STOCK_SCHEDULER:
            raise InvalidOption.of(
                "SCHEDULER",
                f"{scheduler!r} cannot be combined with sessions, whose order the add-on's own "
                "scheduler keeps; leave it out, or set SILKLINE_PROXY_ENABLED = False",
            )
