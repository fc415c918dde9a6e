"""The sandbox's proxy: Smart Proxy Manager on local ports and addresses."""

from __future__ import annotations

from .host import ProxyHost, ZyteProxyHost
from .options import ProxyOptions, ZyteProxyOptions

__all__ = ["ProxyHost", "ProxyOptions", "ZyteProxyHost", "ZyteProxyOptions"]
