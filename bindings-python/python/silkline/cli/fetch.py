"""``silkline fetch``: pages through sessions."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import values
from .extract_input import InputError
from .fetch_input import Target, is_url, targets, total
from .fetch_output import INDEX, Output, key
from .progress import Bar
from .results import Known, OutputError
from .service import KEY_HELP, add_proxy_options, api_key
from .signals import on_signals

if TYPE_CHECKING:
    from silkline.aio import Outcome, SessionProxy

_DESCRIPTION = """\
Fetches URLs through sessions of Smart Proxy Manager, each of which has an outgoing address.

A SOURCE is a URL, a file with a URL on each line, or - for stdin. A line may also be a JSON object
with url, method, headers, params, data or json, session, replace_session, outside_sessions and
priority. Each request goes through a session of a pool that paces itself; those of one session name
go one after the other through one session. What can be tried again is; redirects are followed, in
the same session.

The body of a single URL goes to stdout. Else each answer is a line of JSON, with its body as text or
in base64; with --folder, bodies are files, and the lines are its index.jsonl.
"""

_EPILOG = (
    KEY_HELP
    + """
exit status:
  0  every URL was answered with a status below 400
  1  some were not, or are not done: Ctrl-C
  2  wrong usage, or the service refuses the account

examples:
  silkline fetch https://example.com/ > page.html
  silkline fetch urls.txt --sessions 50 --session-delay 12 -o answers.jsonl
  silkline fetch urls.txt --sessions 50 --session-delay 12 -o answers.jsonl --resume
  silkline fetch urls.txt --folder pages --ca silkline-ca.pem --endpoint http://localhost:8011
  silkline fetch https://shop.example/login https://shop.example/orders --session me
"""
)

# What ends requests that were not done when the command was stopped.
_UNFINISHED = frozenset({"engine_closed", "job_cancelled", "job_closed"})
_DELETE_SECONDS = 10.0
# How long the answers under way are awaited that nobody can be given: they name sessions to delete.
_LEAVE_SECONDS = 2.0
_TOLD = 200


def add_parser(commands: Any) -> None:
    """Adds the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "fetch",
        help="fetch pages through sessions of Smart Proxy Manager",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=_run, extra="cli", _parser=parser)
    parser.add_argument(
        "sources", metavar="SOURCE", nargs="+", help="a URL, a file of them, or - for stdin"
    )

    output = parser.add_argument_group("answers")
    where = output.add_mutually_exclusive_group()
    where.add_argument("--output", "-o", metavar="OUT", type=Path, help="file for the answers")
    where.add_argument("--folder", "-d", metavar="DIR", type=Path, help="folder for the bodies")
    end = output.add_mutually_exclusive_group()
    end.add_argument(
        "--resume", action="store_true", help="go on with an OUT, or a DIR, that has answers"
    )
    end.add_argument(
        "--overwrite", action="store_true", help="throw away what OUT, or the index of DIR, holds"
    )

    requests = parser.add_argument_group("requests")
    add = requests.add_argument
    add("--method", "-X", metavar="METHOD", help="method (default: GET, or POST with --data)")
    add("--data", metavar="TEXT", help="body of the requests, @FILE for that of a file")
    add(
        "--header",
        "-H",
        metavar="'NAME: VALUE'",
        type=_header,
        action="append",
        dest="headers",
        help="a header; may repeat. Those that begin with X-Crawlera- are for the service",
    )
    add("--no-redirects", action="store_true", help="give redirects as they are")
    add(
        "--max-redirects",
        metavar="N",
        type=values.from_zero,
        default=20,
        help="redirects to follow",
    )
    add(
        "--max-body",
        metavar="BYTES",
        type=values.count,
        default=100_000_000,
        help="size that a body may have (default: %(default)s)",
    )

    service = add_proxy_options(parser)
    service.add_argument(
        "--transport",
        choices=("aiohttp", "httpx"),
        default="aiohttp",
        help="HTTP client to send with (default: %(default)s)",
    )

    sessions = parser.add_argument_group("sessions and pace (left out: as the service documents)")
    add = sessions.add_argument
    kind = sessions.add_mutually_exclusive_group()
    kind.add_argument("--session", metavar="NAME", help="send all through one session, in order")
    kind.add_argument("--outside-sessions", action="store_true", help="use no sessions")
    add("--sessions", metavar="N", type=values.count, help="sessions at most (default: 100)")
    add(
        "--session-delay",
        metavar="SECONDS",
        type=values.seconds,
        help="time between the requests of a session (documented: 12)",
    )
    add(
        "--domain-delay",
        metavar="DOMAIN=SECONDS",
        type=values.domain_seconds,
        action="append",
        dest="domain_delays",
        help="another such time for a domain and all below it; may repeat",
    )
    add("--concurrency", metavar="N", type=values.count, help="requests under way at a time")
    add(
        "--queue-size",
        metavar="N",
        type=values.count,
        default=1_000,
        help="requests to look ahead (default: %(default)s)",
    )
    add("--keep-sessions", action="store_true", help="do not delete the sessions at the end")
    add(
        "--grace",
        metavar="SECONDS",
        type=values.seconds,
        default=10.0,
        help="time that requests under way have after the first Ctrl-C (default: %(default)g)",
    )
    show = parser.add_mutually_exclusive_group()
    show.add_argument(
        "--progress",
        action="store_const",
        const=True,
        default=None,
        help="show a progress bar on stderr even if that is no terminal",
    )
    show.add_argument(
        "--no-progress", action="store_const", const=False, dest="progress", help="show none"
    )


