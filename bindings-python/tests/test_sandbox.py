"""The sandbox over real HTTP: what clients see of it, and what it does to get there."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import math
import re
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import aiohttp.web
import pytest

from silkline import InvalidFaults, basic_authorization
from silkline.sandbox import Sandbox


def basic(key: str) -> dict[str, str]:
    return {"Authorization": basic_authorization(key)}


def run(main: Callable[[Sandbox], Awaitable[None]], **options: Any) -> dict[str, Any]:
    """Runs a test against a sandbox and gives the counts."""

    async def whole() -> dict[str, Any]:
        async with Sandbox(**{"rate": math.inf, **options}) as sandbox:
            await main(sandbox)
        return sandbox.stats()

    return asyncio.run(whole())


def query(url: str, page_type: str = "article", **members: Any) -> dict[str, Any]:
    return {"url": url, "pageType": page_type, **members}


async def ask(sandbox: Sandbox, *queries: dict[str, Any]) -> Any:
    async with (
        aiohttp.ClientSession(headers=basic("KEY")) as session,
        session.post(sandbox.extraction_url, json=list(queries)) as response,
    ):
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"] == "application/json"
        return await response.json()


def errors(site: str, *paths: str, **options: Any) -> list[str | None]:
    """The error of each page."""
    found: list[str | None] = []

    async def main(sandbox: Sandbox) -> None:
        urls = [site + path if path.startswith("/") else path for path in paths]
        results = await ask(sandbox, *map(query, urls))
        found.extend(result.get("error") for result in results)

    run(main, **options)
    return found


def test_a_page_becomes_an_item(site: str) -> None:
    url = site + "/magazine/tide-clock.html"

    async def main(sandbox: Sandbox) -> None:
        results = await ask(
            sandbox, query(url, meta="m", fullHtml=True), query(url, articleBodyRaw=False)
        )
        first, second = results
        assert first["query"]["userQuery"] == query(url, meta="m", fullHtml=True)
        assert first["query"]["domain"] == "127.0.0.1"
        assert first["article"]["url"] == url
        assert first["article"]["headline"]
        assert first["webPage"]["inLanguages"] == [{"code": "en-GB"}]
        assert first["html"].lower().startswith("<!doctype html>")
        assert "html" not in second
        assert abs(int(first["query"]["id"][:13]) / 1000 - time.time()) < 60

    stats = run(main)
    assert (stats["requests"], stats["queries"], stats["items"], stats["billed"]) == (1, 2, 2, 2)


def test_custom_html_is_extracted_without_a_download() -> None:
    page = "<title>Note</title><body><article><h1>A note</h1><p>It was written for this test.</p>"

    async def main(sandbox: Sandbox) -> None:
        sent = query("http://elsewhere.example/", customHtml=page, fullHtml=True)
        (result,) = await ask(sandbox, sent)
        assert result["article"]["url"] == "http://elsewhere.example/"
        assert result["html"] == page

    run(main)


def test_what_goes_wrong_with_a_page_is_the_documented_error(site: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}/"
    cases = {
        "/status/404": "Downloader error: http404",
        "/status/503": "Downloader error: http503",
        "/status/304": "Downloader error: http304",
        "/status/204": "Downloader error: No visible elements",
        "/odd/blank.html": "Downloader error: No visible elements",
        "/bytes/1000": "Downloader error: No visible elements",
        "/images/a.png": "Downloader error: No visible elements",
        "/close": "Downloader error: No response (network5)",
        "/truncate/1000": "Downloader error: No response (network5)",
        "/redirect/11": "Downloader error: No response (network301)",
        "/huge/17": "Downloader error: internal",
        closed: "Proxy error: econnrefused",
        site.replace("http:", "https:") + "/": "Proxy error: ssl_tunnel_error",
        "ftp://127.0.0.1/": "non-HTTP schemes are not allowed",
        "file:///etc/passwd": "non-HTTP schemes are not allowed",
        "http://": "malformed URL",
        "http://example.com/": "Extraction not permitted for this URL",
        "http://10.0.0.1/": "Extraction not permitted for this URL",
        "http://169.254.169.254/latest/meta-data/": "Extraction not permitted for this URL",
        "http://0x7f.0.0.1:1/": "Proxy error: econnrefused",
    }
    cases["http://" + "a" * 4090] = "URL cannot be longer than 4096 UTF-16 characters"
    assert dict(zip(cases, errors(site, *cases), strict=True)) == cases


def test_a_name_without_an_address_is_told(site: str) -> None:
    assert errors(site, "http://nobody.invalid/", allow_hosts=["nobody.invalid"]) == [
        "Proxy error: nxdomain"
    ]


def test_redirects_are_followed_to_allowed_hosts_only(site: str) -> None:
    refused = "Extraction not permitted for this URL"
    cases = {
        "/redirect/10": None,
        "/redirect/1?to=http://example.com/": refused,
        "/redirect/2?to=http://169.254.169.254/": refused,
        "/redirect/1?to=http://2130706433/": refused,
        "/redirect/1?to=http://[::ffff:10.0.0.1]/": refused,
        "/redirect/1?to=file:///etc/passwd": refused,
        "/redirect/1?to=ftp://127.0.0.1/": refused,
        "/redirect/1?to=//example.com/": refused,
        "/redirect/1?to=http://user:secret@example.com/": refused,
    }
    assert dict(zip(cases, errors(site, *cases), strict=True)) == cases


def test_the_item_of_a_redirect_names_where_it_was_found(site: str) -> None:
    async def main(sandbox: Sandbox) -> None:
        sent = query(site + "/redirect/1?to=/magazine/tide-clock.html")
        (result,) = await ask(sandbox, sent)
        assert result["query"]["userQuery"] == sent
        assert result["article"]["url"] == site + "/magazine/tide-clock.html"

    run(main)


def test_ipv6_and_names_below_localhost(site: str, site_v6: str) -> None:
    port = site.rpartition(":")[2]
    names = [f"http://localhost:{port}/", f"http://shop.localhost:{port}/", site_v6 + "/"]
    assert errors(site, *names) == [None, None, None]
    refused = "Extraction not permitted for this URL"
    assert errors(site, *names, allow_hosts=["127.0.0.1"]) == [None, None, refused]


def test_text_is_read_in_its_own_encoding() -> None:
    page = (
        "<meta charset=iso-8859-2><body><article><h1>Žluťoučký kůň</h1><p>Příliš žluťoučký kůň úpěl "
        "ďábelské ódy.</p></article>"
    )

    async def target(request: aiohttp.web.BaseRequest) -> aiohttp.web.Response:
        kind, coding = request.path.strip("/").split("/")
        headers = {"Content-Type": kind.replace("_", "/").replace(",", "; charset=")}
        return aiohttp.web.Response(body=page.encode(coding), headers=headers)

    async def main(sandbox: Sandbox) -> None:
        runner = aiohttp.web.ServerRunner(aiohttp.web.Server(target))
        await runner.setup()
        await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        paths = ["text_html/iso-8859-2", "text_html,utf-8/utf-8", "text_html/utf-8-sig"]
        sent = [query(f"{base}/{path}", fullHtml=True) for path in paths]
        for result in await ask(sandbox, *sent):
            assert "Žluťoučký kůň" in result["html"], result["query"]["userQuery"]
        await runner.cleanup()

    run(main)


def test_many_pages_at_once_and_in_order(site: str) -> None:
    pages = json.loads(urllib.request.urlopen(site + "/headers").read())  # the site is up
    assert pages["method"] == "GET"
    urls = [f"{site}/slow/0.3?{index}" for index in range(100)]

    async def main(sandbox: Sandbox) -> None:
        before = time.monotonic()
        results = await ask(sandbox, *map(query, urls))
        assert time.monotonic() - before < 15
        assert [result["query"]["userQuery"]["url"] for result in results] == urls
        assert not any("error" in result for result in results)

    run(main)


def test_a_slow_page_has_timed_out_and_the_others_are_there(site: str) -> None:
    async def main(sandbox: Sandbox) -> None:
        results = await ask(sandbox, query(site + "/slow/5"), query(site + "/slow/0"))
        assert [result.get("error") for result in results] == ["query timed out", None]

    stats = run(main, query_timeout=1.0)
    assert (stats["billed"], stats["unbilled"]) == (1, 1)
    assert errors(site, "/slow/5", fetch_timeout=0.2) == ["Downloader error: GlobalTimeoutError"]
    assert errors(site, "/trickle/5", fetch_timeout=0.2) == ["Downloader error: GlobalTimeoutError"]


def test_limits_of_pages_are_settings(site: str) -> None:
    assert errors(site, "/redirect/2", max_redirects=1) == [
        "Downloader error: No response (network301)"
    ]
    assert errors(site, "/index.html", max_page_bytes=100) == ["Downloader error: internal"]


def test_requests_are_refused_with_problems(site: str) -> None:
    async def status(
        sandbox: Sandbox, method: str, path: str, key: str | None = "KEY", **options: Any
    ) -> Any:
        url = sandbox.extraction_url.replace("/v1/extract", path)
        headers = {**(basic(key) if key else {}), **options.pop("headers", {})}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, headers=headers, **options) as response,
        ):
            text = await response.text()
            if not text:
                assert "Content-Type" not in response.headers
                return response.status
            assert response.headers["Content-Type"] == "application/problem+json"
            kind = json.loads(text)["type"]
            return response.status, kind.rpartition("/")[2].removesuffix(".html")

    async def main(sandbox: Sandbox) -> None:
        many = [query(site)] * 101
        typed = {"Content-Type": "application/json"}
        cases: list[tuple[tuple[str, str], dict[str, Any], Any]] = [
            (("GET", "/v1/extract"), {}, (405, "method-not-allowed")),
            (("POST", "/v1/"), {"json": []}, (404, "unknown-uri")),
            (("GET", "/etc/passwd"), {}, (404, "unknown-uri")),
            (("POST", "/v1/extract"), {"json": [], "key": None}, (401, "unauthorized")),
            (
                ("POST", "/v1/extract"),
                {"json": [], "key": "NO"},
                (401, "unauthorized"),
            ),
            (
                ("POST", "/v1/extract"),
                {"json": [], "key": "OLD"},
                (403, "account-disabled"),
            ),
            (("POST", "/v1/extract"), {"data": "[]"}, (415, "unrecognized-content-type")),
            (("POST", "/v1/extract"), {"headers": typed}, (400, "empty-request")),
            (("POST", "/v1/extract"), {"data": "[", "headers": typed}, (400, "malformed-json")),
            (("POST", "/v1/extract"), {"json": many}, (413, "queries-limit-reached")),
            (("POST", "/v1/extract"), {"data": b" " * 30_001, "headers": typed}, 413),
        ]
        for arguments, options, expected in cases:
            assert await status(sandbox, *arguments, **options) == expected, (arguments, options)

    stats = run(main, keys=["KEY"], disabled_keys=["OLD"], max_payload=30_000)
    assert stats["request_errors"]["unauthorized"] == 2
    assert stats["queries"] == 0


def test_a_key_that_is_too_fast_is_told() -> None:
    async def main(sandbox: Sandbox) -> None:
        statuses = []
        async with aiohttp.ClientSession(headers=basic("KEY")) as session:
            for _ in range(8):
                sent = [query("mailto:a")]
                async with session.post(sandbox.extraction_url, json=sent) as response:
                    statuses.append(response.status)
                    if response.status == 429:
                        assert response.headers["Retry-After"] == "1"
        assert statuses == [200] * 5 + [429] * 3

    assert run(main, rate=5)["rate_violations"] == 3


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(200):
        if condition():
            return
        await asyncio.sleep(0.05)
    pytest.fail("waited in vain")


async def raw(sandbox: Sandbox, data: bytes) -> bytes:
    """What comes back for these bytes until the connection is closed."""
    host, port = sandbox.extraction_url.split("/")[2].split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    return answer


def raw_request(body: bytes, *headers: str, version: str = "1.1") -> bytes:
    lines = [
        f"POST /v1/extract HTTP/{version}",
        "Host: sandbox",
        "Authorization: Basic " + base64.b64encode(b"KEY:").decode(),
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *headers,
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + body


def test_every_kind_of_client_is_served() -> None:
    body = json.dumps([query("mailto:a")]).encode()

    async def main(sandbox: Sandbox) -> None:
        old = await raw(sandbox, raw_request(body, version="1.0"))
        assert old.startswith(b"HTTP/1.0 200 OK\r\n")
        assert old.endswith(b"]")
        closing = await raw(sandbox, raw_request(body, "Connection: close"))
        assert b"Connection: close" in closing
        twice = raw_request(body) + raw_request(body, "Connection: close")
        assert (await raw(sandbox, twice)).count(b"HTTP/1.1 200 OK") == 2
        packed = gzip.compress(body)
        packed_request = raw_request(packed, "Content-Encoding: gzip", "Connection: close")
        assert b"non-HTTP schemes" in await raw(sandbox, packed_request)
        broken = raw_request(body, "Content-Encoding: gzip", "Connection: close")
        assert b"malformed-request.html" in await raw(sandbox, broken)
        waiting = raw_request(body, "Expect: 100-continue", "Connection: close")
        answer = await raw(sandbox, waiting)
        assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
        chunked = raw_request(b"", "Transfer-Encoding: chunked", "Connection: close")
        chunked = chunked.replace(b"Content-Length: 0\r\n", b"")
        chunked += b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        assert b"non-HTTP schemes" in await raw(sandbox, chunked)
        for garbage in (b"HELLO\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"\x16\x03\x01\x02\x00\r\n\r\n"):
            answer = await raw(sandbox, garbage)
            assert answer.partition(b"\r\n")[0].endswith(b" 400 Bad Request"), answer
            assert b"malformed-request.html" in answer

    run(main)


def test_a_client_of_the_standard_library_and_gzip() -> None:
    body = json.dumps([query("mailto:a", meta="x" * 2000)]).encode()

    def client(url: str) -> None:
        request = urllib.request.Request(url, body)
        request.add_header("Authorization", basic_authorization("KEY"))
        request.add_header("Content-Type", "application/json")
        request.add_header("Accept-Encoding", "gzip, deflate, br")
        with urllib.request.urlopen(request) as response:
            assert response.headers["Content-Encoding"] == "gzip"
            assert response.headers["Content-Type"] == "application/json"
            (result,) = json.loads(gzip.decompress(response.read()))
            assert result["error"] == "non-HTTP schemes are not allowed"
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(url)
        assert caught.value.code == 405
        caught.value.close()

    async def main(sandbox: Sandbox) -> None:
        await asyncio.to_thread(client, sandbox.extraction_url)

    run(main)


def test_faults_reach_the_wire(caplog: pytest.LogCaptureFixture) -> None:
    script = [
        {"when": {"request": 1}, "then": {"drop": True}},
        {"when": {"request": 2}, "then": {"truncate": 30}},
        {"when": {"request": 3}, "then": {"status": 502, "body": "<h1>", "content_type": ""}},
        {"when": {"request": 4}, "then": {"garbage": 50}},
        {"when": {"request": 5}, "then": {"delay": 0.5}},
        {"when": {"request": 6}, "then": {"problem": "http-pipelining-not-supported"}},
        {"when": {"request": 7}, "then": {"headers": {"X-Odd": "ü"}}},
    ]
    sent = raw_request(json.dumps([query("mailto:a")]).encode(), "Connection: close")

    async def main(sandbox: Sandbox) -> None:
        assert await raw(sandbox, sent) == b""
        head, _, body = (await raw(sandbox, sent)).partition(b"\r\n\r\n")
        assert len(body) == 30
        assert int(head.partition(b"Content-Length: ")[2].split()[0]) > 30
        answer = await raw(sandbox, sent)
        assert answer.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
        assert answer.endswith(b"\r\n\r\n<h1>")
        assert b"content-type" not in answer.lower()
        assert len((await raw(sandbox, sent)).partition(b"\r\n\r\n")[2]) == 50
        before = time.monotonic()
        assert b"200 OK" in await raw(sandbox, sent)
        assert time.monotonic() - before >= 0.5
        assert b"http-pipelining-not-supported" in await raw(sandbox, sent)
        assert "X-Odd: ü".encode() in await raw(sandbox, sent)

    stats = run(main, faults=json.dumps(script))
    assert stats["faults"] == 7
    assert caplog.records == []


def test_a_client_that_leaves_is_forgotten(site: str) -> None:
    async def main(sandbox: Sandbox) -> None:
        async with aiohttp.ClientSession(headers=basic("KEY")) as session:
            with pytest.raises(asyncio.TimeoutError):
                await session.post(
                    sandbox.extraction_url,
                    json=[query(site + "/slow/30")],
                    timeout=aiohttp.ClientTimeout(total=0.5),
                )
        await until(lambda: sandbox.stats()["abandoned"] == 1)
        assert sandbox.stats()["in_flight"] == 0

    run(main)


def test_stopping_does_not_wait_for_pages(site: str) -> None:
    async def main() -> None:
        sandbox = Sandbox(rate=math.inf)
        await sandbox.start()
        waiting = asyncio.create_task(ask(sandbox, query(site + "/slow/60")))
        await until(lambda: sandbox.stats()["in_flight"] == 1)
        before = time.monotonic()
        await sandbox.stop()
        assert time.monotonic() - before < 5
        with pytest.raises(aiohttp.ClientError):
            await waiting
        await sandbox.stop()

    asyncio.run(main())


def test_counts_are_served() -> None:
    async def main(sandbox: Sandbox) -> None:
        await ask(sandbox, query("mailto:a"), query("http://10.0.0.1/"))
        url = sandbox.extraction_url.replace("/v1/extract", "/-/stats")
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            counts = await response.json()
        assert counts == sandbox.stats()
        assert (counts["requests"], counts["queries"], counts["unbilled"]) == (1, 2, 2)
        assert counts["query_errors"]["non-HTTP schemes are not allowed"] == 1

    run(main)


def test_pages_are_extracted_in_processes_too(site: str) -> None:
    pages = ["/magazine/tide-clock.html", "/magazine/bread-oven.html", "/odd/blank.html"]
    blank = "Downloader error: No visible elements"
    assert errors(site, *pages, workers=2) == [None, None, blank]


def test_wrong_settings_are_told_at_once() -> None:
    for wrong in ({"rate": -1}, {"allow_hosts": ["10.0.0.0/99"]}, {"query_timeout": math.nan}):
        with pytest.raises(ValueError, match=r"rate|host|query_timeout"):
            Sandbox(**wrong)
    with pytest.raises(InvalidFaults):
        Sandbox(faults="{}")


def test_two_sandboxes_have_ports_of_their_own() -> None:
    async def main(sandbox: Sandbox) -> None:
        async with Sandbox() as other:
            assert other.extraction_url != sandbox.extraction_url

    run(main)


def test_the_example_of_the_documentation(capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parents[1] / "docs" / "sandbox.md").read_text("utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(program, "sandbox.md", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out == "Hello\n1\n"
    script, newer = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    Sandbox(zyte_api={"faults": newer})
    Sandbox(faults=script)
