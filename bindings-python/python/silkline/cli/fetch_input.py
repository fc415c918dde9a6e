"""The requests of ``silkline fetch``: URLs, files of lines, or stdin."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from silkline.aio.proxy_requests import taken_apart

from .extract_input import TOO_DEEP, count, lines, open_input

_MEMBERS: dict[str, type | tuple[type, ...]] = {
    "url": str,
    "method": str,
    "headers": dict,
    "params": dict,
    "data": (str, bytes, dict),
    "json": object,
    "session": str,
    "replace_session": bool,
    "outside_sessions": bool,
    "priority": int,
}
_MOST = 2**31


class BadRequest(ValueError):
    """A line that is no request."""


class Target(dict[str, Any]):
    """A request, and the number of its line."""

    def __init__(self, number: int, members: Mapping[str, Any]) -> None:
        super().__init__(members)
        self.number = number

    def check(self) -> None:
        """Raises `BadRequest` if it is none."""
        for name, value in self.items():
            if name not in _MEMBERS:
                raise BadRequest(f"a request has no member {name!r}")
            if not isinstance(value, _MEMBERS[name]):
                raise BadRequest(f"{name!r} is no {_name(_MEMBERS[name])}")
        if self.get("outside_sessions") and "session" in self:
            raise BadRequest("outside sessions there is no session to name")
        if not -_MOST <= self.get("priority", 0) < _MOST:
            raise BadRequest("the priority is out of range")
        try:
            taken_apart(self)
        except (TypeError, ValueError) as error:
            raise BadRequest(str(error)) from error


def _name(kind: type | tuple[type, ...]) -> str:
    if isinstance(kind, tuple):
        return " or ".join(map(_name, kind))
    return {str: "text", dict: "object", bool: "boolean", int: "number"}.get(kind, "value")


def is_url(text: str) -> bool:
    """Whether an argument is a URL, not a file."""
    return text.lower().startswith(("http://", "https://"))


def total(sources: list[str]) -> int | None:
    """How many requests there are, if that can be known beforehand."""
    found = 0
    for source in sources:
        part = 1 if is_url(source) else None if source == "-" else count(Path(source))
        if part is None:
            return None
        found += part
    return found


async def targets(
    sources: list[str], defaults: Mapping[str, Any]
) -> AsyncIterator[tuple[Target, str | None]]:
    """Each request, with what is wrong with it."""
    number = 0
    for source in sources:
        if is_url(source):
            number += 1
            yield _checked(Target(number, {**defaults, "url": source}))
            continue
        with open_input(None if source == "-" else Path(source)) as file:
            async for line in lines(file):
                text = line.decode("utf-8", "replace").removeprefix("\ufeff").strip()
                if not text:
                    continue
                number += 1
                if number % 100 == 0:
                    await asyncio.sleep(0)
                if "\ufffd" in text and _is_broken(line):
                    yield Target(number, {"url": text}), "not UTF-8"
                else:
                    yield _read(number, text, defaults)


def _is_broken(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def _read(number: int, text: str, defaults: Mapping[str, Any]) -> tuple[Target, str | None]:
    if not text.startswith("{"):
        return _checked(Target(number, {**defaults, "url": text}))
    try:
        members = json.loads(text)
    except ValueError as error:
        return Target(number, {"url": text}), f"not JSON: {error}"
    except RecursionError:
        return Target(number, {"url": text}), TOO_DEEP
    given = {name: value for name, value in defaults.items() if name not in members}
    if "data" in members or "json" in members:
        given.pop("data", None)
    if members.get("outside_sessions"):
        given.pop("session", None)
    if isinstance(members.get("headers"), dict):
        members["headers"] = {**defaults.get("headers", {}), **members["headers"]}
    return _checked(Target(number, {**given, **members}))


def _checked(target: Target) -> tuple[Target, str | None]:
    try:
        target.check()
    except BadRequest as error:
        return target, str(error)
    return target, None
