"""``silkline sandbox``: the services on this machine."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from . import sandbox_proxy, sandbox_zyte, values

if TYPE_CHECKING:
    from silkline.sandbox import ProxyOptions, Sandbox, ZyteApiOptions, ZyteProxyOptions

_DESCRIPTION = """\
Serves the services on this machine, over real HTTP. No account, nothing from outside.

The Automatic Extraction API downloads the pages it is asked for (only from hosts it was allowed
to) and makes the items from what they hold. Smart Proxy Manager is a forward proxy with sessions,
each of which leaves from an address of its own; for https targets its clients have to trust the
certificate authority that it made at its first start (the file behind `ca`, or see --export-ca).

Zyte API, the successor of both, and its proxy mode are served on ports of their own if asked for.

Once it listens it prints one line, with what clients need:

  silkline sandbox ready: extraction http://127.0.0.1:8010/v1/extract proxy http://127.0.0.1:8011 ca FILE

It counts what it sees (requests, queries, errors, rate violations, what would have been billed;
for the proxy sessions, their addresses and requests, and those that came too early):
the counts are at /-/stats, and are printed as JSON when it stops (Ctrl-C or SIGTERM).
"""

_EPILOG = (
    """\
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

"""
    + sandbox_proxy.FAULTS
    + "\n"
    + sandbox_zyte.FAULTS
    + """
examples:
  silkline sandbox --key SECRET
  silkline sandbox --extraction-port 0 --rate 0 --allow-host example.com --allow-host '*.example.org'
  silkline sandbox --occupied shop.localhost=30 --faults faults.json --seed 1
  silkline sandbox --proxy-port 8011 --session-delay 1 --ban-status shop.localhost=403
  silkline sandbox --proxy-port 8011 --key SECRET --export-ca ca.pem --session-idle 60 --max-sessions 10
  silkline sandbox --zyte-api-port 8020 --zyte-proxy-port 8021
  curl -u SECRET: 127.0.0.1:8011/sessions -X POST
  curl --cacert ca.pem -x http://SECRET:@127.0.0.1:8011 -H 'X-Crawlera-Session: create' https://localhost/
