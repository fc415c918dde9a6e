"""The pages about sessions and testing are run, and checked as their readers would check them."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from quick import sandbox
from silkline.testing import FakeProxy, TargetAnswer, TargetPage, TargetRequest

pytest_plugins = ["pytester"]

DOCS = Path(__file__).parents[1] / "docs"
README = (DOCS.parent / "README.md").read_text("utf-8")
SESSIONS = (DOCS / "sessions.md").read_text("utf-8")
TESTING = (DOCS / "testing.md").read_text("utf-8")


def blocks(page: str, language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert found
    return found


PROGRAMS = [*blocks(SESSIONS, "python"), *(it for it in blocks(README, "python") if "Proxy(" in it)]
TESTS = blocks(TESTING, "python")


def shop(request: TargetRequest) -> TargetAnswer:
    if request.method == "POST":
        return TargetPage('{"found": 3}', headers={"Content-Type": "application/json"})
    return f"<h1>{request.url}</h1>"


@pytest.mark.parametrize("program", PROGRAMS, ids=range(len(PROGRAMS)))
def test_the_programs(program: str) -> None:
    service = FakeProxy(shop, faults=[{"when": {"request": 1}, "then": {"ban": True}}])
    assert program.count('"YOUR-KEY"') == 1
    quick = '"YOUR-KEY", transport=service, session_delay=0, policy=impatient("smart_proxy")'
    here = program.replace('"YOUR-KEY"', quick)
    printed = io.StringIO()
    names: dict[str, Any] = {"__name__": "__main__", "service": service}
    exec("from silkline.testing import impatient", names)
    with contextlib.redirect_stdout(printed):
        exec(compile(here, "sessions.md", "exec"), names)
    lines = printed.getvalue().splitlines()
    stats = service.stats()
    assert stats["sessions_living"] == 0
    assert stats["sessions_created"] > 0
    assert lines
    assert len(lines) in {1, 2, 22, 200}
    assert not any("Error" in line for line in lines)


def test_the_programs_have_the_types_they_say(tmp_path: Path) -> None:
    mypy = pytest.importorskip("mypy.api")
    for number, program in enumerate([*PROGRAMS, *TESTS]):
        (tmp_path / f"program{number}.py").write_text(program)
    options = ["--strict", "--cache-dir", str(tmp_path / "cache")]
    options += ["--python-executable", sys.executable]
    report, errors, status = mypy.run([*options, *map(str, sorted(tmp_path.glob("*.py")))])
    assert status == 0, report + errors


def test_the_tests_of_the_page_about_tests(pytester: pytest.Pytester) -> None:
    files = {f"test_page{number}": program for number, program in enumerate(TESTS)}
    pytester.makepyfile(**files)
    ran = pytester.runpytest_subprocess("-Werror", "-p", "no:cacheprovider")
    ran.assert_outcomes(passed=sum(program.count("def test_") for program in TESTS))


def test_the_commands(tmp_path: Path, site: str) -> None:
    commands = next(block for block in blocks(SESSIONS, "console") if "fetch" in block)
    (line,) = blocks(SESSIONS, "json")
    (tmp_path / "urls.txt").write_text(f"{site}/headers?1\n{site}/headers?2\n")
    target = json.loads(line)
    target["url"] = f"{site}/headers?search"
    (tmp_path / "requests.jsonl").write_text(json.dumps(target))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    proxy: Any = {"delay": 0.0, "ca_directory": tmp_path / "ca"}
    printed = []
    with sandbox(extraction_port=None, proxy_port=0, proxy=proxy) as box:
        for command in commands.splitlines():
            here = command.replace("https://shop.example", site)
            here = here.replace(" fetch ", f" fetch --endpoint {box.proxy_url} --session-delay 0 ")
            here = re.sub(r"sessions (\w+)", rf"sessions \1 --endpoint {box.proxy_url}", here)
            done = subprocess.run(
                ["bash", "-ec", here],
                cwd=tmp_path,
                env={**os.environ, "PATH": path, "SILKLINE_API_KEY": "KEY"},
                check=True,
                capture_output=True,
                text=True,
            )
            printed.append(done.stdout)
        assert box.stats()["proxy"]["sessions_living"] == 0
    assert "<html" in (tmp_path / "page.html").read_text()
    answers = [json.loads(text) for text in (tmp_path / "answers.jsonl").read_text().splitlines()]
    members = {"url", "status", "headers", "session", "outgoing", "attempts", "billed", "elapsed"}
    assert all(members | {"body"} == answer.keys() for answer in answers)
    assert len(list((tmp_path / "pages").iterdir())) == 3
    searched = json.loads(printed[3])
    assert json.loads(json.loads(searched["body"])["body"]) == {"q": "lamp"}
    assert printed[5].split()[0] == printed[4].strip()


def test_the_settings_are_all_there() -> None:
    import inspect

    from silkline import aio, blocking

    settings = set(inspect.signature(aio.SessionProxy).parameters) - {"api_key"}
    assert settings == set(inspect.signature(blocking.SessionProxy).parameters) - {"api_key"}
    assert {name for name in settings if f"`{name}" not in SESSIONS} <= {"seed"}
