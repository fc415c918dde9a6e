"""What an errback is given when a page has no item."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from silkline import ExtractionJobError, QueryError, ServiceError
from silkline.aio.errors import AccountRefused, OutOfBudget
from silkline.exceptions import SilklineError

if TYPE_CHECKING:
    from silkline.engine import ExtractionFinished

__all__ = ["AccountRefused", "OutOfBudget", "QueryFailed", "error_of", "is_end"]


class QueryFailed(SilklineError):
    """The service answered the query with an error, after all attempts that the policy allows.

    ``code`` is that of the `silkline.QueryError` in ``error``: for example ``downloader_http``,
    whose ``status`` is the page's own.
    """

    error: QueryError
    """All that is known of the error."""
    url: str = ""
    """The URL of the page."""
    text: str = ""
    """The service's own words."""
    status: int | None = None
    """The HTTP status that the page was answered with, if that is the error."""
    domain: str | None = None
    """The domain that is occupied, if that is the error."""
    retry_after: float | None = None
    """How many seconds the service wants to be left alone."""
    attempts: int = 0
    """How often the query was sent."""
    billed: int = 0
    """How many of the attempts are known to be billed."""
    possibly_billed: int = 0
    """Of how many attempts nobody knows, because their answer was lost."""

    @classmethod
    def of(cls, finished: ExtractionFinished, error: QueryError) -> QueryFailed:
        """The exception for the error of a job's last attempt."""
        return cls(
            f"{error.text} ({finished.query.url})",
            code=error.code,
            error=error,
            url=finished.query.url,
            text=error.text,
            status=error.status,
            domain=error.domain,
            retry_after=error.retry_after,
            attempts=finished.attempts,
            billed=finished.billed,
            possibly_billed=finished.possibly_billed,
        )


def error_of(finished: ExtractionFinished) -> SilklineError | None:
    """What to raise for a job; nothing if it has its item."""
    match finished.error:
        case QueryError() as error:
            return QueryFailed.of(finished, error)
        case ServiceError() | ExtractionJobError() as error:
            return copy.copy(error)
        case None:
            return None


def is_end(error: BaseException | None) -> bool:
    """Whether it says nothing of a query, but that the crawl ended before it was sent."""
    if isinstance(error, ExtractionJobError):
        return error.code == "job_closed"
    return isinstance(error, (AccountRefused, OutOfBudget))
