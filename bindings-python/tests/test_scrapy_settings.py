"""The settings of the add-on: what is right, what is wrong, and their table."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path
from typing import Any

import pytest
from scrapy.settings import Settings

from silkline.scrapy import Addon, InvalidOption, Options

PAGE = (Path(__file__).parents[1] / "docs" / "scrapy.md").read_text("utf-8")


def settings(**values: Any) -> Settings:
    return Settings({"SILKLINE_API_KEY": "KEY", **values})


def test_a_key_is_all_that_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    options = Options.read(settings())
    assert options.api_key == "KEY"
    assert "KEY" not in repr(options)
    monkeypatch.setenv("SILKLINE_API_KEY", "OTHER")
    assert options == Options.read(settings())
    assert Options.read(Settings()).api_key == "OTHER"


def test_values_come_as_text_too() -> None:
    given = {
        "SILKLINE_SESSIONS": "20",
        "SILKLINE_SESSION_DELAY": "1.5",
        "SILKLINE_MARGIN": "inf",
        "SILKLINE_PROXY_ENABLED": "false",
        "SILKLINE_BAN_STATUSES": "403,429",
        "SILKLINE_DOMAIN_DELAYS": {"shop.example": 3},
    }
    options = Options.read(settings(**given))
    assert (options.sessions, options.session_delay, options.margin) == (20, 1.5, math.inf)
    assert not options.proxy_enabled
    assert options.ban_statuses == {403, 429}
    assert options.domain_delays == {"shop.example": 3.0}
    text = '{"shop.example": 3}'  # as on the command line
    assert Options.read(settings(SILKLINE_DOMAIN_DELAYS=text)).domain_delays == {"shop.example": 3}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SILKLINE_API_KEY", "two words"),
        ("SILKLINE_API_KEY", " "),
        ("SILKLINE_API_KEY", 7),
        ("SILKLINE_SESSIONS", "many"),
        ("SILKLINE_SESSIONS", -1),
        ("SILKLINE_SESSIONS", 1.5),
        ("SILKLINE_SESSIONS", True),
        ("SILKLINE_SESSION_DELAY", "nan"),
        ("SILKLINE_SESSION_DELAY", "inf"),
        ("SILKLINE_DOMAIN_DELAYS", ["shop.example"]),
        ("SILKLINE_DOMAIN_DELAYS", {"shop.example": "slow"}),
        ("SILKLINE_DOMAIN_DELAYS", "shop.example"),
        ("SILKLINE_DOMAIN_DELAYS", '["shop.example"]'),
        ("SILKLINE_MARGIN", "nan"),
        ("SILKLINE_DEADLINE", 0),
        ("SILKLINE_EXTRACTION_DEADLINE", 0),
        ("SILKLINE_CONCURRENCY", 0),
        ("SILKLINE_PROXY_URL", "ftp://localhost"),
        ("SILKLINE_PROXY_CA", "/no/such/file.pem"),
        ("SILKLINE_ENDPOINT", "ftp://localhost/"),
        ("SILKLINE_RATE", 0),
        ("SILKLINE_PROXY_ENABLED", "perhaps"),
        ("SILKLINE_BAN_STATUSES", 403),
        ("SILKLINE_BAN_STATUSES", [42]),
        ("SILKLINE_SESSION_CREATION", "magic"),
        ("SILKLINE_DIALECT", "klingon"),
        ("SILKLINE_SESION_DELAY", 1),
        ("SILKLINE_ANONYMOUS_PERCENT", 101),
        ("SILKLINE_ANONYMOUS_PERCENT", 1_000),
        ("SILKLINE_SESSIONS", 5001),
        ("SILKLINE_SESSIONS", 10**12),
        ("SILKLINE_SESSIONS", 10**30),
        ("SILKLINE_MAX_BANS", 10**12),
        ("SILKLINE_CONCURRENCY", "1e12"),
        ("SILKLINE_BATCH_SIZE", 10**12),
        ("SCHEDULER", "tests.Own"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: object) -> None:
    with pytest.raises(InvalidOption, match=name) as caught:
        Addon().update_settings(settings(**{name: value}))
    assert caught.value.setting == name
    assert "two words" not in str(caught.value)


def test_a_missing_key_and_a_near_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SILKLINE_API_KEY", raising=False)
    with pytest.raises(InvalidOption, match="the key is missing"):
        Options.read(Settings())
    with pytest.raises(InvalidOption, match="SILKLINE_SESSION_DELAY is near"):
        Options.read(settings(SILKLINE_SESION_DELAY=1))


def test_the_table_names_every_setting() -> None:
    documented = re.findall(r"^\| `(SILKLINE_\w+)` \|", PAGE, re.MULTILINE)
    names = [f"SILKLINE_{part.name.upper()}" for part in dataclasses.fields(Options)]
    assert documented == names
