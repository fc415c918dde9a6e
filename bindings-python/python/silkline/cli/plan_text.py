"""A plan's report for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from silkline.plan import Change, PlanReport

_LIMITS = {
    "back_off": "failed requests, which wait before another try",
    "concurrency": "the requests that may be under way at a time",
    "largest_domain": "the largest domain, which was occupied",
    "latency": "the time that a page takes: nothing was left to send",
    "monthly_limit": "the monthly limit",
    "rate": "the rate of the account",
    "sessions": "the sessions, which have to rest between requests",
}
_DIALECTS = {
    "automatic_extraction": "the Automatic Extraction API",
    "smart_proxy_manager": "Smart Proxy Manager",
    "zyte_api": "Zyte API",
}


def duration(seconds: float) -> str:
    """A duration in its two largest units."""
    units = (("d", 86_400), ("h", 3_600), ("min", 60))
    for place, (name, size) in enumerate(units):
        if seconds >= size:
            smaller, part = [*units[place + 1 :], ("s", 1)][0]
            whole = int(seconds // size)
            rest = int(seconds % size // part)
            return f"{whole} {name} {rest} {smaller}"
    return f"{seconds:.1f} s"


def text(report: PlanReport) -> str:
    """The report, line by line."""
    return "".join(f"{line}\n" for line in _lines(report))


def _lines(report: PlanReport) -> Iterator[str]:
    largest, seconds = report["largest_domain"], report["duration_s"]
    sessions = "through sessions of" if report["kind"] == "proxy" else "by"
    yield (
        f"{report['pages']:,} pages of {report['domains']:,} "
        f"{'domains' if report['domains'] > 1 else 'domain'} {sessions} "
        f"{_DIALECTS[report['dialect']]}; {largest['name']} has most: {largest['pages']:,}"
    )
    if report["stopped"] is not None:
        done = report["succeeded"] + report["failed"]
        yield f"  ends early   after {done:,} pages: {report['stopped']}"
    rate = report["succeeded"] / seconds if seconds else 0.0
    per = f"{rate:,.1f} pages a second" if rate >= 1 else f"{rate * 60:,.1f} pages a minute"
    yield f"  takes        {duration(seconds)} ({per})"
    yield from _cost(report)
    limit = report["limit"]
    yield (
        f"  limited by   {limit['what']}: {_LIMITS[limit['what']]} "
        f"({limit['waited_share']:.0%} of the time)"
    )
    for number, change in enumerate(report["changes"]):
        label = "" if number else "to change"
        yield f"  {label:<12} {_change(change)}"
    if not report["changes"]:
        yield f"  to change    {_nothing(report)}"
    yield (
        f"  requests     {report['requests']:,}, {report['retries']:,} of them retries; "
        f"{report['failed']:,} pages failed"
    )
    for code, count in sorted(report["errors"].items(), key=lambda item: -item[1]):
        yield f"               {count:,} {code}"


def _cost(report: PlanReport) -> Iterator[str]:
    cost = report["cost"]
    months = len(cost["months"])
    if not cost["price"]:
        yield f"  costs        {cost['billed']:,} billed pages, whose price is not known: --price"
        return
    yield (
        f"  costs        ${cost['dollars']:,.2f}: {cost['billed']:,} billed pages in {months} "
        f"{'months' if months > 1 else 'month'}, ${cost['price']:,.2f} a month with "
        f"{cost['quota']:,} and pro rata beyond"
    )
    if cost["possibly_billed"]:
        yield f"               and perhaps {cost['possibly_billed']:,} whose answer was lost"
    if cost["refused"]:
        yield (
            f"               {cost['refused']:,} are refused in the first month, past its limit "
            f"of {cost['month_limit']:,}: they wait for the next"
        )
    if report["kind"] == "proxy":
        yield "               (the price of extraction queries; that of your plan: --price, --quota)"


def _change(change: Change) -> str:
    before, after, then = change["from"], change["to"], duration(change["duration_s"])
    outcome = f"about {then}, limited by {change['then']}"
    match change["setting"]:
        case "rate":
            per = {1.0: "a second", 60.0: "a minute"}.get(change["per_s"] or 0.0)
            per = per or f"in {change['per_s']:g} seconds"
            return f"a rate of {after:,} {per} instead of {before:,} (ask the support): {outcome}"
        case "month_limit":
            return f"a monthly limit of {after:,} (ask the support): {outcome}"
        case "domain_pages":
            return f"{after:,} pages of {change['domain']} instead of {before:,}: {outcome}"
        case "concurrency":
            return f"{after:,} requests under way instead of {before:,}: {outcome}"
        case setting:
            return f"{after:,} {setting} instead of {before:,}: {outcome}"


def _nothing(report: PlanReport) -> str:
    match report["limit"]["what"]:
        case "sessions":
            return "nothing: the service keeps no more sessions at once"
        case "back_off":
            return "fewer faults: nothing else is waited for as long"
        case _:
            return "nothing: no setting makes a page come sooner"
