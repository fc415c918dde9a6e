"""How long a crawl will take, what it will cost, and what limits it.

A `Plan` runs a whole crawl in virtual time, the engine against the service as documented, and needs
seconds for a million pages. The command ``silkline plan`` draws what it finds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypedDict, cast

from ._core import PlanRun
from .exceptions import InvalidPlan

__all__ = [
    "Change",
    "Cost",
    "LargestDomain",
    "Limit",
    "Plan",
    "PlanReport",
    "PlanRun",
    "Series",
]


class LargestDomain(TypedDict):
    """The domain with the most pages."""

    name: str
    pages: int


class Cost(TypedDict):
    """What a crawl costs."""

    dollars: float
    """The price of all months, 0 if there is none."""
    billed: int
    """Pages that are billed."""
    months: list[int]
    """The same by month."""
    possibly_billed: int
    """Requests of which nobody knows, because their answer was lost."""
    price: float
    """The price of a month."""
    quota: int
    """How many billed pages are in it; what is more is billed pro rata."""
    month_limit: int | None
    """How many billed pages a month may have."""
    refused: int
    """Pages that the first month refuses: they wait for the next one."""


class Limit(TypedDict):
    """What a crawl waits for most."""

    what: str
    """sessions, rate, concurrency, largest_domain, monthly_limit, back_off or latency."""
    waited_s: float
    """How long nothing could be sent because of it."""
    waited_share: float
    """The same as a share of the crawl."""


# `from` is a keyword.
Change = TypedDict(
    "Change",
    {
        "setting": str,
        "domain": str | None,
        "from": int,
        "to": int,
        "per_s": float | None,
        "duration_s": float,
        "then": str,
    },
)
"""A setting that would make the crawl shorter, and about how long it would take then."""


class Series(TypedDict):
    """What happened over time, by intervals of equal length."""

    bin_s: float
    """How long an interval is."""
    sent: list[int]
    """Pages sent in each."""
    succeeded: list[int]
    """Pages done in each."""
    failed: list[int]
    """Pages failed in each."""
    under_way: list[float]
    """Requests under way on average: each uses a session of a proxied crawl."""
    sessions: list[float]
    """Sessions alive on average."""
    waits_s: dict[str, list[float]]
    """How long nothing could be sent, by reason."""


class PlanReport(TypedDict):
    """What came of a plan; durations are in seconds."""

    kind: str
    dialect: str
    pages: int
    domains: int
    largest_domain: LargestDomain
    duration_s: float
    """From the first moment to the end of the last page."""
    succeeded: int
    failed: int
    errors: dict[str, int]
    """Failed pages by the code of their error."""
    requests: int
    retries: int
    throttled: int
    """Answers by which the service asked to slow down."""
    early: int
    """Requests that came earlier than the service allows, by its own count."""
    answer_s: float
    """How long an answer took on average."""
    cost: Cost
    limit: Limit
    bounds_s: dict[str, float]
    """The least time that each limit allows for as many requests."""
    waits_s: dict[str, float]
    """How long nothing could be sent, by the engine's own reason."""
    changes: list[Change]
    stopped: str | None
    """Why it ended before all pages were done or failed."""
    series: Series


