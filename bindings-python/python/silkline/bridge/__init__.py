"""Between programs that speak the two older protocols and Zyte API, which takes their place.

Here are the machines, without sockets; `silkline.bridge.host.Bridge` and the command ``silkline
bridge`` give them some.
"""

from __future__ import annotations

from silkline._core import BridgedQuery, BridgeRelay, BridgeSend, BridgeTunnel, ProxyBridge

__all__ = ["BridgeRelay", "BridgeSend", "BridgeTunnel", "BridgedQuery", "ProxyBridge"]
