"""What several test files need."""

from __future__ import annotations

import importlib.util
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

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
