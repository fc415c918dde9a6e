"""The sandbox's proxy: Smart Proxy Manager on local ports and addresses."""

from __future__ import annotations

from .host import ProxyHost
from .options import ProxyOptions

__all__ = ["ProxyHost", "ProxyOptions"]
