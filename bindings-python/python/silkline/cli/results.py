"""The file that a command writes its results to: JSON Lines, which say what is finished.

The file is its own journal. Each result is one line, written whole when it is there, and says what it
is the result of; so what a run finished can be read from it after any end, be it `kill -9`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

from .values import why

if TYPE_CHECKING:
    from typing_extensions import Self


class OutputError(Exception):
    """The output cannot be used."""


def digest(text: str) -> bytes:
    """What tells texts apart, in few bytes."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest()


class Known:
    """What earlier runs finished, by what tells it apart."""

    def __init__(self) -> None:
        self._left: Counter[bytes] = Counter()
        self._failed: Counter[bytes] = Counter()

    def note(self, found: bytes, *, failed: bool) -> None:
        """Takes in what one record says."""
        self._left[found] += 1
        if failed:
            self._failed[found] += 1

    def take(self, found: bytes) -> str | None:
        """Whether it is finished (``"ok"`` or ``"failed"``); each record counts once."""
        if self._left[found] <= 0:
            self._left.pop(found, None)
            return None
        self._left[found] -= 1
        if self._failed[found] > 0:
            self._failed[found] -= 1
            return "failed"
        return "ok"


class ResultFile:
    """Where results go: a file, or stdout."""

    def __init__(self, path: Path | None, kind: str = "result") -> None:
        self._path = path
        self._kind = kind
        self._file: BinaryIO | FileIO | None = None

    def open(
        self, add: Callable[[dict[str, Any]], object], *, resume: bool, overwrite: bool
    ) -> None:
        """Opens it, and passes on each record that it holds already."""
        if self._path is None:
            if sys.stdout is None:
                raise OutputError("stdout is closed")
            self._file = sys.stdout.buffer
            return
        try:
            if self._path.exists() and not self._path.is_file():  # a device or a pipe
                if resume:
                    raise OutputError(f"{self._path} is no file, so there is nothing to resume")
                self._file = FileIO(self._path, "wb")
                return
            self._file = FileIO(self._path, "ab+")
            _lock(self._file)
            size = os.fstat(self._file.fileno()).st_size
            if size and not (resume or overwrite):
                raise OutputError(
                    f"{self._path} holds something already: --resume goes on with it, "
                    "--overwrite starts anew"
                )
            if overwrite:
                self._file.truncate(0)
            self._read(self._file, self._path, add)
        except OSError as error:
            raise OutputError(why(error)) from error

    def _read(self, file: FileIO, path: Path, add: Callable[[dict[str, Any]], object]) -> None:
        """Reads what is there; a torn last line is cut off."""
        whole = 0
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                torn = not line.endswith(b"\n")
                try:
                    if line.strip():
                        add(json.loads(line))
                except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
                    if torn:
                        break
                    raise OutputError(
                        f"{path}:{number} is no {self._kind}: is it the right file?"
                    ) from None
                whole += len(line)
                if torn:
                    file.write(b"\n")
                    return
        file.truncate(whole)

    def write(self, line: bytes) -> None:
        """Writes a line, whole."""
        if self._file is None:
            raise RuntimeError("the output is not open")
        left = memoryview(line)
        while left:
            left = left[self._file.write(left) or 0 :]
        if self._path is None:
            self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._path is not None and self._file is not None:
            with contextlib.suppress(OSError):  # a pipe or a device
                os.fsync(self._file.fileno())
            self._file.close()


def _lock(file: FileIO) -> None:
    """Makes sure that no other run writes to the file."""
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows
        return
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OutputError(f"{file.name} is being written by another run") from None
    except OSError:
        return  # a device, or a file system without locks