class Plan:
    """A crawl in virtual time; what is left out is as the engines and the services have it.

    Arguments:
        kind: Whether pages are fetched through sessions or extracted.
        pages: How many; not needed with `domain_pages`.
        domains: Over how many domains.
        dialect: Whose limits hold: ``smart_proxy_manager``, ``automatic_extraction``, ``zyte_api``.
        spread: How pages are spread over the domains.
        zipf_exponent: Of the spread ``zipf``: the n-th largest domain has 1/n**s of the largest's.
        domain_pages: The pages of each domain, instead of `pages` and `domains`.
        sessions: How many sessions.
        session_delay: Seconds between requests of a session.
        domain_delays: The same for some domains.
        margin: How much later than it was sent a request may arrive, in seconds.
        rate: Requests or queries that the account may send a second.
        rate_per_minute: The same by the minute.
        burst: Queries at once after a rest.
        batch_size: Queries of a request.
        concurrency: Requests under way at a time.
        queue_size: Pages that the engine looks ahead.
        domain_rate: Queries a second that a domain takes before it is occupied.
        domain_concurrency: Queries at a time that a domain takes before it is occupied.
        latency: The shortest and the longest time in which a page is there, in seconds.
        network_latency: The longest time on the way to the service, and back, in seconds.
        bans: The share of requests that targets ban.
        errors: The share of requests that fail at the service or the target.
        failures: The share of requests that are lost on the way.
        faults: Rules of the service's fault script, as of `silkline.service`.
        price: Dollars for a month with `quota` billed pages, 0 if there is no price.
        quota: Billed pages in the price of a month; what is more is billed pro rata.
        month_limit: Billed pages that a month may have, 0 for no limit.
        month: Seconds of a month.
        seed: Where chance begins.

    >>> from silkline.plan import Plan
    >>> plan = Plan("extraction", pages=3000, domains=20, rate=10)
    >>> report = plan.run()
    >>> report["limit"]["what"], round(report["duration_s"] / 60), report["cost"]["dollars"]
    ('concurrency', 6, 60.0)
    """

    _run: PlanRun

    def __init__(
        self,
        kind: Literal["extraction", "proxy"],
        *,
        pages: int | None = None,
        domains: int | None = None,
        dialect: Literal["automatic_extraction", "smart_proxy_manager", "zyte_api"] | None = None,
        spread: Literal["even", "zipf"] | None = None,
        zipf_exponent: float | None = None,
        domain_pages: Mapping[str, int] | None = None,
        sessions: int | None = None,
        session_delay: float | None = None,
        domain_delays: Mapping[str, float] | None = None,
        margin: float | None = None,
        rate: float | None = None,
        rate_per_minute: float | None = None,
        burst: int | None = None,
        batch_size: int | None = None,
        concurrency: int | None = None,
        queue_size: int | None = None,
        domain_rate: float | None = None,
        domain_concurrency: int | None = None,
        latency: tuple[float, float] | None = None,
        network_latency: float | None = None,
        bans: float | None = None,
        errors: float | None = None,
        failures: float | None = None,
        faults: Iterable[Mapping[str, Any]] | None = None,
        price: float | None = None,
        quota: int | None = None,
        month_limit: int | None = None,
        month: float | None = None,
        seed: int | None = None,
    ) -> None:
        if rate is not None and rate_per_minute is not None:
            raise TypeError("rate and rate_per_minute are the same setting")
        settings: dict[str, Any] = {
            "kind": kind,
            "pages": pages,
            "domains": domains,
            "dialect": dialect,
            "spread": spread,
            "zipf_percent": _scaled(zipf_exponent, 100),
            "domain_pages": domain_pages and list(domain_pages.items()),
            "sessions": sessions,
            "session_delay_us": _micros(session_delay),
            "domain_delays_us": domain_delays and _micros_of_each(domain_delays),
            "margin_us": _micros(margin),
            "rate": _rate(rate, 1) or _rate(rate_per_minute, 60),
            "burst": burst,
            "batch_size": batch_size,
            "concurrency": concurrency,
            "queue_size": queue_size,
            "domain_interval_us": domain_rate and _micros(1 / domain_rate),
            "domain_concurrency": domain_concurrency,
            "latency_us": latency and [_micros(seconds) for seconds in latency],
            "network_us": _micros(network_latency),
            "bans_ppm": _micros(bans),
            "errors_ppm": _micros(errors),
            "failures_ppm": _micros(failures),
            "faults": faults and list(faults),
            "price_micros": _micros(price),
            "quota": quota,
            "month_limit": month_limit,
            "month_us": _micros(month),
            "seed": seed,
        }
        given = {name: value for name, value in settings.items() if value is not None}
        self._run = PlanRun(json.dumps(given))

    @classmethod
    def from_json(cls, settings: str) -> Plan:
        """A plan by settings as JSON, as the core names them: microseconds, parts of a million.

        >>> from silkline.plan import Plan
        >>> Plan.from_json('{"kind": "proxy", "pages": 100, "session_delay_us": 500000}')
        <Plan: 0 of 100 pages>
        """
        plan = cls.__new__(cls)
        plan._run = PlanRun(settings)  # noqa: SLF001
        return plan

    def advance(self, moments: int = 10_000) -> bool:
        """Goes on by so many moments of virtual time; true if the crawl is over.

        Other threads are not held up meanwhile. Some ten thousand moments take a part of a second.
        """
        return self._run.advance(moments)

    @property
    def progress(self) -> tuple[int, int]:
        """Pages that are done or failed, and all pages."""
        return self._run.progress()[:2]

    @property
    def elapsed(self) -> float:
        """Seconds of virtual time so far."""
        return self._run.progress()[2] / 1e6

    def run(self, on_progress: Callable[[int, int], None] | None = None) -> PlanReport:
        """Runs to the end; calls back with pages that are done or failed, and all pages."""
        while not self.advance():
            if on_progress:
                on_progress(*self.progress)
        return self.report()

    def report(self) -> PlanReport:
        """What came of it, so far if it is not over."""
        return cast("PlanReport", _named(json.loads(self.report_json())))

    def report_json(self) -> str:
        """The report as the core names it: microseconds, parts of a million."""
        return self._run.report()

    def __repr__(self) -> str:
        finished, total = self.progress
        return f"<Plan: {finished} of {total} pages>"


def _scaled(value: float | None, by: int) -> int | None:
    if value is None:
        return None
    try:
        scaled = round(value * by)
    except (OverflowError, ValueError):
        scaled = -1
    if scaled < 0:
        raise _invalid(f"{value} is not a number from 0 on")
    return scaled


def _micros(value: float | None) -> int | None:
    return _scaled(value, 1_000_000)


def _micros_of_each(values: Mapping[str, float]) -> dict[str, int | None]:
    return {name: _micros(value) for name, value in values.items()}


def _rate(value: float | None, seconds: int) -> list[int] | None:
    if value is None:
        return None
    if float(value).is_integer():
        return [int(value), seconds * 1_000_000]
    return [_micros(value) or 0, seconds * 1_000_000_000_000]


def _invalid(reason: str) -> InvalidPlan:
    return InvalidPlan(f"the plan cannot be made: {reason}", code="invalid_plan", reason=reason)


# What the core's units become, by the end of a name.
_UNITS = (
    ("price_micros", "price", 1e6),
    ("micros", "dollars", 1e6),
    ("_us", "_s", 1e6),
    ("_ppm", "_share", 1e6),
    ("_milli", "", 1e3),
)


def _named(value: Any, per: float | None = None) -> Any:
    """Durations in seconds, shares as fractions, money in dollars."""
    if isinstance(value, dict):
        return dict(_member(name, member, per) for name, member in value.items())
    if isinstance(value, list):
        return [_named(element, per) for element in value]
    if per and isinstance(value, int):
        return value / per
    return value


def _member(name: str, value: Any, per: float | None) -> tuple[str, Any]:
    for end, other, unit in _UNITS:
        if per is None and name.endswith(end):
            return name.removesuffix(end) + other, _named(value, unit)
    return name, _named(value, per)
