"""The documentation's own code, and published HTTP clients, against the sandbox's proxy.

Only host, port, key and start URL differ from what is published.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import ssl
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme

from conftest import serve
from published import interpreter
from silkline.sandbox import Sandbox

# "Example using Python and Scrapy" of the page; START stands for its start URL.
SPIDER = """
import scrapy

class ToScrapeCSSSpider(scrapy.Spider):
    name = "toscrape-css"

    def start_requests(self):
        yield scrapy.Request(
            START,
            headers={'X-Crawlera-Session': 'create'}, # requesting new session
            callback=self.parse,
        )

    def parse(self, response):
        for quote in response.css("div.quote"):
            yield {
                'text': quote.css("span.text::text").extract_first(),
                'author': quote.css("small.author::text").extract_first(),
                'tags': quote.css("div.tags > a.tag::text").extract()
            }

        next_page_url = response.css("li.next > a::attr(href)").extract_first()
        if next_page_url is not None:
            session_id = response.headers.get('X-Crawlera-Session', '')
            yield scrapy.Request(
                response.urljoin(next_page_url),
                headers={'X-Crawlera-Session': session_id} # using the same session via id
            )
"""

# What Scrapy from 2.16 on wants besides, since it does not look at `start_requests`.
START = """
    async def start(self):
        for request in self.start_requests():
            yield request
"""

# How the spider is run: three at once, each with a session of its own, of which the log tells.
RUN = """
import json, sys
from scrapy.crawler import CrawlerProcess

settings = json.loads(sys.argv[1])

class Watched(ToScrapeCSSSpider):
    def parse(self, response):
        session = response.headers.get("X-Crawlera-Session", b"").decode()
        print(json.dumps({"session": session, "url": response.url}))
        for found in super().parse(response):
            if isinstance(found, dict):
                print(json.dumps({"item": found}))
            yield found

process = CrawlerProcess({
    "LOG_LEVEL": "WARNING", "TELNETCONSOLE_ENABLED": False, "RETRY_ENABLED": False, **settings,
})
for _ in range(3):
    process.crawl(Watched)
process.start()
"""


class Web(NamedTuple):
    """A target and the log it keeps."""

    url: str
    log: Path

    def peers(self) -> dict[str, list[str]]:
        """The paths that each peer has asked for, in order."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for line in map(json.loads, self.log.read_text("utf-8").splitlines()):
            assert line["leaked"] == [], line
            found[line["peer"]].append(line["path"])
        return dict(found)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    log = tmp_path / "site.log"
    for url in serve("127.0.0.1", log=str(log)):
        yield Web(url, log)


@pytest.fixture
def tls_web(tmp_path: Path) -> Iterator[Web]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    log = tmp_path / "tls-site.log"
    for url in serve("127.0.0.1", context, str(log)):
        yield Web(url, log)


class Ran(NamedTuple):
    out: str
    err: str
    stats: dict[str, Any]


