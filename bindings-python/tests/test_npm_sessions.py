"""The npm package's client for sessions against the sandbox: real sockets, tunnels and addresses."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import uuid
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from conftest import Web
from quick import sandbox
from silkline.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[2]
TARBALLS = sorted((ROOT / "dist").glob("silkline-*.tgz"))

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not TARBALLS, reason="needs Node, and `make npm`"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the package and nothing else."""
    empty = tmp_path_factory.mktemp("npm")
    install = ["npm", "install", "--prefer-offline", "--no-fund", "--no-audit", str(TARBALLS[-1])]
    subprocess.run(install, cwd=empty, check=True, capture_output=True, timeout=120)
    return empty


def run(folder: Path, code: str, box: Sandbox, *arguments: object, trusts: bool = True) -> Any:
    program = folder / "program.mjs"
    program.write_text(HEAD + code)
    ca = box.ca_certificate if trusts else ""
    url = box.zyte_proxy_url if "zyte_api" in code else box.proxy_url
    given = ["node", str(program), url, str(ca), *map(str, arguments)]
    ran = subprocess.run(given, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout + ran.stderr
    return json.loads(ran.stdout)


HEAD = """
import { readFileSync } from 'node:fs';
import { SessionProxy } from 'silkline/client';
const [endpoint, authority, ...given] = process.argv.slice(2);
const ca = authority && readFileSync(authority);
"""


def started(ca_directory: Path, **proxy: Any) -> Any:
    options = {"delay": 0.0, "ca_directory": ca_directory, **proxy}
    return sandbox(extraction_port=None, proxy_port=0, keys=["KEY"], proxy=options)


CRAWL = """
const [http, https, size, each, delay] = given;
const sessions = Number(size);
const proxy = new SessionProxy({ apiKey: 'KEY', endpoint, ca, sessions, sessionDelay: Number(delay) });
const calls = Array.from({ length: sessions * Number(each) }, async (_, number) => {
  const response = await proxy.fetch(`${number % 2 === 0 ? http : https}/headers?${number}`);
  const { path, tls, peer } = await response.json();
  if (path !== `/headers?${number}` || tls !== (number % 2 === 1)) {
    throw new Error('the answer to another request');
  }
  return { peer, ...response.proxied };
});
console.log(JSON.stringify(await Promise.all(calls)));
await proxy.close();
"""


def test_each_session_has_one_address_and_keeps_its_pace(
    web: Web, ca_directory: Path, folder: Path
) -> None:
    size, each, delay = 8, 6, 0.25
    with started(ca_directory, delay=delay) as box:
        told = run(folder, CRAWL, box, web.http, web.https, size, each, delay * 1_000)
        stats = box.stats()["proxy"]
    addresses: defaultdict[str, set[str]] = defaultdict(set)
    for response in told:
        assert response["outgoing"].startswith(response["peer"])
        addresses[response["session"]].add(response["peer"])
    assert len(addresses) == size
    assert all(len(peers) == 1 for peers in addresses.values())
    assert (stats["early_requests"], stats["errors"]) == (0, {})
    assert (stats["sessions_created"], stats["sessions_deleted"]) == (size, size)
    # A session's requests to one origin share a tunnel.
    through_tls = [response["session"] for response in told[1::2]]
    assert stats["tunnels"] == len(set(through_tls)) < len(through_tls)
    peers = web.peers()
    assert sum(map(len, peers.values())) == size * each
    for times in peers.values():
        assert min(after - before for before, after in itertools.pairwise(times)) > delay - 0.1


WALK = """
const [http, https] = given;
const proxy = new SessionProxy({ apiKey: 'KEY', endpoint, ca, sessions: 3, sessionDelay: 0 });
const session = proxy.session();
const posted = await session.fetch(`${https}/headers`, { method: 'POST', body: 'x' });
const followed = await session.fetch(`${http}/redirect/3`);
const text = await followed.text();
const { method, body } = await posted.json();
const policy = { preset: 'smart_proxy', rules: { account: { budget: { retries: 0 } } } };
const other = new SessionProxy({ apiKey: 'BAD', endpoint, ca, policy });
const refused = await other.fetch(`${https}/headers`).catch((error) => error);
console.log(JSON.stringify({
  method,
  body,
  url: followed.url.replace(http, ''),
  isPage: text.includes('<'),
  redirects: followed.proxied.redirects,
  isOne: followed.proxied.session === posted.proxied.session,
  refused: [refused.name, refused.code, refused.status],
}));
session.end();
await Promise.all([proxy.close(), other.close()]);
"""


def test_names_redirects_and_a_refused_tunnel(web: Web, ca_directory: Path, folder: Path) -> None:
    with started(ca_directory) as box:
        told = run(folder, WALK, box, web.http, web.https)
    assert told == {
        "method": "POST",
        "body": "x",
        "url": "/index.html",
        "isPage": True,
        "redirects": 3,
        "isOne": True,
        "refused": ["ProxyAccountRefused", "bad_proxy_auth", 407],
    }


TRUST = """
const proxy = new SessionProxy({ apiKey: 'KEY', endpoint });
const error = await proxy.fetch(`${given[0]}/headers`).catch((error) => error);
console.log(JSON.stringify([error.name, error.code, error.cause.code]));
await proxy.close();
"""


def test_without_the_authority_there_is_no_trust(
    web: Web, ca_directory: Path, folder: Path
) -> None:
    with started(ca_directory) as box:
        name, code, cause = run(folder, TRUST, box, web.https, trusts=False)
    assert (name, code) == ("UntrustedCertificate", "untrusted_certificate")
    assert cause == "UNABLE_TO_VERIFY_LEAF_SIGNATURE"


REUSE = """
const [https, other] = given;
const proxy = new SessionProxy({ apiKey: 'KEY', endpoint, ca, sessions: 4, sessionDelay: 0 });
const [one, two] = [proxy.session('one'), proxy.session('two')];
const peers = {};
for (const [session, url] of [
  [one, `${https}/headers`],
  [one, `${https}/bytes/3000000`],
  [one, `${https}/headers`],
  [one, `${other}/headers`],
  [two, `${https}/headers`],
  [two, `${https}/headers`],
  [one, `${https}/headers`],
]) {
  const response = await session.fetch(url);
  const text = await response.text();
  if (url.endsWith('headers')) {
    (peers[session.name] ??= new Set()).add(JSON.parse(text).peer);
  }
}
const given_up = await one.fetch(`${https}/bytes/50000000`);
await given_up.body.cancel();
const again = await one.fetch(`${https}/headers`, { method: 'POST', body: 'x' });
await again.text();
const last = await one.fetch(`${https}/headers`);
console.log(JSON.stringify({
  peers: Object.values(peers).map((found) => found.size),
  statuses: [again.status, last.status],
  isOne: (await last.json()).peer === [...peers.one][0],
}));
await proxy.close();
"""


def test_tunnels_are_those_of_one_session_and_origin(
    web: Web, ca_directory: Path, folder: Path
) -> None:
    with started(ca_directory) as box:
        other = web.https.replace("127.0.0.1", "localhost")
        told = run(folder, REUSE, box, web.https, other)
        stats = box.stats()["proxy"]
    assert told == {"peers": [1, 1], "statuses": [200, 200], "isOne": True}
    # One for each session and origin, and another one behind the body that was given up.
    assert (stats["tunnels"], stats["relayed"]) == (4, 10)


ZYTE_CRAWL = CRAWL.replace("new SessionProxy({", "new SessionProxy({ dialect: 'zyte_api',")


def started_zyte(ca_directory: Path, **proxy: Any) -> Any:
    options = {"ca_directory": ca_directory, **proxy}
    return sandbox(
        extraction_port=None, zyte_proxy_port=0, keys=["KEY"], proxy=options, zyte_proxy=proxy
    )


def test_sessions_of_the_successor(web: Web, ca_directory: Path, folder: Path) -> None:
    size, each, delay = 6, 6, 0.25
    with started_zyte(ca_directory) as box:
        told = run(folder, ZYTE_CRAWL, box, web.http, web.https, size, each, delay * 1_000)
        stats = box.stats()["zyte_proxy"]
    addresses: defaultdict[str, set[str]] = defaultdict(set)
    for response in told:
        assert uuid.UUID(response["session"]).version == 4
        addresses[response["session"]].add(response["peer"])
    assert len(addresses) == size
    assert all(len(peers) == 1 for peers in addresses.values())
    assert (stats["sessions_created"], stats["problems"]) == (size, {})
    assert stats["relayed"] == stats["requests"] == size * each
    assert stats["tunnels"] == len({response["session"] for response in told[1::2]})
    peers = web.peers()
    assert sum(map(len, peers.values())) == size * each
    for times in peers.values():
        assert min(after - before for before, after in itertools.pairwise(times)) > delay - 0.1


ZYTE_ENDS = """
const [https, wait] = given;
const lost = [];
const rules = { download: { wait: { between: [0, 0] }, budget: { retries: 3 } } };
const proxy = new SessionProxy({
  apiKey: 'KEY', endpoint, ca, dialect: 'zyte_api', sessions: 4, sessionDelay: 0, maxBans: 3,
  policy: { preset: 'smart_proxy', rules },
  onSessionLost: ({ name, cause }) => lost.push([name, cause]),
});
const fetched = async (from, path, init) => {
  const response = await from.fetch(`${https}${path}`, init).catch((error) => error);
  return response instanceof Error
    ? [response.name, response.code, response.attempts, response.cost.billed]
    : [response.status, (await response.text()) && response.proxied.session];
};
const [kept, replaced] = [proxy.session('kept'), proxy.session('replaced', { replace: true })];
const first = [await fetched(kept, '/headers'), await fetched(replaced, '/headers')];
const second = [await fetched(kept, '/headers'), await fetched(replaced, '/headers')];
await new Promise((resolve) => setTimeout(resolve, Number(wait)));
const third = [await fetched(kept, '/headers'), await fetched(replaced, '/headers')];
const banned = await fetched(proxy, '/status/403');
const moved = await fetched(proxy, '/redirect/5');
console.log(JSON.stringify({ first, second, third, banned, lost, moved }));
await proxy.close();
"""


def test_sessions_of_the_successor_that_expire_or_are_banned(
    web: Web, ca_directory: Path, folder: Path
) -> None:
    ends: Any = {"session_idle": 1.0, "bans": [(None, [403], [])]}
    with started_zyte(ca_directory, **ends) as box:
        told = run(folder, ZYTE_ENDS, box, web.https, 1_500)
        stats = box.stats()["zyte_proxy"]
        lines = [json.loads(line) for line in web.log.read_text("utf-8").splitlines()]
    kept = [session for _, session in told["first"]]
    assert kept == [session for _, session in told["second"]]
    assert told["third"][0] == ["ProxyJobError", "session_lost", 1, 0]
    status, session = told["third"][1]
    assert status == 200
    assert session not in kept
    assert told["lost"] == [["kept", "gone"], ["replaced", "gone"]]
    assert told["banned"] == ["ProxyServiceError", "banned", 4, 0]
    assert stats["problems"] == {"/download/temporary-error": 4, "/problem/session-expired": 2}
    # Its redirects go through the session that asked first.
    assert told["moved"][0] == 200
    peers = [line["peer"] for line in lines if line["path"].startswith(("/redirect", "/index"))]
    assert (len(peers), len(set(peers))) == (6, 1)
