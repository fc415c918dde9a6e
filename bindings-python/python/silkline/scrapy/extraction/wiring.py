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
    own_handlers = settings.getdict("DOWNLOAD_HANDLERS")
    taken = {}
    for scheme in ("http", "https"):
        before = own_handlers.get(scheme, "Scrapy's")
        if before is not None and not _is(before, ExtractionDownloadHandler):
            taken[scheme] = before
    own = {scheme: before for scheme, before in taken.items() if scheme in own_handlers}
    settings.set(FALLBACKS, own, "addon")
    add(settings, "DOWNLOAD_HANDLERS", dict.fromkeys(taken, _path(ExtractionDownloadHandler)))
    set_already = settings.getdict("DOWNLOADER_MIDDLEWARES")
    if not any(_is(middleware, ExtractionMiddleware) for middleware in set_already):
        add(settings, "DOWNLOADER_MIDDLEWARES", {_path(ExtractionMiddleware): _BESIDE})
    fingerprinter = settings["REQUEST_FINGERPRINTER_CLASS"]
    if not _is(fingerprinter, RequestFingerprinter):
        settings.set(WRAPPED, fingerprinter, "addon")
        _put(settings, "REQUEST_FINGERPRINTER_CLASS", _path(RequestFingerprinter))


def add(settings: BaseSettings, name: str, more: Mapping[str, object]) -> None:
    """Adds to a setting that is a dictionary, whoever set it."""
    _put(settings, name, {**settings.getdict(name), **more})


def _put(settings: BaseSettings, name: str, value: object) -> None:
    # Without a reactor Scrapy sets handlers of its own after the add-ons, and as a project would.
    project = 20
    settings.set(name, value, max(project, settings.getpriority(name) or 0))


def _path(cls: type) -> str:
    return f"silkline.scrapy.{cls.__name__}"


def _is(value: object, cls: type) -> bool:
    return value is cls or value in (_path(cls), f"{cls.__module__}.{cls.__name__}")
