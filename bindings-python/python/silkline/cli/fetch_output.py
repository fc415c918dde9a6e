"""Where the answers of ``silkline fetch`` go: a folder, JSON Lines, or stdout."""

from __future__ import annotations

import base64
import json
import mimetypes
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

from silkline.exceptions import SilklineError

from .fetch_input import Target

if TYPE_CHECKING:
    from typing_extensions import Self

    from silkline.aio import Response

INDEX = "index.jsonl"
_ALL = {"application/xhtml+xml": ".html", "text/javascript": ".js", "text/plain": ".txt"}


class OutputError(Exception):
    """The output cannot be used."""


class Output:
    """Writes answers as they come."""

    def __init__(
        self, *, file: Path | None, folder: Path | None, body_only: bool, overwrite: bool
    ) -> None:
        self._path = file
        self._folder = folder
        self._body_only = body_only
        self._overwrite = overwrite
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        path = self._path
        try:
            if self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
                path = self._folder / INDEX
            if path is None:
                self._file = sys.stdout.buffer
                return self
            if path.is_file() and path.stat().st_size and not self._overwrite:
                raise OutputError(f"{path} holds something already: --overwrite starts anew")
            self._file = path.open("wb")
        except OSError as error:
            raise OutputError(str(error)) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None and self._file is not sys.stdout.buffer:
            self._file.close()

    def answer(self, target: Target, response: Response) -> None:
        """Writes an answer."""
        if self._body_only:
            self._write(response.body)
            return
        record = _record(target, response)
        if self._folder is not None:
            name = f"{target.number:06}{_extension(response)}"
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
        self._line({"url": target.get("url"), **_name(target), "error": told})

    def _line(self, record: dict[str, Any]) -> None:
        self._write(json.dumps(record).encode() + b"\n")

    def _write(self, data: bytes) -> None:
        if self._file is None:
            raise RuntimeError("the output is not open")
        self._file.write(data)
        self._file.flush()


def _name(target: Target) -> dict[str, Any]:
    return {"sessionName": target["session"]} if "session" in target else {}


def _record(target: Target, response: Response) -> dict[str, Any]:
    record: dict[str, Any] = {"url": target["url"], "status": response.status}
    if response.history:
        record["finalUrl"] = response.url
    record["headers"] = [list(pair) for pair in response.headers]
    record["session"] = response.session
    record.update(_name(target))
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
