"""The progress of ``silkline extract``, on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .progress import Bar

if TYPE_CHECKING:
    from silkline.engine import ExtractionStats


class Progress(Bar):
    """A bar with rate, time left, errors and cost; without tqdm, or a terminal, only messages.

    The cost is in dollars where there is a price, of 100,000 queries, else in queries.
    """

    def __init__(self, *, total: int | None, shown: bool | None, price: float | None) -> None:
        super().__init__("extract", total=total, shown=shown, unit="q")
        self._price = price

    def skip(self) -> None:
        """A query was finished by an earlier run: no sign of this one's rate."""
        if self._bar is not None:
            self._bar.initial += 1
            self._bar.update(1)

    def step(self, errors: int, stats: ExtractionStats) -> None:
        """A query is finished."""
        self.advance(f"errors={errors}, {self.cost(stats)}")

    def cost(self, stats: ExtractionStats) -> str:
        """What the queries cost, with those of which nobody knows if they were billed."""
        least, most = stats.usage.billed, stats.usage.billed + stats.usage.unknown
        if self._price is None:
            span = f"{least}" if most == least else f"{least}-{most}"
            return f"{span} billed {'query' if span == '1' else 'queries'}"
        one = self._price / 100_000
        span = f"{least * one:.4f}" if most == least else f"{least * one:.4f}-{most * one:.4f}"
        return f"cost ${span}"
