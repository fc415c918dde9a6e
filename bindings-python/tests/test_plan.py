"""`silkline.plan`, and ``silkline plan`` as its users call it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import silkline
from silkline.cli import main
from silkline.plan import Plan

COMMAND = [str(Path(sys.executable).with_name("silkline")), "plan"]


def told(capsys: pytest.CaptureFixture[str], *options: str) -> Any:
    """The report of a run, as JSON."""
    assert main(["plan", "--json", *options]) == 0
    return json.loads(capsys.readouterr().out)


def test_sessions_limit_a_proxied_crawl(capsys: pytest.CaptureFixture[str]) -> None:
    report = told(capsys, "--pages", "3000", "--domains", "20", "--sessions", "30")
    assert report["kind"] == "proxy"
    # 100 requests of each session, 12.25 s apart.
    assert report["duration_s"] == pytest.approx(99 * 12.25 + 2, rel=0.01)
    assert report["limit"]["what"] == "sessions"
    assert report["limit"]["waited_share"] > 0.9
    change = report["changes"][0]
    assert (change["setting"], change["from"], change["to"]) == ("sessions", 30, 60)
    again = told(capsys, "--pages", "3000", "--domains", "20", "--sessions", "60")
    assert again["duration_s"] == pytest.approx(change["duration_s"], rel=0.05)
    assert report["succeeded"] == 3000
    assert report["early"] == 0
    assert sum(report["series"]["succeeded"]) == 3000
    assert max(report["series"]["sessions"]) == 30


def test_the_rate_limits_an_extraction(capsys: pytest.CaptureFixture[str]) -> None:
    report = told(capsys, "--pages", "1000", "--domains", "20")
    assert report["kind"] == "extraction"
    assert report["duration_s"] == pytest.approx(200 + 10, rel=0.1)
    assert report["limit"]["what"] == "rate"
    assert report["cost"]["dollars"] == 60
    faster = told(capsys, "--pages", "1000", "--domains", "20", "--rate", "10")
    assert faster["duration_s"] < report["duration_s"] * 0.7
    successor = told(capsys, "--pages", "1000", "--dialect", "zyte_api", "--rate-per-minute", "300")
    assert successor["duration_s"] == pytest.approx(report["duration_s"], rel=0.05)
    assert successor["cost"]["price"] == 0


def test_what_a_month_costs(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--pages", "2500", "--rate", "50", "--concurrency", "1000")
    report = told(capsys, *options, "--quota", "1000", "--month-limit", "2000", "--price", "30")
    cost = report["cost"]
    assert cost["months"] == [2000, 500]
    assert cost["refused"] == 500
    assert cost["dollars"] == 30 + 30 + 30
    assert report["duration_s"] > 30 * 86_400
    assert report["limit"]["what"] == "monthly_limit"
    free = told(capsys, *options, "--month-limit", "0", "--price", "0")
    assert free["cost"]["dollars"] == 0
    assert free["duration_s"] < 100


def test_domains_come_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "domains.txt"
    path.write_text(
        "# counts\na.example 30\nb.example,5\n\nhttps://b.example/x?y\nhttp://c.example/\n"
    )
    report = told(capsys, "--domain-file", str(path), "--sessions", "50")
    assert report["pages"] == 37
    assert report["domains"] == 3
    assert report["largest_domain"] == {"name": "a.example", "pages": 30}
    for wrong in ("a.example x\n", "a.example 1 2\n", "\n", "http://[/ 3\n"):
        path.write_text(wrong)
        with pytest.raises(SystemExit) as refused:
            main(["plan", "--domain-file", str(path)])
        assert refused.value.code == 2


def test_faults_and_latency_can_be_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calm = told(capsys, "--pages", "500", "--sessions", "20", "--latency", "1")
    assert (calm["retries"], calm["failed"]) == (0, 0)
    assert calm["answer_s"] == pytest.approx(1.05, abs=0.01)
    rough = told(capsys, "--pages", "500", "--sessions", "20", "--faults", "30%")
    assert rough["retries"] > 100
    assert rough["duration_s"] > calm["duration_s"]
    script = tmp_path / "faults.json"
    script.write_text('[{"when": {"domain": "site-2.example"}, "then": {"ban": true}}]')
    banned = told(
        capsys, "--pages", "40", "--domains", "4", "--sessions", "20", "--fault-script", str(script)
    )
    assert banned["errors"] == {"banned": 10}
    script.write_text('[{"when": {"request": 5}, "then": {"problem": "account-disabled"}}]')
    assert main(["plan", "--pages", "40", "--fault-script", str(script)]) == 1
    assert "account_disabled" in capsys.readouterr().out


def test_a_report_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--pages", "2000", "--domains", "5", "--sessions", "10"]) == 0
    lines = capsys.readouterr().out.splitlines()
    starts = [line[2:15].strip() for line in lines[1:] if line[2:3] != " "]
    assert starts == ["takes", "costs", "limited by", "to change", "requests"]
    assert "2,000 pages of 5 domains" in lines[0]
    assert any("$60.00" in line for line in lines)
    assert any("20 sessions instead of 10" in line for line in lines)


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--pages", "0"],
        ["--pages", "10", "--sessions", "5001"],
        ["--pages", "10", "--bans", "2"],
        ["--pages", "10", "--latency", "3-1"],
        ["--pages", "10", "--rate", "0"],
        ["--pages", "10", "--rate", "5", "--rate-per-minute", "300"],
        ["--pages", "10", "--chart", "plan.pdf"],
        ["--pages", "10", "--kind", "proxy", "--dialect", "automatic_extraction"],
        ["--pages", "10", "--domain-file", "/nowhere"],
        ["--pages", "10", "--fault-script", "/nowhere"],
        ["--pages", "10", "--month-days", "0"],
    ],
)
def test_wrong_usage_is_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["plan", *options])
    assert refused.value.code == 2
    assert "usage: silkline plan" in capsys.readouterr().err


def test_charts_are_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    for name, magic in (("plan.png", b"\x89PNG\r\n"), ("plan.svg", b"<?xml")):
        chart = tmp_path / name
        assert main(["plan", "--pages", "300", "--sessions", "20", "--chart", str(chart)]) == 0
        assert chart.read_bytes().startswith(magic)
    assert main(["plan", "--pages", "1", "--chart", str(chart)]) == 0
    assert main(["plan", "--pages", "30", "--faults", "90%", "--chart", str(chart)]) in {0, 1}
    missing = tmp_path / "nowhere" / "plan.svg"
    assert main(["plan", "--pages", "3", "--chart", str(missing)]) == 2
    capsys.readouterr()


def test_without_matplotlib_all_but_the_chart_works(tmp_path: Path) -> None:
    (tmp_path / "matplotlib.py").write_text("raise ModuleNotFoundError(name='matplotlib')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        command = [*COMMAND, "--pages", "50", *options]
        return subprocess.run(
            command, capture_output=True, text=True, env=environment, check=False, timeout=60
        )

    assert run().returncode == 0
    refused = run("--chart", str(tmp_path / "a.png"))
    assert refused.returncode == 1
    assert "silkline[plan]" in refused.stderr


@pytest.mark.skipif(shutil.which("sleep") is None, reason="signals are those of Unix")
def test_ctrl_c_ends_a_long_plan() -> None:
    process = subprocess.Popen(
        [*COMMAND, "--pages", "100000000", "--sessions", "5000", "--progress"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What is started in the background of a shell would not hear of it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 -- no threads
    )
    assert process.stderr is not None
    shown = ""
    while "%" not in shown:
        shown += process.stderr.read(1)
    process.send_signal(signal.SIGINT)
    start = time.monotonic()
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - start < 10
    assert process.returncode == 1
    assert out == ""
    assert re.search(r"interrupted$", err.strip())


def test_other_threads_run_meanwhile() -> None:
    plan = Plan("proxy", pages=20_000, sessions=500)
    counted, done = 0, threading.Event()

    def count() -> None:
        nonlocal counted
        while not done.wait(0.001):
            counted += 1

    thread = threading.Thread(target=count)
    thread.start()
    plan.advance(100_000)
    done.set()
    thread.join()
    assert counted > 10


def test_progress_is_told() -> None:
    plan = Plan("extraction", pages=4_000, domains=3, rate=12.5)
    seen: list[tuple[int, int]] = []
    while not plan.advance(500):
        seen.append(plan.progress)
        assert plan.elapsed > 0
    assert seen == sorted(seen)
    assert len(seen) > 3
    assert plan.progress == (4_000, 4_000)
    assert plan.report()["stopped"] is None
    calls: list[int] = []
    Plan("extraction", pages=40_000, domains=3).run(lambda done, _: calls.append(done))
    assert calls
    assert calls == sorted(calls)


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_values_that_are_no_numbers_are_refused(value: float) -> None:
    with pytest.raises(silkline.InvalidPlan) as refused:
        Plan("proxy", pages=1, session_delay=value)
    assert refused.value.code == "invalid_plan"
    assert "is not a number from 0 on" in refused.value.reason
    with pytest.raises(TypeError):
        Plan("proxy", pages=1, rate=1, rate_per_minute=60)
