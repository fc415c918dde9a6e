"""The operations of `plan`, for the vectors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from silkline.plan import Plan
from vectors import Given, Json, check_keys


def report(given: Given) -> Json:
    """The members of a report that a case asks for, by their paths."""
    check_keys(given, "settings", "members")
    plan = Plan.from_json(json.dumps(given["settings"]))
    while not plan.advance(1_000):
        pass
    whole = json.loads(plan.report_json())
    return {path: member(whole, path) for path in given["members"]}


def member(value: Json, path: str) -> Json:
    for part in path.split("."):
        value = value[int(part) if isinstance(value, list) else part]
    return value


OPERATIONS: dict[str, Callable[[Given], Any]] = {"plan.report": report}
