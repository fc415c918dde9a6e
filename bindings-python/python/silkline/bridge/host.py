"""Both bridges together, with sockets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .extraction import ExtractionBridge
from .proxy import BridgeProxyHost

if TYPE_CHECKING:
    from typing_extensions import Self


class Bridge:
    """The two older services on this machine, by Zyte API, for as long as the block lasts.

    >>> from silkline.bridge.host import Bridge
    >>> async def main(key):
    ...     async with Bridge(key, local_keys=["OLD-KEY"]) as bridge:
    ...         print(bridge.extraction_url, bridge.proxy_url, bridge.ca_certificate)

    ``api_key`` is that of Zyte API, whose addresses are ``upstream`` and ``upstream_proxy``, its own
    unless given. Programs may use any key here, or one of ``local_keys``. Ports are free ones unless
    given; a service whose port is ``None`` does not listen. For https targets programs have to trust
    the authority of `ca_certificate`, and ``upstream_ca`` is the one that the proxy behind uses.
    ``rate`` (a second) and ``concurrency`` are those of queries, as the engine has them if left out.
    """

    def __init__(
        self,
        api_key: str,
        *,
        host: str = "127.0.0.1",
        extraction_port: int | None = 0,
        proxy_port: int | None = 0,
        proxy_tls_port: int | None = None,
        upstream: str | None = None,
        upstream_proxy: str | None = None,
        upstream_ca: Path | None = None,
        local_keys: Iterable[str] | None = None,
        ca_directory: Path | None = None,
        rate: float | None = None,
        concurrency: int | None = None,
    ) -> None:
        keys = None if local_keys is None else list(local_keys)
        self._address = host
        self._extraction_port = extraction_port
        self._proxy_port = proxy_port
        self._extraction = ExtractionBridge(
            api_key, upstream=upstream, keys=keys, rate=rate, concurrency=concurrency
        )
        self._proxy = BridgeProxyHost(
            api_key,
            upstream=upstream_proxy,
            upstream_ca=upstream_ca,
            keys=keys,
            ca_directory=ca_directory,
            tls_port=proxy_tls_port,
        )

    async def start(self) -> None:
        """Begins to listen."""
        if self._extraction_port is not None:
            await self._extraction.start(self._address, self._extraction_port)
        if self._proxy_port is not None:
            try:
                await self._proxy.start(self._address, self._proxy_port)
            except BaseException:
                await self.stop()
                raise

    async def stop(self) -> None:
        """Stops listening and gives up what is in progress. The counts stay."""
        await self._proxy.stop()
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
            yield f"ca {self.ca_certificate}"

    def _origin(self, port: int) -> str:
        address = f"[{self._address}]" if ":" in self._address else self._address
        return f"http://{address}:{port}"

    def stats(self) -> dict[str, Any]:
        """What both counted so far: the extraction's, and the proxy's under ``proxy``."""
        counts: dict[str, Any] = {}
        if self._extraction_port is not None:
            counts |= self._extraction.stats()
        if self._proxy_port is not None:
            counts["proxy"] = self._proxy.stats()
        return counts
