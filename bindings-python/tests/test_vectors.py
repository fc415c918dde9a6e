"""Replays `tests/vectors` of the repository, unchanged: the cases that hold in every language."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import silkline
import vectors
import vectors_bridge
import vectors_engine
import vectors_engine_proxy
import vectors_plan
import vectors_proxy
import vectors_schedule
import vectors_service
import vectors_zyte_api
from silkline import exceptions

ROOT = Path(__file__).parents[2] / "tests" / "vectors"
# Domains whose module has no binding. A bound domain must not stand here.
UNBOUND: set[str] = set()
# Classes of errors that only those can raise.
UNBOUND_CLASSES: set[str] = set()

FILES = sorted(path for path in ROOT.glob("*/*.json") if path.parent.name not in UNBOUND)
OPERATIONS = (
    vectors.OPERATIONS
    | vectors_bridge.OPERATIONS
    | vectors_engine.OPERATIONS
    | vectors_engine_proxy.OPERATIONS
    | vectors_plan.OPERATIONS
    | vectors_proxy.OPERATIONS
    | vectors_schedule.OPERATIONS
    | vectors_service.OPERATIONS
    | vectors_zyte_api.OPERATIONS
)
DOMAINS = {op.partition(".")[0] for op in OPERATIONS}


def load(path: Path) -> Any:
    return json.loads(path.read_bytes())


def canonical(value: Any) -> str:
    """Tells true from 1 and 1 from 1.0, as other languages do."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, indent=1)


def test_every_domain_is_replayed() -> None:
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()}
    assert folders <= DOMAINS | UNBOUND
    assert not DOMAINS & UNBOUND
    assert {path.parent.name for path in FILES} == DOMAINS


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_vector(path: Path) -> None:
    file = load(path)
    assert file.keys() == {"about", "source", "cases"}
    assert file["cases"]
    names = Counter(case["name"] for case in file["cases"])
    assert max(names.values()) == 1, names
    for case in file["cases"]:
        assert case.keys() == {"name", "op", "given", "expect"}
        found = vectors.run(OPERATIONS[case["op"]], case["given"])
        assert canonical(found) == canonical(case["expect"]), case["name"]


ERRORS = load(ROOT / "errors.json")["errors"]


def test_the_list_of_errors_is_complete() -> None:
    assert [error["code"] for error in ERRORS] == list(silkline.ERROR_CODES)
    classes = {error["class"] for error in ERRORS} - UNBOUND_CLASSES
    raised = set(exceptions.__all__) - {"SilklineError"}
    assert classes == raised | {"QueryError"}, "bind the class, or list it as unbound"


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error["code"])
def test_an_error_has_the_fields_of_the_list(error: dict[str, Any]) -> None:
    if error["class"] in UNBOUND_CLASSES:
        assert not hasattr(exceptions, error["class"])
        return
    known = getattr(silkline, error["class"])
    declared = {name for base in known.__mro__ for name in vars(base).get("__annotations__", {})}
    for field in [*error["fields"], "code"]:
        assert field in declared or hasattr(known, field), field
