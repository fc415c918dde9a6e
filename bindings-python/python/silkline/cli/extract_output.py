"""The results of ``silkline extract``: JSON Lines that say which queries are finished.

The file is its own journal. Each result is one line, written whole when it is there, and holds its
query; so what a run finished can be read from it after any end, be it `kill -9`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections import Counter
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

from silkline import InvalidQuery, Query, QueryError, Result, ServiceError

if TYPE_CHECKING:
    from typing_extensions import Self

    from silkline.engine import ExtractionFinished

# What is no member of the protocol has this name.
_OWN = "silkline"


class OutputError(Exception):
    """The output cannot be used."""


def key(query: Query) -> bytes:
    """What tells queries apart, in few bytes."""
    return _digest(query.to_json())


def key_of(user_query: object) -> bytes:
    """The same for what a record tells of its query."""
    text = json.dumps(user_query)
    try:
        return key(Query.from_json(text, dialect="zyte_api"))  # which takes the longest
    except InvalidQuery:
        return _digest(text)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest()


def record(outcome: ExtractionFinished) -> bytes:
    """The line of an outcome: what the service sent, or the like of it for what it did not."""
    query, result = outcome.query, outcome.result
    if result is not None and result.dialect != "automatic_extraction":
        return _converted(outcome, result)
    raw = None if result is None else result.raw
    if raw is None or result is None:
        error = outcome.error
        own = {
            "code": None if error is None else error.code,
            "attempts": outcome.attempts,
            "billed": outcome.billed,
            "possiblyBilled": outcome.possibly_billed,
        }
        if isinstance(error, ServiceError):
            own["status"] = error.status
        text = error.text if isinstance(error, QueryError) else str(error)
        return failure(json.loads(query.to_json()), text, **own)
    # JSON text has line breaks between its tokens only.
    line = bytes(raw).replace(b"\r", b" ").replace(b"\n", b" ")
    user_query: object = None
    with contextlib.suppress(ValueError, LookupError, TypeError):
        user_query = json.loads(bytes(result.query_bytes or b"{}"))["userQuery"]
    if key_of(user_query) != key(query):
        # The result repeats less than its query, which then could not be told from it.
        own_text = json.dumps({_OWN: {"query": json.loads(query.to_json())}})
        line = line.rstrip()[:-1] + b"," + own_text.encode()[1:]
    return line + b"\n"


def _converted(outcome: ExtractionFinished, result: Result) -> bytes:
    """The line of another service's result, as the older one would have written it."""
    own: dict[str, object] = {}
    if not outcome.ok:
        own["code"] = None if outcome.error is None else outcome.error.code
        own["attempts"] = outcome.attempts
        own["billed"] = outcome.billed
        own["possiblyBilled"] = outcome.possibly_billed
    elif unmapped := result.unmapped:
        own["unmapped"] = unmapped
    line = result.to_json()
    if own:
        line = f'{line[:-1]},"{_OWN}":{json.dumps(own)}}}'
    return line.encode("utf-8", "surrogatepass") + b"\n"


def failure(user_query: object, text: str, **own: object) -> bytes:
    """The line of a query that the service has no result for."""
    found: dict[str, object] = {"query": {"userQuery": user_query}, "error": text}
    if own:
        found[_OWN] = own
    return json.dumps(found).encode() + b"\n"


class Finished:
    """What earlier runs finished."""

    def __init__(self) -> None:
        self._left: Counter[bytes] = Counter()
        self._failed: Counter[bytes] = Counter()
        self.billed: int = 0

    def add(self, line: dict[str, Any]) -> None:
        """Takes in a record."""
        own = line.get(_OWN)
        own = own if isinstance(own, dict) else {}
        user_query = own["query"] if "query" in own else line["query"]["userQuery"]
        found = key_of(user_query)
        self._left[found] += 1
        error = line.get("error")
        if error is None:
            self.billed += 1
            return
        self._failed[found] += 1
        if "billed" in own:
            self.billed += int(own["billed"])
        elif isinstance(error, str):
            self.billed += QueryError.from_text(error).billed

    def take(self, found: bytes) -> str | None:
        """Whether a query is finished (``"ok"`` or ``"failed"``); each record counts once."""
        if self._left[found] <= 0:
            self._left.pop(found, None)
            return None
        self._left[found] -= 1
        if self._failed[found] > 0:
            self._failed[found] -= 1
            return "failed"
        return "ok"


class Output:
    """Where results go: a file, or stdout."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: BinaryIO | FileIO | None = None

    def open(self, *, resume: bool, overwrite: bool) -> Finished:
        """Opens it and gives what it holds already."""
        if self._path is None:
            self._file = sys.stdout.buffer
            return Finished()
        try:
            if self._path.exists() and not self._path.is_file():  # a device or a pipe
                if resume:
                    raise OutputError(f"{self._path} is no file, so there is nothing to resume")
                self._file = FileIO(self._path, "wb")
                return Finished()
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
            return self._read(self._file, self._path)
        except OSError as error:
            raise OutputError(str(error)) from error

    def _read(self, file: FileIO, path: Path) -> Finished:
        """Reads what is there; a torn last line is cut off."""
        finished = Finished()
        whole = 0
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                torn = not line.endswith(b"\n")
                try:
                    if line.strip():
                        finished.add(json.loads(line))
                except (ValueError, LookupError, TypeError, AttributeError):
                    if torn:
                        break
                    raise OutputError(
                        f"{path}:{number} is no result: is it the right file?"
                    ) from None
                whole += len(line)
                if torn:
                    file.write(b"\n")
                    return finished
        file.truncate(whole)
        return finished

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
