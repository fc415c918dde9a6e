"""The demo: a site and both services on this machine, extracted from three languages and crawled.

Starts the site of `tests/site` and `silkline sandbox`, has every page extracted by a program in
Python, one in Node and one in Rust, and checks that all three read the same items and the errors
that are due. Then crawls the pages through sessions of the proxy and checks that each kept its
address and its pace. Ends with status 1 if anything is not as it should be.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import crawled

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "tests" / "site"
KEY = "demo-key"
# Queries a second. The documented limit is 5; the sandbox is told to allow more.
RATE = 40
READY = 60.0
PATIENCE = 180.0
# Pages that are no files: what is asked of each, and the error's code or where its item is from.
SPECIAL = (
    ("/status/404", "article", "downloader_http"),
    ("/status/503", "product", "downloader_http"),
    ("/redirect/3", "articleList", "/index.html"),
    ("/huge/1", "article", "/huge/1"),
)
CODES = {"No visible elements": "downloader_no_visible_elements"}
HEADLINES = ("headline", "name", "title")
LISTS = ("articles", "products", "reviews", "comments", "posts")


class DemoError(Exception):
    """Something is not as it should be."""


@dataclass
class Language:
    """A program that extracts, and what came of it."""

    name: str
    command: list[str]
    client: str
    out: Path
    seconds: float = 0.0
    lines: list[dict[str, Any]] = field(default_factory=list)


@contextlib.contextmanager
def running(command: list[str], ready: str) -> Iterator[str]:
    """A server, with the rest of its ready line; stopped and reaped at the end, whatever happens."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True, cwd=ROOT
    )
    try:
        yield ready_line(process, ready)
    finally:
        stop(process)


def ready_line(process: subprocess.Popen[str], ready: str) -> str:
    """Waits for the line that tells that a server listens."""
    assert process.stdout is not None
    if not select.select([process.stdout], [], [], READY)[0]:
        raise DemoError(f"{process.args!r} did not get ready within {READY:.0f} s")
    line = process.stdout.readline().strip()
    if not line.startswith(ready):
        raise DemoError(f"{process.args!r} did not start: {line or 'no output'}")
    return line.removeprefix(ready).strip()


def stop(process: subprocess.Popen[str]) -> None:
    """Ends a process with all that it started."""
    for number, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=patience)
            return


@dataclass(frozen=True)
class Due:
    """A page to ask for, and what is due: an item from a URL, or the code of an error."""

    url: str
    page_type: str
    item_url: str | None = None
    error: str | None = None


def pages_of(site: str) -> list[Due]:
    """Every page of the site, and some that are no files."""
    pages = []
    for page in json.loads((SITE / "pages.json").read_text(encoding="utf-8")):
        url = site + page["path"]
        error = CODES[page["error"]] if "error" in page else None
        pages.append(Due(url, page["page_type"], None if error else url, error))
    for path, page_type, due in SPECIAL:
        url = site + path
        if due.startswith("/"):
            pages.append(Due(url, page_type, item_url=site + due))
        else:
            pages.append(Due(url, page_type, error=due))
    return pages


def languages(rust: Path, npm: Path, folder: Path) -> list[Language]:
    """The three programs; that of Node is put beside the unpacked package."""
    here = Path(__file__).parent
    node = folder / "node"
    package = node / "node_modules" / "silkline"
    shutil.rmtree(package, ignore_errors=True)
    package.mkdir(parents=True)
    subprocess.run(["tar", "-xzf", npm, "--strip-components=1", "-C", package], check=True)
    shutil.copy(here / "extract.mjs", node)
    return [
        Language(
            "Python", [sys.executable, str(here / "extract.py")], "urllib", folder / "python.jsonl"
        ),
        Language("Node", ["node", str(node / "extract.mjs")], "fetch", folder / "node.jsonl"),
        Language("Rust", [str(rust)], "ureq", folder / "rust.jsonl"),
    ]


