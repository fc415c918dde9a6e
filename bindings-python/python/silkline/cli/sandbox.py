"""``silkline sandbox``: the services on this machine."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import math
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from silkline.sandbox import Sandbox

_DESCRIPTION = """\
Serves the Automatic Extraction API on this machine, over real HTTP: it downloads the pages it is
asked for (only from hosts it was allowed to) and makes the items from what they hold. No account,
nothing from outside.

Once it listens it prints one line, with the URL that clients need as their endpoint:

  silkline sandbox ready: extraction http://127.0.0.1:8010/v1/extract

It counts what it sees (requests, queries, errors, rate violations, what would have been billed):
the counts are at /-/stats, and are printed as JSON when it stops (Ctrl-C or SIGTERM).
"""

_EPILOG = """\
fault scripts (--faults): a JSON list of rules, of which the first that fits a request, and the
first that fits a query, is carried out:

  [{"when": {"request": 3}, "then": {"problem": "user-rate-limit-exceeded", "retry_after": 2}},
   {"when": {"url": "*/cart*"}, "times": 2, "then": {"error": "Proxy error: banned"}},
   {"when": {"probability": 0.01}, "then": {"drop": true}}]

  when   url (* stands for anything), domain, page_type, request (its number, counting those that
         passed all checks), every (each so many requests), probability
  skip   how often the rule passes before it applies;  times: how often it applies at most
  then   of a query:    error (any text), slow (seconds before its result is there)
         of a request:  problem (a documented type, such as http-pipelining-not-supported or
                        malformed-request, or any other) with title, members; status; body;
                        content_type ("" for none); headers; retry_after; delay (seconds); drop;
                        truncate (bytes); garbage (bytes); echo (members added to userQuery);
                        results: list of missing, surplus, foreign, reversed, shuffled, object

examples:
  silkline sandbox --key SECRET
  silkline sandbox --extraction-port 0 --rate 0 --allow-host example.com --allow-host '*.example.org'
  silkline sandbox --occupied shop.localhost=30 --faults faults.json --seed 1
