"""The chart of a plan."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from silkline.plan import PlanReport

_UNITS = ((2 * 86_400, 86_400, "days"), (2 * 3_600, 3_600, "hours"), (120, 60, "minutes"))
_REASONS = {
    "session_cooling": ("sessions rest", "tab:blue"),
    "rate": ("rate", "tab:orange"),
    "slots_busy": ("requests under way", "tab:green"),
    "domain_occupied": ("domain occupied", "tab:red"),
    "back_off": ("back-off after failures", "tab:purple"),
    "budget": ("monthly limit", "tab:brown"),
    "answers": ("nothing left to send", "tab:gray"),
}


def draw(report: PlanReport, path: Path) -> None:
    """Writes the chart, in the format that the file's name ends in."""
    series = report["series"]
    size, unit = next(
        ((size, unit) for least, size, unit in _UNITS if report["duration_s"] > least),
        (1, "seconds"),
    )
    edges = [index * series["bin_s"] / size for index in range(len(series["sent"]) + 1)]
    end = report["duration_s"] / size
    edges[-1] = max(min(edges[-1], end), edges[-2])
    spans = [(after - before) * size for before, after in pairwise(edges)]

    figure = Figure(figsize=(9, 8), layout="constrained")
    upper, middle, lower = figure.subplots(3, 1, sharex=True)
    figure.suptitle(_title(report))
    _throughput(upper, report, edges, spans)
    _under_way(middle, report, edges)
    _waits(lower, report, edges, spans)
    lower.set_xlabel(unit)
    lower.set_xlim(0, edges[-1] or 1)
    figure.savefig(path, dpi=120)


def _title(report: PlanReport) -> str:
    from .plan_text import duration

    limit = report["limit"]["what"].replace("_", " ")
    return f"{report['pages']:,} pages in {duration(report['duration_s'])}, limited by {limit}"


def _throughput(axes: Axes, report: PlanReport, edges: list[float], spans: list[float]) -> None:
    series = report["series"]

    def rates(counts: list[int]) -> list[float]:
        return [
            count / span if span > 0 else 0.0 for count, span in zip(counts, spans, strict=True)
        ]

    done = rates(series["succeeded"])
    axes.stairs(done, edges, fill=True, alpha=0.4, label="pages done")
    if report["failed"]:
        axes.stairs(rates(series["failed"]), edges, color="tab:red", label="pages failed")
    # Sessions that begin together rest together: the mean is easier to read than the waves.
    axes.stairs(_smooth(done, spans), edges, color="tab:blue", linewidth=2, label="on average")
    axes.stairs(_smooth(rates(series["sent"]), spans), edges, color="black", label="sent")
    axes.set_ylabel("pages a second")
    axes.set_ylim(bottom=0)
    axes.legend(loc="lower right")


def _smooth(rates: list[float], spans: list[float]) -> list[float]:
    """The mean of each interval with its neighbours."""
    width = len(rates) // 24
    means = []
    for index in range(len(rates)):
        near = slice(max(0, index - width), index + width + 1)
        total = sum(rate * span for rate, span in zip(rates[near], spans[near], strict=True))
        means.append(total / (sum(spans[near]) or 1))
    return means


def _under_way(axes: Axes, report: PlanReport, edges: list[float]) -> None:
    series = report["series"]
    if report["kind"] == "proxy":
        axes.stairs(series["sessions"], edges, color="black", label="sessions")
        axes.stairs(series["under_way"], edges, fill=True, alpha=0.6, label="in use")
        axes.set_ylabel("sessions")
    else:
        axes.stairs(series["under_way"], edges, fill=True, alpha=0.6, label="requests under way")
        axes.set_ylabel("requests")
    axes.set_ylim(bottom=0)
    axes.legend(loc="lower right")


def _waits(axes: Axes, report: PlanReport, edges: list[float], spans: list[float]) -> None:
    below = [0.0] * len(spans)
    for reason, (label, color) in _REASONS.items():
        waits = report["series"]["waits_s"].get(reason)
        if waits is None:
            continue
        shares = [wait / span if span > 0 else 0.0 for wait, span in zip(waits, spans, strict=True)]
        top = [min(1.0, base + share) for base, share in zip(below, shares, strict=True)]
        axes.stairs(top, edges, baseline=below, fill=True, color=color, label=label)
        below = top
    axes.set_ylabel("waiting for")
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.legend(loc="lower right")
