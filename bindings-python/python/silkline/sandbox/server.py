"""The sandbox: all services together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .extraction import ExtractionHost
from .fetch import FetchLimits
from .proxy import ProxyHost, ProxyOptions, ZyteProxyHost, ZyteProxyOptions
from .zyte_api import ZyteApiHost, ZyteApiOptions

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

    Ports are free ones unless given; a service whose port is ``None`` does not listen. The proxy
    listens if it has a port, with the limits of `silkline.service.ProxyService` and what else
    ``proxy`` says of it. The limits of the extraction service are those of
    `silkline.service.ExtractionService`; what is left out is as documented. Pages are fetched from
    ``allow_hosts`` only: names, ``*.NAME``, addresses, networks, ``localhost``, ``public`` or ``*``.
    Zyte API listens if ``zyte_api_port`` is given, its proxy mode if ``zyte_proxy_port`` is; their
    limits are those of `silkline.service.ZyteApiService` and `silkline.service.ZyteProxyService`.
    With ``workers`` pages are extracted in so many processes (the program then needs the usual
    ``if __name__ == "__main__"``), else in threads.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        extraction_port: int | None = 0,
        proxy_port: int | None = None,
        zyte_api_port: int | None = None,
        zyte_proxy_port: int | None = None,
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
        proxy: ProxyOptions | None = None,
        zyte_api: ZyteApiOptions | None = None,
        zyte_proxy: ZyteProxyOptions | None = None,
    ) -> None:
        self._address = host
        self._extraction_port = extraction_port
        self._proxy_port = proxy_port
        self._zyte_api_port = zyte_api_port
        self._zyte_proxy_port = zyte_proxy_port
        keys = None if keys is None else list(keys)
        allow_hosts = list(allow_hosts)
        disabled_keys = list(disabled_keys)
        users: dict[str, Any] = {"keys": keys, "disabled_keys": disabled_keys, "seed": seed}
        limits = FetchLimits(
            connect_timeout=connect_timeout,
            fetch_timeout=fetch_timeout,
            max_page_bytes=max_page_bytes,
            max_redirects=max_redirects,
            concurrency=concurrency,
        )
        self._proxy = ProxyHost(allow_hosts=allow_hosts, **users, **(proxy or {}))
        self._zyte_proxy = ZyteProxyHost(
            self._proxy, allow_hosts=allow_hosts, **users, **(zyte_proxy or {})
        )
        self._zyte_api = ZyteApiHost(
            allow_hosts=allow_hosts, limits=limits, workers=workers, **users, **(zyte_api or {})
        )
        self._extraction = ExtractionHost(
            allow_hosts=allow_hosts,
            limits=limits,
            workers=workers,
            **users,
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
        )

    async def start(self) -> None:
        """Begins to listen."""
        try:
            for host, port in (
                (self._extraction, self._extraction_port),
                (self._proxy, self._proxy_port),
                (self._zyte_api, self._zyte_api_port),
                (self._zyte_proxy, self._zyte_proxy_port),
            ):
                if port is not None:
                    await host.start(self._address, port)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stops listening and gives up what is in progress. The counts stay."""
        for host in (self._zyte_proxy, self._zyte_api, self._proxy, self._extraction):
            await host.stop()

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
        return f"{self._origin(self._extraction.port)}/v1/extract"

    @property
    def proxy_url(self) -> str:
        """The proxy for clients of Smart Proxy Manager, once it listens."""
        return self._origin(self._proxy.port)

    @property
    def proxy_tls_url(self) -> str | None:
        """The same over TLS, if it was given a port for that."""
        port = self._proxy.tls_port
        return None if port is None else self._origin(port).replace("http:", "https:", 1)

    @property
    def zyte_api_url(self) -> str:
        """The endpoint for clients of Zyte API, once it listens."""
        return f"{self._origin(self._zyte_api.port)}/v1/extract"

    @property
    def zyte_proxy_url(self) -> str:
        """The proxy for clients of Zyte API's proxy mode, once it listens."""
        return self._origin(self._zyte_proxy.port)

    @property
    def ca_certificate(self) -> Path:
        """The certificate that clients of the proxy have to trust for https targets."""
        return self._proxy.authority.certificate

    def listening(self) -> Iterator[str]:
        """What clients need to know, word by word."""
        if self._extraction_port is not None:
            yield f"extraction {self.extraction_url}"
        if self._proxy_port is not None:
            yield f"proxy {self.proxy_url}"
            if self.proxy_tls_url is not None:
                yield f"proxy-tls {self.proxy_tls_url}"
        if self._zyte_api_port is not None:
            yield f"zyte-api {self.zyte_api_url}"
        if self._zyte_proxy_port is not None:
            yield f"zyte-proxy {self.zyte_proxy_url}"
        if self._proxy_port is not None or self._zyte_proxy_port is not None:
            yield f"ca {self.ca_certificate}"

    def _origin(self, port: int) -> str:
        address = f"[{self._address}]" if ":" in self._address else self._address
        return f"http://{address}:{port}"

    def stats(self) -> dict[str, Any]:
        """What the services counted so far: the extraction's, and the others' under their names."""
        others: dict[str, tuple[ExtractionHost | ProxyHost, int | None]] = {
            "proxy": (self._proxy, self._proxy_port),
            "zyte_api": (self._zyte_api, self._zyte_api_port),
            "zyte_proxy": (self._zyte_proxy, self._zyte_proxy_port),
        }
        counts = {name: host.stats() for name, (host, port) in others.items() if port is not None}
        if self._extraction_port is None and counts:
            return counts
        return {**self._extraction.stats(), **counts}
