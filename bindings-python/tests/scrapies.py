"""Scrapy in the versions that are supported, each with what it needs as it was at its time.

The package under test is put on the path of an environment, and nothing else of this one.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import silkline
from published import interpreter

VERSIONS = ("2.11", "2.13", "2.19")
"""The oldest, one with the new start method but with old handlers, and the newest."""

ASYNCIO = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
PLAIN = (
    "twisted.internet.epollreactor.EPollReactor"
    if sys.platform == "linux"
    else ("twisted.internet.selectreactor.SelectReactor")
)
REACTORS = {"asyncio": ASYNCIO, "plain": PLAIN}
"""Values of ``TWISTED_REACTOR``."""


def scrapy_python(version: str) -> str:
    """The interpreter of the environment with that Scrapy."""
    if version == "2.11" and sys.version_info >= (3, 13):
        pytest.skip("that Scrapy is older than this Python")
    return interpreter("proxy-clients" if version == "2.19" else f"scrapy-{version}")


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a crawl: the package on the path, and no proxy of this machine."""
    path = folder / "silkline-on-the-path"
    path.mkdir(exist_ok=True)
    link = path / "silkline"
    if not link.exists():
        link.symlink_to(Path(silkline.__file__).parent, target_is_directory=True)
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("proxy")}
    return {**kept, "PYTHONPATH": str(path), **more}
