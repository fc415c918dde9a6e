"""Why an iteration over results ends before its queries are done."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from silkline.exceptions import ServiceError, SilklineError

if TYPE_CHECKING:
    from .driver import AnyQuery

__all__ = ["AccountRefused", "OutOfBudget"]


class AccountRefused(ServiceError):
    """The service refuses the account: a bad key, a disabled account, a quota that is used up.

    It has all that the `ServiceError` behind it has (which is its cause), and what was taken in and
    not done. Nothing more is sent until `Extractor.resume`.
    """

    unfinished: tuple[AnyQuery, ...] = ()
    """The queries that were taken from the source and have no outcome, as they were given."""

    @classmethod
    def of(cls, error: ServiceError, unfinished: tuple[AnyQuery, ...]) -> AccountRefused:
        """The refusal of some queries."""
        refusal = cls(str(error), **{**vars(error), "unfinished": unfinished})
        refusal.__cause__ = copy.copy(error)
        return refusal


class OutOfBudget(SilklineError):
    """The cap leaves no room for a further query, until `Extractor.start_cycle`."""

    code = "out_of_budget"
    unfinished: tuple[AnyQuery, ...] = ()
    """The queries that were taken from the source and have no outcome, as they were given."""
