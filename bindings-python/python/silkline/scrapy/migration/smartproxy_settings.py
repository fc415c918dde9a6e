"""What scrapy-zyte-smartproxy, and scrapy-crawlera before it, read from settings and spiders."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scrapy.exceptions import ScrapyDeprecationWarning

if TYPE_CHECKING:
    import scrapy
    from scrapy.settings import BaseSettings

__all__ = ["Origin", "enabled", "note", "origin_of", "read"]


@dataclass(frozen=True)
class Origin:
    """Under which names a project has it."""

    setting: str
    attribute: str
    stats: str
    retries: str


ZYTE = Origin(
    "ZYTE_SMARTPROXY_", "zyte_smartproxy_", "zyte_smartproxy", "zyte_smartproxy_auth_retry_times"
)
CRAWLERA = Origin("CRAWLERA_", "crawlera_", "crawlera", "crawlera_auth_retry_times")
HUBPROXY = Origin("HUBPROXY_", "hubproxy_", "crawlera", "crawlera_auth_retry_times")

_TAKEN_OVER = (
    "ENABLED", "APIKEY", "URL", "MAXBANS", "DOWNLOAD_TIMEOUT", "PRESERVE_DELAY", "DEFAULT_HEADERS",
    "BACKOFF_STEP", "BACKOFF_MAX", "FORCE_ENABLE_ON_HTTP_CODES", "KEEP_HEADERS",
)  # fmt: skip


def origin_of(settings: BaseSettings, spider: scrapy.Spider | None = None) -> Origin:
    """The newest of the names that a project uses: its stats are as they were."""
    for origin in (ZYTE, CRAWLERA):
        if any(str(name).startswith(origin.setting) for name in settings):
            return origin
        if any(name.startswith(origin.attribute) for name in dir(spider)):
            return origin
    return ZYTE


def read(settings: BaseSettings, spider: scrapy.Spider, name: str, kind: type, own: Any) -> Any:
    """A value by its name without prefix: the spider's, that of the settings, or the default."""
    upper = name.upper()
    _deprecated(settings, spider, f"hubproxy_{name}", f"HUBPROXY_{upper}", name)
    for origin in (ZYTE, CRAWLERA, HUBPROXY):
        found = getattr(spider, f"{origin.attribute}{name}", None)
        if found is not None:
            return found
    for origin in (ZYTE, CRAWLERA, HUBPROXY):
        if settings.get(f"{origin.setting}{upper}") is not None:
            return _typed(settings, kind, f"{origin.setting}{upper}")
    return own


def enabled(settings: BaseSettings, spider: scrapy.Spider) -> bool:
    """Whether the spider wants the proxy."""
    _deprecated(settings, spider, "use_hubproxy", "HUBPROXY_ENABLED", "enabled")
    for attribute, setting in (
        ("zyte_smartproxy_enabled", "ZYTE_SMARTPROXY_ENABLED"),
        ("crawlera_enabled", "CRAWLERA_ENABLED"),
        ("use_hubproxy", "HUBPROXY_ENABLED"),
    ):
        if getattr(spider, attribute, settings.getbool(setting)):
            return True
    return False


def _deprecated(
    settings: BaseSettings, spider: scrapy.Spider, attribute: str, setting: str, name: str
) -> None:
    for there, kind, old, new in (
        (hasattr(spider, attribute), "attribute", attribute, f"zyte_smartproxy_{name}"),
        (settings.get(setting) is not None, "setting", setting, f"ZYTE_SMARTPROXY_{name.upper()}"),
    ):
        if there:
            warnings.warn(
                f"{old} {kind} is deprecated, use {new} instead.",
                category=ScrapyDeprecationWarning,
                stacklevel=2,
            )


def _typed(settings: BaseSettings, kind: type, name: str) -> Any:
    if kind is int:
        return settings.getint(name)
    if kind is bool:
        return settings.getbool(name)
    if kind is list:
        return settings.getlist(name)
    if kind is dict:
        return settings.getdict(name)
    return settings.get(name)


def note(settings: BaseSettings, spider: scrapy.Spider) -> str:
    """What was taken over, and what nothing here corresponds to."""
    taken: list[str] = []
    unknown: list[str] = []
    for origin in (ZYTE, CRAWLERA, HUBPROXY):
        for name in settings:
            if str(name).startswith(origin.setting):
                known = str(name).removeprefix(origin.setting) in _TAKEN_OVER
                (taken if known else unknown).append(str(name))
        for name in dir(spider):
            if name.startswith(origin.attribute) or name == "use_hubproxy":
                known = name.removeprefix(origin.attribute).upper() in _TAKEN_OVER
                known |= name == "use_hubproxy"
                (taken if known else unknown).append(f"spider.{name}")
    said = f"taken over: {', '.join(sorted(set(taken))) or 'nothing'}"
    if unknown:
        said += f"; without counterpart: {', '.join(sorted(set(unknown)))}"
    return said
