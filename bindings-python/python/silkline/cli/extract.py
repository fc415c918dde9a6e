"""``silkline extract``: pages in, items out."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from silkline import PAGE_TYPES, Query

from . import values
from .extract_input import BadLine, InputError, QueryReader, count, lines, open_input
from .extract_output import Finished, failure, key, key_of, record
from .extract_progress import Progress
from .results import OutputError, ResultFile
from .service import add_dialect, api_key
from .signals import on_signals

if TYPE_CHECKING:
    from silkline.aio import Extractor
    from silkline.engine import ExtractionStats, ExtractionUnmatched

_DESCRIPTION = """\
Extracts pages by the Automatic Extraction API and writes the results as JSON Lines.

FILE holds a URL on each line, or a query in the protocol's own spelling
({"url": ..., "pageType": ..., "meta": ...}); - is stdin. Each result is a line as the service sent
it, in the order in which they come; a query that failed has its error there. Queries go out as fast
as the service allows, what can be tried again is.

--resume goes on with an OUT that an earlier run left behind, however that ended: what it holds is
not asked for again, and a torn last line is repaired.
"""

_EPILOG = """\
The key is taken from --api-key, from SILKLINE_API_KEY, or from ZYTE_AUTOEXTRACT_KEY (with --dialect
zyte_api, from ZYTE_API_KEY).

exit status:
  0  every query has its item
  1  some failed, or are not done: Ctrl-C, or the budget is used up
  2  wrong usage, or the service refuses the account

examples:
  silkline extract urls.txt --page-type article -o articles.jsonl
  silkline extract urls.txt --page-type article -o articles.jsonl --resume --budget 10000
  zcat queries.jl.gz | silkline extract - --rate 20 --concurrency 200 | jq .product.name
