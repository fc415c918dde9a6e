"""The pytest plugin, and the services for tests without it."""

from __future__ import annotations

import asyncio
import doctest
import importlib
import inspect
import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from typing import Any

import pytest

import silkline.pytest_plugin
from silkline import ExtractionApi, ProxyJobError, ProxyServiceError, Query, aio, blocking
from silkline.service import FetchedPage, FetchQuery
from silkline.testing import (
    Failure,
    FakeExtraction,
    FakeProxy,
    SandboxThread,
    TargetAnswer,
    TargetPage,
    TargetRequest,
    impatient,
)

pytest_plugins = ["pytester"]

ARTICLE = {"url": "http://a.example/1", "pageType": "article"}


# --- fixtures -------------------------------------------------------------------------------------


@pytest.mark.silkline_sandbox(
    keys=["GOOD"], faults=[{"when": {"request": 1}, "then": {"status": 503}}]
)
def test_the_sandbox(silkline_sandbox: SandboxThread, site: str) -> None:
    assert silkline_sandbox.api_key == "GOOD"
    options: dict[str, Any] = {"endpoint": silkline_sandbox.extraction_url, "policy": impatient()}
    with blocking.Extractor("GOOD", **options) as extractor:
        (outcome,) = extractor.results([{**ARTICLE, "url": f"{site}/magazine/faro.html"}])
        assert outcome.ok
        assert outcome.attempts == 2
    assert silkline_sandbox.stats()["billed"] == 1
    with blocking.SessionProxy("GOOD", endpoint=silkline_sandbox.proxy_url) as proxy:
        response = proxy.get(f"{site}/headers")
        assert response.json()["peer"] == "127.0.0.2"
    assert silkline_sandbox.stats()["proxy"]["sessions_deleted"] == 1


@pytest.mark.silkline_sandbox(proxy={"delay": 0.2})
def test_the_sandbox_in_coroutines(silkline_sandbox: SandboxThread, tls_site: str) -> None:
    async def main() -> None:
        options: dict[str, Any] = {"ca": silkline_sandbox.ca_certificate, "sessions": 2}
        async with aio.SessionProxy(
            silkline_sandbox.api_key,
            endpoint=silkline_sandbox.proxy_url,
            session_delay=0.2,
            **options,
        ) as proxy:
            await asyncio.gather(*(proxy.get(f"{tls_site}/headers") for _ in range(6)))

    asyncio.run(main())
    stats = silkline_sandbox.stats()["proxy"]
    assert (stats["requests"], stats["early_requests"], stats["sessions_created"]) == (6, 0, 2)


def test_several_sandboxes(silkline_sandboxes: Any) -> None:
    first, second = silkline_sandboxes(), silkline_sandboxes(rate=1, keys=["K"])
    assert first.extraction_url != second.extraction_url
    assert first.ca_certificate == second.ca_certificate
    with pytest.raises(RuntimeError):
        first.start()


@pytest.mark.silkline_extraction(items={"http://a.example/1": {"headline": "A"}}, blacklist=["x.y"])
def test_extraction_without_sockets(silkline_extraction: FakeExtraction) -> None:
    queries = [ARTICLE, {**ARTICLE, "url": "http://a.example/2"}, {**ARTICLE, "url": "http://x.y/"}]
    with blocking.Extractor("KEY", transport=silkline_extraction, policy=impatient()) as extractor:
        found = {outcome.query.url: outcome for outcome in extractor.results(queries)}
    assert found["http://a.example/1"].result is not None
    assert found["http://a.example/1"].result.item == {"headline": "A"}
    codes = {url: outcome.error.code for url, outcome in found.items() if outcome.error}
    assert codes == {
        "http://a.example/2": "downloader_http",
        "http://x.y/": "extraction_not_permitted",
    }
    assert silkline_extraction.stats()["billed"] == 2


@pytest.mark.silkline_proxy(faults=[{"when": {"request": 2}, "then": {"ban": True}}])
def test_sessions_without_sockets(silkline_proxy: FakeProxy) -> None:
    seen: list[TargetRequest] = []

    def page(request: TargetRequest) -> TargetAnswer:
        seen.append(request)
        return TargetPage(request.body, 201, {"Content-Type": "text/plain"})

    silkline_proxy.pages = page
    options: dict[str, Any] = {"session_delay": 0, "policy": impatient("smart_proxy")}
    with blocking.SessionProxy("KEY", transport=silkline_proxy, **options) as proxy:
        for scheme in ("http", "https"):
            response = proxy.post(f"{scheme}://shop.example/", data=b"hello")
            assert (response.status, response.text()) == (201, "hello")
        assert response.attempts == 2
    urls = [request.url for request in seen]
    assert urls == ["http://shop.example/", *["https://shop.example/"] * 2]
    assert not any("crawlera" in name.lower() for it in seen for name, _ in it.headers)
    assert silkline_proxy.stats()["bans"] == 1
    assert not [it for it in threading.enumerate() if it.name == "silkline"]


