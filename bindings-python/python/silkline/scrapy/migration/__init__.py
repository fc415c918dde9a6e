"""Middlewares that take the place of older ones, in projects that keep all else as it is."""

from .autoextract import AutoExtractMiddleware
from .autoextract_errors import AutoExtractConfigError, AutoExtractError
from .autoextract_settings import SlotPolicy
from .smartproxy import SmartProxyMiddleware

__all__ = [
    "AutoExtractConfigError",
    "AutoExtractError",
    "AutoExtractMiddleware",
    "SlotPolicy",
    "SmartProxyMiddleware",
]
