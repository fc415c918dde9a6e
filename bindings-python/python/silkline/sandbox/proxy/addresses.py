"""Lists of outgoing addresses, as ``--outgoing`` takes them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

# All of 127.0.0.0/8 is this machine on Linux, so each of these is an address of its own.
DEFAULT = ("127.0.0.2-127.0.20.254",)

# More are of no use: an account has 5000 sessions.
_LIMIT = 100_000


def addresses(entries: Iterable[str]) -> list[str]:
    """Spell out addresses, ranges (``127.0.0.2-127.0.0.9``) and networks (``127.0.1.0/24``).

    >>> from silkline.sandbox.proxy.addresses import addresses
    >>> addresses(["127.0.0.2-127.0.0.4,127.0.0.9"])
    ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.9']

    Raises:
        ValueError: an entry is none of these, or there are too many addresses or none.
    """
    found: dict[str, None] = {}
    for entry in (part.strip() for text in entries for part in text.split(",")):
        first, last = _bounds(entry)
        count = int(last) - int(first) + 1
        if first.version != last.version or count < 1:
            raise ValueError(f"`{entry}` is not a range of addresses")
        if count + len(found) > _LIMIT:
            raise ValueError(f"`{entry}` makes more than {_LIMIT} addresses")
        found.update(dict.fromkeys(str(first + step) for step in range(count)))
    if not found:
        raise ValueError("there is no outgoing address")
    return list(found)


def _bounds(
    entry: str,
) -> tuple[
    ipaddress.IPv4Address | ipaddress.IPv6Address, ipaddress.IPv4Address | ipaddress.IPv6Address
]:
    try:
        if "/" in entry:
            network = ipaddress.ip_network(entry)
            return network[0], network[-1]
        first, _, last = entry.partition("-")
        address = ipaddress.ip_address(first.strip())
        return address, ipaddress.ip_address(last.strip()) if last else address
    except ValueError:
        raise ValueError(
            f"`{entry}` is not an address, a range like 127.0.0.2-127.0.0.9 or a network"
        ) from None
