"""``silkline bridge``: the older protocols for unchanged programs, Zyte API behind."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import values

if TYPE_CHECKING:
    from silkline.bridge.host import Bridge

_DESCRIPTION = """\
Lets unchanged programs go on: they talk to this machine as to the Automatic Extraction API and to
Smart Proxy Manager, and Zyte API does the work.

Once it listens it prints one line, with what programs need:

  silkline bridge ready: extraction http://127.0.0.1:8030/v1/extract proxy http://127.0.0.1:8031 ca FILE

It counts what it sees: the counts are at /-/stats of each port, and are printed as JSON when it
stops (Ctrl-C or SIGTERM).
"""

_EPILOG = """\
The key of Zyte API is taken from --key, or from ZYTE_API_KEY. It is never shown.

examples:
  silkline bridge --key KEY
  python -m autoextract urls.txt --page-type article --api-key any \\
      --api-endpoint http://127.0.0.1:8030/v1/extract > items.jl
  curl -x http://any:@127.0.0.1:8031 -H 'X-Crawlera-Session: create' --cacert FILE https://example.com/
"""


def add_parser(commands: Any) -> None:
    """Adds the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "bridge",
        help="serve the older protocols to unchanged programs, by Zyte API",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=_run, extra="bridge", _parser=parser)
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add(
        "--extraction-port",
        metavar="PORT",
        type=values.port,
        help="port of the Automatic Extraction API, 0 for any free one",
    )
    add(
        "--proxy-port",
        metavar="PORT",
        type=values.port,
        help="port of Smart Proxy Manager, 0 for any free one (without both ports: 8030 and 8031)",
    )
    add(
        "--proxy-tls-port",
        metavar="PORT",
        type=values.port,
        help="the same with TLS towards the proxy itself, 0 for any free one",
    )
    add(
        "--local-key",
        metavar="KEY",
        action="append",
        type=values.key,
        help="a key that programs may use here; may repeat (default: any)",
    )
    add(
        "--ca-dir",
        metavar="DIR",
        type=Path,
        help="where the authority that programs have to trust for https targets is kept "
        "(default: ~/.local/share/silkline)",
    )
    add("--verbose", "-v", action="store_true", help="log each request")

    upstream = parser.add_argument_group("Zyte API")
    add = upstream.add_argument
    add("--key", metavar="KEY", type=values.key, help="its key (default: of the environment)")
    add(
        "--upstream",
        metavar="URL",
        type=values.zyte_api_url,
        help="its /v1/extract, which may be left out (default: the real one)",
    )
    add("--upstream-proxy", metavar="URL", help="its proxy (default: the real one)")
    add(
        "--upstream-ca",
        metavar="FILE",
        type=values.authority,
        help="the authority by whose certificates its proxy opens TLS, for https targets: that of "
        "Zyte API is for download in its documentation",
    )
    add("--rate", metavar="N", type=values.rate, help="queries a second, 0 for no limit")
    add("--concurrency", metavar="N", type=values.count, help="queries under way at a time")


def _run(options: argparse.Namespace) -> int:
    bridge = _bridge(options)
    logging.basicConfig(
        level=logging.INFO if options.verbose else logging.WARNING,
        format="%(asctime)s %(name)s: %(message)s",
    )
    return asyncio.run(_serve(bridge))


def _bridge(options: argparse.Namespace) -> Bridge:
    parser: argparse.ArgumentParser = options._parser  # noqa: SLF001
    key = options.key or os.environ.get("ZYTE_API_KEY")
    if not key:
        parser.error("no key of Zyte API: give --key or set ZYTE_API_KEY")
    from silkline.bridge.host import Bridge

    ports = options.extraction_port, options.proxy_port
    extraction_port, proxy_port = (8030, 8031) if ports == (None, None) else ports
    try:
        return Bridge(
            key,
            host=options.host,
            extraction_port=extraction_port,
            proxy_port=proxy_port,
            proxy_tls_port=options.proxy_tls_port,
            upstream=options.upstream,
            upstream_proxy=options.upstream_proxy,
            upstream_ca=options.upstream_ca,
            local_keys=options.local_key,
            ca_directory=options.ca_dir,
            rate=options.rate,
            concurrency=options.concurrency,
        )
    except (ValueError, OSError) as error:
        parser.error(str(error))


async def _serve(bridge: Bridge) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    try:
        await bridge.start()
    except OSError as error:
        print(f"silkline bridge: cannot listen: {error}", file=sys.stderr)
        return 1
    try:
        print("silkline bridge ready:", " ".join(bridge.listening()), flush=True)
        await stop.wait()
    except OSError as error:  # the authority, which is made here
        print(f"silkline bridge: {values.why(error)}", file=sys.stderr)
        return 1
    finally:
        await bridge.stop()
        print(json.dumps(bridge.stats()), flush=True)
    return 0