# --- the services in the process ------------------------------------------------------------------


def test_what_pages_may_hold() -> None:
    async def item(query: FetchQuery) -> Any:
        await asyncio.sleep(0)
        return {
            "a": {"url": query.url},
            "b": FetchedPage('{"x": 1}', "{}", "<b>"),
            "c": 500,
            "d": Failure("name_not_found"),
        }[query.url[-1]]

    service = FakeExtraction(item)

    async def main() -> dict[str, Any]:
        async with aio.Extractor("KEY", transport=service, policy=impatient()) as extractor:
            queries = [Query(f"http://a.example/{name}", "article") for name in "abcd"]
            return {end.query.url[-1]: end async for end in extractor.results(queries)}

    ends = asyncio.run(main())
    assert [ends[name].ok for name in "abcd"] == [True, True, False, False]
    assert ends["b"].result.item == {"x": 1}
    assert ends["d"].error.code == "proxy_error_nxdomain"
    api, queries = ExtractionApi("KEY"), [Query("http://a.example/", "article", full_html=True)]
    (result,) = api.results(queries, *FakeExtraction().ask(api.request(queries)))
    assert result.html == "<html></html>"


def test_faults_limits_and_time_of_extraction() -> None:
    faults = [{"when": {"request": 1}, "then": {"drop": True}}]
    service = FakeExtraction(faults=faults, rate=20, occupied={"busy.example": 0.3})
    queries = [{**ARTICLE, "url": f"http://{name}.example/"} for name in ("busy", "free")]
    with blocking.Extractor("KEY", transport=service, rate=20, policy=impatient()) as extractor:
        before = time.monotonic()
        assert [outcome.ok for outcome in extractor.results(queries)] == [True, True]
        assert time.monotonic() - before >= 0.25


def test_what_targets_may_answer() -> None:
    pages: dict[str, TargetAnswer] = {
        "http://a.example/text": "ä",
        "http://a.example/bytes": b"\0",
        "https://a.example/status": 410,
        "http://a.example/gone": Failure("nxdomain"),
        "http://a.example/moved": TargetPage(status=302, headers={"Location": "/text"}),
    }
    service = FakeProxy(pages)
    options: dict[str, Any] = {"session_delay": 0, "policy": impatient("smart_proxy")}
    with blocking.SessionProxy("KEY", transport=service, max_body=3, **options) as proxy:
        assert proxy.get("http://a.example/moved#x").text() == "ä"
        assert proxy.get("http://a.example/bytes").body == b"\0"
        assert proxy.get("https://a.example/status").status == 410
        assert proxy.get("http://a.example/other").status == 404
        with pytest.raises(ProxyServiceError) as caught:
            proxy.get("http://a.example/gone")
        assert caught.value.code == "nxdomain"
        service.pages = None
        with pytest.raises(aio.BodyTooLarge):
            proxy.get("http://a.example/")


def test_pace_and_faults_of_sessions() -> None:
    async def slow(_: TargetRequest) -> str:
        await asyncio.sleep(0.01)
        return "ok"

    service = FakeProxy(slow, delay=0.1, faults=[{"when": {"every": 7}, "then": {"drop": True}}])

    async def main() -> None:
        options: dict[str, Any] = {"sessions": 3, "policy": impatient("smart_proxy")}
        async with aio.SessionProxy(
            "KEY", transport=service, session_delay=0.1, session_margin=None, **options
        ) as proxy:
            found = await asyncio.gather(*(proxy.get("http://a.example/") for _ in range(20)))
            assert Counter(it.session is not None for it in found) == {True: 20}

    asyncio.run(main())
    assert service.stats()["early_requests"] == 0
    hasty = FakeProxy(delay=0.2)
    with blocking.SessionProxy("KEY", transport=hasty, sessions=1, session_delay=0) as proxy:
        before = time.monotonic()
        for _ in range(3):
            proxy.get("http://a.example/")
        assert time.monotonic() - before >= 0.35  # held back, as the service does
    assert hasty.stats()["delayed_requests"] >= 1
    refusing = FakeProxy(keys=["OTHER"])
    with blocking.SessionProxy("KEY", transport=refusing, policy=impatient("smart_proxy")) as proxy:
        for url in ("https://a.example/", "http://a.example/"):
            with pytest.raises(aio.ProxyAccountRefused):
                proxy.get(url)
            proxy.resume()
    lost = FakeProxy(faults=[{"when": {"request": 2}, "then": {"end_session": True}}])
    with blocking.SessionProxy("KEY", transport=lost, session_delay=0) as proxy:
        proxy.get("http://a.example/", session="a")
        with pytest.raises(ProxyJobError):
            proxy.get("http://a.example/", session="a")


