"""The options of ``silkline sandbox`` that are about Zyte API."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from . import values

FAULTS = """\
fault scripts of Zyte API (--zyte-api-faults): rules of the same form for a request, whose `problem`
is a type such as /limits/over-user-limit or its last segment, and whose page_type is the member
that asks for something (product, browserHtml, httpResponseBody); and of its proxy mode
(--zyte-proxy-faults), with

  then   problem or status, with headers, body, retry_after; or drop, truncate (bytes),
         delay (seconds), ban, fail (nxdomain, timeout, econnrefused, ...), end_session
"""

_SHARED = ("outgoing", "sessions_per_address", "max_sessions", "timeout", "ca_directory")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    group = parser.add_argument_group(
        "Zyte API (left out: as documented; keys, bans, forbidden domains, outgoing addresses and "
        "fetching are those of the other services)"
    )
    add = group.add_argument
    add(
        "--zyte-api-port",
        metavar="PORT",
        type=values.port,
        help="port of Zyte API, 0 for any free one (suggested: 8020)",
    )
    add(
        "--zyte-proxy-port",
        metavar="PORT",
        type=values.port,
        help="port of its proxy mode, 0 for any free one (suggested: 8021)",
    )
    add(
        "--zyte-rate",
        metavar="REQUESTS",
        type=values.rate,
        help="requests a minute for each key, 0 for no limit (documented: 3000)",
    )
    add(
        "--zyte-system-rate",
        metavar="REQUESTS",
        type=values.rate,
        help="requests a minute for all keys together (default: no limit)",
    )
    add(
        "--zyte-domain-rate",
        metavar="REQUESTS",
        type=values.rate,
        help="requests a minute for each website (default: no limit)",
    )
    add(
        "--zyte-session-life",
        metavar="SECONDS",
        type=values.seconds,
        help="time that a session lives in all (documented: 900)",
    )
    add(
        "--zyte-session-idle",
        metavar="SECONDS",
        type=values.seconds,
        help="time that it lives after a request (documented: 120)",
    )
    add(
        "--zyte-session-bans",
        metavar="N",
        type=values.count,
        help="bans in a row that end it (documented: 3)",
    )
    add("--zyte-api-faults", metavar="FILE", type=Path, help="script of faults, as JSON")
    add("--zyte-proxy-faults", metavar="FILE", type=Path, help="script of faults, as JSON")


def options(given: argparse.Namespace, proxy: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What was said of the two, but for their faults; `proxy` is what was said of the older one."""
    rates = {
        name: getattr(given, f"zyte_{name}") for name in ("rate", "system_rate", "domain_rate")
    }
    rates = {name: rate for name, rate in rates.items() if rate is not None}
    common = {name: proxy[name] for name in ("bans",) if name in proxy}
    forbidden = [*(given.blacklist or []), *proxy.get("forbidden_domains", [])]
    if forbidden:
        common["forbidden_domains"] = forbidden
    extract = {**rates, **common}
    if given.occupied:
        extract["occupied"] = dict(given.occupied)
    mode = {**rates, **common}
    mode.update({name: proxy[name] for name in (*_SHARED, "target_ca", "retries") if name in proxy})
    for name in ("session_life", "session_idle", "session_bans"):
        value = getattr(given, f"zyte_{name}")
        if value is not None:
            mode[name] = value
    return {"zyte_api": extract, "zyte_proxy": mode}
