"""Zyte API, the successor of both services: `items` converts items of either schema."""

from __future__ import annotations

from . import items

__all__ = ["items"]
