"""The certificate authority in whose name the proxy opens TLS towards its clients."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import trustme

_CERTIFICATE = "silkline-ca.pem"
_KEY = "silkline-ca.key"


def default_directory() -> Path:
    """Where the authority is kept unless told otherwise."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "silkline"


class Authority:
    """A certificate authority that is made once and kept in a directory.

    Clients trust it by the file `certificate`; the key next to it is readable by its owner alone.
    """

    def __init__(self, directory: Path | None = None) -> None:
        directory = directory or default_directory()
        self.certificate: Path = directory / _CERTIFICATE
        key = directory / _KEY
        if self.certificate.exists() and key.exists():
            self._ca = trustme.CA.from_pem(self.certificate.read_bytes(), key.read_bytes())
        else:
            directory.mkdir(parents=True, exist_ok=True)
            self._ca = trustme.CA(
                organization_name="Silkline sandbox", organization_unit_name="local tests only"
            )
            with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                out.write(self._ca.private_key_pem.bytes())
            self._ca.cert_pem.write_to_path(self.certificate)
        self.context: Callable[[str], ssl.SSLContext] = lru_cache(maxsize=1024)(self._make_context)

    def _make_context(self, host: str) -> ssl.SSLContext:
        """Make a context with a certificate for a host.

        Raises:
            ValueError: nothing can be certified under such a name.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        try:
            certificate = self._ca.issue_cert(host)
        except ValueError:
            # Names with an underscore are met, but are only certified as one of many.
            certificate = self._ca.issue_cert(f"*.{host.partition('.')[2]}")
        certificate.configure_cert(context)
        return context
