"""The clients without asyncio, against the sandbox."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from conftest import Web
from quick import FAULTS, pages, queries, quick_policy, sandbox
from silkline import InvalidProxiedRequest, InvalidQuery, Query, blocking
from silkline.aio import AccountRefused


def test_the_blocking_extractor() -> None:
    main_thread = threading.current_thread()

    def source() -> Iterator[Query]:
        for query in queries(300):
            assert threading.current_thread() is main_thread
            yield Query(query["url"], "article")

    with pages(), sandbox(faults=FAULTS) as box:
        options: dict[str, Any] = {"rate": math.inf, "policy": quick_policy(), "queue_size": 20}
        with blocking.Extractor("KEY", endpoint=box.extraction_url, **options) as client:
            found = Counter(outcome.query.url for outcome in client.results(source()) if outcome.ok)
            assert found == {query["url"]: 1 for query in queries(300)}
            for outcome in client.results(queries(1000)):
                assert outcome.ok
                break
            with pytest.raises(InvalidQuery):
                list(client.results([{"url": "x", "pageType": "article"}]))
            assert client.stats().submitted <= 340
        with pytest.raises(RuntimeError):
            list(client.results([]))
    assert not [thread for thread in threading.enumerate() if thread.name == "silkline"]


def test_the_blocking_extractor_gives_outcomes_while_its_source_goes_on() -> None:
    seen: list[int] = []

    def source() -> Iterator[dict[str, Any]]:
        for number, query in enumerate(queries(20)):
            time.sleep(0.05)
            seen.append(number)
            yield query

    with pages(), sandbox() as box:
        options: dict[str, Any] = {"rate": math.inf}
        with blocking.Extractor("KEY", endpoint=box.extraction_url, **options) as client:
            results = client.results(source())
            next(results)
            assert len(seen) < 20
            assert len(list(results)) == 19


def test_the_blocking_extractor_raises_what_asyncio_would() -> None:
    with pages(), sandbox(keys=["OTHER"]) as box:
        with blocking.Extractor("KEY", endpoint=box.extraction_url) as client:
            with pytest.raises(AccountRefused):
                list(client.results(queries(3)))
            client.resume()
        with pytest.raises(ZeroDivisionError), blocking.Extractor("KEY") as client:
            1 / 0  # noqa: B018


def test_the_blocking_proxy(web: Web, ca_directory: Path) -> None:
    proxy_options: Any = {"delay": 0.0, "ca_directory": ca_directory}
    with sandbox(extraction_port=None, proxy_port=0, keys=["KEY"], proxy=proxy_options) as box:
        options: dict[str, Any] = {"ca": box.ca_certificate, "session_delay": 0}
        with blocking.SessionProxy("KEY", endpoint=box.proxy_url, **options) as proxy:
            assert proxy.get(f"{web.https}/headers").json()["tls"]
            assert proxy.post(f"{web.http}/headers", json=1).json()["method"] == "POST"
            for method in ("head", "put", "patch", "delete"):
                assert getattr(proxy, method)(f"{web.http}/headers").status == 200
            with proxy.session() as session:
                first, second = session.get(web.http), session.post(web.http, data=b"a")
                assert first.session == second.session
            assert not proxy.end_session(session.name)
            with pytest.raises(InvalidProxiedRequest):
                proxy.get("x")
            with ThreadPoolExecutor(8) as threads:
                urls = [f"{web.http}/headers?{number}" for number in range(40)]
                for url, response in zip(urls, threads.map(proxy.get, urls), strict=True):
                    assert url.endswith(response.json()["path"])
            main_thread = threading.current_thread()

            def source() -> Iterator[str]:
                for number in range(60):
                    assert threading.current_thread() is main_thread
                    yield f"{web.http}/headers?{number}"

            found = Counter(outcome.ok for outcome in proxy.results(source(), queue_size=7))
            assert found == {True: 60}
            assert proxy.stats().unfinished == 0
            proxy.resume()
            proxy.close()
        assert box.stats()["proxy"]["sessions_living"] == 0
        with pytest.raises(RuntimeError):
            proxy.get(web.http)
