"""``silkline plan``: how long a crawl will take, what it will cost, and what limits it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from silkline import InvalidPlan
from silkline.plan import Plan

from . import plan_values, values
from .plan_text import text

if TYPE_CHECKING:
    from silkline.plan import PlanReport

_DESCRIPTION = """\
Says how long a crawl will take, what it will cost, what limits it and what to change.

Runs the whole crawl in virtual time, the engine of this library against the service as documented:
a million pages take seconds. Pages are fetched through sessions (--kind proxy, what --sessions and
the other settings of sessions mean) or extracted (--kind extract, the default).
"""

_EPILOG = """\
Shares are written as 0.05 or 5%, times as a number of seconds.

exit status:
  0  the plan is made
  1  interrupted, or the crawl ends early: a refused account, say
  2  wrong usage

examples:
  silkline plan --pages 1000000 --domains 500 --sessions 5000 --chart plan.png
  silkline plan --kind extract --pages 250000 --domains 40 --spread zipf --domain-rate 1
  silkline plan --domain-file counts.txt --sessions 100 --domain-delay shop.example=30 --bans 2%
  silkline plan --dialect zyte_api --pages 100000 --concurrency 500 --json
"""

_SESSIONS = ("sessions", "session_delay", "domain_delay", "margin")


def add_parser(commands: Any) -> None:
    """Adds the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "plan",
        help="say how long a crawl will take, what it will cost and what limits it",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=_run, extra="plan", _parser=parser)

    crawl = parser.add_argument_group("crawl")
    add = crawl.add_argument
    add("--pages", "-n", metavar="N", type=values.count, help="how many pages")
    add("--domains", metavar="D", type=values.count, help="over how many domains (default: 1)")
    add(
        "--spread",
        choices=("even", "zipf"),
        help="how pages are spread over the domains: evenly (the default), or the n-th largest "
        "domain has 1/n^s of the largest's",
    )
    add("--zipf-exponent", metavar="S", type=values.number, help="that s (default: 1)")
    add(
        "--domain-file",
        metavar="FILE",
        type=Path,
        help="the domains with their pages instead: lines of `domain count`, or of URLs, which "
        "are counted; - is stdin",
    )
    add(
        "--kind",
        choices=("proxy", "extract"),
        help="through sessions, or by an extraction service (default: proxy if a setting of "
        "sessions is given)",
    )
    add(
        "--dialect",
        choices=("smart_proxy_manager", "automatic_extraction", "zyte_api"),
        help="whose limits hold (default: Smart Proxy Manager's or the Automatic Extraction API's)",
    )

    sessions = parser.add_argument_group("sessions")
    add = sessions.add_argument
    add("--sessions", metavar="S", type=values.count, help="how many (default: 100)")
    add(
        "--session-delay",
        metavar="SECONDS",
        type=values.seconds,
        help="time between requests of a session (default: 12; 0 for zyte_api)",
    )
    add(
        "--domain-delay",
        metavar="DOMAIN=SECONDS",
        action="append",
        type=values.domain_seconds,
        help="the same for a domain and all below it; may be repeated. Domains that are no "
        "file's are site-1.example, the largest, site-2.example and so on",
    )
    add(
        "--margin",
        metavar="SECONDS",
        type=values.seconds,
        help="how much later than it was sent a request may arrive (default: 0.25)",
    )

    pace = parser.add_argument_group("limits and pace")
    add = pace.add_argument
    rate = pace.add_mutually_exclusive_group()
    rate.add_argument(
        "--rate",
        metavar="N",
        type=plan_values.positive,
        help="queries a second that the account may send (default: 5; none for "
        "smart_proxy_manager)",
    )
    rate.add_argument(
        "--rate-per-minute",
        metavar="N",
        type=plan_values.positive,
        help="the same by the minute (default for zyte_api: 3000)",
    )
    add("--burst", metavar="N", type=values.count, help="queries at once after a rest (default: 1)")
    add(
        "--batch-size",
        metavar="N",
        type=values.count,
        help="queries in a request (default: 1, all that zyte_api takes)",
    )
    add(
        "--concurrency",
        metavar="N",
        type=values.count,
        help="requests under way at a time (default: 100; as many as sessions can use)",
    )
    add(
        "--queue-size",
        metavar="N",
        type=values.count,
        help="pages to look ahead, from which those of free domains go first (default: 100000)",
    )
    add(
        "--domain-rate",
        metavar="N",
        type=plan_values.positive,
        help="queries a second of one domain before the service calls it occupied (default: no "
        "limit)",
    )
    add(
        "--domain-concurrency",
        metavar="N",
        type=values.count,
        help="queries of one domain at a time before the service calls it occupied (default: no "
        "limit)",
    )

    world = parser.add_argument_group("what happens")
    add = world.add_argument
    add(
        "--latency",
        metavar="SECONDS",
        type=plan_values.span,
        help="time in which a page is there, or the shortest and the longest: 2-20 (default: 1-3 "
        "through a proxy, 2-20 for an extraction)",
    )
    add(
        "--network-latency",
        metavar="SECONDS",
        type=values.seconds,
        help="longest time on the way to the service, and back (default: 0.05)",
    )
    share = plan_values.share
    add("--bans", metavar="SHARE", type=share, help="requests that targets ban")
    add("--errors", metavar="SHARE", type=share, help="requests that fail at service or target")
    add("--failures", metavar="SHARE", type=share, help="requests that are lost on the way")
    add("--faults", metavar="SHARE", type=share, help="a share of all three: 3%% is 1%% of each")
    add(
        "--fault-script",
        metavar="FILE",
        type=Path,
        help="further faults, as of `silkline sandbox --faults` or `--proxy-faults`",
    )
    add("--seed", metavar="N", type=values.seed, help="where chance begins (default: 1)")

    cost = parser.add_argument_group("cost")
    add = cost.add_argument
    add(
        "--price",
        metavar="DOLLARS",
        type=values.number,
        help="price of a month with a quota of billed pages, what is more being billed pro rata "
        "(default: 60, as documented for the Automatic Extraction API; 0 for zyte_api)",
    )
    add("--quota", metavar="N", type=values.count, help="that quota (default: 100000)")
    add(
        "--month-limit",
        metavar="N",
        type=values.from_zero,
        help="billed pages that a month may have, 0 for no limit (default: 500000 for the "
        "Automatic Extraction API). What is more is refused and waits for the next month",
    )
    add("--month-days", metavar="DAYS", type=values.number, help="days of a month (default: 30)")

    output = parser.add_argument_group("output")
    add = output.add_argument
    add(
        "--chart", metavar="FILE", type=Path, help="draw throughput, sessions and waits: .png, .svg"
    )
    add("--json", action="store_true", help="print the report as JSON, durations in seconds")
    show = parser.add_mutually_exclusive_group()
    show.add_argument(
        "--progress",
        action="store_const",
        const=True,
        default=None,
        help="show on stderr how far it is even if that is no terminal",
    )
    show.add_argument(
        "--no-progress", action="store_const", const=False, dest="progress", help="do not show it"
    )


