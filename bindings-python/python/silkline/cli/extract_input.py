"""The queries of ``silkline extract``: URLs or JSON Lines."""

from __future__ import annotations

import asyncio
import contextlib
import json
import stat
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Literal

from silkline import ExtractionApi, InvalidQuery, Query

# So many lines of a pipe wait to be taken.
_AHEAD = 100
_PART = 1 << 16
TOO_DEEP = "nested too deeply"


class InputError(Exception):
    """The input cannot be read."""


@dataclass(frozen=True)
class BadLine:
    """A line that is no query."""

    number: int
    user_query: object
    """What there is of a query."""
    text: str
    """What is wrong."""


class QueryReader:
    """Reads lines."""

    def __init__(
        self,
        page_type: str | None,
        dialect: Literal["automatic_extraction", "zyte_api"] = "automatic_extraction",
    ) -> None:
        self._page_type = page_type
        self._api = ExtractionApi("-", dialect=dialect)
        self._number = 0

    def read(self, line: bytes) -> Query | BadLine | None:
        """The query of a line; ``None`` if it is empty."""
        self._number += 1
        if self._number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        try:
            text = line.decode("utf-8").strip()
        except UnicodeDecodeError as error:
            return self._bad(
                {"url": line.decode("utf-8", "replace").strip()}, f"not UTF-8: {error}"
            )
        if not text:
            return None
        if not text.startswith("{"):
            members: dict[str, object] = {"url": text}
        else:
            try:
                members = json.loads(text)
            except ValueError as error:
                return self._bad({"url": text}, f"not JSON: {error}")
            except RecursionError:
                return self._bad({"url": text}, TOO_DEEP)
        if self._page_type is not None:
            members.setdefault("pageType", self._page_type)
        elif "pageType" not in members:
            return self._bad(members, "no page type: give it in the line or by --page-type")
        try:
            query = Query.from_json(json.dumps(members), dialect=self._api.dialect)
            if self._api.dialect != "automatic_extraction":
                self._api.request([query])  # raises what that service cannot do
        except InvalidQuery as error:
            return self._bad(members, str(error))
        return query

    def _bad(self, user_query: object, text: str) -> BadLine:
        return BadLine(self._number, user_query, text)


def count(path: Path) -> int | None:
    """How many queries there are, if that can be known beforehand."""
    if not stat.S_ISREG(path.stat().st_mode):
        return None
    with path.open("rb") as lines:
        return sum(1 for line in lines if line.strip())


def open_input(path: Path | None) -> FileIO | BinaryIO:
    """Opens a file, or stdin."""
    if path is None:
        # Not `sys.stdin`, which a thread that is stuck in a read would keep from being closed.
        return FileIO(sys.stdin.fileno(), "rb", closefd=False)
    if stat.S_ISREG(path.stat().st_mode):
        return path.open("rb")
    return FileIO(path, "rb")


async def lines(source: FileIO | BinaryIO) -> AsyncIterator[bytes]:
    """The lines, without blocking where they come from a pipe."""
    if not isinstance(source, FileIO):
        for line in source:
            yield line
        return
    # A thread that nobody waits for: it can be stuck in a read for ever.
    loop = asyncio.get_running_loop()
    room = threading.Semaphore(_AHEAD)
    found: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()

    def read() -> None:
        end: Exception | None = None
        with contextlib.suppress(RuntimeError):  # the loop is gone
            try:
                for line in _split(source):
                    room.acquire()
                    loop.call_soon_threadsafe(found.put_nowait, line)
            except OSError as error:
                end = error
            loop.call_soon_threadsafe(found.put_nowait, end)

    threading.Thread(target=read, daemon=True).start()
    while (next_line := await found.get()) is not None:
        if isinstance(next_line, Exception):
            raise InputError(str(next_line)) from next_line
        room.release()
        yield next_line


def _split(source: FileIO) -> Iterator[bytes]:
    rest = b""
    while part := source.read(_PART):
        *whole, rest = (rest + part).split(b"\n")
        yield from whole
    if rest:
        yield rest
