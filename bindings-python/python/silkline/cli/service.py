"""What the commands that talk to a service have in common: the key, and the proxy service's API."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from . import values

if TYPE_CHECKING:
    from silkline import ProxyApi

KEYS = ("SILKLINE_API_KEY", "ZYTE_AUTOEXTRACT_KEY")
ZYTE_API_KEYS = ("SILKLINE_API_KEY", "ZYTE_API_KEY")

KEY_HELP = """\
The key is taken from --api-key, from SILKLINE_API_KEY, or from ZYTE_AUTOEXTRACT_KEY (with --dialect
zyte_api, from ZYTE_API_KEY).
"""


def api_key(parser: argparse.ArgumentParser, options: argparse.Namespace) -> str:
    """The key; without one, the command ends."""
    names = ZYTE_API_KEYS if options.dialect == "zyte_api" else KEYS
    key: str | None = options.api_key or next(filter(None, map(os.environ.get, names)), None)
    if not key:
        others = " or ZYTE_API_KEY" if names is ZYTE_API_KEYS else ""
        parser.error(f"no API key: give --api-key or set SILKLINE_API_KEY{others}")
    return key


def add_dialect(group: argparse._ArgumentGroup, usual: str, successor: str) -> None:
    """Adds the option that says which of two services is spoken to."""
    group.add_argument(
        "--dialect",
        choices=(usual, "zyte_api"),
        default=usual,
        help=f"%(default)s, or zyte_api for {successor}",
    )


def add_proxy_options(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Adds the options that say which proxy service to use."""
    group = parser.add_argument_group("service")
    add = group.add_argument
    add("--api-key", metavar="KEY", help="API key (default: from the environment, see below)")
    add("--endpoint", metavar="URL", help="address of the proxy service (default: the real one)")
    add_dialect(group, "smart_proxy_manager", "the successor's proxy mode")
    add(
        "--ca",
        metavar="FILE",
        type=values.authority,
        help="certificate authority of the service (PEM), to be trusted with those of the system",
    )
    return group


def proxy_api(parser: argparse.ArgumentParser, options: argparse.Namespace) -> ProxyApi:
    """The API of the proxy service; a bad option ends the command."""
    from silkline import ProxyApi

    key = api_key(parser, options)
    try:
        return ProxyApi(key, options.endpoint, options.dialect)
    except ValueError as error:
        parser.error(str(error))
