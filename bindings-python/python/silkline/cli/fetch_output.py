"""Where the answers of ``silkline fetch`` go: a folder, JSON Lines, or stdout."""

from __future__ import annotations

import base64
import json
import mimetypes
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from silkline.exceptions import SilklineError

from .fetch_input import Target
from .results import Known, OutputError, ResultFile, digest
from .values import why

if TYPE_CHECKING:
    from typing_extensions import Self

    from silkline.aio import Response

INDEX = "index.jsonl"
_ALL = {"application/xhtml+xml": ".html", "text/javascript": ".js", "text/plain": ".txt"}


def key(target: Target) -> bytes:
    """What tells requests apart, in few bytes: all that is sent, and through which session."""
    members = {name: value for name, value in target.items() if name != "priority"}
    return digest(json.dumps(members, sort_keys=True, default=bytes.hex))


class Finished(Known):
    """What earlier runs finished, and the files that hold it."""

    def __init__(self) -> None:
        super().__init__()
        self.files: set[str] = set()

    def add(self, line: dict[str, Any]) -> None:
        """Takes in a record."""
        told = line.get("request")
        found = key(Target(0, {"url": line["url"]})) if told is None else bytes.fromhex(told)
        self.note(found, failed="error" in line or line["status"] >= 400)
        if "file" in line:
            self.files.add(line["file"])


class Output:
    """Writes answers as they come."""

    def __init__(self, *, file: Path | None, folder: Path | None, body_only: bool) -> None:
        self._folder = folder
        self._body_only = body_only
        self._file = ResultFile(file if folder is None else folder / INDEX, "answer")
        self._finished = Finished()

    def open(self, *, resume: bool, overwrite: bool) -> Known:
        """Opens it, and gives what it holds already."""
        if self._folder is not None:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OutputError(why(error)) from error
        self._file.open(self._finished.add, resume=resume, overwrite=overwrite)
        return self._finished

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.__exit__(kind, error, trace)

    def answer(self, target: Target, response: Response) -> None:
        """Writes an answer."""
        if self._body_only:
            self._file.write(response.body)
            return
        record = _record(target, response)
        if self._folder is not None:
            name = self._free_name(target.number, _extension(response))
            (self._folder / name).write_bytes(response.body)
            record["file"] = name
        else:
            record.update(_body(response))
        self._line(record)

    def failure(self, target: Target, code: str, error: BaseException | str) -> None:
        """Writes why there is no answer."""
        if self._body_only:
            return
        told: dict[str, Any] = {"code": code, "message": str(error)}
        status = getattr(error, "status", None)
        if isinstance(error, SilklineError) and status:
            told["status"] = status
        self._line({"url": target.get("url"), **_told(target), "error": told})

    def _free_name(self, number: int, extension: str) -> str:
        """A name that no record has: the input may be another one than that of an earlier run."""
        name, again = f"{number:06}{extension}", 1
        while name in self._finished.files:
            again += 1
            name = f"{number:06}-{again}{extension}"
        self._finished.files.add(name)
        return name

    def _line(self, record: dict[str, Any]) -> None:
        self._file.write(json.dumps(record).encode() + b"\n")


def _told(target: Target) -> dict[str, Any]:
    """What tells the request apart from others of its URL, if it has any more than that."""
    told: dict[str, Any] = {}
    if "session" in target:
        told["sessionName"] = target["session"]
    if target.keys() != {"url"}:
        told["request"] = key(target).hex()
    return told


def _record(target: Target, response: Response) -> dict[str, Any]:
    record: dict[str, Any] = {"url": target["url"], "status": response.status}
    if response.history:
        record["finalUrl"] = response.url
    record["headers"] = [list(pair) for pair in response.headers]
    record["session"] = response.session
    record.update(_told(target))
    record["outgoing"] = response.outgoing
    record["attempts"] = response.attempts
    record["billed"] = response.billed
    record["elapsed"] = round(response.elapsed, 3)
    return record


def _body(response: Response) -> dict[str, str]:
    try:
        text = response.body.decode(response.encoding)
    except (UnicodeDecodeError, LookupError):
        text = "\0"
    if "\0" in text:
        return {"bodyBase64": base64.b64encode(response.body).decode()}
    return {"body": text}


def _extension(response: Response) -> str:
    content_type = (response.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    return _ALL.get(content_type) or mimetypes.guess_extension(content_type) or ".bin"
