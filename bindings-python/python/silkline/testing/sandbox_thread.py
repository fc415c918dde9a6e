"""The sandbox on a thread of its own, for tests with and without asyncio."""

from __future__ import annotations

import asyncio
import math
import threading
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .faults import FaultScript, script

if TYPE_CHECKING:
    from typing_extensions import Self

    from silkline.sandbox import Sandbox

__all__ = ["SandboxThread"]


class SandboxThread:
    """Both services on free ports of this machine, for as long as the block lasts.

    >>> from silkline.blocking import Extractor
    >>> from silkline.testing import SandboxThread
    >>> page = "<html><title>A</title><article><h1>Tide clocks</h1><p>They tell.</article>"
    >>> query = {"url": "http://a.example/", "pageType": "article", "customHtml": page}
    >>> with SandboxThread() as sandbox:
    ...     with Extractor(sandbox.api_key, endpoint=sandbox.extraction_url) as extractor:
    ...         [outcome.result.item["headline"] for outcome in extractor.results([query])]
    ...     sandbox.stats()["billed"]
    ['Tide clocks']
    1

    It takes the arguments of `silkline.sandbox.Sandbox`, with ``proxy`` for those of the proxy, and
    fault scripts as lists too. But for them, there is no limit of the rate, and sessions need no
    rest. Needs ``pip install 'silkline[sandbox]'``.
    """

    def __init__(
        self,
        *,
        faults: FaultScript | None = None,
        proxy: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        from silkline.sandbox import Sandbox

        of_proxy: Any = {"delay": 0.0, **(proxy or {})}
        of_proxy["faults"] = script(of_proxy.get("faults"))
        given = {"rate": math.inf, "extraction_port": 0, "proxy_port": 0, **options}
        self._sandbox: Sandbox = Sandbox(faults=script(faults), proxy=of_proxy, **given)
        keys = options.get("keys")
        self._key = next(iter(keys)) if keys else "TEST-KEY"
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begins to listen."""
        if self._thread is not None:
            raise RuntimeError("a sandbox is started once")
        started: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(started)), name="silkline-sandbox", daemon=True
        )
        self._thread.start()
        self._loop = started.result()

    async def _serve(self, started: Future[asyncio.AbstractEventLoop]) -> None:
        self._stopping = asyncio.Event()
        try:
            await self._sandbox.start()
        except BaseException as error:  # noqa: BLE001 -- raised where it was asked for
            started.set_exception(error)
            return
        started.set_result(asyncio.get_running_loop())
        try:
            await self._stopping.wait()
        finally:
            await self._sandbox.stop()

    def stop(self) -> None:
        """Stops listening; the counts stay."""
        loop, self._loop = self._loop, None
        if loop is not None and self._thread is not None:
            loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def api_key(self) -> str:
        """A key that is good: the first of ``keys``, or any."""
        return self._key

    @property
    def extraction_url(self) -> str:
        """The endpoint for clients of the Automatic Extraction API."""
        return self._sandbox.extraction_url

    @property
    def proxy_url(self) -> str:
        """The endpoint for clients of Smart Proxy Manager."""
        return self._sandbox.proxy_url

    @property
    def ca_certificate(self) -> Path:
        """The certificate that clients of the proxy have to trust for https targets."""
        return self._sandbox.ca_certificate

    def stats(self) -> dict[str, Any]:
        """What the services counted: the extraction's, and the proxy's under ``proxy``."""
        return self._sandbox.stats()