def _header(text: str) -> tuple[str, str]:
    name, mark, value = text.partition(":")
    if not mark or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form 'NAME: VALUE'")
    return name.strip(), value.strip()


def _run(options: argparse.Namespace) -> int:
    parser: argparse.ArgumentParser = options._parser  # noqa: SLF001
    file = None if str(options.output) in {"None", "-"} else options.output
    single = len(options.sources) == 1 and is_url(options.sources[0])
    if options.resume and file is None and options.folder is None:
        parser.error("argument --resume: stdout cannot be resumed, name a file by --output")
    try:
        defaults = _defaults(options)
        for source in options.sources:
            if source != "-" and not is_url(source):
                Path(source).open("rb").close()
                if _is_output(source, file, options.folder):
                    parser.error(f"argument SOURCE: {source} is where the answers go")
    except OSError as error:
        parser.error(values.why(error))
    try:
        proxy = _proxy(options, api_key(parser, options))
    except (ValueError, OverflowError, OSError) as error:
        parser.error(str(error))
    output = Output(
        file=file,
        folder=options.folder,
        body_only=single and options.output is None and options.folder is None,
    )
    bar = Bar("fetch", total=total(options.sources), shown=options.progress, unit="req")
    try:
        with output, bar.warnings():
            finished = output.open(resume=options.resume, overwrite=options.overwrite)
            run = _Fetching(proxy, output, finished, bar)
            return asyncio.run(run.run(options.sources, defaults, options.grace))
    except (OutputError, InputError) as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        return 1
    except BrokenPipeError:
        # Whoever read the answers has enough. What Python would flush at its end goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"silkline fetch: {error}", file=sys.stderr)
        return 2
    finally:
        bar.close()


def _is_output(source: str, file: Path | None, folder: Path | None) -> bool:
    """Whether the answers would be written over their source."""
    path = file if folder is None else folder / INDEX
    return path is not None and path.exists() and path.samefile(source)


def _defaults(options: argparse.Namespace) -> dict[str, Any]:
    """What holds for every request that does not say otherwise."""
    found: dict[str, Any] = {}
    if options.data is not None:
        text: str = options.data
        found["data"] = Path(text[1:]).read_bytes() if text.startswith("@") else text
        found["method"] = "POST"
    if options.method:
        found["method"] = options.method
    if options.headers:
        found["headers"] = dict(options.headers)
    if options.session:
        found["session"] = options.session
    if options.outside_sessions:
        found["outside_sessions"] = True
    return found


