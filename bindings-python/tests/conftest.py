"""What several test files need."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import ssl
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
import trustme

from silkline.sandbox import ProxyOptions, Sandbox

SITE = Path(__file__).resolve().parents[2] / "tests" / "site" / "serve.py"


def _site_module() -> Any:
    spec = importlib.util.spec_from_file_location("site_server", SITE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def serve(address: str, tls: ssl.SSLContext | None = None, log: str | None = None) -> Iterator[str]:
    """Serves the test pages for as long as the iterator is held at its one URL."""
    site = _site_module().Site((address, 0), log, tls)
    thread = threading.Thread(target=site.serve_forever, args=(0.05,))
    thread.start()
    host = f"[{address}]" if ":" in address else address
    scheme = "https" if tls else "http"
    try:
        yield f"{scheme}://{host}:{site.server_address[1]}"
    finally:
        site.shutdown()
        site.server_close()
        thread.join()


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """The URL of the test pages."""
    yield from serve("127.0.0.1")


@pytest.fixture(scope="session")
def site_v6() -> Iterator[str]:
    """The URL of the test pages on IPv6."""
    try:
        yield from serve("::1")
    except OSError:
        pytest.skip("this machine has no IPv6")


@pytest.fixture(scope="session")
def tls_site() -> Iterator[str]:
    """The URL of the test pages over TLS, with a certificate that nobody trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    yield from serve("127.0.0.1", context)


class Web(NamedTuple):
    """A target over http and https, with the one log that both keep."""

    http: str
    https: str
    log: Path

    def requests(self) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]
        assert all(line["leaked"] == [] for line in lines)
        return lines

    def peers(self) -> dict[str, list[float]]:
        """When each peer has asked for something."""
        found: defaultdict[str, list[float]] = defaultdict(list)
        for line in self.requests():
            found[line["peer"]].append(line["time"])
        return dict(found)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    """The test pages over http and https, with a log."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    log = tmp_path / "site.log"
    log.touch()
    for http in serve("127.0.0.1", log=str(log)):
        for https in serve("127.0.0.1", context, str(log)):
            yield Web(http, https, log)


@pytest.fixture(scope="module")
def ca_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a sandbox keeps the authority that it opens TLS with."""
    return tmp_path_factory.mktemp("ca")


@pytest.fixture
def run(ca_directory: Path) -> Callable[..., dict[str, Any]]:
    """Runs a test against the proxy of a sandbox and gives its counts."""

    def run(main: Callable[[Sandbox], Awaitable[None]], **options: Any) -> dict[str, Any]:
        proxy = cast("ProxyOptions", {"delay": 0, "ca_directory": ca_directory, **options})
        problems: list[dict[str, Any]] = []

        async def whole() -> dict[str, Any]:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda _, context: problems.append(context))
            async with Sandbox(
                extraction_port=None, proxy_port=0, keys=["KEY"], seed=1, proxy=proxy
            ) as sandbox:
                await main(sandbox)
            stats: dict[str, Any] = sandbox.stats()["proxy"]
            return stats

        stats = asyncio.run(asyncio.wait_for(whole(), 60))
        assert problems == []
        return stats

    return run
