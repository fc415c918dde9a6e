"""What the commands that talk to a service have in common: the key, and the proxy service's API."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from silkline import ProxyApi

KEYS = ("SILKLINE_API_KEY", "ZYTE_AUTOEXTRACT_KEY")

KEY_HELP = """\
The key is taken from --api-key, from SILKLINE_API_KEY, or from ZYTE_AUTOEXTRACT_KEY.
"""


def api_key(parser: argparse.ArgumentParser, options: argparse.Namespace) -> str:
    """The key; without one, the command ends."""
    key: str | None = options.api_key or next(filter(None, map(os.environ.get, KEYS)), None)
    if not key:
        parser.error("no API key: give --api-key or set SILKLINE_API_KEY")
    return key


def add_proxy_options(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Adds the options that say which proxy service to use."""
    group = parser.add_argument_group("service")
    add = group.add_argument
    add("--api-key", metavar="KEY", help="API key (default: from the environment, see below)")
    add("--endpoint", metavar="URL", help="address of the proxy service (default: the real one)")
    add(
        "--ca",
        metavar="FILE",
        type=Path,
        help="certificate authority of the service (PEM), to be trusted with those of the system",
    )
    return group


def proxy_api(parser: argparse.ArgumentParser, options: argparse.Namespace) -> ProxyApi:
    """The API of the proxy service; a bad option ends the command."""
    from silkline import ProxyApi

    key = api_key(parser, options)
    try:
        return ProxyApi(key, options.endpoint)
    except ValueError as error:
        parser.error(str(error))
