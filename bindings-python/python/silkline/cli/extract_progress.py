"""The progress of ``silkline extract``, on stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from silkline.engine import ExtractionStats


class Progress:
    """A bar with rate, time left, errors and cost; without tqdm, or a terminal, only messages."""

    def __init__(self, *, total: int | None, shown: bool | None, price: float) -> None:
        self._price = price
        self._bar: Any = None
        if shown or (shown is None and sys.stderr.isatty()):
            try:
                from tqdm import tqdm
            except ModuleNotFoundError:
                if shown:
                    raise
                return
            self._bar = tqdm(total=total, unit="q", file=sys.stderr, dynamic_ncols=True)

    def skip(self) -> None:
        """A query was finished by an earlier run: no sign of this one's rate."""
        if self._bar is not None:
            self._bar.initial += 1
            self._bar.update(1)

    def step(self, errors: int, stats: ExtractionStats) -> None:
        """A query is finished."""
        if self._bar is not None:
            self._bar.set_postfix_str(f"errors={errors}, cost={self.cost(stats)}", refresh=False)
            self._bar.update(1)

    def cost(self, stats: ExtractionStats) -> str:
        """What the queries cost, with those of which nobody knows."""
        known = stats.usage.billed * self._price / 100_000
        most = (stats.usage.billed + stats.usage.unknown) * self._price / 100_000
        return f"${known:.4f}" if most == known else f"${known:.4f}-{most:.4f}"

    def say(self, message: str) -> None:
        """Writes a message, above the bar."""
        if self._bar is not None:
            self._bar.clear()
        print(f"silkline extract: {message}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leaves the bar as it is."""
        if self._bar is not None:
            self._bar.close()
