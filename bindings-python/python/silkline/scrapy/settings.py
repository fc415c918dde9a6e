"""The add-on's settings: read once, checked, of one type each.

Components take an `Options`, never Scrapy's settings, for what is Silkline's own. Limits of values
are the engines': what they refuse is refused at the start of the crawl, under the setting's name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from silkline.exceptions import SilklineError
from silkline.schedule import RetryPolicy

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

__all__ = ["InvalidOption", "Options"]

_PREFIX = "SILKLINE_"
_MOST = 2**32 - 1
"""What a count may be: numbers of the engines' own kind."""


class InvalidOption(SilklineError, ValueError):
    """A setting of the project that is wrong; the crawl does not start."""

    code = "option_invalid"
    setting: str = ""
    """The setting's name."""

    @classmethod
    def of(cls, setting: str, wrong: str) -> InvalidOption:
        """The error about one setting."""
        return cls(f"setting {setting}: {wrong}", setting=setting)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is needed")
    if not value.strip():
        raise ValueError("it is empty")
    return value.strip()


def _flag(value: object) -> bool:
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if isinstance(value, bool):
        return value
    found = words.get(str(value).strip().lower())
    if found is None:
        raise ValueError(f"True or False is needed, not {value!r}")
    return found


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError(f"a number is needed, not {value!r}")
    try:
        number = float(value)
    except ValueError:
        raise ValueError(f"a number is needed, not {value!r}") from None
    if not number >= 0:
        raise ValueError(f"a number of at least 0 is needed, not {value!r}")
    return number


def _seconds(value: object) -> float:
    number = _number(value)
    if not isfinite(number):
        raise ValueError("a number of seconds is needed")
    return number


def _time(value: object) -> float:
    seconds = _seconds(value)
    if not seconds:
        raise ValueError("0 would leave no time for an answer")
    return seconds


def _rate(value: object) -> float:
    number = _number(value)
    if not number:
        raise ValueError("0 would send nothing; inf is no limit")
    return number


def _count(value: object) -> int:
    number = _number(value)
    if not number.is_integer():
        raise ValueError(f"a whole number is needed, not {value!r}")
    if number > _MOST:
        raise ValueError(f"{value!r} is more than {_MOST:,}")
    return int(number)


def _some(value: object) -> int:
    count = _count(value)
    if not count:
        raise ValueError("at least 1 is needed")
    return count


def _delays(value: object) -> Mapping[str, float]:
    try:  # as text, on the command line, it is JSON, as for Scrapy's own dicts
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if not isinstance(found, Mapping):
        raise TypeError("a dict of domains and seconds is needed")
    return {_text(domain): _seconds(delay) for domain, delay in found.items()}


def _statuses(value: object) -> frozenset[int]:
    found = value.split(",") if isinstance(value, str) else value
    if not isinstance(found, (list, tuple, set, frozenset)):
        raise TypeError("a list of statuses is needed")
    statuses = frozenset(_count(status) for status in found)
    if any(not 100 <= status <= 599 for status in statuses):
        raise ValueError("statuses are between 100 and 599")
    return statuses


def _file(value: object) -> Path:
    path = Path(value if isinstance(value, Path) else _text(value)).expanduser()
    if not path.is_file():
        raise ValueError(f"there is no file {str(path)!r}")
    return path


def _creation(value: object) -> str:
    if value not in ("header", "call"):
        raise ValueError(f"'header' or 'call' is needed, not {value!r}")
    return str(value)


def _dialect(value: object) -> str:
    if value != "zyte_api":
        raise ValueError(f"there is no dialect {value!r}; 'zyte_api' is the one beside the usual")
    return value


def _policy(value: object) -> RetryPolicy:
    if isinstance(value, RetryPolicy):
        return value
    preset: Any = _text(value)
    return RetryPolicy(preset)


def _option(read: Callable[[object], object], default: object) -> Any:
    return field(default=default, metadata={"read": read})


@dataclass(frozen=True)
class Options:
    """All settings of the add-on. ``None``: the engine's own default holds."""

    api_key: str = field(repr=False, metadata={"read": _text})
    dialect: Literal["zyte_api"] | None = _option(_dialect, None)

    proxy_enabled: bool = _option(_flag, default=True)
    proxy_url: str | None = _option(_text, None)
    proxy_ca: Path | None = _option(_file, None)  # noqa: RUF009
    sessions: int | None = _option(_count, None)
    session_delay: float | None = _option(_seconds, None)
    domain_delays: Mapping[str, float] = field(default_factory=dict, metadata={"read": _delays})
    margin: float | None = _option(_number, None)
    session_creation: str | None = _option(_creation, None)
    anonymous_percent: int | None = _option(_count, None)
    max_bans: int | None = _option(_some, None)
    ban_statuses: frozenset[int] = _option(_statuses, frozenset())
    concurrency: int | None = _option(_some, None)
    deadline: float | None = _option(_time, None)
    keep_download_delay: bool = _option(_flag, default=False)
    proxy_policy: RetryPolicy | None = _option(_policy, None)  # noqa: RUF009 -- a field
    close_timeout: float = _option(_seconds, 10.0)
    journal: bool = _option(_flag, default=True)

    endpoint: str | None = _option(_text, None)
    rate: float | None = _option(_rate, None)
    batch_size: int | None = _option(_some, None)
    budget: int | None = _option(_count, None)
    extraction_concurrency: int | None = _option(_some, None)
    extraction_deadline: float | None = _option(_time, None)
    extraction_policy: RetryPolicy | None = _option(_policy, None)  # noqa: RUF009 -- a field
    extraction_ahead: int = _option(_count, 1_000)

    @property
    def uses_sessions(self) -> bool:
        """Whether there is a pool of sessions for requests that name none."""
        return self.sessions != 0

    @classmethod
    def read(cls, settings: BaseSettings) -> Options:
        """The options of a crawl; raises `InvalidOption`, which names the setting and the fault."""
        known = {f"{_PREFIX}{part.name.upper()}": part for part in fields(cls)}
        for name in settings:
            if str(name).startswith(_PREFIX) and name not in known:
                near = get_close_matches(str(name), known, 1)
                raise InvalidOption.of(
                    str(name), f"there is none; {near[0]} is near" if near else "there is none"
                )
        values: dict[str, object] = {}
        for name, part in known.items():
            value: object = settings.get(name)
            if value is None and name == "SILKLINE_API_KEY":
                value = os.environ.get(name)
                if not value and settings.get("SILKLINE_DIALECT") == "zyte_api":
                    value = settings.get("ZYTE_API_KEY") or os.environ.get("ZYTE_API_KEY")
                if not value:
                    raise InvalidOption.of(name, "the key is missing, here and in the environment")
            if value is None:
                continue
            try:
                values[part.name] = part.metadata["read"](value)
            except (TypeError, ValueError) as error:
                raise InvalidOption.of(name, str(error)) from None
        return cls(**values)  # type: ignore[arg-type]
