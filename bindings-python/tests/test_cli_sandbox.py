"""``silkline sandbox`` as its users start and stop it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from silkline import basic_authorization
from silkline.cli import main

COMMAND = [str(Path(sys.executable).with_name("silkline")), "sandbox"]
MODULE = [sys.executable, "-m", "silkline", "sandbox"]
READY = "silkline sandbox ready: extraction "


@contextmanager
def started(command: list[str], *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running sandbox and its endpoint."""
    process = subprocess.Popen(
        [*command, "--extraction-port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith(READY), (line, process.stderr)
        yield process, line.removeprefix(READY).strip()
    finally:
        process.kill()
        process.communicate()


def ask(url: str, content: str, key: str = "KEY") -> tuple[int, str]:
    request = urllib.request.Request(url, content.encode())
    request.add_header("Authorization", basic_authorization(key))
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def page(url: str = "http://a.example/") -> str:
    html = "<article><h1>A note</h1><p>It was written for this test, and says so.</p></article>"
    return json.dumps([{"url": url, "pageType": "article", "customHtml": html}])


@pytest.mark.parametrize(("command", "number"), [(COMMAND, "SIGINT"), (MODULE, "SIGTERM")])
def test_it_serves_until_it_is_told_to_stop(command: list[str], number: str) -> None:
    with started(command, "--key", "KEY", "--key", "OTHER", "--rate", "0") as (process, url):
        assert url.startswith("http://127.0.0.1:")
        assert url.endswith("/v1/extract")
        for key in ("KEY", "OTHER"):
            status, text = ask(url, page(), key)
            assert status == 200, text
            assert json.loads(text)[0]["article"]["url"] == "http://a.example/"
        assert ask(url, page(), "WRONG")[0] == 401
        process.send_signal(getattr(signal, number))
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    counts = json.loads(out)
    assert (counts["requests"], counts["items"]) == (3, 2)
    assert counts["request_errors"] == {"unauthorized": 1}


def test_a_signal_may_come_again_while_it_stops() -> None:
    with started(COMMAND) as (process, _):
        for _ in range(3):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.1)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")


def test_every_limit_is_an_option(tmp_path: Path) -> None:
    script = tmp_path / "faults.json"
    script.write_text('[{"when": {"url": "*/bad"}, "then": {"error": "Proxy error: banned"}}]')
    options = {
        "--rate": "1",
        "--burst": "7",
        "--system-rate": "1000",
        "--max-queries": "2",
        "--max-payload": "4000",
        "--query-timeout": "5",
        "--blacklist": "black.example",
        "--occupied": "busy.example=77",
        "--domain-rate": "0.5",
        "--domain-concurrency": "1",
        "--domain-wait": "3",
        "--faults": str(script),
        "--seed": "5",
        "--disabled-key": "OLD",
        "--connect-timeout": "1",
        "--fetch-timeout": "1",
        "--max-page": "100",
        "--max-redirects": "0",
        "--concurrency": "1",
        "--workers": "0",
        "--allow-host": "*.example",
        "--host": "localhost",
    }
    given = [part for option in options.items() for part in option]
    with started(COMMAND, *given, "--shuffle", "--verbose") as (process, url):
        for name, expected in {
            "http://black.example/": "Extraction not permitted for this URL",
            "http://x.busy.example/": "Domain busy.example is occupied, please retry in 77 seconds",
            "http://a.example/bad": "Proxy error: banned",
            "http://a.example/": None,
            "http://b.a.example/": "Domain a.example is occupied, please retry in 2 seconds",
        }.items():
            status, text = ask(url, page(name))
            assert (status, json.loads(text)[0].get("error")) == (200, expected)
        assert ask(url, "[]", "OLD")[0] == 403
        assert ask(url, "[{},{},{}]")[0] == 413
        assert ask(url, page("http://a.example/" + "x" * 4000)) == (413, "")
        assert [ask(url, page("mailto:a"))[0] for _ in range(4)] == [200, 200, 429, 429]
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
    assert "POST /v1/extract: 200" in err
    assert "KEY" not in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--extraction-port", "x"], "'x' is not a port"),
        (["--extraction-port", "65536"], "'65536' is not a port"),
        (["--rate", "-1"], "expected one argument|'-1' is not a number of queries"),
        (["--rate", "nan"], "'nan' is not a number of queries"),
        (["--burst", "0"], "'0' is not a number from 1 on"),
        (["--max-queries", "ten"], "'ten' is not a number from 1 on"),
        (["--query-timeout", "soon"], "'soon' is not a number of seconds"),
        (["--occupied", "a.example"], "is not of the form DOMAIN=SECONDS"),
        (["--occupied", "a.example=x"], "'x' is not a number of seconds"),
        (["--seed", "1.5"], "is not a seed"),
        (["--key", ""], "a key cannot be empty"),
        (["--allow-host", "10.0.0.0/99"], "is not a host"),
        (["--faults", "/nowhere/faults.json"], "faults?.*No such file"),
        (["--faults", __file__], "fault script is not valid"),
        (["--nope"], "unrecognized arguments: --nope"),
    ],
)
def test_bad_options_end_with_2(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["sandbox", *options])
    assert caught.value.code == 2
    err = capsys.readouterr().err
    assert err.startswith("usage: silkline")
    assert re.search(message, err)


def test_a_port_that_is_taken_is_told() -> None:
    with started(COMMAND, "--workers", "0") as (_, url):
        port = url.split(":")[2].partition("/")[0]
        result = subprocess.run(
            [*COMMAND, "--extraction-port", port, "--workers", "0"],
            capture_output=True,
            check=False,
            text=True,
            timeout=30,
        )
    assert result.returncode == 1
    assert "cannot listen" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["sandbox", "--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    for text in ("--faults FILE", "--allow-host HOST", "--rate QUERIES", "examples:", "/-/stats"):
        assert text in out


def test_a_missing_extra_is_told() -> None:
    # As if aiohttp were not installed.
    code = "import sys; sys.modules['aiohttp'] = None; from silkline.cli import main; sys.exit(main(['sandbox']))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "pip install 'silkline[sandbox]'" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at the processes of the machine")
def test_workers_go_when_the_sandbox_is_killed() -> None:
    def alive(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
        except OSError:
            return False

    with started(COMMAND, "--workers", "1") as (process, url):
        assert ask(url, page())[0] == 200
        tasks = Path(f"/proc/{process.pid}/task").glob("*/children")
        children = [int(pid) for task in tasks for pid in task.read_text().split()]
        assert children
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        for _ in range(100):
            if not any(map(alive, children)):
                break
            time.sleep(0.1)
        assert not any(map(alive, children))
