"""Middlewares that take the place of older ones, in projects that keep all else as it is."""

from .smartproxy import SmartProxyMiddleware

__all__ = ["SmartProxyMiddleware"]
