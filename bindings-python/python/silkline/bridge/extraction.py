"""The Automatic Extraction API for programs, Zyte API's ``/v1/extract`` behind."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from silkline import Query, SilklineError
from silkline.aio import AccountRefused, Extractor
from silkline.sandbox.extraction import ExtractionHost
from silkline.schedule import Budget, RetryPolicy, Rule

from . import BridgedQuery

if TYPE_CHECKING:
    from silkline.engine import ExtractionFinished
    from silkline.service import FetchQuery

# Programs try queries again by their own rules; what asks the bridge as such to wait, or breaks on
# its way, they need not hear of at once.
_UNTOLD_SECONDS = 60.0
_OWN: Final = ("throttled", "network", "server", "garbled")
_THEIRS: Final = ("billed_query", "download", "download_internal", "occupied", "query")


class ExtractionBridge(ExtractionHost):
    """Serves ``/v1/extract`` of the Automatic Extraction API on a port, by Zyte API."""

    def __init__(
        self,
        api_key: str,
        *,
        upstream: str | None = None,
        keys: Iterable[str] | None = None,
        rate: float | None = None,
        concurrency: int | None = None,
    ) -> None:
        super().__init__(keys=None if keys is None else list(keys), rate=math.inf)
        self._make = partial(
            Extractor,
            api_key,
            endpoint=upstream,
            dialect="zyte_api",
            rate=rate,
            concurrency=concurrency,
            policy=_policy(),
        )
        self._upstream = self._make()  # what is wrong with the settings is told now

    async def _open(self) -> None:
        self._upstream = self._make()
        await self._upstream.__aenter__()

    def _warm_up(self) -> None:
        pass

    async def _close(self) -> None:
        await self._upstream.close()

    def stats(self) -> dict[str, Any]:
        """What programs were told, and under ``upstream`` what that took and cost at Zyte API."""
        sent = self._upstream.stats()
        upstream = {
            "requests": sent.requests,
            "retries": sent.retries,
            "billed": sent.usage.billed,
            "unbilled": sent.usage.unbilled,
            "possibly_billed": sent.usage.unknown,
        }
        return super().stats() | {"upstream": upstream}

    async def _outcome(self, query: FetchQuery) -> BridgedQuery:
        try:
            # Articles have no raw body upstream; it is left out, as by default it would be there.
            wanted = Query(
                query.url,
                query.page_type,
                full_html=query.full_html or None,
                custom_html=query.custom_html,
                dialect="zyte_api",
            )
            async with aclosing(self._upstream.results([wanted])) as results:
                async for finished in results:
                    return _bridged(finished)
        except AccountRefused as error:
            # The next one may find the account well again.
            self._upstream.resume()
            return BridgedQuery.of_error(error.code, str(error), error.retry_after)
        except SilklineError as error:
            return BridgedQuery.of_error(error.code, str(error))
        return BridgedQuery.of_error("job_closed", "the bridge is closed")


def _bridged(finished: ExtractionFinished) -> BridgedQuery:
    error = finished.error
    if finished.result is not None:
        return BridgedQuery.of_result(finished.result)
    code = "job_closed" if error is None else error.code
    return BridgedQuery.of_error(code, str(error), getattr(error, "retry_after", None))


def _policy() -> RetryPolicy:
    policy = RetryPolicy("zyte_api")
    for theirs in _THEIRS:
        policy = policy.with_rule(theirs, Rule(policy.rule(theirs).wait, Budget("retries", 0)))
    for own in _OWN:
        budget = Budget("since_first_attempt", _UNTOLD_SECONDS)
        policy = policy.with_rule(own, Rule(policy.rule(own).wait, budget))
    return policy