"""


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or value < 0:
        raise ValueError(text)
    return value


def _seconds(text: str) -> float:
    """A number of seconds from 0 on."""
    try:
        return _number(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from None


def _rate(text: str) -> float:
    """A rate, 0 standing for no limit."""
    try:
        return _number(text) or math.inf
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of queries") from None


def _count(text: str) -> int:
    """A number from 1 on."""
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return value


def _from_zero(text: str) -> int:
    """A number from 0 on."""
    return 0 if text == "0" else _count(text)


def _port(text: str) -> int:
    value = int(text) if text.isdecimal() else -1
    if not 0 <= value <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 for any free one)")
    return value


def _seed(text: str) -> int:
    value = int(text) if text.isdecimal() else -1
    if not 0 <= value < 2**64:
        raise argparse.ArgumentTypeError(f"{text!r} is not a seed (a number below 2**64)")
    return value


def _key(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("a key cannot be empty")
    return text


def _occupied(text: str) -> tuple[str, float]:
    domain, mark, seconds = text.rpartition("=")
    if not domain or not mark:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form DOMAIN=SECONDS")
    return domain, _seconds(seconds)


def add_parser(commands: Any) -> None:
    """Adds the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "sandbox",
        help="serve the services on this machine, for development and tests",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=_run, extra="sandbox")

    server = parser.add_argument_group("server")
    add = server.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add(
        "--extraction-port",
        metavar="PORT",
        type=_port,
        default=8010,
        help="port of the Automatic Extraction API, 0 for any free one (default: %(default)s)",
    )
    add("--seed", metavar="N", type=_seed, help="makes ids and chances in faults repeatable")
    add("--verbose", "-v", action="store_true", help="log each request and each page to stderr")

    users = parser.add_argument_group("users")
    add = users.add_argument
    add(
        "--key",
        metavar="KEY",
        type=_key,
        action="append",
        dest="keys",
        help="a good API key; may repeat (default: any non-empty key is good)",
    )
    add(
        "--disabled-key",
        metavar="KEY",
        type=_key,
        action="append",
        dest="disabled_keys",
        help="the key of a disabled account; may repeat",
    )

    limits = parser.add_argument_group("limits of the service (left out: as documented)")
    add = limits.add_argument
    add(
        "--rate",
        metavar="QUERIES",
        type=_rate,
        help="queries a second for each key, 0 for no limit (documented: 5)",
    )
    add(
        "--burst",
        metavar="QUERIES",
        type=_count,
        help="queries that a key may send at once after a pause (default: one second's worth)",
    )
    add(
        "--system-rate",
        metavar="QUERIES",
        type=_rate,
        help="queries a second for all keys together (default: no limit)",
    )
    add(
        "--max-queries",
        metavar="N",
        type=_count,
        help="queries in a request (documented: 100)",
    )
    add(
        "--max-payload",
        metavar="BYTES",
        type=_count,
        help="size of a request's body (default: 32 MiB)",
    )
    add(
        "--query-timeout",
        metavar="SECONDS",
        type=_seconds,
        help="time for a query (documented: 600)",
    )
    add("--shuffle", action="store_true", help="give the results of a request in random order")

    domains = parser.add_argument_group("domains")
    add = domains.add_argument
    add(
        "--blacklist",
        metavar="DOMAIN",
        action="append",
        help="domain whose URLs are refused, with all below it; may repeat",
    )
    add(
        "--occupied",
        metavar="DOMAIN=SECONDS",
        type=_occupied,
        action="append",
        help="domain that is occupied for so long from the first query for it on; may repeat",
    )
    add(
        "--domain-rate",
        metavar="QUERIES",
        type=_rate,
        help="queries a second for each domain, which is occupied beyond (default: no limit)",
    )
    add(
        "--domain-concurrency",
        metavar="N",
        type=_count,
        help="queries at a time for each domain, which is occupied beyond (default: no limit)",
    )
    add(
        "--domain-wait",
        metavar="SECONDS",
        type=_seconds,
        help="the wait announced when a domain has too many queries at a time (default: 5)",
    )

    faults = parser.add_argument_group("faults")
    faults.add_argument(
        "--faults",
        metavar="FILE",
        type=Path,
        help="script of faults to show, as JSON (- for stdin); see below",
    )

    fetching = parser.add_argument_group("fetching of pages")
    add = fetching.add_argument
    add(
        "--allow-host",
        metavar="HOST",
        action="append",
        dest="allow_hosts",
        help="what pages may be fetched from, instead of loopback: a name, *.NAME for all below it, "
        "an address, a network (10.0.0.0/8), `localhost` for loopback, `public` for every public "
        "address, or * for anything at all; may repeat. Names have to resolve to public or allowed "
        "addresses",
    )
    add(
        "--connect-timeout",
        metavar="SECONDS",
        type=_seconds,
        help="time to open a connection (default: 30)",
    )
    add(
        "--fetch-timeout",
        metavar="SECONDS",
        type=_seconds,
        help="time to download a page (default: what the query's own time allows)",
    )
    add(
        "--max-page",
        metavar="BYTES",
        type=_count,
        dest="max_page_bytes",
        help="size of a page (default: 16 MiB)",
    )
    add(
        "--max-redirects",
        metavar="N",
        type=_from_zero,
        help="redirects to follow (default: 10)",
    )
    add(
        "--concurrency",
        metavar="N",
        type=_count,
        help="pages to download at a time (default: 100)",
    )
    add(
        "--workers",
        metavar="N",
        type=_from_zero,
        default=min(4, os.cpu_count() or 1),
        help="processes that extract, 0 for threads of this one (default: %(default)s)",
    )
    parser.set_defaults(_parser=parser)


_OPTIONS = (
    "keys", "disabled_keys", "rate", "burst", "system_rate", "max_queries", "max_payload",
    "query_timeout", "shuffle", "blacklist", "domain_rate", "domain_concurrency", "domain_wait",
    "seed", "allow_hosts", "connect_timeout", "fetch_timeout", "max_page_bytes", "max_redirects",
    "concurrency", "workers",
)  # fmt: skip


def _sandbox(options: argparse.Namespace) -> Sandbox:
    """Makes the sandbox; a bad option ends the program."""
    from silkline.sandbox import Sandbox

    parser: argparse.ArgumentParser = options._parser  # noqa: SLF001
    given = {name: getattr(options, name) for name in _OPTIONS}
    given = {name: value for name, value in given.items() if value is not None}
    if options.occupied:
        given["occupied"] = dict(options.occupied)
    try:
        if options.faults:
            stdin = str(options.faults) == "-"
            given["faults"] = sys.stdin.read() if stdin else options.faults.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        parser.error(f"argument --faults: {error}")
    try:
        return Sandbox(host=options.host, extraction_port=options.extraction_port, **given)
    except ValueError as error:
        parser.error(str(error))


def _run(options: argparse.Namespace) -> int:
    sandbox = _sandbox(options)
    logging.basicConfig(
        level=logging.INFO if options.verbose else logging.WARNING,
        format="%(asctime)s %(name)s: %(message)s",
    )
    return asyncio.run(_serve(sandbox))


async def _serve(sandbox: Sandbox) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    try:
        await sandbox.start()
    except OSError as error:
        print(f"silkline sandbox: cannot listen: {error}", file=sys.stderr)
        return 1
    try:
        print(f"silkline sandbox ready: extraction {sandbox.extraction_url}", flush=True)
        await stop.wait()
    finally:
        await sandbox.stop()
        print(json.dumps(sandbox.stats()), flush=True)
    return 0
