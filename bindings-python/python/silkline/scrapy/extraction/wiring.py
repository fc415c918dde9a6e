"""What the add-on changes in a project's settings for extraction requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .fingerprints import WRAPPED, RequestFingerprinter
from .handler import FALLBACKS, ExtractionDownloadHandler
from .middleware import ExtractionMiddleware

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy.settings import BaseSettings

__all__ = ["add", "wire_extraction"]

_BESIDE = 100
"""Below the HTTP cache: the response has been written to it, or read from it."""


def wire_extraction(settings: BaseSettings) -> None:
    """Puts the handler before the project's own, and wraps its fingerprints."""
    before = settings.getwithbase("DOWNLOAD_HANDLERS")
    others = {
        scheme: before[scheme]
        for scheme in ("http", "https")
        if before.get(scheme) and not _is(before[scheme], ExtractionDownloadHandler)
    }
    settings.set(FALLBACKS, others, "addon")
    add(settings, "DOWNLOAD_HANDLERS", dict.fromkeys(others, _path(ExtractionDownloadHandler)))
    set_already = settings.getdict("DOWNLOADER_MIDDLEWARES")
    if not any(_is(middleware, ExtractionMiddleware) for middleware in set_already):
        add(settings, "DOWNLOADER_MIDDLEWARES", {_path(ExtractionMiddleware): _BESIDE})
    own = settings["REQUEST_FINGERPRINTER_CLASS"]
    if not _is(own, RequestFingerprinter):
        settings.set(WRAPPED, own, "addon")
        _put(settings, "REQUEST_FINGERPRINTER_CLASS", _path(RequestFingerprinter))


def add(settings: BaseSettings, name: str, more: Mapping[str, object]) -> None:
    """Adds to a setting that is a dictionary, whoever set it."""
    _put(settings, name, {**settings.getdict(name), **more})


def _put(settings: BaseSettings, name: str, value: object) -> None:
    addon = 15
    settings.set(name, value, max(addon, settings.getpriority(name) or 0))


def _path(cls: type) -> str:
    return f"silkline.scrapy.{cls.__name__}"


def _is(value: object, cls: type) -> bool:
    return value is cls or value in (_path(cls), f"{cls.__module__}.{cls.__name__}")
