"""What goes wrong on purpose, and how to wait less for it to come right."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from silkline.schedule import RetryPolicy

__all__ = ["Failure", "FaultScript", "impatient", "script"]

FaultScript: TypeAlias = "str | Sequence[Mapping[str, Any]]"
"""A script of faults: its rules, or their JSON."""

_WAITS = (0.01, 0.05)


class Failure(NamedTuple):
    """Why a page cannot be had, by the service's name for it."""

    name: str
    """For example ``"timeout"``; a wrong name is told with all that there are."""


def script(faults: FaultScript | None) -> str | None:
    """The rules as JSON."""
    return faults if faults is None or isinstance(faults, str) else json.dumps(list(faults))


def impatient(
    preset: Literal["aggressive", "default", "smart_proxy", "zyte_api"] = "default",
) -> RetryPolicy:
    """The policy of that name, with all its budgets and hardly any waits.

    >>> from silkline.testing import impatient
    >>> impatient("smart_proxy").rule("ban")
    Rule(<Wait of 0.01 to 0.05 seconds at first>, Budget('retries', 5))
    """
    from silkline.schedule import RetryPolicy, Rule, Wait

    policy = RetryPolicy(preset)
    for failure in (
        "account",
        "ban",
        "billed_query",
        "download",
        "download_internal",
        "garbled",
        "network",
        "occupied",
        "query",
        "server",
        "target",
        "throttled",
    ):
        name: Any = failure
        policy = policy.with_rule(name, Rule(Wait(*_WAITS), policy.rule(name).budget))
    return policy
