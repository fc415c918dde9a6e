"""The sandbox: all services together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .extraction import ExtractionHost
from .fetch import FetchLimits

if TYPE_CHECKING:
    from typing_extensions import Self


class Sandbox:
    """The services on this machine, for as long as the block lasts.

    >>> import asyncio, math
    >>> from silkline.sandbox import Sandbox
    >>> async def main():
    ...     async with Sandbox(keys=["KEY"], rate=math.inf) as sandbox:
    ...         print(sandbox.extraction_url.partition("//")[0], sandbox.stats()["requests"])
    >>> asyncio.run(main())
    http: 0

    Ports are free ones unless given. The limits of the extraction service are those of
    `silkline.service.ExtractionService`; what is left out is as documented. Pages are fetched from
    ``allow_hosts`` only: names, ``*.NAME``, addresses, networks, ``localhost``, ``public`` or ``*``.
    With ``workers`` pages are extracted in so many processes (the program then needs the usual
    ``if __name__ == "__main__"``), else in threads.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        extraction_port: int = 0,
        keys: Iterable[str] | None = None,
        disabled_keys: Iterable[str] = (),
        rate: float | None = None,
        burst: int | None = None,
        system_rate: float | None = None,
        max_queries: int | None = None,
        max_payload: int | None = None,
        query_timeout: float | None = None,
        blacklist: Iterable[str] = (),
        occupied: Mapping[str, float] | None = None,
        domain_rate: float | None = None,
        domain_concurrency: int | None = None,
        domain_wait: float | None = None,
        shuffle: bool = False,
        faults: str | None = None,
        seed: int | None = None,
        allow_hosts: Iterable[str] = ("localhost",),
        connect_timeout: float = FetchLimits.connect_timeout,
        fetch_timeout: float | None = FetchLimits.fetch_timeout,
        max_page_bytes: int = FetchLimits.max_page_bytes,
        max_redirects: int = FetchLimits.max_redirects,
        concurrency: int = FetchLimits.concurrency,
        workers: int = 0,
    ) -> None:
        self._address = host
        self._extraction_port = extraction_port
        self._extraction = ExtractionHost(
            allow_hosts=allow_hosts,
            limits=FetchLimits(
                connect_timeout=connect_timeout,
                fetch_timeout=fetch_timeout,
                max_page_bytes=max_page_bytes,
                max_redirects=max_redirects,
                concurrency=concurrency,
            ),
            workers=workers,
            keys=None if keys is None else list(keys),
            disabled_keys=list(disabled_keys),
            rate=rate,
            burst=burst,
            system_rate=system_rate,
            max_queries=max_queries,
            max_payload=max_payload,
            query_timeout=query_timeout,
            blacklist=list(blacklist),
            occupied=dict(occupied or {}),
            domain_rate=domain_rate,
            domain_concurrency=domain_concurrency,
            domain_wait=domain_wait,
            shuffle=shuffle,
            faults=faults,
            seed=seed,
        )

    async def start(self) -> None:
        """Begins to listen."""
        await self._extraction.start(self._address, self._extraction_port)

    async def stop(self) -> None:
        """Stops listening and gives up what is in progress. The counts stay."""
        await self._extraction.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def extraction_url(self) -> str:
        """The endpoint for clients of the Automatic Extraction API, once it listens."""
        address = f"[{self._address}]" if ":" in self._address else self._address
        return f"http://{address}:{self._extraction.port}/v1/extract"

    def stats(self) -> dict[str, Any]:
        """What the services counted so far."""
        return self._extraction.stats()
