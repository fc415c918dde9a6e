"""The examples about the sandbox's proxy do what their page says."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from published import interpreter
from silkline.sandbox import Sandbox
from silkline.service import ProxyService

PAGE = (Path(__file__).parents[1] / "docs" / "sandbox-proxy.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert found
    return found


def test_the_examples_run(tmp_path: Path, site: str, tls_site: str) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    (command,) = (line for line in blocks("console")[0].splitlines() if "--proxy-port" in line)
    arguments = [*shlex.split(command)[1:], "--ca-dir", str(tmp_path / "authority")]
    arguments[arguments.index("8011")] = "0"
    arguments[arguments.index("1")] = "0.01"
    box = subprocess.Popen(
        [sys.executable, "-m", "silkline", *arguments],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert box.stdout is not None
        words = box.stdout.readline().split()
        assert words[3] == "proxy"

        def fill(text: str) -> str:
            text = text.replace("localhost:8011", words[4].removeprefix("http://"))
            text = text.replace("http://localhost:8000", site)
            return text.replace(
                "https://localhost:8443", tls_site.replace("127.0.0.1", "localhost")
            )

        def run(*program: str) -> str:
            done = subprocess.run(
                program, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
            )
            assert done.returncode == 0, (program, done.stdout, done.stderr)
            return done.stdout

        sessions, https, _scrapy, counts = blocks("bash")
        created, listed, deleted = map(fill, sessions.splitlines())
        session = run("bash", "-c", created)
        assert list(json.loads(run("bash", "-c", listed))) == [session]
        assert run("bash", "-c", deleted.replace("1836172", session)) == ""
        assert run("bash", "-c", fill(listed)) == "{}"
        assert "<html" in run("bash", "-c", fill(https))
        client = interpreter("proxy-clients")
        for text in (text for text in blocks("python") if "import requests" in text):
            run(client, "-c", fill(text))
        stats = json.loads(run("bash", "-c", fill(counts)))
        assert stats["errors"] == {}
        assert stats["sessions_created"] == 4
        assert (tmp_path / "ca.pem").read_bytes() == Path(words[6]).read_bytes()
    finally:
        box.terminate()
        out, _ = box.communicate(timeout=20)
    assert json.loads(out)["proxy"]["requests"] == stats["requests"]


def test_the_program_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (text,) = (text for text in blocks("python") if "Sandbox(" in text)
    exec(compile(text, "sandbox-proxy.md", "exec"), {})
    assert capsys.readouterr().out == "127.0.0.2\n"


def test_the_fault_script_is_one() -> None:
    (script,) = blocks("json")
    ProxyService(faults=script)


def test_the_proxy_itself_over_tls(tmp_path: Path, site: str) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")

    async def main() -> None:
        async with Sandbox(
            extraction_port=None,
            proxy_port=0,
            proxy={"delay": 0, "ca_directory": tmp_path, "tls_port": 0},
        ) as sandbox:
            assert sandbox.proxy_tls_url is not None
            words = " ".join(sandbox.listening())
            assert f"proxy-tls {sandbox.proxy_tls_url} " in words
            ca = str(sandbox.ca_certificate)
            proxy = ["-x", sandbox.proxy_tls_url, "--proxy-cacert", ca, "-U", "KEY:"]
            for more in ([], ["-p"]):
                process = await asyncio.create_subprocess_exec(
                    "curl", "-sS", *more, *proxy, f"{site}/headers", stdout=subprocess.PIPE
                )
                out, _ = await process.communicate()
                assert json.loads(out)["path"] == "/headers"

    asyncio.run(main())