def environment(**more: str) -> dict[str, str]:
    """The environment without proxies of this machine."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("proxy")}
    return {**kept, **more}


def run(
    command: list[str],
    folder: Path,
    ca_directory: Path,
    *,
    env: dict[str, str] | None = None,
    proxy: dict[str, Any] | None = None,
) -> Ran:
    """Runs a command against a sandbox, PROXY, HOST and CA in it standing for what it printed."""

    async def main() -> Ran:
        options: Any = {"delay": 0, "ca_directory": ca_directory, **(proxy or {})}
        async with Sandbox(
            extraction_port=None, proxy_port=0, keys=["KEY"], seed=1, proxy=options
        ) as sandbox:

            def fill(text: str) -> str:
                text = text.replace("@PROXY@", sandbox.proxy_url)
                text = text.replace("@HOST@", sandbox.proxy_url.removeprefix("http://"))
                return text.replace("@CA@", str(sandbox.ca_certificate))

            process = await asyncio.create_subprocess_exec(
                *map(fill, command),
                cwd=folder,
                env=environment(**{name: fill(value) for name, value in (env or {}).items()}),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            try:
                out, err = await asyncio.wait_for(process.communicate(), 90)
            except BaseException:
                process.kill()
                raise
            assert process.returncode == 0, (out.decode(), err.decode())
            counts: dict[str, Any] = sandbox.stats()["proxy"]
            return Ran(out.decode(), err.decode(), counts)

    return asyncio.run(main())


def crawl(
    folder: Path,
    ca_directory: Path,
    web: Web,
    settings: dict[str, Any],
    *,
    python: str | None = None,
    env: dict[str, str] | None = None,
) -> tuple[dict[str, list[str]], list[dict[str, Any]], Ran]:
    """Runs the documented spider; gives each session's URLs, the items, and what was seen."""
    program = folder / "spider.py"
    start = SPIDER.replace("START", repr(f"{web.url}/quotes/"))
    program.write_text(start + START + RUN, encoding="utf-8")
    command = [python or interpreter("proxy-clients"), str(program), json.dumps(settings)]
    ran = run(command, folder, ca_directory, env=env)
    sessions: defaultdict[str, list[str]] = defaultdict(list)
    items = []
    for line in map(json.loads, ran.out.splitlines()):
        if "item" in line:
            items.append(line["item"])
        else:
            sessions[line["session"]].append(line["url"])
    return dict(sessions), items, ran


PAGES = ["/quotes/", *(f"/quotes/page/{page}/" for page in range(2, 6))]


def assert_one_address_per_session(
    sessions: dict[str, list[str]], items: list[dict[str, Any]], ran: Ran, web: Web
) -> None:
    assert len(sessions) == 3
    assert all(urls == [web.url + path for path in PAGES] for urls in sessions.values()), sessions
    assert len(items) == 3 * 15
    assert items[0]["author"]
    assert items[0]["text"]
    assert len(items[0]["tags"]) == 2
    peers = web.peers()
    assert len(peers) == 3
    assert all(paths == PAGES for paths in peers.values()), "the same address along a session"
    assert {ran.stats["sessions"][session]["address"] for session in sessions} == set(peers)
    assert ran.stats["errors"] == {}
    assert ran.stats["sessions_created"] == 3


def test_the_documented_spider_with_a_proxy_in_the_environment(
    tmp_path: Path, ca_directory: Path, web: Web
) -> None:
    env = {"http_proxy": "http://KEY:@@HOST@"}
    sessions, items, ran = crawl(tmp_path, ca_directory, web, {}, env=env)
    assert_one_address_per_session(sessions, items, ran, web)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="that Scrapy is older than this Python")
def test_the_documented_spider_with_a_scrapy_of_its_time(
    tmp_path: Path, ca_directory: Path, web: Web
) -> None:
    python = interpreter("scrapy-autoextract")
    env = {"http_proxy": "http://KEY:@@HOST@"}
    sessions, items, ran = crawl(tmp_path, ca_directory, web, {}, python=python, env=env)
    assert_one_address_per_session(sessions, items, ran, web)


SMART_PROXY = {
    "DOWNLOADER_MIDDLEWARES": {"scrapy_zyte_smartproxy.ZyteSmartProxyMiddleware": 610},
    "ZYTE_SMARTPROXY_ENABLED": True,
    "ZYTE_SMARTPROXY_APIKEY": "KEY",
    "ZYTE_SMARTPROXY_URL": "@PROXY@",
}


def test_the_documented_spider_with_scrapy_zyte_smartproxy(
    tmp_path: Path, ca_directory: Path, web: Web
) -> None:
    sessions, items, ran = crawl(tmp_path, ca_directory, web, SMART_PROXY)
    assert_one_address_per_session(sessions, items, ran, web)


