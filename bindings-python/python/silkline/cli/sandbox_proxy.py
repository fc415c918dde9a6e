"""The options of ``silkline sandbox`` that are about the proxy."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from . import values

FAULTS = """\
fault scripts of the proxy (--proxy-faults): rules of the same form, with

  when   url, domain, request, every, probability
  then   answer (status, error, headers, body, version), drop, truncate (bytes), delay (seconds),
         ban, fail (nxdomain, timeout, econnrefused, ...), end_session
"""

_PLAIN = (
    "sessions_per_address", "max_sessions", "session_idle", "delay_growth", "retries",
    "timeout", "max_connections", "forbidden_domains", "withheld_headers", "ca_directory",
    "target_ca", "tls_port",
)  # fmt: skip


def _ban(text: str) -> tuple[str | None, str]:
    domain, mark, value = text.rpartition("=")
    if not value:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form [DOMAIN=]VALUE")
    return domain if mark else None, value


def _ban_status(text: str) -> tuple[str | None, int]:
    domain, value = _ban(text)
    if not value.isdecimal() or not 100 <= int(value) <= 599:
        raise argparse.ArgumentTypeError(f"{value!r} is not a status")
    return domain, int(value)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    group = parser.add_argument_group("proxy (left out: as documented)")
    add = group.add_argument
    add(
        "--outgoing",
        metavar="ADDRESSES",
        action="append",
        help="addresses of this machine that sessions leave from, one each: an address, a range, "
        "a network, or several with commas; may repeat (default: 127.0.0.2-127.0.20.254)",
    )
    add(
        "--sessions-per-address",
        metavar="N",
        type=values.count,
        help="sessions that may share an address, which keeps one pace (default: 1)",
    )
    add(
        "--session-delay",
        metavar="SECONDS",
        type=values.seconds,
        dest="delay",
        help="time between requests of one address (documented: 12)",
    )
    add(
        "--domain-delay",
        metavar="DOMAIN=SECONDS",
        type=values.domain_seconds,
        action="append",
        dest="domain_delays",
        help="another such time for a domain and all below it; may repeat",
    )
    add(
        "--delay-growth",
        metavar="N",
        type=values.number,
        help="by how many delays each request that comes too early widens the spacing, which "
        "shrinks again with each that does not (unpublished; default: 1)",
    )
    add(
        "--session-idle",
        metavar="SECONDS",
        type=values.seconds,
        help="time after its last request until a session expires (documented: 1800)",
    )
    add(
        "--max-sessions",
        metavar="N",
        type=values.from_zero,
        help="sessions of an account (documented: 5000)",
    )
    add(
        "--retries",
        metavar="N",
        type=values.from_zero,
        help="retries of requests outside sessions (default: 5)",
    )
    add(
        "--attempt-timeout",
        metavar="SECONDS",
        type=values.seconds,
        dest="timeout",
        help="time for an attempt unless the request says otherwise (documented: 30)",
    )
    add(
        "--max-connections",
        metavar="N",
        type=values.count,
        help="open requests of an account (default: no limit)",
    )
    add(
        "--ban-status",
        metavar="[DOMAIN=]STATUS",
        type=_ban_status,
        action="append",
        help="a status that means a ban; may repeat",
    )
    add(
        "--ban-text",
        metavar="[DOMAIN=]TEXT",
        type=_ban,
        action="append",
        help="a text in the body that means a ban; may repeat",
    )
    add(
        "--forbid-domain",
        metavar="DOMAIN",
        action="append",
        dest="forbidden_domains",
        help="a domain that is not allowed, with all below it; may repeat",
    )
    add(
        "--withhold-header",
        metavar="NAME",
        action="append",
        dest="withheld_headers",
        help="a header that the plan does not include; may repeat",
    )
    add(
        "--ca-dir",
        metavar="DIR",
        type=Path,
        dest="ca_directory",
        help="where the certificate authority is kept (default: ~/.local/share/silkline)",
    )
    add(
        "--export-ca",
        metavar="FILE",
        type=Path,
        help="write the authority's certificate there as well, for clients to trust",
    )
    add(
        "--proxy-tls-port",
        metavar="PORT",
        type=values.port,
        dest="tls_port",
        help="listen there too, with TLS towards the proxy itself, by a certificate of the same "
        "authority; 0 for any free port (the service: 8014)",
    )
    add(
        "--target-ca",
        metavar="FILE",
        type=Path,
        help="authority of https targets on this machine, which are not verified otherwise",
    )
    add("--proxy-faults", metavar="FILE", type=Path, help="script of faults to show, as JSON")


def options(given: argparse.Namespace) -> dict[str, Any]:
    """What was said of the proxy, but for its faults."""
    found = {name: getattr(given, name) for name in (*_PLAIN, "outgoing", "delay")}
    found = {name: value for name, value in found.items() if value is not None}
    if given.domain_delays:
        found["domain_delays"] = dict(given.domain_delays)
    bans: list[tuple[str | None, list[int], list[str]]] = []
    bans += [(domain, [status], []) for domain, status in given.ban_status or []]
    bans += [(domain, [], [text]) for domain, text in given.ban_text or []]
    if bans:
        found["bans"] = bans
    return found