def run(language: Language, endpoint: str, queries: Path) -> None:
    """Has one language extract everything."""
    command = [*language.command, endpoint, KEY, str(queries), str(RATE), str(language.out)]
    started = time.monotonic()
    try:
        done = subprocess.run(command, cwd=ROOT, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise DemoError(f"{language.name} took more than {PATIENCE:.0f} s") from None
    language.seconds = time.monotonic() - started
    if done.returncode != 0:
        raise DemoError(f"{language.name} ended with status {done.returncode}")
    text = language.out.read_text(encoding="utf-8")
    language.lines = [json.loads(line) for line in text.splitlines()]


def mismatches(all_languages: list[Language], pages: list[Due]) -> list[str]:
    """What is not as it should be."""
    found = []
    for language in all_languages:
        asked = [(page.url, page.page_type) for page in pages]
        if [(line["url"], line["pageType"]) for line in language.lines] != asked:
            found.append(f"{language.name}: the results are not those of the queries")
        for line, page in zip(language.lines, pages, strict=False):
            code, url = line.get("error", {}).get("code"), line.get("item", {}).get("url")
            if code != page.error:
                found.append(f"{language.name}: {page.url}: error {code}, {page.error} is due")
            elif url != page.item_url:
                found.append(f"{language.name}: {page.url}: item of {url}, {page.item_url} is due")
    first, *others = all_languages
    for other in others:
        found += [
            f"{first.name} and {other.name} differ: {one['url']}"
            for one, two in zip(first.lines, other.lines, strict=False)
            if one != two
        ]
    return found


def table(all_languages: list[Language]) -> str:
    """What came of it, a row for each language."""
    rows = [("", "client", "pages", "items", "errors", "seconds", "lines in")]
    for language in all_languages:
        items = sum("item" in line for line in language.lines)
        codes = Counter(line["error"]["code"] for line in language.lines if "error" in line)
        rows.append(
            (
                language.name,
                language.client,
                str(len(language.lines)),
                str(items),
                str(sum(codes.values())),
                f"{language.seconds:.1f}",
                os.path.relpath(language.out, ROOT),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def samples(lines: list[dict[str, Any]]) -> str:
    """The first page of each type, and the errors by code."""
    shown: dict[str, str] = {}
    for line in lines:
        item = line.get("item")
        if item is not None and line["pageType"] not in shown and (words := summary(item)):
            shown[line["pageType"]] = words
    text = [f"  {page_type:<12} {words}" for page_type, words in sorted(shown.items())]
    errors = Counter(f"{line['error']['text']}" for line in lines if "error" in line)
    text += [f"  {'error':<12} {count} x {words}" for words, count in sorted(errors.items())]
    return "\n".join(text)


def summary(item: dict[str, Any]) -> str:
    """An item in a line."""
    parts = [str(item[name]) for name in HEADLINES if name in item]
    for name in LISTS:
        for entry in item.get(name, [])[:1]:
            words = next(
                (str(entry[key]) for key in (*HEADLINES, "reviewBody", "text") if key in entry), ""
            )
            parts.append(f"{len(item[name])} {name}, first: {words}")
    if offers := item.get("offers"):
        names = ("price", "currency", "availability")
        parts.append(" ".join(offers[0][name] for name in names if name in offers[0]))
    if "articleBody" in item:
        parts.append(f"{len(item['articleBody'].split())} words")
    if "datePublished" in item:
        parts.append(item["datePublished"][:10])
    if "baseSalary" in item:
        parts.append(item["baseSalary"]["raw"])
    return " | ".join(part if len(part) <= 70 else part[:67] + "..." for part in parts)


def demo(rust: Path, npm: Path, folder: Path) -> None:
    """Runs it all."""
    folder.mkdir(parents=True, exist_ok=True)
    site = [
        sys.executable,
        str(SITE / "serve.py"),
        "--port",
        "0",
        "--log",
        str(folder / "site.log"),
    ]
    sandbox = [sys.executable, "-m", "silkline", "sandbox", "--extraction-port", "0", "--key", KEY]
    sandbox += ["--rate", str(RATE), "--burst", str(RATE), "--seed", "1"]
    sandbox += ["--proxy-port", "0", "--session-delay", str(crawled.DELAY)]
    sandbox += ["--ca-dir", str(folder / "ca")]
    with contextlib.ExitStack() as stack:
        (folder / "site.log").unlink(missing_ok=True)
        url = stack.enter_context(running(site, "silkline-site ready")).rstrip("/")
        ready = stack.enter_context(running(sandbox, "silkline sandbox ready:"))
        words = ready.split()
        endpoint, proxy = words[words.index("extraction") + 1], words[words.index("proxy") + 1]
        pages = pages_of(url)
        queries = folder / "queries.jsonl"
        lines = [json.dumps({"url": page.url, "pageType": page.page_type}) for page in pages]
        queries.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        print(f"Extracting {len(pages)} pages of {url} by {endpoint}\n", flush=True)
        all_languages = languages(rust, npm, folder)
        for language in all_languages:
            run(language, endpoint, queries)
        stats = stats_of(endpoint.removesuffix("/v1/extract"))
        print(table(all_languages), samples(all_languages[0].lines), sep="\n\n")
        print("\nThe service counted " + counted(stats), flush=True)
        found = mismatches(all_languages, pages)
        if stats["rate_violations"] != 0:
            found.append("a language was faster than the service allows")
        found += crawl(proxy, [page.url for page in pages if page.item_url == page.url], folder)
    if found:
        raise DemoError("\n".join(["not as it should be:", *found]))
    print("All three languages read the same items, and the errors that were due.")
    print("Each session kept its address, and none was too early.")


def crawl(proxy: str, urls: list[str], folder: Path) -> list[str]:
    """Crawls pages through sessions; what is not as it should be."""
    log = folder / "site.log"
    before = log.stat().st_size
    print(
        f"\nCrawling {len(urls)} pages through {crawled.SESSIONS} sessions of {proxy}\n", flush=True
    )
    lines, seconds = crawled.crawl(proxy, KEY, urls, folder)
    stats = stats_of(proxy)
    with log.open("rb") as whole:
        whole.seek(before)
        (folder / "site-crawl.log").write_bytes(whole.read())
    print(crawled.table(lines))
    print(
        f"\n{len(lines)} pages in {seconds:.1f} s; the service counted " + counted(stats),
        flush=True,
    )
    return crawled.faults(lines, folder / "site-crawl.log", stats)


def stats_of(origin: str) -> dict[str, Any]:
    """What a service counted."""
    with urllib.request.urlopen(f"{origin}/-/stats", timeout=10) as answer:
        stats: dict[str, Any] = json.load(answer)
    return stats


def counted(stats: dict[str, Any]) -> str:
    """The service's own counts, as far as they are numbers."""
    numbers = {name: value for name, value in stats.items() if isinstance(value, int)}
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in numbers.items())


def main() -> int:
    """Runs the demo; the status tells whether all was well."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rust", type=Path, required=True, help="the built example of the crate")
    parser.add_argument("--npm", type=Path, required=True, help="the packed npm package")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "target" / "demo", help="for the results"
    )
    options = parser.parse_args()
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]  # everything here is on this machine
    # Ends by an exception, so that what was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        demo(options.rust.resolve(), options.npm.resolve(), options.folder.resolve())
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