"""
)


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
        type=values.port,
        help="port of the Automatic Extraction API, 0 for any free one (default: 8010)",
    )
    add(
        "--proxy-port",
        metavar="PORT",
        type=values.port,
        help="port of Smart Proxy Manager, 0 for any free one (default: 8011). Once a port is "
        "given, only those services listen that have one",
    )
    add("--seed", metavar="N", type=values.seed, help="makes ids and chances in faults repeatable")
    add("--verbose", "-v", action="store_true", help="log each request and each page to stderr")

    users = parser.add_argument_group("users")
    add = users.add_argument
    add(
        "--key",
        metavar="KEY",
        type=values.key,
        action="append",
        dest="keys",
        help="a good API key; may repeat (default: any non-empty key is good)",
    )
    add(
        "--disabled-key",
        metavar="KEY",
        type=values.key,
        action="append",
        dest="disabled_keys",
        help="the key of a disabled account; may repeat",
    )

    limits = parser.add_argument_group("limits of the service (left out: as documented)")
    add = limits.add_argument
    add(
        "--rate",
        metavar="QUERIES",
        type=values.rate,
        help="queries a second for each key, 0 for no limit (documented: 5)",
    )
    add(
        "--burst",
        metavar="QUERIES",
        type=values.count,
        help="queries that a key may send at once after a pause (default: one second's worth)",
    )
    add(
        "--system-rate",
        metavar="QUERIES",
        type=values.rate,
        help="queries a second for all keys together (default: no limit)",
    )
    add(
        "--max-queries",
        metavar="N",
        type=values.count,
        help="queries in a request (documented: 100)",
    )
    add(
        "--max-payload",
        metavar="BYTES",
        type=values.count,
        help="size of a request's body (default: 32 MiB)",
    )
    add(
        "--query-timeout",
        metavar="SECONDS",
        type=values.seconds,
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
        type=values.domain_seconds,
        action="append",
        help="domain that is occupied for so long from the first query for it on; may repeat",
    )
    add(
        "--domain-rate",
        metavar="QUERIES",
        type=values.rate,
        help="queries a second for each domain, which is occupied beyond (default: no limit)",
    )
    add(
        "--domain-concurrency",
        metavar="N",
        type=values.count,
        help="queries at a time for each domain, which is occupied beyond (default: no limit)",
    )
    add(
        "--domain-wait",
        metavar="SECONDS",
        type=values.seconds,
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
        type=values.seconds,
        help="time to open a connection (default: 30)",
    )
    add(
        "--fetch-timeout",
        metavar="SECONDS",
        type=values.seconds,
        help="time to download a page (default: what the query's own time allows)",
    )
    add(
        "--max-page",
        metavar="BYTES",
        type=values.count,
        dest="max_page_bytes",
        help="size of a page (default: 16 MiB)",
    )
    add(
        "--max-redirects",
        metavar="N",
        type=values.from_zero,
        help="redirects to follow (default: 10)",
    )
    add(
        "--concurrency",
        metavar="N",
        type=values.count,
        help="pages to download at a time (default: 100)",
    )
    add(
        "--workers",
        metavar="N",
        type=values.from_zero,
        default=min(4, os.cpu_count() or 1),
        help="processes that extract, 0 for threads of this one (default: %(default)s)",
    )
    sandbox_proxy.add_options(parser)
    sandbox_zyte.add_options(parser)
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
    proxy = sandbox_proxy.options(options)
    zyte = sandbox_zyte.options(options, proxy)
    for name, place in (
        ("faults", given),
        ("proxy_faults", proxy),
        ("zyte_api_faults", zyte["zyte_api"]),
        ("zyte_proxy_faults", zyte["zyte_proxy"]),
    ):
        path: Path | None = getattr(options, name)
        try:
            if path is not None:
                text = sys.stdin.read() if str(path) == "-" else path.read_text("utf-8")
                place["faults"] = text
        except (OSError, UnicodeDecodeError) as error:
            parser.error(f"argument --{name.replace('_', '-')}: {error}")
    names = ("extraction_port", "proxy_port", "zyte_api_port", "zyte_proxy_port")
    ports = {name: getattr(options, name) for name in names}
    if set(ports.values()) == {None}:
        ports = {"extraction_port": 8010, "proxy_port": 8011}
    try:
        return Sandbox(
            host=options.host,
            proxy=cast("ProxyOptions", proxy),
            zyte_api=cast("ZyteApiOptions", zyte["zyte_api"]),
            zyte_proxy=cast("ZyteProxyOptions", zyte["zyte_proxy"]),
            **ports,
            **given,
        )
    except ValueError as error:
        parser.error(str(error))


def _run(options: argparse.Namespace) -> int:
    sandbox = _sandbox(options)
    if options.export_ca is not None:
        try:
            options.export_ca.write_bytes(sandbox.ca_certificate.read_bytes())
        except OSError as error:
            print(f"silkline sandbox: {values.why(error)}", file=sys.stderr)
            return 1
    logging.basicConfig(
        level=logging.INFO if options.verbose else logging.WARNING,
        format="%(asctime)s %(name)s: %(message)s",
    )
    return asyncio.run(_serve(sandbox))


async def _serve(sandbox: Sandbox) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    try:
        await sandbox.start()
    except OSError as error:
        print(f"silkline sandbox: cannot listen: {error}", file=sys.stderr)
        return 1
    try:
        print("silkline sandbox ready:", " ".join(sandbox.listening()), flush=True)
        await stop.wait()
    except OSError as error:  # the authority, which is made here
        print(f"silkline sandbox: {values.why(error)}", file=sys.stderr)
        return 1
    finally:
        await sandbox.stop()
        print(json.dumps(sandbox.stats()), flush=True)
        # One may come again while only the workers are waited for.
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
    return 0
