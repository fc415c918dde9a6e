"""The exceptions of scrapy-autoextract's middleware, with what Silkline knows besides."""

from __future__ import annotations

from silkline.exceptions import SilklineError

__all__ = ["AutoExtractConfigError", "AutoExtractError"]


class AutoExtractError(SilklineError):
    """A page has no item. Its cause, if there is one, is an exception of Silkline's own."""

    code = "autoextract_failed"


class AutoExtractConfigError(SilklineError, ValueError):
    """A setting is missing or wrong."""

    code = "autoextract_config"
