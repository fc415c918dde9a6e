"""``silkline extract`` as its users run it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from published import interpreter
from quick import pages, queries, sandbox
from silkline.cli import main
from silkline.cli.extract_output import key_of
from silkline.sandbox import Sandbox

COMMAND = [sys.executable, "-m", "silkline", "extract"]
KEYLESS = {
    name: value
    for name, value in os.environ.items()
    if name not in {"SILKLINE_API_KEY", "ZYTE_AUTOEXTRACT_KEY"}
}


def command(box: Sandbox, *options: str | Path, rate: float = 0) -> list[str]:
    fixed = ["--endpoint", box.extraction_url, "--rate", str(rate)]
    return [*COMMAND, *map(str, options), *fixed]


def run(
    box: Sandbox,
    *options: str | Path,
    stdin: str | None = None,
    key: dict[str, str] | None = None,
    rate: float = 0,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(box, *options, rate=rate),
        input=stdin,
        capture_output=True,
        text=True,
        env={**KEYLESS, **({"SILKLINE_API_KEY": "KEY"} if key is None else key)},
        timeout=120,
        check=False,
    )


def write(path: Path, found: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(query) + "\n" for query in found))
    return path


def read(path: Path) -> list[dict[str, Any]]:
    text = path.read_text()
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def urls(results: list[dict[str, Any]]) -> Counter[str]:
    return Counter(result["query"]["userQuery"]["url"] for result in results)


def test_urls_in_results_out(tmp_path: Path) -> None:
    file = tmp_path / "urls.txt"
    wanted = [query["url"] for query in queries(30)]
    file.write_text("\ufeff" + "\r\n\n".join(wanted))
    out = tmp_path / "out.jsonl"
    with pages(), sandbox() as box:
        done = run(box, file, "--page-type", "product", "-o", out)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert "30 extracted, 0 failed" in done.stderr
        results = read(out)
        assert urls(results) == Counter(wanted)
        for result in results:
            url = result["query"]["userQuery"]["url"]
            assert result["query"]["userQuery"] == {"url": url, "pageType": "product"}
            assert result["product"] == {"url": url}
            assert {"algorithmVersion", "webPage"} < result.keys()
        assert box.stats()["billed"] == 30


def test_json_lines_on_stdin_and_results_on_stdout() -> None:
    given: list[dict[str, Any]] = [
        {"url": "http://a.example/1", "pageType": "article", "meta": "é", "fullHtml": True},
        {"url": "http://a.example/2", "articleBodyRaw": False},
        {"url": "http://a.example/3", "more": [1]},
    ]
    text = "\n".join(map(json.dumps, given)) + "\nhttp://a.example/4"
    with pages(), sandbox() as box:
        done = run(
            box, "-", "--page-type", "vehicle", stdin=text, key={"ZYTE_AUTOEXTRACT_KEY": "K"}
        )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line)["query"]["userQuery"] for line in done.stdout.splitlines()]
    expected: list[dict[str, Any]] = [{"pageType": "vehicle", **query} for query in given]
    expected.append({"url": "http://a.example/4", "pageType": "vehicle"})
    assert sorted(found, key=lambda query: query["url"]) == expected


def test_failures_are_written_and_told(tmp_path: Path) -> None:
    lines = [
        "http://a.example/1",
        "http://a.example/missing",
        "nonsense",
        "{broken",
        "http://no.example/",
    ]
    out = tmp_path / "out.jsonl"
    with pages(), sandbox(blacklist=["no.example"]) as box:
        options = ("--page-type", "article", "-o", out)
        done = run(box, "-", *options, stdin="\n".join(lines))
        assert done.returncode == 1
        assert "1 extracted, 4 failed" in done.stderr
        assert "line 3: query url `nonsense`" in done.stderr
        assert "line 4: not JSON" in done.stderr
        errors = {r["query"]["userQuery"]["url"]: r.get("error") for r in read(out)}
        assert errors.keys() == set(lines)
        assert errors["http://a.example/1"] is None
        assert errors["http://a.example/missing"] == "Downloader error: http404"
        assert "not an absolute" in str(errors["nonsense"])
        # They are finished, and still no success.
        before, asked = out.read_bytes(), box.stats()["queries"]
        again = run(box, "-", *options, "--resume", stdin="\n".join(lines))
        assert again.returncode == 1
        assert "0 extracted, 4 failed, 5 finished before" in again.stderr
        assert (out.read_bytes(), box.stats()["queries"]) == (before, asked)


@pytest.mark.parametrize("transport", ["aiohttp", "httpx"])
def test_kill_in_the_middle_and_resume(tmp_path: Path, transport: str) -> None:
    wanted = queries(2_000)
    file, out = write(tmp_path / "in.jsonl", wanted), tmp_path / "out.jsonl"
    options = (file, "-o", out, "--resume", "--transport", transport, "--concurrency", "20")
    with pages(seconds=0.01) as made, sandbox() as box:
        for least in (300, 900):
            process = subprocess.Popen(
                [*command(box, *options), "--api-key", "KEY"], stderr=subprocess.DEVNULL
            )
            while not out.exists() or out.read_bytes().count(b"\n") < least:
                assert process.poll() is None
                time.sleep(0.01)
            process.kill()
            assert process.wait() == -signal.SIGKILL
            time.sleep(0.3)  # the sandbox notices
            with out.open("ab") as torn:  # as if the kill had come within a write
                torn.write(b'{"query": {"userQuery": {"url": "http://s1.exam')
        finished = urls([json.loads(line) for line in out.read_bytes().splitlines()[:-1]])
        assert 900 <= len(finished) < 2_000
        before = Counter(made)
        done = run(box, *options)
        assert done.returncode == 0, done.stderr
    assert urls(read(out)) == {query["url"]: 1 for query in wanted}
    assert {url: made[url] - before[url] for url in finished} == dict.fromkeys(finished, 0)
    # Only what was under way at a kill was asked for twice.
    assert sum(made.values()) <= 2_000 + 2 * 20
    assert f"{len(finished)} finished before" in done.stderr


def test_ctrl_c_keeps_what_is_done_and_waits_for_what_is_under_way(tmp_path: Path) -> None:
    file, out = write(tmp_path / "in.jsonl", queries(500)), tmp_path / "out.jsonl"
    with pages(seconds=0.3) as made, sandbox() as box:
        process = subprocess.Popen(
            [*command(box, file, "-o", out, rate=50), "--api-key", "KEY"],
            stderr=subprocess.PIPE,
            text=True,
        )
        while len(made) < 40:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 1, err
        assert "the rest is unfinished" in err
        assert "Traceback" not in err
        results = read(out)
        assert urls(results) == made  # nothing was given up
        assert len(results) < 400
        assert not any("error" in result for result in results)
        done = run(box, file, "-o", out, "--resume")
        assert done.returncode == 0, done.stderr
    assert urls(read(out)) == {query["url"]: 1 for query in queries(500)} == made


def test_a_second_ctrl_c_gives_up(tmp_path: Path) -> None:
    file = write(tmp_path / "in.jsonl", queries(5))
    with pages(seconds=60) as made, sandbox() as box:
        process = subprocess.Popen(
            [*command(box, file), "--api-key", "KEY", "--grace", "60"],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        while len(made) < 5:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (1, ""), err
    assert "Traceback" not in err


def test_ctrl_c_while_stdin_says_nothing() -> None:
    with pages() as made, sandbox() as box:
        process = subprocess.Popen(
            [*command(box, "-"), "--api-key", "KEY"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(queries(1)[0]) + "\n")
        process.stdin.flush()
        assert "article" in json.loads(process.stdout.readline())  # at once, not at the end
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 1
        process.communicate()
    assert len(made) == 1


def test_the_budget_holds_over_runs(tmp_path: Path) -> None:
    file, out = write(tmp_path / "in.jsonl", queries(30)), tmp_path / "out.jsonl"
    with pages(), sandbox() as box:
        done = run(box, file, "-o", out, "--budget", "10")
        assert done.returncode == 1
        assert "the budget is used up" in done.stderr
        assert (box.stats()["billed"], len(read(out))) == (10, 10)
        assert run(box, file, "-o", out, "--budget", "10", "--resume").returncode == 1
        assert run(box, file, "-o", out, "--budget", "17", "--resume").returncode == 1
        assert (box.stats()["billed"], len(read(out))) == (17, 17)
        assert run(box, file, "-o", out, "--budget", "30", "--resume").returncode == 0
        assert (box.stats()["billed"], len(read(out))) == (30, 30)


def test_equal_queries_are_each_answered(tmp_path: Path) -> None:
    file, out = write(tmp_path / "in.jsonl", queries(3) * 4), tmp_path / "out.jsonl"
    with pages(), sandbox() as box:
        assert run(box, file, "-o", out, "--budget", "5").returncode == 1
        assert run(box, file, "-o", out, "--resume").returncode == 0
        assert box.stats()["billed"] == 12
    assert urls(read(out)) == {query["url"]: 4 for query in queries(3)}


def test_results_that_repeat_less_than_their_query_are_known_again(tmp_path: Path) -> None:
    wanted = [{**query, "meta": f"m{at}", "more": at} for at, query in enumerate(queries(9))]
    file, out = write(tmp_path / "in.jsonl", wanted), tmp_path / "out.jsonl"
    faults = json.dumps([{"when": {}, "then": {"echo": {"added": [1, {"a": "b"}]}}}])
    with pages(), sandbox(faults=faults) as box:
        assert run(box, file, "-o", out).returncode == 0
        for result in read(out):
            assert result["query"]["userQuery"]["added"]
            assert result["silkline"]["query"] in wanted
        done = run(box, file, "-o", out, "--resume")
        assert done.returncode == 0
        assert "9 finished before" in done.stderr
        assert box.stats()["queries"] == 9


def test_a_whole_last_line_without_its_end_is_kept(tmp_path: Path) -> None:
    file, out = write(tmp_path / "in.jsonl", queries(3)), tmp_path / "out.jsonl"
    with pages(), sandbox() as box:
        assert run(box, file, "-o", out, "--resume").returncode == 0
        whole = out.read_bytes()
        out.write_bytes(whole[:-1])
        assert run(box, file, "-o", out, "--resume").returncode == 0
        assert out.read_bytes() == whole
        assert box.stats()["queries"] == 3


def test_a_file_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    file, out = write(tmp_path / "in.jsonl", queries(3)), tmp_path / "out.jsonl"
    with pages(), sandbox() as box:
        for content, options, word in (
            ('{"query": {"userQuery": {}}}\n', (), "--resume"),
            ("my diary\nmore\n", ("--resume",), "is no result"),
            ('{"a": 1}\n', ("--resume",), "is no result"),
        ):
            out.write_text(content)
            done = run(box, file, "-o", out, *options)
            assert (done.returncode, out.read_text()) == (2, content)
            assert word in done.stderr
        done = run(box, file, "-o", file)
        assert (done.returncode, len(read(file))) == (2, 3)
        assert box.stats()["queries"] == 0
        assert run(box, file, "-o", out, "--overwrite").returncode == 0
        assert len(read(out)) == 3


def test_two_runs_do_not_write_to_one_file(tmp_path: Path) -> None:
    file, out = write(tmp_path / "in.jsonl", queries(3)), tmp_path / "out.jsonl"
    with pages(seconds=60) as made, sandbox() as box:
        first = subprocess.Popen([*command(box, file, "-o", out), "--api-key", "KEY"])
        try:
            while not made:
                time.sleep(0.01)
            second = run(box, file, "-o", out, "--resume")
        finally:
            first.kill()
            first.wait()
    assert second.returncode == 2
    assert "by another run" in second.stderr


def test_a_refused_account_ends_it(tmp_path: Path) -> None:
    file, out = write(tmp_path / "in.jsonl", queries(30)), tmp_path / "out.jsonl"
    secret = "s3cr3tk3y"
    with pages(), sandbox(keys=["OTHER"]) as box:
        done = run(box, file, "-o", out, key={"SILKLINE_API_KEY": secret})
        assert (done.returncode, out.read_text()) == (2, "")
        assert "refuses the account" in done.stderr
        assert secret not in done.stderr
        assert box.stats()["requests"] <= 30


@pytest.mark.parametrize(
    "options",
    [
        ["nowhere.txt"],
        ["-", "--resume"],
        ["-", "--page-type", "novel"],
        ["-", "--rate", "many"],
        ["-", "--batch-size", "101"],
        ["-", "--endpoint", "nowhere"],
        ["-", "--api-key", "two words"],
        ["-", "-o", "/nowhere/out.jsonl"],
        [],
    ],
)
def test_wrong_usage_is_told(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["extract", *options, *(["--api-key", "KEY"] if "--api-key" not in options else [])])
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert "two words" not in error
    assert error.splitlines()[-1].startswith("silkline extract: error: ")


def test_a_key_is_needed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("SILKLINE_API_KEY", "ZYTE_AUTOEXTRACT_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit) as caught:
        main(["extract", "-"])
    assert caught.value.code == 2
    assert "SILKLINE_API_KEY" in capsys.readouterr().err


def test_the_progress_bar(tmp_path: Path) -> None:
    file, out = write(tmp_path / "in.jsonl", queries(40)), tmp_path / "out.jsonl"
    with pages(), sandbox() as box:
        done = run(box, file, "-o", out, "--progress", "--price", "100000")
    assert "40/40" in done.stderr
    assert "q/s" in done.stderr
    assert "errors=0, cost $40.0" in done.stderr


def test_a_reader_that_has_enough_ends_it(tmp_path: Path) -> None:
    file = write(tmp_path / "in.jsonl", queries(3_000))
    with pages() as made, sandbox() as box:
        process = subprocess.Popen(
            [*command(box, file, rate=300), "--api-key", "KEY"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=20) == 1
        err = process.stderr.read()
        process.stderr.close()
        assert len(made) < 3_000
    assert b"Traceback" not in err
    assert b"Exception ignored" not in err


def test_an_occupied_domain_delays_the_published_client_and_not_this_one(tmp_path: Path) -> None:
    """Ten domains and one that is occupied for 25 seconds, for both clients."""
    pages_each, rate, busy = 8, 10, 25
    names = ["busy", *(f"s{number}" for number in range(10))]
    wanted = [f"http://{name}.example/{page}" for page in range(pages_each) for name in names]
    file = tmp_path / "urls.txt"
    file.write_text("\n".join(wanted))
    took: dict[str, float] = {}

    def others_done(out: Path, start: float) -> float | None:
        if out.exists():
            others = sum(b"busy.example" not in line for line in out.read_bytes().splitlines())
            if others >= 10 * pages_each:
                return time.monotonic() - start
        return None

    own = ("-o", tmp_path / "own.jsonl", "--page-type", "article")
    with pages():
        for name in ("own", "published"):
            with sandbox(occupied={"busy.example": busy}) as box:
                if name == "own":
                    started = command(box, file, *own, rate=rate)
                else:
                    started = [interpreter("zyte-autoextract"), "-m", "autoextract", str(file)]
                    started += ["-o", str(tmp_path / "published.jsonl"), "--page-type", "article"]
                    started += ["--api-endpoint", box.extraction_url, "--batch-size", "1"]
                    started += ["--n-conn", "4", "--max-query-error-retries", "3"]
                start = time.monotonic()
                process = subprocess.Popen(
                    [*started, "--api-key", "KEY"], stderr=subprocess.DEVNULL
                )
                out = tmp_path / f"{name}.jsonl"
                while (done := others_done(out, start)) is None:
                    assert time.monotonic() - start < 120
                    assert process.poll() is None or others_done(out, start)
                    time.sleep(0.05)
                process.kill()
                process.wait()
                took[name] = done
    print(took)
    # The start of Python comes on top of the ten domains' 80 queries at 10 a second.
    assert took["own"] < 10 * pages_each / rate + 4
    assert took["published"] > 20


def test_keys_of_records_do_not_depend_on_the_order_of_members() -> None:
    one = {"url": "http://a.example/", "pageType": "article", "meta": "m"}
    assert key_of(one) == key_of(dict(reversed(one.items())))
    assert key_of(one) != key_of({**one, "meta": "n"})
    assert key_of("nonsense") == key_of("nonsense")


def test_slow_input_is_no_reason_to_wait() -> None:
    async def whole() -> None:
        with pages(), sandbox() as box:
            process = await asyncio.create_subprocess_exec(
                *command(box, "-", "--page-type", "article"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**KEYLESS, "SILKLINE_API_KEY": "KEY"},
            )
            assert process.stdin is not None
            assert process.stdout is not None
            for query in queries(3):
                process.stdin.write(query["url"].encode() + b"\n")
                line = await asyncio.wait_for(process.stdout.readline(), 20)
                assert json.loads(line)["query"]["userQuery"]["url"] == query["url"]
            process.stdin.close()
            assert await process.wait() == 0

    asyncio.run(whole())
