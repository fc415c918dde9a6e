"""Which hosts pages may be fetched from."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import TypeAlias

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class HostRefused(OSError):
    """A host that nothing may be fetched from."""


class AllowedHosts:
    """A list of names, addresses and networks, as ``--allow-host`` takes them.

    A name is only good together with the addresses it has: they must be public, or allowed by
    themselves, so that nobody's DNS can point into a network that was not meant. Loopback goes by
    the names that are reserved for it (RFC 6761), and these never by DNS.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        self._all = False
        self._public = False
        self._names: set[str] = set()
        self._suffixes: list[str] = []
        self._networks: list[_Network] = []
        for entry in entries:
            self._add(entry.strip().lower())

    def _add(self, entry: str) -> None:
        if entry == "*":
            self._all = True
        elif entry == "public":
            self._public = True
        elif entry == "localhost":
            self._networks += _LOOPBACK
        elif entry.startswith("*."):
            self._suffixes.append(_name(entry[2:]))
        else:
            try:
                self._networks.append(ipaddress.ip_network(_unbracketed(entry), strict=False))
            except ValueError:
                if "/" in entry or ":" in entry or _is_numeric(entry):
                    raise ValueError(
                        f"`{entry}` is not a host: give a name, an address or a network"
                    ) from None
                self._names.add(_name(entry))

    def allows_address(self, text: str) -> bool:
        """Whether pages may be fetched from an address by itself."""
        try:
            address = _plain(ipaddress.ip_address(_unbracketed(text)))
        except ValueError:
            return False
        if self._all or (self._public and _is_public(address)):
            return True
        return any(address in network for network in self._networks)

    def allows_address_of_name(self, text: str) -> bool:
        """Whether a name that is allowed may have this address."""
        return self.allows_address(text) or _is_public(_plain(ipaddress.ip_address(text)))

    def allows_host(self, host: str) -> bool:
        """Whether a URL may name this host, be it by name or by address."""
        host = host.lower().rstrip(".")
        if ":" in host or _is_numeric(host):
            return self.allows_address(host)
        if is_local(host):
            return bool(self.local_addresses())
        if self._all or self._public or host in self._names:
            return True
        return any(host.endswith(f".{suffix}") for suffix in self._suffixes)

    def local_addresses(self) -> list[str]:
        """The addresses that `localhost` stands for, as far as they are allowed."""
        return [text for text in ("127.0.0.1", "::1") if self.allows_address(text)]


class GuardedResolver(AbstractResolver):
    """Finds addresses of names, and gives only those that pages may be fetched from.

    The connection is made to the very addresses that were checked here.
    """

    def __init__(self, allowed: AllowedHosts, resolver: AbstractResolver | None = None) -> None:
        self._allowed = allowed
        self._resolver = resolver or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name."""
        if not self._allowed.allows_host(host):
            raise HostRefused(f"{host} is not an allowed host")
        if is_local(host):
            return [_result(host, text, port) for text in self._allowed.local_addresses()]
        found = await self._resolver.resolve(host, port, family)
        good = [one for one in found if self._allowed.allows_address_of_name(one["host"])]
        if found and not good:
            raise HostRefused(f"{host} has the address {found[0]['host']}, which is not allowed")
        return good

    async def close(self) -> None:
        """Releases what the resolver holds."""
        await self._resolver.close()


def is_local(host: str) -> bool:
    """Whether a name always means this machine (RFC 6761, section 6.3)."""
    host = host.lower().rstrip(".")
    return host == "localhost" or host.endswith(".localhost")


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(
        hostname=host, host=address, port=port, family=family, proto=0, flags=flags
    )


def _unbracketed(text: str) -> str:
    return text[1:-1] if text.startswith("[") and text.endswith("]") else text


def _name(text: str) -> str:
    text = text.removesuffix(".")
    if not text:
        raise ValueError("a host cannot be empty")
    try:
        return text.encode("idna").decode("ascii")
    except UnicodeError:
        raise ValueError(f"`{text}` is not the name of a host") from None


def _is_numeric(host: str) -> bool:
    """Whether a host could pass for an IPv4 address, in any of the forms that libraries read."""
    last = host.rpartition(".")[2]
    return last.isdecimal() or last.startswith("0x")


def _plain(address: _Address) -> _Address:
    """The IPv4 address inside an IPv6 one that leads there."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


def _is_public(address: _Address) -> bool:
    return address.is_global and not address.is_multicast
