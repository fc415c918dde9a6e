"""The page on the bridge names what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import trustme

from silkline.cli import parser

PAGE = (Path(__file__).parents[1] / "docs" / "bridge.md").read_text("utf-8")


def test_every_option_of_the_page_exists(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["bridge", "--help"])
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    assert set(re.findall(r"`(--[a-z-]+)", PAGE)) <= known


def test_the_commands_of_the_page_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "zyte-ca.crt"))
    monkeypatch.chdir(tmp_path)
    for line in re.findall(r"silkline (bridge --.*)", PAGE):
        assert parser().parse_args(line.split()).upstream_ca == Path("zyte-ca.crt")