def _run(options: argparse.Namespace) -> int:
    parser: argparse.ArgumentParser = options._parser  # noqa: SLF001
    if options.pages is None and options.domain_file is None:
        parser.error("give --pages or --domain-file")
    if options.domain_file is not None and (options.pages or options.domains or options.spread):
        parser.error("argument --domain-file: has pages and domains of its own")
    chart: Path | None = options.chart
    if chart is not None:
        if chart.suffix.lower() not in {".png", ".svg"}:
            parser.error("argument --chart: the name of the file ends in .png or .svg")
        from .plan_chart import draw  # what is missing is told before the crawl is run
    try:
        plan = _plan(options)
    except (InvalidPlan, plan_values.InvalidFile) as error:
        parser.error(error.reason)
    except OSError as error:
        parser.error(str(error))
    try:
        report = _report(plan, options.progress)
        if options.json:
            print(json.dumps(report), flush=True)
        else:
            print(text(report), end="", flush=True)
        if chart is not None:
            draw(report, chart)
    except KeyboardInterrupt:
        print("silkline plan: interrupted", file=sys.stderr)
        return 1
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"silkline plan: {error}", file=sys.stderr)
        return 2
    return int(report["stopped"] is not None)


def _plan(options: argparse.Namespace) -> Plan:
    kind = options.kind
    if kind is None:
        dialect = {"smart_proxy_manager": "proxy", "automatic_extraction": "extract"}
        sessions = any(getattr(options, name) is not None for name in _SESSIONS)
        kind = dialect.get(options.dialect, "proxy" if sessions else "extract")
    third = None if options.faults is None else options.faults / 3
    days: float | None = options.month_days
    domains = options.domain_file and plan_values.domain_pages(options.domain_file)
    return Plan(
        "proxy" if kind == "proxy" else "extraction",
        pages=options.pages,
        domains=options.domains,
        dialect=options.dialect,
        spread=options.spread,
        zipf_exponent=options.zipf_exponent,
        domain_pages=domains,
        sessions=options.sessions,
        session_delay=options.session_delay,
        domain_delays=options.domain_delay and dict(options.domain_delay),
        margin=options.margin,
        rate=options.rate,
        rate_per_minute=options.rate_per_minute,
        burst=options.burst,
        batch_size=options.batch_size,
        concurrency=options.concurrency,
        queue_size=options.queue_size,
        domain_rate=options.domain_rate,
        domain_concurrency=options.domain_concurrency,
        latency=options.latency,
        network_latency=options.network_latency,
        bans=third if options.bans is None else options.bans,
        errors=third if options.errors is None else options.errors,
        failures=third if options.failures is None else options.failures,
        faults=options.fault_script and plan_values.fault_script(options.fault_script),
        price=options.price,
        quota=options.quota,
        month_limit=options.month_limit,
        month=None if days is None else days * 86_400,
        seed=options.seed,
    )


def _report(plan: Plan, shown: bool | None) -> PlanReport:
    if not (shown or (shown is None and sys.stderr.isatty())):
        return plan.run()
    last = 0.0

    def show(finished: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= 0.2 or finished == total:
            last = time.monotonic()
            print(f"\rplanning: {finished / total:4.0%} of {total} pages", end="", file=sys.stderr)

    try:
        return plan.run(show)
    finally:
        show(*plan.progress)
        print(file=sys.stderr)
