"""The sandbox's Zyte API over real sockets: extract, and proxy mode."""

from __future__ import annotations

import asyncio
import base64
import json
import math
import signal
import ssl
import subprocess
import sys
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp

from silkline import basic_authorization
from silkline.sandbox import Sandbox
from silkline.zyte_api.items import from_zyte_api

AUTHORIZATION = basic_authorization("KEY")
PAGES = json.loads(
    (Path(__file__).resolve().parents[2] / "tests" / "site" / "pages.json").read_bytes()
)
NAMES = {
    "article": "article",
    "articleList": "articleList",
    "forumPosts": "forumThread",
    "jobPosting": "jobPosting",
    "product": "product",
    "productList": "productList",
}


def run(main: Callable[[Sandbox], Awaitable[None]], **options: Any) -> dict[str, Any]:
    """Runs a test against a sandbox and gives the counts."""
    options = {"extraction_port": None, "zyte_api_port": 0, "keys": ["KEY"], "seed": 1, **options}

    async def whole() -> dict[str, Any]:
        async with Sandbox(**options) as sandbox:
            await main(sandbox)
        return sandbox.stats()

    return asyncio.run(asyncio.wait_for(whole(), 60))


async def post(url: str, body: Any, key: str = "KEY") -> tuple[int, Any, Any]:
    headers = {"Authorization": basic_authorization(key)}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(url, json=body) as response,
    ):
        return response.status, await response.json(content_type=None), response.headers


async def extract(sandbox: Sandbox, **body: Any) -> Any:
    status, answer, headers = await post(sandbox.zyte_api_url, body)
    assert status == 200, answer
    assert headers["request-id"]
    return answer


def test_both_services_give_the_same_items(site: str) -> None:
    """Apart from what the newer schema cannot say: `from_zyte_api` of the one is the other."""
    pages = [page for page in PAGES if page["page_type"] in NAMES and "error" not in page]
    assert len(pages) > 30

    async def main(sandbox: Sandbox) -> None:
        async def compare(page: dict[str, Any]) -> None:
            url, page_type = site + page["path"], page["page_type"]
            query = {"url": url, "pageType": page_type, "articleBodyRaw": False}
            _, [old], _ = await post(sandbox.extraction_url, [query])
            new = await extract(sandbox, url=url, **{NAMES[page_type]: True})
            assert new["statusCode"] == 200
            assert new["url"] == url
            item = new[NAMES[page_type]]
            back = from_zyte_api(page_type, item)
            assert plain(back.item) == plain(old[page_type]), url
            lost = {part.path.rpartition("/")[2] for part in back.unmapped}
            assert lost <= {"dateDownloaded", "url"}, url

        await asyncio.gather(*map(compare, pages))

    stats = run(main, extraction_port=0, rate=math.inf)
    assert stats["zyte_api"]["billed"] == len(pages)


def plain(value: Any, key: str = "") -> Any:
    """Without what only the older schema says."""
    if isinstance(value, dict):
        entry = {"sku", "brand", "images", "description", "descriptionHtml", "aggregateRating"}
        dropped = {"paginationPrevious", "datePublishedRaw"} if "posts" in value else set()
        if "articles" in value:
            dropped = {"paginationNext", "paginationPrevious"}
        if "products" in value:
            dropped = {"paginationPrevious"}
        if key == "products":
            dropped = entry
        if key == "posts":
            dropped = {"datePublishedRaw"}
        members = {name: plain(part, name) for name, part in value.items() if name not in dropped}
        if key == "products" and members.get("offers"):
            members["offers"] = [
                {name: part for name, part in offer.items() if name != "availability"}
                for offer in members["offers"]
            ]
        if members.get("offers"):
            members["offers"] = members["offers"][:1]
        return {name: part for name, part in members.items() if part not in ([], [{}], {})}
    if isinstance(value, list):
        return [plain(part, key) for part in value]
    return value


