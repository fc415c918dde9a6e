"""A progress bar on stderr."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Bar:
    """A bar, if it is wanted; without tqdm, or a terminal, only messages."""

    def __init__(self, command: str, *, total: int | None, shown: bool | None, unit: str) -> None:
        self._command = command
        self._bar: Any = None
        if shown or (shown is None and sys.stderr.isatty()):
            try:
                from tqdm import tqdm
            except ModuleNotFoundError:
                if shown:
                    raise
                return
            self._bar = tqdm(total=total, unit=unit, file=sys.stderr, dynamic_ncols=True)

    def advance(self, text: str) -> None:
        """One more is done; the text stands behind the bar."""
        if self._bar is not None:
            self._bar.set_postfix_str(text, refresh=False)
            self._bar.update(1)

    def say(self, message: str) -> None:
        """Writes a message, above the bar."""
        if self._bar is not None:
            self._bar.clear()
        print(f"silkline {self._command}: {message}", file=sys.stderr, flush=True)

    @contextmanager
    def warnings(self) -> Iterator[None]:
        """Says what the drivers warn of, too."""
        handler = _Warnings(self)
        log = logging.getLogger("silkline.aio")
        log.addHandler(handler)
        try:
            yield
        finally:
            log.removeHandler(handler)

    def close(self) -> None:
        """Leaves the bar as it is."""
        if self._bar is not None:
            self._bar.close()


class _Warnings(logging.Handler):
    def __init__(self, bar: Bar) -> None:
        super().__init__(logging.WARNING)
        self._bar = bar

    def emit(self, record: logging.LogRecord) -> None:
        """Passes a warning on."""
        self._bar.say(record.getMessage())
