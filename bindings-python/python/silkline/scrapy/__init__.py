"""Silkline for Scrapy: sessions of the proxy, and extraction, in any spider.

``ADDONS = {"silkline.scrapy.Addon": 500}`` and ``SILKLINE_API_KEY`` in the settings of the project
are all the set-up. It needs ``pip install 'silkline[scrapy]'``.
"""

from .addon import Addon
from .extraction import (
    AccountRefused,
    ExtractionDownloadHandler,
    ExtractionMiddleware,
    OutOfBudget,
    QueryFailed,
    RequestFingerprinter,
    extraction_request,
    is_extraction,
)
from .migration import (
    AutoExtractConfigError,
    AutoExtractError,
    AutoExtractMiddleware,
    SlotPolicy,
    SmartProxyMiddleware,
)
from .settings import InvalidOption, Options

__all__ = [
    "AccountRefused",
    "Addon",
    "AutoExtractConfigError",
    "AutoExtractError",
    "AutoExtractMiddleware",
    "ExtractionDownloadHandler",
    "ExtractionMiddleware",
    "InvalidOption",
    "Options",
    "OutOfBudget",
    "QueryFailed",
    "RequestFingerprinter",
    "SlotPolicy",
    "SmartProxyMiddleware",
    "extraction_request",
    "is_extraction",
]