def _proxy(options: argparse.Namespace, key: str) -> SessionProxy:
    from silkline.aio import SessionProxy

    return SessionProxy(
        key,
        endpoint=options.endpoint,
        dialect=options.dialect,
        ca=options.ca,
        sessions=options.sessions,
        session_delay=options.session_delay,
        domain_delays=dict(options.domain_delays or ()),
        concurrency=options.concurrency,
        max_redirects=options.max_redirects,
        follow_redirects=not options.no_redirects,
        max_body=options.max_body,
        queue_size=options.queue_size,
        transport=options.transport,
        keep_sessions=options.keep_sessions,
        delete_timeout=_DELETE_SECONDS,
    )


def _short(url: str) -> str:
    """What people are told of a URL."""
    return url if len(url) <= _TOLD else f"{url[:_TOLD]}..."


class _Fetching:
    """One run."""

    def __init__(self, proxy: SessionProxy, output: Output, finished: Known, bar: Bar) -> None:
        self._proxy = proxy
        self._output = output
        self._finished = finished
        self._skipped = 0
        self._bar = bar
        self._done = 0
        self._failed = 0
        self._unfinished = 0
        self._stopped = False

    async def run(self, sources: list[str], defaults: dict[str, Any], grace: float) -> int:
        """Fetches, and gives the exit status."""
        from silkline.aio import ProxyAccountRefused

        status = 0
        try:
            async with self._proxy as proxy:
                with on_signals(lambda times: self._stop(0.0 if times > 1 else grace)):
                    wanted = self._targets(sources, defaults)
                    async with aclosing(proxy.results(wanted)) as results:
                        async for outcome in results:
                            try:
                                self._take(outcome)
                            except OSError:
                                await proxy.close(min(grace, _LEAVE_SECONDS))
                                raise
                    await proxy.close()
        except ProxyAccountRefused as error:
            status, self._stopped = 2, True
            self._bar.say(f"the service refuses the account: {error}")
        self._bar.close()
        self._report()
        return status or int(bool(self._failed or self._stopped or self._unfinished))

    def _stop(self, grace: float) -> None:
        self._stopped = True
        if grace:
            self._bar.say(
                f"stopping; requests under way have {grace:g} seconds, Ctrl-C gives them up"
            )
        self._closing = asyncio.get_running_loop().create_task(self._proxy.close(grace))

    async def _targets(self, sources: list[str], defaults: dict[str, Any]) -> AsyncIterator[Target]:
        async for target, wrong in targets(sources, defaults):
            known = self._finished.take(key(target))
            if known is not None:
                self._skipped += 1
                self._failed += known == "failed"
                self._bar.advance(f"errors={self._failed}")
            elif wrong is None:
                yield target
            else:
                self._fail(target, "invalid_request", wrong)

    def _take(self, outcome: Outcome) -> None:
        target = outcome.target
        if not isinstance(target, Target):
            raise TypeError(f"{target!r} is no line")
        if outcome.error is not None:
            if outcome.error.code in _UNFINISHED:
                self._unfinished += 1
            else:
                self._fail(target, outcome.error.code, outcome.error)
        elif outcome.response is not None:
            self._output.answer(target, outcome.response)
            self._done += outcome.ok
            self._failed += not outcome.ok
            if not outcome.ok:
                self._bar.say(f"{_short(target['url'])}: status {outcome.response.status}")
            self._step()

    def _fail(self, target: Target, code: str, error: BaseException | str) -> None:
        url = target.get("url")
        name = _short(url) if isinstance(url, str) else f"request {target.number}"
        self._bar.say(f"{name}: {error}")
        self._output.failure(target, code, error)
        self._failed += 1
        self._step()

    def _step(self) -> None:
        sessions = self._proxy.stats().pool.sessions
        self._bar.advance(f"errors={self._failed}, sessions={sessions}")

    def _report(self) -> None:
        stats = self._proxy.stats()
        parts = [f"{self._done} fetched", f"{self._failed} failed"]
        if self._skipped:
            parts.append(f"{self._skipped} finished before")
        if self._stopped or self._unfinished:
            parts.append("the rest is unfinished")
        parts.append(f"{stats.requests} requests, {stats.sessions_created} sessions")
        self._bar.say(", ".join(parts))
