"""The second half of the demo: the site crawled through sessions of the sandbox's proxy."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

SESSIONS = 8
# Seconds between requests of a session; the documented value is 12.
DELAY = 0.25
PATIENCE = 180.0


def crawl(
    proxy: str, key: str, urls: list[str], folder: Path
) -> tuple[list[dict[str, Any]], float]:
    """Has the pages crawled; what came of each, and the seconds it took."""
    wanted, out = folder / "urls.txt", folder / "crawl.jsonl"
    wanted.write_text("".join(url + "\n" for url in urls), encoding="utf-8")
    script = str(Path(__file__).with_name("crawl.py"))
    arguments = [proxy, key, str(wanted), str(SESSIONS), str(DELAY), str(out)]
    started = time.monotonic()
    subprocess.run([sys.executable, script, *arguments], timeout=PATIENCE, check=True)
    seconds = time.monotonic() - started
    text = out.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()], seconds


def table(lines: list[dict[str, Any]]) -> str:
    """A row for each session."""
    sessions: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for line in lines:
        sessions[line["session"], line["address"]].append(line["bytes"])
    rows = [f"  {'session':<12}{'address':<14}{'pages':>5}{'bytes':>10}"]
    rows += [
        f"  {session:<12}{address:<14}{len(sizes):>5}{sum(sizes):>10}"
        for (session, address), sizes in sorted(sessions.items())
    ]
    return "\n".join(rows)


def faults(lines: list[dict[str, Any]], site_log: Path, stats: dict[str, Any]) -> list[str]:
    """What is not as it should be: by the answers, by the site's log, by the service's counts."""
    found = []
    addresses: defaultdict[str, set[str]] = defaultdict(set)
    for line in lines:
        addresses[line["session"]].add(line["address"])
        if line["status"] != 200:
            found.append(f"{line['url']}: status {line['status']}")
    if len(addresses) != SESSIONS or any(len(known) != 1 for known in addresses.values()):
        found.append("a session did not keep its address")
    told = sorted((line["url"].split("/", 3)[3], line["address"]) for line in lines)
    requests = [json.loads(text) for text in site_log.read_text(encoding="utf-8").splitlines()]
    seen = sorted((one["path"][1:], one["peer"]) for one in requests)
    if told != seen:
        found.append("the site saw other addresses than the service told")
    if any(one["leaked"] for one in requests):
        found.append("a header for the service reached the site")
    if stats["early_requests"]:
        found.append(f"{stats['early_requests']} requests came before their session's time")
    if stats["sessions_living"]:
        found.append(f"{stats['sessions_living']} sessions were left behind")
    return found