def test_what_is_asked_for_is_given(site: str) -> None:
    async def main(sandbox: Sandbox) -> None:
        page = await extract(
            sandbox,
            url=f"{site}/redirect/2",
            httpResponseBody=True,
            httpResponseHeaders=True,
            echoData=["any", {"thing": 1.5}],
        )
        assert page["url"] == f"{site}/index.html"
        assert b"<html" in base64.b64decode(page["httpResponseBody"]).lower()
        names = {header["name"].lower() for header in page["httpResponseHeaders"]}
        assert {"content-type", "content-length"} <= names
        assert page["echoData"] == ["any", {"thing": 1.5}]
        stays = await extract(
            sandbox, url=f"{site}/redirect/2", httpResponseBody=True, followRedirect=False
        )
        assert (stays["statusCode"], stays["url"]) == (302, f"{site}/redirect/2")
        shown = await extract(sandbox, url=f"{site}/magazine/biblioteka.html", browserHtml=True)
        assert "Библиотека" in shown["browserHtml"]
        sent = await extract(
            sandbox,
            url=f"{site}/headers",
            httpResponseBody=True,
            httpRequestMethod="POST",
            httpRequestText="söme",
            customHttpRequestHeaders=[{"name": "X-Own", "value": "1"}],
        )
        seen = json.loads(base64.b64decode(sent["httpResponseBody"]))
        assert seen["method"] == "POST"
        assert ["X-Own", "1"] in seen["headers"]
        gone = await extract(sandbox, url=f"{site}/status/404", article=True)
        assert gone["statusCode"] == 404
        assert gone["article"]["url"] == f"{site}/status/404"
        assert gone["article"]["metadata"]["probability"] == 0.0

    stats = run(main)["zyte_api"]
    assert (stats["billed"], stats["unbilled"]) == (5, 0)
    assert stats["statuses"] == {"200": 3, "302": 1, "404": 1}


def test_problems_are_told(site: str) -> None:
    faults = [{"when": {"url": "*/busy"}, "then": {"problem": "over-global-limit",
        "retry_after": 7}}]  # fmt: skip

    async def main(sandbox: Sandbox) -> None:
        for body, status, kind in [
            ([], 400, "/request/invalid"),
            ({"url": site}, 400, "/request/invalid"),
            ({"url": "http://nobody.invalid/", "product": True}, 451, "/download/domain-forbidden"),
            ({"url": "http://127.0.0.1:9/", "product": True}, 520, "/download/temporary-error"),
            ({"url": f"{site}/status/403", "product": True}, 520, "/download/temporary-error"),
            ({"url": f"{site}/busy", "product": True}, 503, "/limits/over-global-limit"),
        ]:
            found, problem, headers = await post(sandbox.zyte_api_url, body)
            assert (found, problem["type"], problem["status"]) == (status, kind, status), body
            assert headers["Content-Type"] == "application/problem+json"
        assert headers["Retry-After"] == "7"
        status, problem, _ = await post(sandbox.zyte_api_url, {"url": site}, key="OTHER")
        assert (status, problem["type"]) == (401, "/auth/key-not-found")
        status, _, headers = await post(
            sandbox.zyte_api_url.replace("/v1/extract", "/v2"), {"url": site}
        )
        assert status == 404

    options: Any = {"bans": [(None, [403], [])], "faults": json.dumps(faults)}
    stats = run(main, zyte_api=options)["zyte_api"]
    assert (stats["billed"], stats["faults"]) == (0, 1)


def test_rates_are_counted_in_requests_a_minute(site: str) -> None:
    async def main(sandbox: Sandbox) -> None:
        body = {"url": f"{site}/index.html", "httpResponseBody": True}
        statuses = [(await post(sandbox.zyte_api_url, body))[0] for _ in range(4)]
        assert statuses == [200, 200, 200, 429]

    assert run(main, zyte_api={"rate": 3})["zyte_api"]["rate_violations"] == 1


# --- proxy mode ---


async def get(
    sandbox: Sandbox, url: str, headers: dict[str, str], **options: Any
) -> tuple[int, Any, Any]:
    sent = {"Proxy-Authorization": AUTHORIZATION, **headers}
    method = options.pop("method", "GET")
    async with (
        aiohttp.ClientSession() as client,
        client.request(
            method, url, proxy=sandbox.zyte_proxy_url, headers=sent, **options
        ) as response,
    ):
        text = await response.text()
        try:
            return response.status, json.loads(text), response.headers
        except json.JSONDecodeError:
            return response.status, text, response.headers


def proxied(
    main: Callable[[Sandbox], Awaitable[None]], ca_directory: Path, **options: Any
) -> dict[str, Any]:
    settings: Any = {"ca_directory": ca_directory, **options}
    stats = run(main, zyte_api_port=None, zyte_proxy_port=0, zyte_proxy=settings)
    counts: dict[str, Any] = stats["zyte_proxy"]
    return counts


