"""What a sandbox's proxy can be told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict


class ProxyOptions(TypedDict, total=False):
    """Settings of the proxy; what is left out is as documented."""

    outgoing: Sequence[str]
    """The addresses that sessions leave from: addresses, ranges, networks."""
    sessions_per_address: int
    """How many sessions may share an address."""
    max_sessions: int
    """How many sessions an account may have (5000)."""
    session_idle: float
    """Seconds after its last request until a session expires (1800)."""
    delay: float
    """Seconds between requests of one address (12)."""
    domain_delays: dict[str, float]
    """Other values for some domains."""
    delay_growth: float
    """By how many delays each request that comes too early widens the spacing (1)."""
    retries: int
    """Retries outside sessions (5)."""
    timeout: float
    """Seconds for an attempt unless the request says otherwise (30)."""
    max_connections: int
    """Open requests of an account (no limit)."""
    max_outstanding: int
    """Open requests in all (no limit)."""
    max_body_bytes: int
    """Size of an answer's body (500 MB)."""
    bans: list[tuple[str | None, list[int], list[str]]]
    """What is a ban: domain (``None`` for any), statuses, texts of a body."""
    forbidden_domains: list[str]
    """Domains that are not allowed."""
    withheld_headers: list[str]
    """``X-Crawlera-*`` headers that the plan does not include."""
    faults: str
    """A fault script, as JSON."""
    ca_directory: Path
    """Where the certificate authority is kept (``~/.local/share/silkline``)."""
    target_ca: Path
    """The authority of https targets on this machine, which are not verified otherwise."""
    tls_port: int
    """Another port, where the proxy itself speaks TLS; 0 for any free one."""


class ZyteProxyOptions(TypedDict, total=False):
    """Settings of Zyte API's proxy mode; what is left out is as documented, where it is."""

    outgoing: Sequence[str]
    """The addresses that sessions leave from: addresses, ranges, networks."""
    sessions_per_address: int
    """How many sessions may share an address."""
    max_sessions: int
    """How many sessions an account may have (5000)."""
    session_life: float
    """Seconds that a session lives in all (900)."""
    session_idle: float
    """Seconds that it lives after a request (120)."""
    session_bans: int
    """Bans in a row that end it (3)."""
    rate: float
    """Requests a minute for each key (3000)."""
    system_rate: float
    """Requests a minute for all keys together (no limit)."""
    domain_rate: float
    """Requests a minute for each website (no limit)."""
    retries: int
    """Retries outside sessions (3)."""
    max_redirects: int
    """Redirects to follow (20)."""
    timeout: float
    """Seconds for an attempt (30)."""
    max_body_bytes: int
    """Size of an answer's body (500 MB)."""
    bans: list[tuple[str | None, list[int], list[str]]]
    """What is a ban: domain (``None`` for any), statuses, texts of a body."""
    forbidden_domains: list[str]
    """Domains that are not allowed."""
    faults: str
    """A fault script, as JSON."""
    ca_directory: Path
    """Where the certificate authority is kept (``~/.local/share/silkline``)."""
    target_ca: Path
    """The authority of https targets on this machine, which are not verified otherwise."""
    tls_port: int
    """Another port, where the proxy itself speaks TLS; 0 for any free one."""
