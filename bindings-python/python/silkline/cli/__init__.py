"""The command ``silkline``: one file here per subcommand."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from silkline import __version__

from . import bridge, extract, fetch, plan, sandbox, sessions

__all__ = ["main", "parser"]

_COMMANDS = (extract, fetch, sessions, sandbox, plan, bridge)


def parser() -> argparse.ArgumentParser:
    """Makes the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="silkline",
        description="Crawl through Zyte's services at the pace they ask for.",
    )
    parser.add_argument("--version", action="version", version=f"silkline {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_parser(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit status."""
    _hold_standard_files()
    options = parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        status = run(options)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has enough. What Python would flush at its end goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except ModuleNotFoundError as error:
        # Each program needs the packages of its extra, which the binding does without.
        if (error.name or "").partition(".")[0] == "silkline":
            raise
        extra = options.extra
        print(
            f"silkline: the package {error.name!r} is missing: pip install 'silkline[{extra}]'",
            file=sys.stderr,
        )
        return 1
    return status


def _hold_standard_files() -> None:
    """Sees to it that no file that is opened gets the number of a closed stdout or stderr."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass  # it got the lowest that was free
    os.close(number)
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
