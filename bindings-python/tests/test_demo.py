"""The demo's judgement: it passes what is right, and nothing else."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RUN = Path(__file__).resolve().parents[2] / "tests" / "demo" / "run.py"
Line = dict[str, Any]


@pytest.fixture(scope="module")
def demo() -> Any:
    # The demo's scripts find each other beside them.
    sys.path.insert(0, str(RUN.parent))
    spec = importlib.util.spec_from_file_location("demo_run", RUN)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def right(demo: Any) -> tuple[list[Any], list[list[Line]]]:
    pages = demo.pages_of("http://site")
    lines: list[Line] = [
        {"url": page.url, "pageType": page.page_type}
        | ({"error": {"code": page.error}} if page.error else {"item": {"url": page.item_url}})
        for page in pages
    ]
    return pages, [[dict(line) for line in lines] for _ in range(3)]


def judged(demo: Any, pages: list[Any], lines: list[list[Line]]) -> list[str]:
    languages = [
        demo.Language(name, [], "", Path(), lines=one)
        for name, one in zip(("A", "B", "C"), lines, strict=True)
    ]
    found: list[str] = demo.mismatches(languages, pages)
    return found


def test_what_is_right_passes(demo: Any) -> None:
    pages, lines = right(demo)
    assert {page.error for page in pages} > {None, "downloader_no_visible_elements"}
    assert judged(demo, pages, lines) == []


def missing(lines: list[list[Line]]) -> None:
    lines[0].pop()


def swapped(lines: list[list[Line]]) -> None:
    lines[1][0], lines[1][1] = lines[1][1], lines[1][0]


def another_item(lines: list[list[Line]]) -> None:
    for one in lines:
        one[3]["item"] = {"url": "http://elsewhere/"}


def differing(lines: list[list[Line]]) -> None:
    lines[2][3]["item"] = {**lines[2][3]["item"], "headline": "B"}


def failed(lines: list[list[Line]]) -> None:
    for one in lines:
        del one[2]["item"]
        one[2]["error"] = {"code": "downloader_internal"}


def passed(lines: list[list[Line]]) -> None:
    for one in lines:
        index = next(index for index, line in enumerate(one) if "error" in line)
        del one[index]["error"]
        one[index]["item"] = {"url": one[index]["url"]}


@pytest.mark.parametrize("spoil", [missing, swapped, another_item, differing, failed, passed])
def test_what_is_wrong_does_not(demo: Any, spoil: Callable[[list[list[Line]]], None]) -> None:
    pages, lines = right(demo)
    spoil(lines)
    assert judged(demo, pages, lines)


def test_a_crawl_is_judged_by_the_sites_own_log(demo: Any, tmp_path: Path) -> None:
    log = tmp_path / "site.log"
    lines: list[Line] = [
        {
            "url": f"http://site/{n}",
            "status": 200,
            "session": f"{n % 8}",
            "address": f"127.0.0.{n % 8}",
        }
        for n in range(16)
    ]
    seen = [{"path": f"/{n}", "peer": f"127.0.0.{n % 8}", "leaked": []} for n in range(16)]
    stats = {"early_requests": 0, "sessions_living": 0}

    def faults(**changes: Any) -> list[str]:
        log.write_text("".join(json.dumps(one) + "\n" for one in changes.get("seen", seen)))
        found: list[str] = demo.crawled.faults(
            changes.get("lines", lines), log, stats | changes.get("stats", {})
        )
        return found

    assert faults() == []
    assert faults(seen=[*seen[1:], {**seen[0], "peer": "127.0.0.9"}])
    assert faults(seen=[*seen[1:], {**seen[0], "leaked": ["X-Crawlera-Session"]}])
    assert faults(lines=[*lines[1:], {**lines[0], "status": 503}])
    assert faults(lines=[*lines[1:], {**lines[0], "address": "127.0.0.9"}])
    assert faults(stats={"early_requests": 1})
    assert faults(stats={"sessions_living": 1})
