"""The documentation of the clients is run, and checked as its readers would check their programs."""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from quick import pages, sandbox

FOLDER = Path(__file__).parents[1]
PAGE = (FOLDER / "docs" / "extract.md").read_text("utf-8")
README = (FOLDER / "README.md").read_text("utf-8").partition("## Whole crawls")[2]
PROGRAMS = [
    program
    for program in re.findall(r"```python\n(.*?)```", PAGE + README, re.DOTALL)
    if "Extractor(" in program
]


@pytest.mark.parametrize("program", PROGRAMS, ids=range(len(PROGRAMS)))
def test_the_programs(program: str) -> None:
    printed = io.StringIO()
    with pages(), sandbox() as box:
        settings = f'"YOUR-KEY", endpoint="{box.extraction_url}"'
        assert program.count('"YOUR-KEY"') == 1
        here = program.replace('"YOUR-KEY"', settings).replace("rate=5", "rate=100")
        with contextlib.redirect_stdout(printed):
            exec(compile(here, "extract.md", "exec"), {"__name__": "__main__"})
        billed = box.stats()["billed"]
    if "cap=5" in program:
        assert billed == 5
        assert printed.getvalue().endswith("left: 15\n")
    else:
        assert billed == 20
        assert printed.getvalue().count("\n") == 20


def test_the_programs_have_the_types_they_say(tmp_path: Path) -> None:
    mypy = pytest.importorskip("mypy.api")
    for number, program in enumerate(PROGRAMS):
        (tmp_path / f"program{number}.py").write_text(program)
    options = [
        "--strict",
        "--cache-dir",
        str(tmp_path / "cache"),
        "--python-executable",
        sys.executable,
    ]
    report, errors, status = mypy.run([*options, *map(str, sorted(tmp_path.glob("*.py")))])
    assert status == 0, report + errors


def test_the_commands(tmp_path: Path) -> None:
    commands = next(
        block for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL) if "-o" in block
    )
    urls = [f"https://shop.example/{number}" for number in range(8)]
    (tmp_path / "urls.txt").write_text("\n".join(urls))
    query = next(text for text in re.findall(r"`(\{\"url\".*?\})`", PAGE))
    (tmp_path / "queries.jsonl").write_text(query)
    (line,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with pages(), sandbox(rate=math.inf) as box:
        here = commands.replace(" extract ", f" extract --endpoint {box.extraction_url} ")
        for command in here.splitlines():
            subprocess.run(
                ["bash", "-ec", command],
                cwd=tmp_path,
                env={**os.environ, "PATH": path, "SILKLINE_API_KEY": "KEY"},
                check=True,
                capture_output=True,
            )
        assert box.stats()["billed"] == 9
    results = [json.loads(text) for text in (tmp_path / "products.jsonl").read_text().splitlines()]
    assert sorted(result["query"]["userQuery"]["url"] for result in results) == urls
    assert results[0].keys() == json.loads(line).keys()
    assert results[0]["query"].keys() == json.loads(line)["query"].keys()
    (result,) = map(json.loads, (tmp_path / "results.jsonl").read_text().splitlines())
    assert result["query"]["userQuery"] == json.loads(query)
