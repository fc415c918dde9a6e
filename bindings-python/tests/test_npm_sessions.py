"""The npm package's client for sessions against the sandbox: real sockets, tunnels and addresses."""

from __future__ import annotations

import itertools
import json
import shutil
import ssl
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme

from conftest import serve
from quick import sandbox
from silkline.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[2]
TARBALLS = sorted((ROOT / "dist").glob("silkline-*.tgz"))

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not TARBALLS, reason="needs Node, and `make npm`"
)


class Web(NamedTuple):
    """A target over http and https, with the one log that both keep."""

    http: str
    https: str
    log: Path

    def peers(self) -> dict[str, list[float]]:
        """When each peer has asked for something."""
        found: defaultdict[str, list[float]] = defaultdict(list)
        for line in map(json.loads, self.log.read_text("utf-8").splitlines()):
            assert line["leaked"] == []
            found[line["peer"]].append(line["time"])
        return dict(found)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    log = tmp_path / "site.log"
    log.touch()
    for http in serve("127.0.0.1", log=str(log)):
        for https in serve("127.0.0.1", context, str(log)):
            yield Web(http, https, log)


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
    given = ["node", str(program), str(box.proxy_url), str(ca), *map(str, arguments)]
    ran = subprocess.run(given, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout + ran.stderr
    return json.loads(ran.stdout)


HEAD = """
import { readFileSync } from 'node:fs';
import { SessionProxy } from 'silkline/client';
const [endpoint, authority, ...given] = process.argv.slice(2);
const ca = authority && readFileSync(authority);
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ca")


def started(authority: Path, **proxy: Any) -> Any:
    options = {"delay": 0.0, "ca_directory": authority, **proxy}
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
    web: Web, authority: Path, folder: Path
) -> None:
    size, each, delay = 8, 6, 0.25
    with started(authority, delay=delay) as box:
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
    assert stats["tunnels"] == size * each // 2
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


def test_names_redirects_and_a_refused_tunnel(web: Web, authority: Path, folder: Path) -> None:
    with started(authority) as box:
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


def test_without_the_authority_there_is_no_trust(web: Web, authority: Path, folder: Path) -> None:
    with started(authority) as box:
        name, code, cause = run(folder, TRUST, box, web.https, trusts=False)
    assert (name, code) == ("UntrustedCertificate", "untrusted_certificate")
    assert cause == "UNABLE_TO_VERIFY_LEAF_SIGNATURE"
