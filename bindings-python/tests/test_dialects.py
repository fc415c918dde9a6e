"""One program, two services: the same queries through both dialects, on the local site."""

from __future__ import annotations

import asyncio
import copy
import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from quick import sandbox
from silkline import Query
from silkline.aio import Extractor, SessionProxy
from silkline.blocking import Extractor as BlockingExtractor
from silkline.cli import main as silkline
from silkline.zyte_api.items import to_zyte_api

ROOT = Path(__file__).resolve().parents[2]
PAGES = json.loads((ROOT / "tests" / "site" / "pages.json").read_bytes())
WITHOUT_COUNTERPART = {"comments", "realEstate", "reviews", "vehicle"}
COUNT = 200


def queries(site: str) -> list[Query]:
    """So many, some of which have meta, ask for the HTML, or are of pages that are not there."""
    # Of a page without visible elements the older service has an error, the newer one an item.
    kept = [
        page
        for page in PAGES
        if page["page_type"] not in WITHOUT_COUNTERPART and "error" not in page
    ]
    found = []
    for number in range(COUNT):
        page = kept[number % len(kept)]
        url = f"{site}{page['path']}?n={number}"
        if number % 20 == 7:
            url = f"{site}/missing/{number}"
        meta = str(number) if number % 3 == 0 else None
        found.append(Query(url, page["page_type"], meta=meta, full_html=number % 10 == 0))
    assert len(set(found)) == COUNT
    return found


async def outcomes(asked: list[Query], endpoint: str, **options: Any) -> dict[Query, Any]:
    async with Extractor("KEY", endpoint=endpoint, rate=math.inf, **options) as extractor:
        found = {outcome.query: outcome async for outcome in extractor.results(asked)}
    assert extractor.stats().usage.unknown == 0
    return found


def without(item: Any, pointers: list[str]) -> Any:
    """The item without the parts that cannot be said in the other schema."""
    item = copy.deepcopy(item)
    for path in sorted((pointer.split("/")[1:] for pointer in pointers), key=_last_first):
        parent = item
        for step in path[:-1]:
            parent = parent[int(step)] if isinstance(parent, list) else parent[step]
        del parent[int(path[-1]) if isinstance(parent, list) else path[-1]]
    return item


def _last_first(path: list[str]) -> tuple[int, int]:
    return -len(path), -int(path[-1]) if path[-1].isdigit() else 0


def test_the_same_queries_have_the_same_items_in_both_dialects(site: str) -> None:
    asked = queries(site)
    with sandbox(zyte_api_port=0, keys=["KEY"], seed=1) as box:
        old = asyncio.run(outcomes(asked, box.extraction_url))
        new = asyncio.run(outcomes(asked, box.zyte_api_url, dialect="zyte_api"))
    assert old.keys() == new.keys() == set(asked)
    items = 0
    for query in asked:
        before, after = old[query], new[query]
        assert before.billed == after.billed, query
        if not before.ok:
            assert (before.error.code, before.error.text) == (after.error.code, after.error.text)
            continue
        items += 1
        assert after.ok, (query, after.error)
        result = after.result
        assert result.dialect == "zyte_api"
        assert (result.url, result.meta) == (query.url, query.meta)
        assert result.id
        assert (result.html is None) == (before.result.html is None)
        lost = to_zyte_api(query.page_type, before.result.item).unmapped
        kept = without(before.result.item, [part.path for part in lost])
        assert result.item == kept, query
        assert json.loads(bytes(result.item_bytes or b"")) == result.item
        legacy = json.loads(result.to_json())
        assert legacy[query.page_type] == result.item
        assert legacy["query"]["userQuery"] == json.loads(query.to_json())
    assert items > COUNT * 0.9


