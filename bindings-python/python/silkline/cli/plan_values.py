"""How the values of ``silkline plan`` are written."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from . import values


class InvalidFile(Exception):
    """A file that cannot be used."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def positive(text: str) -> float:
    """A number above 0."""
    value = values.number(text)
    if value == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def share(text: str) -> float:
    """A share: 0.05 or 5%."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share: 0.05 or 5%")
    return value


def span(text: str) -> tuple[float, float]:
    """A number of seconds, or the shortest and the longest."""
    least, mark, most = text.partition("-")
    low = values.seconds(least)
    high = values.seconds(most) if mark else low
    if high < low:
        raise argparse.ArgumentTypeError(f"{text!r}: the shortest time is the longest")
    return low, high


def domain_pages(path: Path) -> dict[str, int]:
    """The pages of each domain: lines of a domain and a number, or of URLs."""
    if str(path) == "-":
        content = sys.stdin.read()
    else:
        try:
            content = path.read_text("utf-8-sig")
        except UnicodeDecodeError:
            raise InvalidFile(f"{path}: is no text") from None
    pages: Counter[str] = Counter()
    for number, line in enumerate(content.splitlines(), 1):
        words = line.replace(",", " ").replace(";", " ").split()
        if not words or words[0].startswith("#"):
            continue
        name, counts = words[0].strip('"'), words[1:]
        if "//" in name:
            try:
                name = urlsplit(name).hostname or ""
            except ValueError:
                name = ""
        if not name or len(counts) > 1 or (counts and not counts[0].isdecimal()):
            raise InvalidFile(f"{path}, line {number}: is no domain with a number of pages")
        pages[name.lower()] += int(counts[0]) if counts else 1
    if not pages:
        raise InvalidFile(f"{path}: has no domain")
    return dict(pages)


def fault_script(path: Path) -> list[Any]:
    """The rules of a fault script."""
    try:
        script = json.loads(path.read_bytes())
    except ValueError as error:
        raise InvalidFile(f"{path}: {error}") from None
    if not isinstance(script, list):
        raise InvalidFile(f"{path}: is not a list of rules")
    return script
