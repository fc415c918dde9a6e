"""The page on plans says what the commands say."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

from silkline.cli import main, parser

PAGE = (Path(__file__).parents[1] / "docs" / "plan.md").read_text("utf-8")


def test_the_command_and_what_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    command = re.findall(r"```console\n(silkline plan .*)\n```", PAGE)
    printed = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert len(command) == len(printed) == 1
    assert main(shlex.split(command[0])[1:]) == 0
    # Chance has a seed, but whoever improves the engine need not change a page.
    shape = re.compile(r"[\d,.]+")
    assert shape.sub("0", capsys.readouterr().out) == shape.sub("0", printed[0])


def test_every_option_of_the_page_exists(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["plan", "--help"])
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    named = set(re.findall(r"`(--[a-z-]+)", PAGE))
    assert named <= known | {"--proxy-faults"}
    hidden = known - named - {"--help", "--progress", "--no-progress", "--queue-size", "--dialect"}
    assert hidden <= {"--proxy-faults"}, "say what it is for"


def test_the_program() -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(program, "plan.md", "exec"), {"__name__": "__main__"})
    rows = [line.split() for line in printed.getvalue().splitlines()]
    assert [row[0] for row in rows] == ["100", "200", "400"]
    times = [int(row[1]) for row in rows]
    assert times == sorted(times, reverse=True)
