"""The command ``silkline``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from . import __version__


def parser() -> argparse.ArgumentParser:
    """Makes the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="silkline",
        description="Crawl through Zyte's services at the pace they ask for.",
    )
    parser.add_argument("--version", action="version", version=f"silkline {__version__}")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit status."""
    parser().parse_args(arguments)
    parser().print_help()
    return 2
