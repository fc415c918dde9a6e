"""What a shell can do to the commands: odd files, and streams that are closed or full."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from quick import pages, sandbox
from silkline.sandbox import Sandbox

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a shell's ways")

ENV = {**os.environ, "SILKLINE_API_KEY": "KEY", "ZYTE_API_KEY": "KEY"}


class Done(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    proxy: Any = {"delay": 0.0, "ca_directory": tmp_path_factory.mktemp("ca")}
    with pages(), sandbox(extraction_port=0, proxy_port=0, proxy=proxy) as box:
        yield box


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files that are no good."""
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("empty").touch()
    Path("latin").write_bytes(b"http://a.example/\xff\n")
    Path("long").write_text(f"http://a.example/{'x' * 200_000}\n")
    Path("good").write_text("".join(f"http://a.example/{n}\n" for n in range(500)))
    return tmp_path


def shell(line: str, box: Sandbox, **options: Any) -> Done:
    """Runs a line of a shell, in which a command is `extract`, `fetch` or another one's name."""
    extract = f"--endpoint {box.extraction_url} --page-type article --rate 0"
    ends = {
        "extract": extract,
        "fetch": f"--endpoint {box.proxy_url} --session-delay 0",
        "sessions": f"--endpoint {box.proxy_url}",
    }
    functions = [
        f'{name}() {{ "{sys.executable}" -m silkline {name} "$@" {ends.get(name, "")}; }}'
        for name in ("extract", "fetch", "sessions", "plan", "sandbox", "bridge")
    ]
    done = subprocess.run(
        ["bash", "-c", "\n".join([*functions, line])],
        env=ENV,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("extract folder", "argument FILE: 'folder': Is a directory"),
        ("extract good -o nowhere/out", "'nowhere/out': No such file or directory"),
        ("fetch nowhere", "'nowhere': No such file or directory"),
        ("fetch good -o folder", "'folder': Is a directory"),
        ("fetch good -d empty", "'empty': File exists"),
        ("fetch good --ca empty", "argument --ca: 'empty' holds no certificate (PEM)"),
        ("sessions list --ca nowhere", "argument --ca: 'nowhere': No such file or directory"),
        ("bridge --upstream-ca folder", "argument --upstream-ca: 'folder': Is a directory"),
        ("extract good >&-", "stdout is closed"),
        ("fetch good >&-", "stdout is closed"),
    ],
)
@pytest.mark.usefixtures("here")
def test_what_is_wrong_is_said_of_which_file(box: Sandbox, line: str, told: str) -> None:
    done = shell(line, box)
    assert done.status == 2
    assert done.err.rstrip().endswith(told)


@pytest.mark.usefixtures("here")
def test_an_authority_that_cannot_be_kept(box: Sandbox) -> None:
    for command in ("bridge --extraction-port 0", "sandbox"):
        done = shell(f"{command} --proxy-port 0 --ca-dir empty", box)
        assert (done.status, done.err) == (
            1,
            f"silkline {command.split()[0]}: 'empty': File exists\n",
        )


@pytest.mark.usefixtures("here")
def test_lines_that_are_no_urls_are_not_sent(box: Sandbox, site: str) -> None:
    done = shell("fetch latin", box)
    assert json.loads(done.out)["error"] == {"code": "invalid_request", "message": "not UTF-8"}
    assert "0 requests" in done.err
    done = shell("fetch long", box)
    assert "error" in json.loads(done.out)
    assert len(done.err) < 1000
    done = shell(f"fetch {site}/headers --data @latin", box)
    assert json.loads(done.out)["body"].startswith("http://a.example/")


@pytest.mark.usefixtures("here")
def test_lines_that_are_nested_too_deeply(box: Sandbox) -> None:
    Path("deep").write_text('{"url": ' + "[" * 100_000 + "\n" + '{"url": 5}\n')
    for command in ("extract", "fetch"):
        done = shell(f"{command} deep -o out", box)
        assert (done.status, done.err.count("nested too deeply")) == (1, 1)
        again = shell(f"{command} deep -o out --resume", box)
        assert "2 finished before" in again.err
        Path("out").unlink()
        done = shell(f"{command} good -o deep --resume", box)
        assert (done.status, "deep:1 is no" in done.err) == (2, True)


@pytest.mark.usefixtures("here")
def test_a_closed_stderr_spoils_no_file(box: Sandbox) -> None:
    Path("some").write_text("http://a.example/1\nnonsense\n")
    for command in ("extract", "fetch"):
        assert shell(f"{command} some -o {command}.out 2>&-", box).status == 1
        lines = Path(f"{command}.out").read_text().splitlines()
        assert [type(json.loads(line)) for line in lines] == [dict] * 2


@pytest.mark.usefixtures("here")
def test_a_reader_that_has_enough(box: Sandbox) -> None:
    for command in ("extract good", "fetch good"):
        done = shell(f"{command} | head -1; exit ${{PIPESTATUS[0]}}", box)
        assert (done.status, len(done.out.splitlines())) == (1, 1)
        assert "Errno" not in done.err
    made = shell("sessions create -n 1200 | head -3", box)
    assert len(made.out.split()) == 3
    done = shell("sessions list | head -1; exit ${PIPESTATUS[0]}", box)
    assert (len(done.out.splitlines()), done.err) == (1, "")
    kept = shell("sessions prune --except nobody", box)
    assert (kept.status, kept.err.count("so none is deleted")) == (1, 1)
    assert shell("sessions prune", box).status == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.usefixtures("here")
def test_a_full_disk(box: Sandbox) -> None:
    for command in ("extract good -o /dev/full", "fetch good > /dev/full"):
        done = shell(command, box)
        assert done.status == 2
        assert done.err.rstrip().endswith("No space left on device")
    done = shell("plan --pages 10 --chart nowhere/x.svg", box)
    assert (done.status, "nowhere/x.svg" in done.err) == (2, True)
    assert "takes" in done.out, "what was found out is told all the same"


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_terminal_that_goes_away(box: Sandbox, here: Path, site: str, number: int) -> None:
    lines, out = here / "lines", here / "out"
    lines.write_text("".join(f"{site}/headers?{n}\n" for n in range(5000)))
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "silkline", "fetch", "lines", "-o", "out"),
            *("--endpoint", box.proxy_url, "--session-delay", "0.02", "--sessions", "4"),
        ],
        env=ENV,
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        while not out.exists() or out.read_bytes().count(b"\n") < 20:
            assert started.poll() is None
            time.sleep(0.01)
        started.send_signal(number)
        _, err = started.communicate(timeout=30)
    assert started.returncode == 1
    assert "the rest is unfinished" in err
    assert all(json.loads(line)["status"] == 200 for line in out.read_text().splitlines())
    assert box.stats()["proxy"]["sessions_living"] == 0
