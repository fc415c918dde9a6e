"""Trust in the authority of the proxy, which opens the TLS of https targets itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet._sslverify import IOpenSSLTrustRoot
from twisted.internet.ssl import optionsForClientTLS, platformTrust
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from .settings import Options

if TYPE_CHECKING:
    from pathlib import Path

    from scrapy.crawler import Crawler

__all__ = ["ClientContextFactory"]


@implementer(IOpenSSLTrustRoot)
class _Trust:
    """The authorities of this machine, and one more."""

    def __init__(self, certificate: Path | None) -> None:
        self._certificate = certificate

    def _addCACertsToContext(self, context: Any) -> None:  # noqa: N802
        trust: Any = platformTrust
        trust()._addCACertsToContext(context)  # noqa: SLF001
        if self._certificate is not None:
            context.load_verify_locations(str(self._certificate))


@implementer(IPolicyForHTTPS)
class ClientContextFactory:
    """Verifies certificates by the machine's authorities and that of ``SILKLINE_PROXY_CA``.

    The value of ``DOWNLOADER_CLIENTCONTEXTFACTORY`` if that setting is there.
    """

    def __init__(self, certificate: Path | None) -> None:
        self._trust: Any = _Trust(certificate)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *_: object, **__: object) -> ClientContextFactory:
        """Called by Scrapy, with arguments that differ from version to version."""
        return cls(Options.read(crawler.settings).proxy_ca)

    def creatorForNetloc(self, hostname: bytes, port: int) -> Any:  # noqa: N802, ARG002
        """Called by Twisted for each connection."""
        return optionsForClientTLS(hostname.decode("ascii"), trustRoot=self._trust)
