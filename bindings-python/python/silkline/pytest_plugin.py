"""Fixtures of pytest: the services for tests. Installed with the package.

``silkline_sandbox`` is a running `silkline.testing.SandboxThread`, ``silkline_sandboxes`` starts as
many as a test wants; ``silkline_extraction`` and ``silkline_proxy`` answer without sockets. A marker
of the same name has the options of its fixture:

    @pytest.mark.silkline_sandbox(rate=5, faults=[{"when": {"request": 2}, "then": {"drop": True}}])
    def test_it(silkline_sandbox): ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from silkline.testing import FakeExtraction, FakeProxy, SandboxThread

__all__ = [
    "pytest_configure",
    "silkline_extraction",
    "silkline_proxy",
    "silkline_sandbox",
    "silkline_sandboxes",
]

_MARKERS = {
    "silkline_sandbox": "silkline.testing.SandboxThread",
    "silkline_extraction": "silkline.testing.FakeExtraction",
    "silkline_proxy": "silkline.testing.FakeProxy",
}


def pytest_configure(config: pytest.Config) -> None:
    """Makes the markers known."""
    for name, what in _MARKERS.items():
        config.addinivalue_line("markers", f"{name}(**options): options of the fixture, a {what}")


def _options(request: pytest.FixtureRequest, name: str) -> dict[str, Any]:
    """What the markers say; the nearest one wins."""
    found: dict[str, Any] = {}
    for marker in request.node.iter_markers(name):
        if marker.args:
            raise pytest.UsageError(f"the marker {name} takes keyword arguments only")
        found = {**marker.kwargs, **found}
    return found


@pytest.fixture(scope="session")
def _silkline_authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the sandboxes of all tests keep their one certificate authority."""
    return tmp_path_factory.mktemp("silkline-ca")


@pytest.fixture
def silkline_sandboxes(_silkline_authority: Path) -> Iterator[Callable[..., SandboxThread]]:
    """Starts sandboxes with options of their own; they are stopped after the test."""
    from silkline.testing import SandboxThread

    started: list[SandboxThread] = []

    def start(**options: Any) -> SandboxThread:
        proxy = {"ca_directory": _silkline_authority, **(options.pop("proxy", None) or {})}
        try:
            sandbox = SandboxThread(proxy=proxy, **options)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] == "silkline":
                raise
            text = f"the package {error.name!r} is missing: pip install 'silkline[sandbox]'"
            raise pytest.UsageError(text) from error
        started.append(sandbox)
        sandbox.start()
        return sandbox

    yield start
    for sandbox in reversed(started):
        sandbox.stop()


@pytest.fixture
def silkline_sandbox(
    request: pytest.FixtureRequest, silkline_sandboxes: Callable[..., SandboxThread]
) -> SandboxThread:
    """Both services on free ports of this machine, for one test."""
    return silkline_sandboxes(**_options(request, "silkline_sandbox"))


@pytest.fixture
def silkline_extraction(request: pytest.FixtureRequest) -> FakeExtraction:
    """The Automatic Extraction API without sockets, for one test."""
    from silkline.testing import FakeExtraction

    return FakeExtraction(**_options(request, "silkline_extraction"))


@pytest.fixture
def silkline_proxy(request: pytest.FixtureRequest) -> FakeProxy:
    """Smart Proxy Manager without sockets, for one test."""
    from silkline.testing import FakeProxy

    return FakeProxy(**_options(request, "silkline_proxy"))