@pytest.mark.parametrize("plugin", [False, True])
def test_the_documented_spider_on_an_https_target(
    tmp_path: Path, ca_directory: Path, tls_web: Web, plugin: bool
) -> None:
    """With verification on, Scrapy trusts the authority by OpenSSL's own variable."""
    settings = {**(SMART_PROXY if plugin else {}), "DOWNLOAD_VERIFY_CERTIFICATES": True}
    env = {"SSL_CERT_FILE": "@CA@"}
    if not plugin:
        env["https_proxy"] = "http://KEY:@@HOST@"
    sessions, items, ran = crawl(tmp_path, ca_directory, tls_web, settings, env=env)
    assert_one_address_per_session(sessions, items, ran, tls_web)
    assert ran.stats["tunnels"] >= 3


def test_scrapy_does_not_trust_the_authority_by_itself(
    tmp_path: Path, ca_directory: Path, tls_web: Web
) -> None:
    env = {"https_proxy": "http://KEY:@@HOST@"}
    settings = {"DOWNLOAD_VERIFY_CERTIFICATES": True}
    sessions, items, ran = crawl(tmp_path, ca_directory, tls_web, settings, env=env)
    assert (sessions, items) == ({}, [])
    assert "certificate verify failed" in ran.err
    assert not tls_web.log.read_text()


# "Here is a code example that illustrates how to create sessions with Python Requests library".
REQUESTS = """
import sys
PROXY, PLAIN, TLS, CA = sys.argv[1:]
MYAPIKEY = "KEY"

import requests

def getSPMSession():
    r = requests.post(url="http://proxy.zyte.com:8011/sessions".replace("http://proxy.zyte.com:8011", PROXY), auth=(MYAPIKEY, ""))
    return r.text

session = getSPMSession()
assert session.isdecimal(), session
proxies = {scheme: PROXY.replace("://", f"://{MYAPIKEY}:@") for scheme in ("http", "https")}
for target in (PLAIN, TLS):
    for number in range(2):
        r = requests.get(target + f"/headers?{number}", proxies=proxies, verify=CA,
                         headers={"X-Crawlera-Session": session})
        assert r.status_code == 200, r.text
        assert r.headers["X-Crawlera-Session"] == session
        assert not [n for n, _ in r.json()["headers"] if n.lower().startswith(("x-crawlera", "proxy"))]
with requests.Session() as kept:
    kept.proxies, kept.verify, kept.trust_env = proxies, CA, False
    for number in range(3):
        r = kept.get(TLS + f"/headers?kept{number}", headers={"X-Crawlera-Session": session})
        assert r.headers["X-Crawlera-Session"] == session
    assert kept.post(TLS + "/headers", data=b"x" * 300_000).json()["body_bytes"] == 300_000
assert requests.get(PROXY + "/sessions", auth=(MYAPIKEY, "")).json().keys() == {session}
assert requests.delete(f"{PROXY}/sessions/{session}", auth=(MYAPIKEY, "")).ok
r = requests.get(PLAIN, proxies=proxies, headers={"X-Crawlera-Session": session})
assert (r.status_code, r.headers["X-Crawlera-Error"]) == (400, "bad_session_id")
try:
    requests.get(TLS, proxies=proxies)
except requests.exceptions.SSLError:
    print("untrusted")
"""


def test_the_requests_snippet(tmp_path: Path, ca_directory: Path, web: Web, tls_web: Web) -> None:
    program = tmp_path / "snippet.py"
    program.write_text(REQUESTS)
    python = interpreter("proxy-clients")
    command = [python, str(program), "@PROXY@", web.url, tls_web.url, "@CA@"]
    ran = run(command, tmp_path, ca_directory)
    assert ran.out == "untrusted\n"
    ((address, paths),) = web.peers().items()
    assert paths == ["/headers?0", "/headers?1"]
    assert len(tls_web.peers().pop(address)) == 5
    assert ran.stats["sessions_deleted"] == 1