def test_sessions_leave_from_one_address_each(site: str, ca_directory: Path) -> None:
    async def main(sandbox: Sandbox) -> None:
        peers: dict[str, set[str]] = {}
        for session in [str(uuid.uuid4()) for _ in range(3)] * 3:
            status, seen, headers = await get(
                sandbox, f"{site}/headers", {"Zyte-Session-ID": session}
            )
            assert status == 200
            assert headers["Zyte-Request-ID"]
            assert not any(name.lower().startswith("zyte-") for name, _ in seen["headers"])
            peers.setdefault(session, set()).add(seen["peer"])
        assert [len(addresses) for addresses in peers.values()] == [1, 1, 1]
        assert len(set.union(*peers.values())) == 3
        status, problem, headers = await get(sandbox, site, {"Zyte-Session-ID": "1"})
        assert (status, problem["type"]) == (400, "/request/invalid")
        assert headers["Zyte-Error-Type"] == "/request/invalid"

    assert proxied(main, ca_directory)["sessions_created"] == 3


def test_redirects_bodies_and_old_headers(site: str, ca_directory: Path) -> None:
    async def main(sandbox: Sandbox) -> None:
        url = f"{site}/redirect/2?to={site}/headers"
        status, seen, _ = await get(sandbox, url, {}, method="POST", data=b"x" * 100_000)
        assert (status, seen["method"]) == (200, "GET")
        status, _, headers = await get(
            sandbox, url, {"Zyte-Disable-Follow-Redirect": "true"}, allow_redirects=False
        )
        assert (status, headers["Location"][:12]) == (302, "/redirect/1?")
        status, seen, headers = await get(
            sandbox, f"{site}/headers", {"X-Crawlera-Session": "create"}
        )
        session = headers["X-Crawlera-Session"]
        _, again, _ = await get(sandbox, f"{site}/headers", {"X-Crawlera-Session": session})
        assert seen["peer"] == again["peer"]
        status, problem, headers = await get(sandbox, site, {"X-Crawlera-Session": "12345"})
        assert (status, problem["type"]) == (422, "/problem/session-expired")
        assert headers["X-Crawlera-Error"] == "bad_session_id"

    assert proxied(main, ca_directory)["redirects"] == 2


def test_bans_end_a_session(site: str, ca_directory: Path) -> None:
    async def main(sandbox: Sandbox) -> None:
        wish = {"Zyte-Session-ID": str(uuid.uuid4())}
        for _ in range(3):
            status, problem, _ = await get(sandbox, f"{site}/status/403", wish)
            assert (status, problem["type"]) == (520, "/download/temporary-error")
        status, problem, _ = await get(sandbox, f"{site}/headers", wish)
        assert (status, problem["type"]) == (422, "/problem/session-expired")

    stats = proxied(main, ca_directory, bans=[(None, [403], [])])
    assert stats["sessions_banned"] == 1


def test_https_targets_through_a_tunnel(tls_site: str, ca_directory: Path) -> None:
    async def main(sandbox: Sandbox) -> None:
        context = ssl.create_default_context(cafile=str(sandbox.ca_certificate))
        session = str(uuid.uuid4())
        peers = set()
        for _ in range(2):
            async with (
                aiohttp.ClientSession() as client,
                client.get(
                    f"{tls_site}/headers",
                    proxy=sandbox.zyte_proxy_url,
                    proxy_headers={"Proxy-Authorization": AUTHORIZATION},
                    headers={"Zyte-Session-ID": session},
                    ssl=context,
                ) as response,
            ):
                seen = await response.json(content_type=None)
                assert response.headers["Zyte-Request-ID"]
                peers.add(seen["peer"])
        assert len(peers) == 1

    assert proxied(main, ca_directory)["tunnels"] == 2


def test_the_command_serves_both(site: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "silkline", "sandbox", "--zyte-api-port", "0"]
    command += ["--zyte-proxy-port", "0", "--ca-dir", str(tmp_path), "--workers", "0"]
    command += ["--zyte-rate", "0", "--key", "KEY", "--ban-status", "403"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            words = process.stdout.readline().split()
            assert words[:3] == ["silkline", "sandbox", "ready:"]
            told = dict(zip(words[3::2], words[4::2], strict=True))
            assert set(told) == {"zyte-api", "zyte-proxy", "ca"}
            body = {"url": f"{site}/shop/copper-kettle.html", "product": True}
            status, answer, _ = asyncio.run(post(told["zyte-api"], body))
            assert (status, answer["product"]["name"]) == (200, answer["product"]["name"])
            process.send_signal(signal.SIGTERM)
            counts = json.loads(process.stdout.readline())
        finally:
            process.kill()
    assert counts["zyte_api"]["outputs"] == {"product": 1}
    assert counts["zyte_proxy"]["requests"] == 0
