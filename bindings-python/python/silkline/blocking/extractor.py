"""The client for extraction."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Literal

from silkline import aio

from .loop import Iteration, LoopThread

if TYPE_CHECKING:
    from typing_extensions import Self

    from silkline.aio.extraction_driver import AnyQuery
    from silkline.engine import ExtractionFinished, ExtractionStats, ExtractionUnmatched
    from silkline.schedule import Rate, RetryPolicy

__all__ = ["Extractor"]


class Extractor:
    """Extracts pages, for as long as the block lasts: `silkline.aio.Extractor` on a thread.

    It takes the same arguments. Threads may share it.
    """

    def __init__(
        self,
        api_key: str,
        *,
        endpoint: str | None = None,
        dialect: Literal["automatic_extraction", "zyte_api"] = "automatic_extraction",
        rate: float | Rate | None = None,
        burst: int | None = None,
        concurrency: int | None = None,
        batch_size: int | None = None,
        deadline: float | None = None,
        policy: RetryPolicy | None = None,
        cap: int | None = None,
        queue_size: int = 1_000,
        transport: str | aio.Transport = "aiohttp",
        grace: float = 0.0,
        seed: int | None = None,
        on_unmatched: Callable[[ExtractionUnmatched], object] | None = None,
    ) -> None:
        self._queue_size = queue_size
        self._extractor = aio.Extractor(
            api_key,
            endpoint=endpoint,
            dialect=dialect,
            rate=rate,
            burst=burst,
            concurrency=concurrency,
            batch_size=batch_size,
            deadline=deadline,
            policy=policy,
            cap=cap,
            queue_size=queue_size,
            transport=transport,
            grace=grace,
            seed=seed,
            on_unmatched=on_unmatched,
        )
        self._grace = grace
        self._thread = LoopThread(self._extractor)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._thread.stop(0.0 if error is not None else self._grace)

    def close(self, grace: float = 0.0) -> None:
        """Takes and sends nothing more, and gives up what is under way after so many seconds."""
        self._thread.run(lambda: self._extractor.close(grace))

    def stats(self) -> ExtractionStats:
        """The engine's numbers, of all iterations together."""
        return self._extractor.stats()

    def resume(self) -> None:
        """Goes on after `silkline.aio.AccountRefused`, as if the account were well again."""
        self._thread.call(self._extractor.resume)

    def start_cycle(self) -> None:
        """Begins a billing cycle: what was billed counts no longer against the cap."""
        self._thread.call(self._extractor.start_cycle)

    def results(
        self, queries: Iterable[AnyQuery], *, queue_size: int | None = None
    ) -> Generator[ExtractionFinished, None, None]:
        """Gives the outcome of each query as soon as it is there, in any order.

        The source is read in the calling thread, when there is room for its queries and no outcome
        to give. For the rest see `silkline.aio.Extractor.results`.
        """
        iteration: Iteration[AnyQuery, ExtractionFinished] = Iteration(
            self._thread,
            lambda source, size: self._extractor.results(source, queue_size=size),
            queue_size or self._queue_size,
        )
        return iteration.outcomes(queries)