# Clients that people have, each with one session over http and https.
PYTHON_CLIENTS = {
    "httpx": """
import httpx
trust = ssl.create_default_context(cafile=CA)
client = httpx.Client(proxy=PROXY.replace("://", "://KEY:@"), verify=trust, trust_env=False)
def get(url, headers):
    r = client.get(url, headers=headers)
    return r.status_code, r.headers, r.content
""",
    "urllib3": """
import urllib3
own = urllib3.make_headers(proxy_basic_auth="KEY:")
client = urllib3.ProxyManager(PROXY, proxy_headers=own, ca_certs=CA)
def get(url, headers):
    r = client.request("GET", url, headers={**headers, **(own if url.startswith("http:") else {})})
    return r.status, r.headers, r.data
""",
    "urllib": """
import base64, urllib.request
# A key with an empty password in the proxy's URL is no credential to it.
own = {"Proxy-Authorization": "Basic " + base64.b64encode(b"KEY:").decode()}
handlers = (urllib.request.ProxyHandler({s: PROXY for s in ("http", "https")}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=CA)))
client = urllib.request.build_opener(*handlers)
def get(url, headers):
    with client.open(urllib.request.Request(url, headers={**own, **headers})) as r:
        return r.status, r.headers, r.read()
""",
    "aiohttp": """
import aiohttp, asyncio
trust = ssl.create_default_context(cafile=CA)
async def ask(url, headers):
    async with aiohttp.ClientSession() as client:
        async with client.get(url, headers=headers, proxy=PROXY, proxy_auth=aiohttp.BasicAuth("KEY", ""), ssl=trust) as r:
            return r.status, r.headers, await r.read()
def get(url, headers):
    return asyncio.run(ask(url, headers))
""",
    "http.client": """
import http.client, base64
from urllib.parse import urlsplit
own = {"Proxy-Authorization": "Basic " + base64.b64encode(b"KEY:").decode()}
def get(url, headers):
    parts = urlsplit(url)
    if parts.scheme == "https":
        client = http.client.HTTPSConnection(HOST, context=ssl.create_default_context(cafile=CA))
        client.set_tunnel(parts.hostname, parts.port, own)
        client.request("GET", parts.path, headers=headers)
    else:
        client = http.client.HTTPConnection(HOST)
        client.request("GET", url, headers={**own, **headers})
    r = client.getresponse()
    return r.status, r.headers, r.read()
""",
}
PYTHON_USE = """
import json
status, headers, _ = get(PLAIN + "/headers", {"X-Crawlera-Session": "create"})
assert status == 200, status
session = headers["X-Crawlera-Session"]
for url in (PLAIN, TLS, PLAIN, TLS):
    status, headers, body = get(url + "/headers", {"X-Crawlera-Session": session})
    assert status == 200, (status, body)
    assert headers["X-Crawlera-Session"] == session
    print(json.loads(body)["peer"])
status, headers, body = get(TLS + "/bytes/3000000", {"X-Crawlera-Session": session})
assert len(body) == 3_000_000
"""


@pytest.mark.parametrize("client", PYTHON_CLIENTS)
def test_python_clients(
    tmp_path: Path, ca_directory: Path, web: Web, tls_web: Web, client: str
) -> None:
    program = tmp_path / "client.py"
    values = "import ssl, sys\nPROXY, HOST, PLAIN, TLS, CA = sys.argv[1:]\n"
    program.write_text(values + PYTHON_CLIENTS[client] + PYTHON_USE)
    command = [interpreter("proxy-clients"), str(program)]
    command += ["@PROXY@", "@HOST@", web.url, tls_web.url, "@CA@"]
    ran = run(command, tmp_path, ca_directory)
    assert len(set(ran.out.split())) == 1, "one session, one address"
    assert set(web.peers()) == set(tls_web.peers()) == set(ran.out.split())


CURL = ["curl", "-sS", "-x", "@PROXY@", "-U", "KEY:", "--cacert", "@CA@"]