def test_the_command_line_writes_the_older_form(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = next(page for page in PAGES if page["page_type"] == "product")
    lines = [
        json.dumps({"url": f"{site}{page['path']}", "pageType": "product", "meta": "7"}),
        json.dumps({"url": f"{site}/missing", "pageType": "product"}),
        json.dumps({"url": f"{site}/", "pageType": "reviews"}),
    ]
    source, target = tmp_path / "in.jl", tmp_path / "out.jl"
    source.write_text("\n".join(lines))
    monkeypatch.setenv("ZYTE_API_KEY", "KEY")
    monkeypatch.delenv("SILKLINE_API_KEY", raising=False)
    monkeypatch.delenv("ZYTE_AUTOEXTRACT_KEY", raising=False)
    with sandbox(zyte_api_port=0, extraction_port=None, keys=["KEY"], seed=1) as box:
        command = ["extract", str(source), "-o", str(target), "--dialect", "zyte_api"]
        command += ["--endpoint", box.zyte_api_url, "--no-progress"]
        assert silkline(command) == 1
        found = [json.loads(line) for line in target.read_text().splitlines()]
        by_type = {line["query"]["userQuery"]["url"]: line for line in found}
        assert len(by_type) == 3
        good = by_type[f"{site}{page['path']}"]
        assert good["product"]["name"]
        assert "metadata" not in good["product"]
        assert good["query"]["userQuery"]["meta"] == "7"
        missing = by_type[f"{site}/missing"]
        assert missing["error"] == "Downloader error: http404"
        assert missing["silkline"]["billed"] == 1
        refused = by_type[f"{site}/"]
        assert "cannot be carried over" in refused["error"]
        billed = box.stats()["zyte_api"]["billed"]
        assert billed == 2
        # No price is known; one that is given is taken.
        assert "1 extracted, 2 failed, 2 billed queries" in capsys.readouterr().err
        assert silkline([*command, "--resume", "--price", "60"]) == 1
        assert "cost $0.0000" in capsys.readouterr().err
        assert len(target.read_text().splitlines()) == 3
        assert box.stats()["zyte_api"]["billed"] == billed
    monkeypatch.delenv("ZYTE_API_KEY")
    with pytest.raises(SystemExit):
        silkline(command)
    assert "SILKLINE_API_KEY or ZYTE_API_KEY" in capsys.readouterr().err


def test_pages_come_through_the_proxy_mode(site: str) -> None:
    async def main(url: str) -> None:
        async with SessionProxy("KEY", endpoint=url, dialect="zyte_api", sessions=2) as proxy:
            fetched = [await proxy.get(f"{site}/?n={number}") for number in range(6)]
            assert {page.status for page in fetched} == {200}
            sessions = {page.session for page in fetched}
            assert len(sessions) <= 2
            uuid4 = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
            assert all(re.fullmatch(uuid4, session or "") for session in sessions)
        stats = proxy.stats()
        assert (stats.billed, stats.unbilled) == (6, 0)

    with sandbox(zyte_proxy_port=0, extraction_port=None, keys=["KEY"], seed=1) as box:
        asyncio.run(asyncio.wait_for(main(box.zyte_proxy_url), 60))


def test_the_sessions_command_says_that_there_are_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        silkline(["sessions", "list", "--api-key", "KEY", "--dialect", "zyte_api"])
    assert "zyte_api has no calls" in capsys.readouterr().err


def test_the_page_of_the_documentation(site: str) -> None:
    page = (ROOT / "bindings-python" / "docs" / "zyte-api.md").read_text("utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    product = next(page for page in PAGES if page["page_type"] == "product")
    with sandbox(zyte_api_port=0, extraction_port=None, seed=1) as box:
        here = program.replace('"YOUR-KEY"', f'"YOUR-KEY", endpoint="{box.zyte_api_url}"')
        here = here.replace("https://shop.example/1", f"{site}{product['path']}")
        run = subprocess.run(
            [sys.executable, "-c", here], capture_output=True, text=True, check=True, timeout=60
        )
    printed = run.stdout.splitlines()
    assert len(printed) == 3
    assert "'offers'" in printed[0]
    assert "'metadata'" in printed[1]


def test_plain_python_takes_the_dialect(site: str) -> None:
    product = next(page for page in PAGES if page["page_type"] == "product")
    query = {"url": f"{site}{product['path']}", "pageType": "product"}
    with (
        sandbox(zyte_api_port=0, extraction_port=None, seed=1) as box,
        BlockingExtractor("KEY", endpoint=box.zyte_api_url, dialect="zyte_api") as extractor,
    ):
        [outcome] = extractor.results([query])
    assert outcome.result is not None
    assert outcome.result.ok
    assert outcome.result.item_native != outcome.result.item
