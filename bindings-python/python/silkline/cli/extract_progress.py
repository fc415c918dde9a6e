"""The progress of ``silkline extract``, on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .progress import Bar

if TYPE_CHECKING:
    from silkline.engine import ExtractionStats


class Progress(Bar):
    """A bar with rate, time left, errors and cost; without tqdm, or a terminal, only messages."""

    def __init__(self, *, total: int | None, shown: bool | None, price: float) -> None:
        super().__init__("extract", total=total, shown=shown, unit="q")
        self._price = price

    def skip(self) -> None:
        """A query was finished by an earlier run: no sign of this one's rate."""
        if self._bar is not None:
            self._bar.initial += 1
            self._bar.update(1)

    def step(self, errors: int, stats: ExtractionStats) -> None:
        """A query is finished."""
        self.advance(f"errors={errors}, cost={self.cost(stats)}")

    def cost(self, stats: ExtractionStats) -> str:
        """What the queries cost, with those of which nobody knows."""
        known = stats.usage.billed * self._price / 100_000
        most = (stats.usage.billed + stats.usage.unknown) * self._price / 100_000
        return f"${known:.4f}" if most == known else f"${known:.4f}-{most:.4f}"