"""


def add_parser(commands: Any) -> None:
    """Adds the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "extract",
        help="extract pages by the Automatic Extraction API",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=_run, extra="cli", _parser=parser)
    parser.add_argument("input", metavar="FILE", help="the queries, - for stdin")

    queries = parser.add_argument_group("queries and results")
    add = queries.add_argument
    add(
        "--page-type",
        metavar="TYPE",
        choices=PAGE_TYPES,
        help="page type of queries that name none: %(choices)s",
    )
    add("--output", "-o", metavar="OUT", type=Path, help="file for the results (default: stdout)")
    end = queries.add_mutually_exclusive_group()
    end.add_argument("--resume", action="store_true", help="go on with an OUT that has results")
    end.add_argument("--overwrite", action="store_true", help="throw away what OUT holds")

    service = parser.add_argument_group("service")
    add = service.add_argument
    add("--api-key", metavar="KEY", help="API key (default: from the environment, see below)")
    add("--endpoint", metavar="URL", help="address of the service (default: the real one)")
    add_dialect(service, "automatic_extraction", "the successor, whose items are converted")
    add(
        "--transport",
        choices=("aiohttp", "httpx"),
        default="aiohttp",
        help="HTTP client to send with (default: %(default)s)",
    )

    pace = parser.add_argument_group("pace and cost (left out: as the service recommends)")
    add = pace.add_argument
    add("--rate", metavar="N", type=values.rate, help="queries a second, 0 for no limit")
    add("--concurrency", metavar="N", type=values.count, help="requests under way at a time")
    add("--batch-size", metavar="N", type=values.count, help="queries in a request")
    add(
        "--queue-size",
        metavar="N",
        type=values.count,
        default=1_000,
        help="queries to look ahead, from which those of free domains go first "
        "(default: %(default)s)",
    )
    add(
        "--budget",
        metavar="N",
        type=values.from_zero,
        help="queries that may be billed at most, with those that OUT holds already",
    )
    add(
        "--price",
        metavar="DOLLARS",
        type=values.number,
        help="price of 100,000 queries, for the cost that is shown (default: 60; with --dialect "
        "zyte_api, where it depends on the website, none: billed queries are counted)",
    )
    add(
        "--grace",
        metavar="SECONDS",
        type=values.seconds,
        default=10.0,
        help="time that queries under way have after the first Ctrl-C (default: %(default)g)",
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


def _run(options: argparse.Namespace) -> int:
    parser: argparse.ArgumentParser = options._parser  # noqa: SLF001
    secret = api_key(parser, options)
    path = None if options.input == "-" else Path(options.input)
    target = None if str(options.output) in {"None", "-"} else options.output
    if options.resume and target is None:
        parser.error("argument --resume: stdout cannot be resumed, name a file by --output")
    try:
        source = open_input(path)
    except OSError as error:
        parser.error(f"argument FILE: {values.why(error)}")
    with source:
        if path and target and target.exists() and target.samefile(path):
            parser.error("argument --output: is the same file as FILE")
        try:
            _extractor(options, secret, None)  # what is wrong is told before OUT is touched
            with ResultFile(target) as output:
                finished = Finished()
                output.open(finished.add, resume=options.resume, overwrite=options.overwrite)
                extractor = _extractor(options, secret, finished)
                return _extract(options, extractor, source, output, finished)
        except (OutputError, InputError, _InvalidOption) as error:
            parser.error(str(error))
        except KeyboardInterrupt:
            return 1
        except BrokenPipeError:
            # Whoever read the results has enough. What Python would flush at its end goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        except OSError as error:
            print(f"silkline extract: {error}", file=sys.stderr)
            return 2


class _InvalidOption(Exception):
    """An option has a value that no extractor takes."""


def _extractor(options: argparse.Namespace, api_key: str, finished: Finished | None) -> Extractor:
    from silkline.aio import Extractor

    cap: int | None = options.budget
    if cap is not None and finished is not None:
        cap = max(0, cap - finished.billed)
    try:
        return Extractor(
            api_key,
            endpoint=options.endpoint,
            dialect=options.dialect,
            rate=options.rate,
            concurrency=options.concurrency,
            batch_size=options.batch_size,
            cap=cap,
            queue_size=options.queue_size,
            transport=options.transport,
            on_unmatched=_say_unmatched,
        )
    except (ValueError, OverflowError) as error:
        raise _InvalidOption(str(error)) from error


def _price(options: argparse.Namespace) -> float | None:
    price: float | None = options.price
    return 60.0 if price is None and options.dialect == "automatic_extraction" else price


def _say_unmatched(unmatched: ExtractionUnmatched) -> None:
    text = f"silkline extract: a result belongs to no query: {unmatched.result!r}"
    print(text, file=sys.stderr, flush=True)


def _extract(
    options: argparse.Namespace,
    extractor: Extractor,
    source: FileIO | BinaryIO,
    output: ResultFile,
    finished: Finished,
) -> int:
    total = None if options.input == "-" else count(Path(options.input))
    progress = Progress(total=total, shown=options.progress, price=_price(options))
    run = _Extraction(extractor, output, finished, progress)
    try:
        return asyncio.run(
            run.run(QueryReader(options.page_type, options.dialect), source, options.grace)
        )
    finally:
        progress.close()


class _Extraction:
    """One run."""

    def __init__(
        self, extractor: Extractor, output: ResultFile, finished: Finished, progress: Progress
    ) -> None:
        self.progress = progress
        self._extractor = extractor
        self._output = output
        self._finished = finished
        self._succeeded = 0
        self._failed = 0
        self._skipped = 0
        self._stopped = False
        self._unfinished = 0

    async def run(self, reader: QueryReader, source: FileIO | BinaryIO, grace: float) -> int:
        """Extracts, and gives the exit status."""
        from silkline.aio import AccountRefused, OutOfBudget

        status = 0
        try:
            async with self._extractor as extractor:
                with on_signals(lambda times: self._stop(0.0 if times > 1 else grace)):
                    queries = self._queries(reader, source)
                    async with aclosing(extractor.results(queries)) as results:
                        async for outcome in results:
                            self._take(outcome)
        except AccountRefused as error:
            status, self._stopped = 2, True
            self.progress.say(f"the service refuses the account: {error}")
        except OutOfBudget:
            self._stopped = True
            self.progress.say("the budget is used up")
        self.progress.close()
        self._report(self._extractor.stats())
        return status or int(bool(self._failed or self._stopped or self._unfinished))

    def _stop(self, grace: float) -> None:
        self._stopped = True
        if grace:
            self.progress.say(
                f"stopping; queries under way have {grace:g} seconds, Ctrl-C gives them up"
            )
        self._closing = asyncio.get_running_loop().create_task(self._extractor.close(grace))

    def _take(self, outcome: Any) -> None:
        code = None if outcome.ok else outcome.error.code
        if code in {"job_closed", "job_cancelled"}:
            self._unfinished += 1
            return
        self._output.write(record(outcome))
        self._succeeded += outcome.ok
        self._failed += not outcome.ok
        self.progress.step(self._failed, self._extractor.stats())

    async def _queries(
        self, reader: QueryReader, source: FileIO | BinaryIO
    ) -> AsyncIterator[Query]:
        """The queries that no run has finished."""
        turn = 0
        async for line in lines(source):
            turn += 1
            if turn % 100 == 0:
                await asyncio.sleep(0)
            query = reader.read(line)
            if isinstance(query, Query):
                if self._known(key(query)):
                    continue
                yield query
            elif isinstance(query, BadLine):
                self._refuse(query)

    def _known(self, found: bytes) -> bool:
        known = self._finished.take(found)
        if known is None:
            return False
        self._skipped += 1
        self._failed += known == "failed"
        self.progress.skip()
        return True

    def _refuse(self, line: BadLine) -> None:
        if self._known(key_of(line.user_query)):
            return
        self.progress.say(f"line {line.number}: {line.text}")
        self._output.write(failure(line.user_query, line.text, code="invalid_query", billed=0))
        self._failed += 1
        self.progress.step(self._failed, self._extractor.stats())

    def _report(self, stats: ExtractionStats) -> None:
        parts = [f"{self._succeeded} extracted", f"{self._failed} failed"]
        if self._skipped:
            parts.append(f"{self._skipped} finished before")
        if self._stopped or self._unfinished:
            parts.append("the rest is unfinished")
        parts.append(self.progress.cost(stats))
        self.progress.say(", ".join(parts))
