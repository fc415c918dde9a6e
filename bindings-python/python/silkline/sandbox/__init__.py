"""The services on this machine, over real HTTP: for development, demos and tests.

`Sandbox` is what ``silkline sandbox`` runs. Needs the extra ``silkline[sandbox]``.
"""

from __future__ import annotations

from .proxy import ProxyOptions, ZyteProxyOptions
from .server import Sandbox
from .zyte_api import ZyteApiOptions

__all__ = ["ProxyOptions", "Sandbox", "ZyteApiOptions", "ZyteProxyOptions"]
