"""``silkline fetch`` and ``silkline sessions`` as their users run them."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import serve
from quick import sandbox
from silkline.sandbox import Sandbox

KEYLESS = {
    name: value
    for name, value in os.environ.items()
    if name not in {"SILKLINE_API_KEY", "ZYTE_AUTOEXTRACT_KEY"}
}
SECRET = "THE-SECRET"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    proxy: Any = {"delay": 0.0, "ca_directory": tmp_path_factory.mktemp("ca")}
    with sandbox(extraction_port=None, proxy_port=0, keys=[SECRET], proxy=proxy) as box:
        yield box


def command(box: Sandbox, name: str, *given: str | Path) -> list[str]:
    options = list(given)
    fixed = ["--endpoint", box.proxy_url, "--ca", str(box.ca_certificate)]
    if name == "fetch":
        fixed += ["--session-delay", "0"]
    if name == "sessions":  # the options are those of its actions
        action, *options = options
        fixed = [str(action), *fixed]
    return [sys.executable, "-m", "silkline", name, *fixed, *map(str, options)]


def run(
    box: Sandbox,
    name: str,
    *options: str | Path,
    stdin: str | None = None,
    key: dict[str, str] | None = None,
    status: int = 0,
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command(box, name, *options),
        input=stdin,
        capture_output=True,
        text=True,
        env={**KEYLESS, **({"SILKLINE_API_KEY": SECRET} if key is None else key)},
        timeout=60,
        check=False,
    )
    assert done.returncode == status, (done.returncode, done.stderr)
    assert SECRET not in done.stdout + done.stderr
    return done


def records(text: str) -> list[dict[str, Any]]:
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def living(box: Sandbox) -> int:
    return int(box.stats()["proxy"]["sessions_living"])


def test_the_body_of_a_single_url(box: Sandbox, site: str, tls_site: str) -> None:
    done = run(box, "fetch", f"{tls_site}/headers", "-H", "X-Mine: 1", "--data", "a=b")
    seen = json.loads(done.stdout)
    assert (seen["method"], seen["body"], seen["tls"]) == ("POST", "a=b", True)
    assert ["X-Mine", "1"] in seen["headers"]
    assert "1 fetched, 0 failed, 1 requests, 1 sessions" in done.stderr
    missing = run(box, "fetch", f"{site}/status/404", status=1)
    assert "<h1>Status 404" in missing.stdout
    assert "status 404" in missing.stderr
    assert living(box) == 0


def test_lines_in_answers_out(box: Sandbox, site: str, tls_site: str, tmp_path: Path) -> None:
    lines = [
        f"{site}/headers?1",
        "",
        json.dumps({"url": f"{tls_site}/headers", "json": [1], "method": "PUT", "session": "a"}),
        json.dumps({"url": f"{site}/headers?a", "session": "a", "headers": {"X-B": "2"}}),
        f"{site}/redirect/2",
        f"{site}/bytes/300",
        f"{site}/status/410",
        "not a url",
        '{"url": 3}',
        '{"url": "http://a.example/", "colour": "red"}',
        "{",
    ]
    urls = tmp_path / "urls.txt"
    urls.write_text("\ufeff" + "\r\n".join(lines))
    out = tmp_path / "out.jsonl"
    done = run(box, "fetch", urls, "-", "-o", out, stdin=f"{site}/headers?stdin\n", status=1)
    assert done.stdout == ""
    found = records(out.read_text())
    by_url = {str(it["url"]): it for it in found}
    assert len(found) == 11
    assert "6 fetched, 5 failed" in done.stderr
    plain = by_url[f"{site}/headers?1"]
    assert (plain["status"], plain["attempts"]) == (200, 1)
    assert json.loads(plain["body"])["peer"] == plain["outgoing"].split(":")[0]
    assert any(name == "Content-Type" for name, _ in plain["headers"])
    put, again = by_url[f"{tls_site}/headers"], by_url[f"{site}/headers?a"]
    assert (put["sessionName"], put["session"]) == ("a", again["session"])
    assert json.loads(put["body"])["method"] == "PUT"
    assert ["X-B", "2"] in json.loads(again["body"])["headers"]
    assert by_url[f"{site}/redirect/2"]["finalUrl"] == f"{site}/index.html"
    assert len(base64.b64decode(by_url[f"{site}/bytes/300"]["bodyBase64"])) == 300
    assert by_url[f"{site}/status/410"]["status"] == 410
    codes = Counter(it["error"]["code"] for it in found if "error" in it)
    assert codes == {"invalid_request": 3, "target_url_invalid": 1}
    assert f"{site}/headers?stdin" in by_url
    assert living(box) == 0
    refused = run(box, "fetch", urls, "-o", out, status=2)
    assert "--overwrite" in refused.stderr
    run(box, "fetch", site, "-o", out, "--overwrite")
    assert len(records(out.read_text())) == 1


def test_a_folder(box: Sandbox, site: str, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "pages"
    run(box, "fetch", f"{site}/index.html", f"{site}/images/a.png", f"{site}/headers", "-d", folder)
    index = {it["url"]: it for it in records((folder / "index.jsonl").read_text())}
    assert all("body" not in it for it in index.values())
    files = {url.removeprefix(site): it["file"] for url, it in index.items()}
    assert files == {
        "/index.html": "000001.html",
        "/images/a.png": "000002.png",
        "/headers": "000003.json",
    }
    assert (folder / "000002.png").read_bytes().startswith(b"\x89PNG")
    run(box, "fetch", site, "-d", folder, status=2)


@pytest.mark.parametrize("where", ["-o", "-d"])
def test_kill_in_the_middle_and_resume(box: Sandbox, tmp_path: Path, where: str) -> None:
    wanted = 300
    log = tmp_path / "site.log"
    lines = tmp_path / "urls.txt"
    to = tmp_path / "out"
    index = to / "index.jsonl" if where == "-d" else to
    for site in serve("127.0.0.1", None, str(log)):
        lines.write_text(
            "".join(
                json.dumps({"url": f"{site}/headers?{n // 2}", "method": ("GET", "POST")[n % 2]})
                + "\n"
                for n in range(wanted)
            )
        )
        options = (lines, where, to, "--resume", "--concurrency", "8")
        for least in (50, 150):
            process = subprocess.Popen(
                command(box, "fetch", *options),
                env={**KEYLESS, "SILKLINE_API_KEY": SECRET},
                stderr=subprocess.DEVNULL,
            )
            while not index.exists() or index.read_bytes().count(b"\n") < least:
                assert process.poll() is None
                time.sleep(0.01)
            process.kill()
            assert process.wait() == -signal.SIGKILL
            with index.open("ab") as torn:  # as if the kill had come within a write
                torn.write(b'{"url": "http://127.0.0.1/slow')
        done = run(box, "fetch", *options)
        finished = int(done.stderr.partition(" finished before")[0].rpartition(" ")[2])
        assert 150 <= finished < wanted
        found = records(index.read_text())
        assert len(found) == wanted
        assert len({(it["url"], it.get("request")) for it in found}) == wanted
        assert not [it for it in found if "error" in it or it["status"] != 200]
        if where == "-d":
            assert len({it["file"] for it in found}) == wanted
            for it in found:
                body = json.loads((to / it["file"]).read_bytes())
                assert it["url"].endswith(body["path"])
        asked = [json.loads(line)["path"] for line in log.read_text().splitlines()]
        # Only what was under way at a kill, or had just come, was asked for twice.
        assert wanted <= len(asked) <= wanted + 2 * 2 * 8
        again = run(box, "fetch", *options)
        assert f"0 fetched, 0 failed, {wanted} finished before, 0 requests" in again.stderr
    run(box, "sessions", "prune")


def test_what_is_resumed_is_what_was_asked_for(box: Sandbox, site: str, tmp_path: Path) -> None:
    folder, lines = tmp_path / "pages", tmp_path / "lines"
    page = f"{site}/headers"
    lines.write_text(f"{page}\n{site}/status/404\nnonsense\n")
    first = run(box, "fetch", lines, "-d", folder, "--resume", status=1)
    assert "1 fetched, 2 failed" in first.stderr
    # What failed is finished, and still no success; equal lines are each answered.
    lines.write_text(f"{site}/status/404\nnonsense\n{page}\n{page}\n")
    second = run(box, "fetch", lines, "-d", folder, "--resume", status=1)
    assert "1 fetched, 2 failed, 3 finished before, 1 requests" in second.stderr
    # Other methods, bodies, headers and sessions make other requests, and no file is lost.
    for options in (["-X", "PUT"], ["--data", "a"], ["-H", "A: b"], ["--session", "s"]):
        done = run(box, "fetch", page, "-d", folder, "--resume", *options)
        assert "1 fetched, 0 failed, 1 requests" in done.stderr
    found = [it for it in records((folder / "index.jsonl").read_text()) if it["url"] == page]
    seen = [json.loads((folder / it["file"]).read_text()) for it in found]
    assert [it["method"] for it in seen] == ["GET", "GET", "PUT", "POST", "GET", "GET"]
    assert seen[3]["body"] == "a"
    assert len({it["file"] for it in found}) == 6


def test_a_file_that_holds_something_else_is_left_alone(
    box: Sandbox, site: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for content, options, word in (
        ('{"url": "http://a.example/", "status": 200}\n', (), "--resume"),
        ("my diary\nmore\n", ("--resume",), "is no answer"),
        ('{"url": "http://a.example/"}\n', ("--resume",), "is no answer"),
    ):
        out.write_text(content)
        done = run(box, "fetch", site, "-o", out, *options, status=2)
        assert word in done.stderr
        assert out.read_text() == content
    out.write_text(f"{site}\n")
    for option in ("--overwrite", "--resume"):
        done = run(box, "fetch", out, "-o", out, option, status=2)
        assert "where the answers go" in done.stderr
        assert out.read_text() == f"{site}\n"
    assert "stdout" in run(box, "fetch", site, "--resume", status=2).stderr
    run(box, "fetch", site, "-o", "/dev/null")


def test_sessions_and_redirects_as_asked(box: Sandbox, site: str) -> None:
    sources = [f"{site}/headers?{number}" for number in range(4)]
    one = records(run(box, "fetch", *sources, "--session", "me").stdout)
    assert len({it["session"] for it in one}) == 1
    assert [it["url"] for it in one] == sources
    outside = records(run(box, "fetch", *sources, "--outside-sessions").stdout)
    assert {it["session"] for it in outside} == {None}
    kept = records(run(box, "fetch", *sources, "--sessions", "2", "--keep-sessions").stdout)
    assert len({it["session"] for it in kept}) == living(box) == 2
    (moved,) = records(run(box, "fetch", f"{site}/redirect/1", "-o", "-", "--no-redirects").stdout)
    assert moved["status"] == 302
    assert "2 of 2 sessions deleted" in run(box, "sessions", "prune").stderr
    assert living(box) == 0


def test_the_calls_of_the_sessions_api(box: Sandbox) -> None:
    assert run(box, "sessions", "list").stdout == ""
    ids = run(box, "sessions", "create", "-n", "3").stdout.split()
    assert len(set(ids)) == 3
    listed = run(box, "sessions", "list").stdout
    assert sorted(line.split()[0] for line in listed.splitlines()) == sorted(ids)
    as_json = json.loads(run(box, "sessions", "list", "--json").stdout)
    assert set(as_json) == set(ids)
    assert run(box, "sessions", "delete", ids[0]).stdout == ""
    unknown = run(box, "sessions", "delete", ids[0], ids[1], "nope", status=1)
    assert unknown.stderr.count("silkline sessions: ") == 2
    assert living(box) == 1
    would = run(box, "sessions", "prune", "--dry-run").stdout
    assert would == f"{ids[2]}\n"
    run(box, "sessions", "prune", "--except", ids[2])
    assert living(box) == 1
    unused = [session for session, address in as_json.items() if address is None]
    run(box, "sessions", "prune", "--unused")
    assert living(box) == (ids[2] not in unused)
    run(box, "sessions", "prune")
    assert living(box) == 0
    assert "session id" in run(box, "sessions", "delete", "..", status=2).stderr


@pytest.mark.parametrize("name", ["fetch", "sessions"])
def test_keys_and_wrong_usage(box: Sandbox, site: str, name: str, tmp_path: Path) -> None:
    what = [site] if name == "fetch" else ["list"]
    assert "no API key" in run(box, name, *what, key={}, status=2).stderr
    run(box, name, *what, key={"ZYTE_AUTOEXTRACT_KEY": SECRET})
    run(box, name, *what, "--api-key", SECRET, key={})
    assert "ftp://x" in run(box, name, *what, "--endpoint", "ftp://x", status=2).stderr.lower()
    if name == "fetch":
        assert "No such file" in run(box, name, tmp_path / "none.txt", status=2).stderr
        assert "No such file" in run(box, name, site, "--ca", "none.pem", status=2).stderr
        run(box, name, site, "--sessions", "5001", status=2)
        run(box, name, site, "-H", "nonsense", status=2)
    else:
        refused = run(box, name, "create", "--api-key", "WRONG-KEY", key={}, status=2)
        assert "WRONG" not in refused.stderr
        gone = [*what, "--endpoint", "http://127.0.0.1:9"]
        assert "cannot be reached" in run(box, name, *gone, status=1).stderr


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_wrong_key_is_told_at_once(box: Sandbox, site: str) -> None:
    with subprocess.Popen(
        command(box, "fetch", site, "--api-key", "WRONG-KEY"),
        env=KEYLESS,
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        assert started.stderr is not None
        told = started.stderr.readline()
        # It goes on for a while: a restart of the service looks the same.
        started.send_signal(signal.SIGINT)
        rest = started.stderr.read()
    assert told.startswith(
        "silkline fetch: proxy answered 407 `bad_proxy_auth`: the key may be wrong"
    )
    assert "0 fetched" in rest
    assert "WRONG" not in told + rest
    assert started.returncode == 1


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_keeps_what_is_done(box: Sandbox, site: str, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    urls = tmp_path / "urls.txt"
    urls.write_text("".join(f"{site}/slow/{0.3 if n < 4 else 1}?{n}\n" for n in range(5000)))
    started = subprocess.Popen(
        command(box, "fetch", urls, "--sessions", "4", "-o", out),
        env={**KEYLESS, "SILKLINE_API_KEY": SECRET},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for _ in range(200):
            if out.exists() and out.read_text().count("\n") >= 4:
                break
            time.sleep(0.05)
        started.send_signal(signal.SIGINT)
        _, errors = started.communicate(timeout=20)
    finally:
        started.kill()
    assert started.returncode == 1
    assert "the rest is unfinished" in errors
    found = records(out.read_text())
    assert 4 <= len(found) <= 12
    assert all(it["status"] == 200 for it in found)
    assert living(box) == 0