def test_curl_on_https_targets_and_through_tunnels_to_http(
    tmp_path: Path, ca_directory: Path, web: Web, tls_web: Web
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    create = ["-H", "X-Crawlera-Session: create", "-D", "heads", "-o", "body"]
    ran = run([*CURL, *create, f"{tls_web.url}/headers"], tmp_path, ca_directory)
    assert ran.stats["sessions_created"] == 1
    (peer,) = tls_web.peers()
    assert json.loads((tmp_path / "body").read_text())["peer"] == peer
    # -p tunnels to http targets as well.
    outside = ["--proxy-header", "X-Crawlera-Session: create", "-p"]
    ran = run([*CURL, *outside, *[f"{web.url}/headers"] * 2], tmp_path, ca_directory)
    assert [len(paths) for paths in web.peers().values()] == [2]
    assert (ran.stats["tunnels"], ran.stats["sessions_created"]) == (1, 1)
    uploaded = ["-H", "Expect: 100-continue", "--data-binary", "@up"]
    (tmp_path / "up").write_bytes(b"u" * 2_000_000)
    for url in (web.url, tls_web.url):
        ran = run([*CURL, *uploaded, f"{url}/headers"], tmp_path, ca_directory)
        assert json.loads(ran.out)["body_bytes"] == 2_000_000


def undici(folder: Path) -> Path:
    """The folder with an installed undici, whose `ProxyAgent` the documentation of Node names."""
    if shutil.which("npm") is None:
        pytest.skip("there is no npm")
    target = Path(__file__).resolve().parents[2] / "target" / "published" / "undici-7.30.2"
    if not (target / "complete").exists():
        target.mkdir(parents=True, exist_ok=True)
        (target / "package.json").write_text('{"private": true, "type": "module"}')
        install = ["npm", "install", "--no-fund", "--no-audit", "undici@7.30.2"]
        subprocess.run(install, cwd=target, check=True, capture_output=True, timeout=120)
        (target / "complete").touch()
    (folder / "node_modules").symlink_to(target / "node_modules")
    return folder


NODE = """
import { ProxyAgent, fetch as ownFetch } from "undici";
import { readFileSync } from "node:fs";
const [proxy, plain, tls, ca] = process.argv.slice(2);
const token = "Basic " + Buffer.from("KEY:").toString("base64");
const trusted = { requestTls: { ca: readFileSync(ca) } };
const agents = [
  [ownFetch, new ProxyAgent({ uri: proxy, token, ...trusted })],
  [ownFetch, new ProxyAgent({ uri: proxy, token, proxyTunnel: false, ...trusted })],
  [ownFetch, new ProxyAgent({ uri: proxy, token, proxyTunnel: true, ...trusted })],
];
const sessions = await ownFetch(proxy + "/sessions", { method: "POST", headers: { authorization: token } });
const session = await sessions.text();
for (const [fetch, dispatcher] of agents) {
  for (const url of [plain, tls, plain, tls]) {
    const r = await fetch(url + "/headers", { dispatcher, headers: { "X-Crawlera-Session": session } });
    if (r.status !== 200) throw new Error(`${r.status} ${await r.text()}`);
    if (r.headers.get("x-crawlera-session") !== session) throw new Error("another session");
    console.log((await r.json()).peer);
  }
  await dispatcher.close();
}
"""


def test_undici_of_node(tmp_path: Path, ca_directory: Path, web: Web, tls_web: Web) -> None:
    """Its agent tunnels to http targets too, unless told otherwise."""
    if shutil.which("node") is None:
        pytest.skip("there is no Node")
    (undici(tmp_path) / "client.mjs").write_text(NODE)
    command = ["node", "client.mjs", "@PROXY@", web.url, tls_web.url, "@CA@"]
    ran = run(command, tmp_path, ca_directory)
    assert len(ran.out.split()) == 12
    assert len(set(ran.out.split())) == 1
    assert set(web.peers()) == set(tls_web.peers())
