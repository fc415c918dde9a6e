"""Which hosts the sandbox fetches from."""

from __future__ import annotations

import asyncio
import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from silkline.sandbox.hosts import AllowedHosts, GuardedResolver, HostRefused


@pytest.mark.parametrize(
    ("entries", "good", "bad"),
    [
        (
            ["localhost"],
            ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.9.9.9", "::1"],
            ["0.0.0.0", "::", "10.0.0.1", "example.com", "xlocalhost", "localhost.example.com"],
        ),
        (
            ["localhost"],
            ["::ffff:127.0.0.1"],
            ["::ffff:10.0.0.1", "2130706433", "0x7f000001", "0x7f.1", "127.1", "017700000001", ""],
        ),
        (
            ["example.com", "*.example.org"],
            ["example.com", "EXAMPLE.com.", "a.example.org", "a.b.example.org"],
            ["a.example.com", "example.org", "badexample.org", "localhost", "127.0.0.1", "8.8.8.8"],
        ),
        (["10.0.0.0/8", "[::2]"], ["10.1.2.3", "::2"], ["11.0.0.1", "127.0.0.1", "localhost"]),
        (["127.0.0.1"], ["127.0.0.1", "localhost"], ["127.0.0.2", "::1"]),
        (
            ["public"],
            ["8.8.8.8", "2606:4700::1111", "example.com"],
            ["127.0.0.1", "10.0.0.1", "169.254.169.254", "224.0.0.1", "::1", "fe80::1"],
        ),
        (
            ["public"],
            ["64:ff9b::808:808"],
            ["64:ff9b::7f00:1", "2002:7f00:1::", "::ffff:10.0.0.1", "localhost", "a.localhost"],
        ),
        (["*"], ["localhost", "10.0.0.1", "::1", "example.com", "169.254.169.254"], ["1.2.3"]),
        (["bücher.example"], ["xn--bcher-kva.example"], []),
        ([], [], ["localhost", "127.0.0.1", "8.8.8.8", "example.com"]),
    ],
)
def test_hosts(entries: list[str], good: list[str], bad: list[str]) -> None:
    allowed = AllowedHosts(entries)
    assert [host for host in good if not allowed.allows_host(host)] == []
    assert [host for host in bad if allowed.allows_host(host)] == []


@pytest.mark.parametrize("entry", ["", "10.0.0.0/99", "1.2.3", "[::1", "a" * 70 + ".example", "*."])
def test_entries_that_are_none(entry: str) -> None:
    with pytest.raises(ValueError, match="host"):
        AllowedHosts([entry])


class Zone(AbstractResolver):
    """A DNS of the test's own."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked += 1
        return [
            ResolveResult(hostname=host, host=text, port=port, family=family, proto=0, flags=0)
            for text in self.addresses
        ]

    async def close(self) -> None:
        pass


def resolve(entries: list[str], zone: Zone, host: str) -> list[str]:
    resolver = GuardedResolver(AllowedHosts(entries), zone)
    return [one["host"] for one in asyncio.run(resolver.resolve(host, 80))]


def test_names_are_good_only_with_the_addresses_they_have() -> None:
    assert resolve(["a.example"], Zone("93.184.215.14"), "a.example") == ["93.184.215.14"]
    for private in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1"):
        with pytest.raises(HostRefused, match="not allowed"):
            resolve(["a.example"], Zone(private), "a.example")
        with pytest.raises(HostRefused, match="not allowed"):
            resolve(["public"], Zone(private), "a.example")
    mixed = Zone("10.0.0.1", "93.184.215.14")
    assert resolve(["a.example"], mixed, "a.example") == ["93.184.215.14"]
    assert resolve(["a.example", "10.0.0.0/8"], Zone("10.0.0.1"), "a.example") == ["10.0.0.1"]
    assert resolve(["*"], Zone("10.0.0.1"), "a.example") == ["10.0.0.1"]


def test_names_that_are_not_allowed_are_not_even_looked_up() -> None:
    zone = Zone("127.0.0.1")
    with pytest.raises(HostRefused, match="not an allowed host"):
        resolve(["localhost"], zone, "evil.example")
    assert zone.asked == 0


def test_localhost_is_this_machine_whatever_dns_says() -> None:
    zone = Zone("10.0.0.1")
    assert resolve(["localhost"], zone, "shop.localhost") == ["127.0.0.1", "::1"]
    assert resolve(["127.0.0.1"], zone, "localhost") == ["127.0.0.1"]
    assert zone.asked == 0