def test_a_sandbox_without_pytest() -> None:
    with SandboxThread(proxy_port=None) as sandbox:
        stats = sandbox.extraction_url.replace("/v1/extract", "/-/stats")
        with urllib.request.urlopen(stats) as response:
            assert json.load(response) == sandbox.stats()
    with SandboxThread() as first:
        port = int(first.extraction_url.split(":")[2].split("/")[0])
        second = SandboxThread(extraction_port=port)
        with pytest.raises(OSError, match="in use"):
            second.start()
    with pytest.raises(ValueError, match="fault script is not valid"):
        FakeProxy(faults=[{"then": {}}])


# --- the plugin in a project ----------------------------------------------------------------------

PROJECT = """
import asyncio
import pytest
from silkline.aio import SessionProxy
from silkline.blocking import Extractor

@pytest.mark.silkline_extraction(items={"http://a.example/": {"name": "A"}})
class TestShop:
    def test_items(self, silkline_extraction):
        with Extractor("KEY", transport=silkline_extraction) as extractor:
            query = {"url": "http://a.example/", "pageType": "product"}
            (outcome,) = extractor.results([query])
        assert outcome.result.item == {"name": "A"}
        assert silkline_extraction.stats()["billed"] == 1

    @pytest.mark.silkline_extraction(items={})
    def test_nearest_marker(self, silkline_extraction):
        assert silkline_extraction.items == {}

def test_sessions(silkline_proxy):
    async def main():
        async with SessionProxy("KEY", transport=silkline_proxy) as proxy:
            return await proxy.get("https://a.example/")
    assert asyncio.run(main()).ok

def test_sandbox(silkline_sandbox):
    assert silkline_sandbox.stats()["requests"] == 0

@pytest.mark.silkline_sandbox(5)
def test_wrong(silkline_sandbox):
    pass

@pytest.mark.silkline_sandbox(colour="red")
def test_unknown(silkline_sandbox):
    pass
"""


def test_the_plugin_in_a_project(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PROJECT)
    ran = pytester.runpytest_subprocess("--strict-markers", "-Werror", "-p", "no:cacheprovider")
    ran.assert_outcomes(passed=4, errors=2)
    ran.stdout.fnmatch_lines(["*takes keyword arguments only*"])
    ran.stdout.fnmatch_lines(["*colour*"])
    shown = pytester.runpytest_subprocess("--fixtures", "--markers")
    shown.stdout.fnmatch_lines(["*silkline_sandbox(?*options): options of the fixture*"])


def test_nothing_of_pytest_is_needed_nor_of_the_services_by_the_plugin() -> None:
    program = """
import sys
sys.modules["pytest"] = None
import silkline, silkline.testing, silkline.aio, silkline.blocking, silkline.cli
del sys.modules["pytest"]
for name in [name for name in sys.modules if name.startswith("silkline")]:
    del sys.modules[name]
import silkline.pytest_plugin
print(*sorted(name for name in sys.modules if name.startswith("silkline.")))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [
        "silkline._core",
        "silkline.exceptions",
        "silkline.pytest_plugin",
    ]


@pytest.mark.parametrize(
    "name",
    ["", ".fake_extraction", ".fake_proxy", ".faults", ".sandbox_thread"],
)
def test_the_examples_of_the_docstrings(name: str) -> None:
    module = importlib.import_module(f"silkline.testing{name}")
    ran = doctest.testmod(module)
    assert (ran.failed, ran.attempted > 0) == (0, True)
    for public in (*module.__all__, *(() if name else silkline.pytest_plugin.__all__)):
        item = getattr(module, public, None) or getattr(silkline.pytest_plugin, public)
        assert inspect.getdoc(item), public
