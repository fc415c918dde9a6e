"""What holds of the package as a whole: names, documentation, exceptions, imports."""

from __future__ import annotations

import copy
import doctest
import importlib.metadata
import inspect
import json
import pickle
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, is_typeddict

import pytest

import silkline
from silkline import ExtractionApi, _core, bridge, engine, exceptions, plan, schedule, service
from silkline.zyte_api import items

COMMAND = str(Path(sys.executable).with_name("silkline"))
EXCEPTIONS = [getattr(exceptions, name) for name in exceptions.__all__]
CONSTANTS = {"ERROR_CODES", "PAGE_TYPES", "VERSION"}
PUBLIC = [getattr(silkline, name) for name in set(silkline.__all__) - CONSTANTS - {"__version__"}]
PUBLIC += [
    getattr(module, name)
    for module in (bridge, engine, items, plan, schedule, service)
    for name in module.__all__
    # Shapes of dictionaries are shown by what returns them.
    if name not in silkline.__all__ and not is_typeddict(getattr(module, name))
]


def test_the_version_is_one() -> None:
    assert silkline.__version__ == importlib.metadata.version("silkline")


def test_every_compiled_name_and_exception_is_exported() -> None:
    compiled = set(_core.__all__) - CONSTANTS
    assert compiled | set(exceptions.__all__) <= {
        *silkline.__all__,
        *bridge.__all__,
        *engine.__all__,
        *items.__all__,
        *plan.__all__,
        *schedule.__all__,
        *service.__all__,
    }
    assert len(silkline.__all__) == len(set(silkline.__all__))
    for item in PUBLIC:
        assert item.__module__.split(".")[0] == "silkline"


def members(item: object) -> list[tuple[str, object]]:
    if not inspect.isclass(item):
        return []
    return [(name, value) for name, value in vars(item).items() if not name.startswith("_")]


@pytest.mark.parametrize("item", PUBLIC, ids=lambda item: item.__name__)
def test_every_public_item_is_documented(item: object) -> None:
    assert inspect.getdoc(item)
    assert ">>>" in (item.__doc__ or ""), "an example belongs to each public item"
    for name, value in members(item):
        if callable(value) or inspect.isdatadescriptor(value):
            assert inspect.getdoc(value), name


@pytest.mark.parametrize("item", PUBLIC, ids=lambda item: item.__name__)
def test_examples(item: object) -> None:
    finder = doctest.DocTestFinder(recurse=False)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    name = getattr(item, "__name__", "")
    for child_name, child in [(name, item), *members(item)]:
        for test in finder.find(child, child_name, module=ModuleType("example"), globs={}):
            runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


@pytest.mark.parametrize("exception", EXCEPTIONS)
def test_exceptions_have_one_base_and_can_be_pickled(
    exception: type[silkline.SilklineError],
) -> None:
    assert issubclass(exception, silkline.SilklineError)
    error = exception("what happened", code="some_code", extra=(1, 2))
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is exception
        assert (str(again), again.code, vars(again)["extra"]) == (
            "what happened",
            "some_code",
            (1, 2),
        )


def test_the_import_is_light() -> None:
    program = (
        "import sys; before = set(sys.modules); import silkline; print(*set(sys.modules) - before)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    )
    imported = {name for name in done.stdout.split() if not name.startswith("silkline")}
    heavy = {"asyncio", "aiohttp", "inspect", "dataclasses", "json", "re", "ssl", "urllib.parse"}
    assert not imported & heavy
    assert len(imported) < 20, imported


@pytest.mark.parametrize("command", [[sys.executable, "-m", "silkline"], [COMMAND]])
def test_the_command_runs(command: list[str]) -> None:
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"silkline {silkline.__version__}\n"


def test_the_readme_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    _, _, rest = readme.partition("```python\n")
    program, _, _ = rest.partition("```")
    sent: list[tuple[tuple[str, ...], dict[str, Any]]] = []
    query = {"userQuery": {"url": "https://example.com/a", "pageType": "article", "meta": "first"}}
    content = json.dumps([{"query": query, "article": {"headline": "A"}}]).encode()

    def send(*target: str, **options: Any) -> SimpleNamespace:
        sent.append((target, options))
        return SimpleNamespace(status_code=200, headers={}, content=content)

    monkeypatch.setitem(sys.modules, "requests", SimpleNamespace(request=send))
    found: dict[str, Any] = {}
    exec(compile(program, "README.md", "exec"), found)
    assert found["result"].item == {"headline": "A"}
    [(target, options)] = sent
    assert target == ("POST", ExtractionApi.DEFAULT_ENDPOINT)
    assert options["headers"]["Content-Type"] == "application/json"
    assert options["data"] == found["request"].body
