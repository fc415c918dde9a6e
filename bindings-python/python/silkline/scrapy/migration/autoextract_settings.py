"""What scrapy-autoextract's middleware read from settings and spiders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .autoextract_errors import AutoExtractConfigError

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

__all__ = ["AutoExtractSettings", "SlotPolicy"]

_TAKEN_OVER = {"USER", "URL", "TIMEOUT", "PAGE_TYPE", "SLOT_POLICY"}


class SlotPolicy:
    """Values of ``AUTOEXTRACT_SLOT_POLICY``."""

    PER_DOMAIN = "per_domain"
    SINGLE_SLOT = "single_slot"
    SCRAPY_DEFAULT = "scrapy_default"


@dataclass(frozen=True)
class AutoExtractSettings:
    """The settings of one crawl."""

    user: str
    url: str
    page_type: str | None
    timeout: int
    slot_policy: str
    note: str

    @classmethod
    def read(cls, crawler: Crawler) -> AutoExtractSettings:
        """Raises `AutoExtractConfigError` if there is no key."""
        settings = crawler.settings
        user = settings.get("AUTOEXTRACT_USER") or settings.get("SILKLINE_API_KEY")
        if not user:
            raise AutoExtractConfigError("AUTOEXTRACT_USER is required")
        page_type = settings.get("AUTOEXTRACT_PAGE_TYPE")
        if not page_type:
            page_type = getattr(crawler.spider or crawler.spidercls, "page_type", None)
        names = {str(name) for name in settings if str(name).startswith("AUTOEXTRACT_")}
        known = {f"AUTOEXTRACT_{name}" for name in _TAKEN_OVER}
        note = f"taken over: {', '.join(sorted(names & known)) or 'nothing'}"
        if names - known:
            note += f"; without counterpart: {', '.join(sorted(names - known))}"
        default = "https://autoextract.scrapinghub.com/v1/extract"
        return cls(
            user,
            settings.get("AUTOEXTRACT_URL") or default,
            page_type,
            max(
                settings.getint("AUTOEXTRACT_TIMEOUT", 660),
                settings.getint("DOWNLOAD_TIMEOUT", 180),
            ),
            settings.get("AUTOEXTRACT_SLOT_POLICY") or SlotPolicy.PER_DOMAIN,
            note,
        )
