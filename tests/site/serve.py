#!/usr/bin/env python3
"""Serves the pages beside this file over HTTP/1.1, for the tests and the demo.

It is the outside world of the sandboxes: what a crawler would find on the web. Standard library only. Besides the
pages of `pages.json` it answers:

    /images/NAME.png          a tiny picture whose colour follows from its name
    /status/CODE              that status, with a short page
    /redirect/N               N redirects one after the other, then /index.html (/redirect/N?to=URL: then to URL)
    /slow/SECONDS             a page, after that long
    /trickle/SECONDS          the head of a page at once, the rest spread over that long
    /bytes/N                  N bytes, the same every time
    /huge/MEGABYTES           an article of about that size, made on the fly
    /deep/N                   a page with N nested elements
    /headers                  the request as it arrived (method, path, headers in order, peer, body) as JSON
    /quotes/                  five pages of quotes (then /quotes/page/2/ and so on), each with a link to the next
    /cookies/set?NAME=VALUE   sets cookies; /cookies/echo gives those that came back, as JSON
    /close                    closes the connection without an answer; /truncate/N announces N bytes and sends half
    /ban-if-header/NAME       403 if the request has that header, else a page
    /ban-if-peer/ADDRESS      403 if it comes from that address
    /ban-if-more-than/N       403 from the N+1st request of the same address on
    /ban-if-sooner-than/SECS  429 if the same address asked for this path less than that long ago
    /-/requests               how many requests each peer has made, as JSON

Every request is one JSON line in the file given with --log, written before its answer is sent, with the peer's
address and the names of any headers that a proxy should have taken out (X-Crawlera-*, Zyte-*, Proxy-*).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import signal
import socket
import ssl
import struct
import sys
import threading
import time
import zlib
from http import HTTPStatus
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import parse_qsl, unquote, urlsplit

ROOT = Path(__file__).resolve().parent
PAGES: dict[str, dict[str, Any]] = {
    page["path"]: page for page in json.loads((ROOT / "pages.json").read_text(encoding="utf-8"))
}
LEAKS = ("x-crawlera-", "zyte-", "proxy-")
MAX_BYTES = 500_000_000
MAX_SECONDS = 700.0
QUOTE_PAGES = 5


class Site(ThreadingHTTPServer):
    """The server with what it remembers: its log and, for the bans, who asked for what and when."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 1024

    def __init__(
        self, address: tuple[str, int], log: str | None, tls: ssl.SSLContext | None
    ) -> None:
        """Listens at `address`; with `tls` the handshake is made in the thread of the connection."""
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, Handler)
        self.tls = tls
        self.lock = threading.Lock()
        self.log_file: TextIO | None = None
        if log:
            self.log_file = Path(log).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115
        self.requests_of: dict[str, int] = {}
        self.counts: dict[tuple[str, str], int] = {}
        self.last: dict[tuple[str, str], float] = {}

    def get_request(self) -> tuple[Any, Any]:
        """Accepts a connection; a client that never starts its handshake holds up only its own thread."""
        connection, peer = super().get_request()
        if self.tls is not None:
            connection = self.tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, peer

    def server_close(self) -> None:
        """Stops listening and closes the log."""
        super().server_close()
        with self.lock:
            if self.log_file is not None:
                self.log_file.close()
                self.log_file = None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is a fault of this file."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError, ssl.SSLError)):
            super().handle_error(request, client_address)

    def record(self, line: dict[str, Any]) -> None:
        """Counts a request and writes its line."""
        with self.lock:
            self.requests_of[line["peer"]] = self.requests_of.get(line["peer"], 0) + 1
            if self.log_file is not None:
                self.log_file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def count(self, peer: str, path: str) -> int:
        """How often `peer` has asked for `path`, this time included."""
        with self.lock:
            self.counts[peer, path] = self.counts.get((peer, path), 0) + 1
            return self.counts[peer, path]

    def since_last(self, peer: str, path: str) -> float | None:
        """Seconds since `peer` last asked for `path`."""
        moment = time.monotonic()
        with self.lock:
            before = self.last.get((peer, path))
            self.last[peer, path] = moment
        return None if before is None else moment - before


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Site
    protocol_version = "HTTP/1.1"
    server_version = "silkline-site"
    sys_version = ""
    wbufsize = -1  # head and body leave in one piece
    disable_nagle_algorithm = True
    timeout = 620
    body = b""

    def setup(self) -> None:
        """Finishes a TLS handshake before the first request is read."""
        if isinstance(self.request, ssl.SSLSocket):
            self.request.settimeout(30)
            self.request.do_handshake()
        super().setup()

    def do_GET(self) -> None:
        """Answers every method: the special paths look at it where it matters."""
        self.body = self.read_body()
        target = urlsplit(self.path)
        path = unquote(target.path)
        parts = path.strip("/").split("/")
        special = getattr(self, "special_" + parts[0].replace("-", "_"), None) if parts[0] else None
        try:
            if special is not None and (len(parts) == 1 or path not in PAGES):
                special(parts[1:], dict(parse_qsl(target.query, keep_blank_values=True)))
            else:
                self.send_page("/index.html" if path == "/" else path)
        except ValueError:
            self.reply(400, b"<h1>That path has a bad number in it</h1>")

    do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_GET  # noqa: N815

    def read_body(self) -> bytes:
        """The request's body, whether it has a length or comes in chunks."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(chunks)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def record(self, status: int, size: int) -> None:
        """Writes the line of this request."""
        names = [name for name, _ in self.headers.items()]
        self.server.record(
            {
                "time": time.time(),
                "peer": self.client_address[0],
                "port": self.client_address[1],
                "method": self.command,
                "path": self.path,
                "host": self.headers.get("Host"),
                "status": status,
                "bytes": size,
                "leaked": [name for name in names if name.lower().startswith(LEAKS)],
                "headers": self.headers.items(),
            }
        )

    def head(
        self,
        status: int,
        size: int,
        content_type: str,
        headers: list[tuple[str, str]] | None = None,
    ) -> None:
        """Logs the request and sends the head of its answer."""
        self.record(status, size)
        known = status in HTTPStatus._value2member_map_
        self.send_response(status, None if known else "Status")
        if status >= 200 and status not in (204, 304):
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(size))
        for name, value in headers or []:
            self.send_header(name, value)
        self.end_headers()

    def reply(
        self,
        status: int,
        body: bytes,
        content_type: str = "text/html; charset=utf-8",
        headers: list[tuple[str, str]] | None = None,
    ) -> None:
        """Sends a whole answer."""
        self.head(status, len(body), content_type, headers)
        if self.command != "HEAD" and status >= 200 and status not in (204, 304):
            self.wfile.write(body)

    def reply_json(self, data: Any) -> None:
        """Sends `data`."""
        self.reply(200, json.dumps(data, ensure_ascii=False).encode(), "application/json")

    def send_page(self, path: str) -> None:
        """Sends a page of the list; nothing else of the disk can be asked for."""
        page = PAGES.get(path)
        if page is None:
            self.reply(404, b"<!DOCTYPE html><title>Not here</title><h1>There is no such page</h1>")
            return
        body = (ROOT / path.lstrip("/")).read_bytes()
        self.reply(200, body, page.get("content_type", "text/html; charset=utf-8"))

    def send_ok(self) -> None:
        """Sends the page behind a path that bans some."""
        self.reply(
            200, b"<!DOCTYPE html><html lang=en><title>Let through</title><h1>Let through</h1>"
        )

    def special_images(self, rest: list[str], _query: dict[str, str]) -> None:
        """A picture of 16 by 10 dots."""
        self.reply(200, picture("/".join(rest)), "image/png", [("Cache-Control", "max-age=3600")])

    def special_status(self, rest: list[str], _query: dict[str, str]) -> None:
        """Any status from 200 to 999."""
        status = number(rest, 200, 999)
        self.reply(
            status, f"<!DOCTYPE html><title>{status}</title><h1>Status {status}</h1>".encode()
        )

    def special_redirect(self, rest: list[str], query: dict[str, str]) -> None:
        """A chain of redirects."""
        left = number(rest, 0, 1000)
        target = query.get("to", "/index.html")
        if left > 1:
            target = f"/redirect/{left - 1}" + (
                f"?{urlsplit(self.path).query}" if "to" in query else ""
            )
        if any(ord(letter) < 32 for letter in target):
            raise ValueError
        self.reply(
            302 if left else 200,
            b"<h1>Elsewhere</h1>",
            headers=[("Location", target)] if left else [],
        )

    def special_slow(self, rest: list[str], _query: dict[str, str]) -> None:
        """A page that takes its time."""
        time.sleep(seconds(rest))
        self.reply(200, b"<!DOCTYPE html><html lang=en><title>Slow</title><h1>Here at last</h1>")

    def special_trickle(self, rest: list[str], _query: dict[str, str]) -> None:
        """A page that comes in ten pieces."""
        pause = seconds(rest) / 10
        pieces = [f"<p>Piece {index} of ten.</p>\n".encode() for index in range(10)]
        self.head(200, sum(map(len, pieces)), "text/html; charset=utf-8")
        for piece in pieces:
            self.wfile.write(piece)
            self.wfile.flush()
            time.sleep(pause)

    def special_bytes(self, rest: list[str], _query: dict[str, str]) -> None:
        """A body of a given size, in which every piece differs from the others."""
        left = number(rest, 0, MAX_BYTES)
        self.head(200, left, "application/octet-stream")
        if self.command == "HEAD":
            return
        index = 0
        while left > 0:
            piece = block(index)[:left]
            self.wfile.write(piece)
            left -= len(piece)
            index += 1

    def special_huge(self, rest: list[str], _query: dict[str, str]) -> None:
        """A long article."""
        self.reply(200, huge(number(rest, 1, 50)))

    def special_deep(self, rest: list[str], _query: dict[str, str]) -> None:
        """Elements inside elements."""
        depth = number(rest, 1, 1_000_000)
        body = b"<div>" * depth + b"<p>At the bottom.</p>" + b"</div>" * depth
        self.reply(200, b"<!DOCTYPE html><title>Deep</title><body>" + body)

    def special_headers(self, _rest: list[str], _query: dict[str, str]) -> None:
        """What arrived here."""
        self.reply_json(
            {
                "method": self.command,
                "path": self.path,
                "headers": self.headers.items(),
                "peer": self.client_address[0],
                "port": self.client_address[1],
                "tls": isinstance(self.request, ssl.SSLSocket),
                "body_bytes": len(self.body),
                "body_sha256": hashlib.sha256(self.body).hexdigest(),
                "body": self.body[:10_000].decode("utf-8", "replace"),
            }
        )

    def special_quotes(self, rest: list[str], _query: dict[str, str]) -> None:
        """Quotes page by page, marked up like those of quotes.toscrape.com."""
        rest = [part for part in rest if part]
        page = 1 if not rest else number(rest[1:], 1, QUOTE_PAGES) if rest[0] == "page" else 0
        if not page:
            raise ValueError
        self.reply(200, quotes(page))

    def special_cookies(self, rest: list[str], query: dict[str, str]) -> None:
        """Sets cookies, or tells which came."""
        if rest[:1] == ["set"]:
            pairs = query or {"visit": "1"}
            jar: SimpleCookie = SimpleCookie(pairs)
            headers = [
                ("Set-Cookie", morsel.OutputString() + "; Path=/") for morsel in jar.values()
            ]
            self.reply(200, b"<h1>Cookies set</h1>", headers=headers)
        else:
            came: SimpleCookie = SimpleCookie(self.headers.get("Cookie", ""))
            self.reply_json({name: morsel.value for name, morsel in came.items()})

    def special_close(self, _rest: list[str], _query: dict[str, str]) -> None:
        """Hangs up."""
        self.record(0, 0)
        self.close_connection = True

    def special_truncate(self, rest: list[str], _query: dict[str, str]) -> None:
        """Hangs up half-way."""
        size = number(rest, 2, 1_000_000)
        self.head(200, size, "text/html; charset=utf-8")
        self.wfile.write(b"x" * (size // 2))
        self.close_connection = True

    def special_ban_if_header(self, rest: list[str], _query: dict[str, str]) -> None:
        """Wants no such header."""
        self.ban(bool(rest) and self.headers.get(rest[0]) is not None)

    def special_ban_if_peer(self, rest: list[str], _query: dict[str, str]) -> None:
        """Wants no such peer."""
        self.ban(self.client_address[0] in rest)

    def special_ban_if_more_than(self, rest: list[str], _query: dict[str, str]) -> None:
        """Wants only so many requests from a peer."""
        allowed = number(rest, 0, 1_000_000_000)
        self.ban(self.server.count(self.client_address[0], "/".join(rest)) > allowed)

    def special_ban_if_sooner_than(self, rest: list[str], _query: dict[str, str]) -> None:
        """Wants a pause between two requests of a peer."""
        pause = seconds(rest)
        passed = self.server.since_last(self.client_address[0], "/".join(rest))
        if passed is not None and passed < pause:
            self.reply(
                429, b"<h1>Too soon</h1>", headers=[("Retry-After", str(int(pause - passed) + 1))]
            )
        else:
            self.send_ok()

    def special__(self, rest: list[str], _query: dict[str, str]) -> None:
        """What the server has counted."""
        if rest != ["requests"]:
            self.reply(404, b"<h1>There is no such page</h1>")
            return
        with self.server.lock:
            counted = dict(self.server.requests_of)
        self.reply_json(counted)

    def ban(self, banned: bool) -> None:
        """Sends a page or the door."""
        if banned:
            self.reply(403, b"<!DOCTYPE html><title>Banned</title><h1>You have been banned</h1>")
        else:
            self.send_ok()

    def log_message(self, *_arguments: Any) -> None:
        """Nothing on standard error: there is the log."""


def number(rest: list[str], least: int, most: int) -> int:
    """The whole number in a path."""
    value = int(rest[0]) if len(rest) == 1 else -1
    if not least <= value <= most:
        raise ValueError
    return value


def seconds(rest: list[str]) -> float:
    """The seconds in a path."""
    value = float(rest[0]) if rest else -1.0
    if not 0 <= value <= MAX_SECONDS:
        raise ValueError
    return value


def block(index: int) -> bytes:
    """The piece of a body of bytes that has this index: 64 KB that differ from piece to piece."""
    return hashlib.sha256(str(index).encode()).digest() * 2048


def huge(megabytes: int) -> bytes:
    """An article whose paragraphs are all different."""
    line = "the tide came in over the wall and left a line of weed on the step where boats wait"
    words = line.split()
    paragraphs, size, index = [], 0, 0
    while size < megabytes * 1_000_000:
        digest = hashlib.sha256(str(index).encode()).digest()
        text = " ".join(words[byte % len(words)] for byte in digest * 4)
        paragraphs.append(f"<p>Paragraph {index}: {text}.</p>")
        size += len(paragraphs[-1]) + 1
        index += 1
    head = '<!DOCTYPE html><html lang="en"><head><title>A very long story</title></head><body><article>'
    return (
        head + "<h1>A very long story</h1>\n" + "\n".join(paragraphs) + "</article></body></html>"
    ).encode()


def quotes(page: int) -> bytes:
    """A page of three quotes and, but for the last page, a link to the next."""
    blocks = []
    for index in range(3 * page - 2, 3 * page + 1):
        tags = "".join(f'<a class="tag" href="/quotes/">{tag}</a> ' for tag in ("sea", f"n{index}"))
        blocks.append(
            f'<div class="quote"><span class="text">“The tide keeps its own count: {index}.”</span>\n'
            f'<span>by <small class="author">Keeper {index % 4}</small></span>\n'
            f'<div class="tags">Tags: {tags}</div></div>'
        )
    link = f'<li class="next"><a href="/quotes/page/{page + 1}/">Next</a></li>'
    pager = f'<nav><ul class="pager">{link if page < QUOTE_PAGES else ""}</ul></nav>'
    head = f'<!DOCTYPE html><html lang="en"><head><title>Quotes {page}</title></head><body>'
    return "\n".join([head, *blocks, pager, "</body></html>"]).encode()


def picture(name: str) -> bytes:
    """A PNG of one colour."""
    rows = (b"\0" + zlib.crc32(name.encode()).to_bytes(4, "big")[:3] * 16) * 10

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 16, 10, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def main() -> int:
    """Serves until it is told to stop."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen at (default: %(default)s)"
    )
    parser.add_argument(
        "--port", type=int, default=8000, help="port, 0 for any free one (default: %(default)s)"
    )
    parser.add_argument("--log", metavar="FILE", help="append one JSON line for each request")
    parser.add_argument(
        "--tls-cert", metavar="FILE", help="serve https with this certificate chain (PEM)"
    )
    parser.add_argument("--tls-key", metavar="FILE", help="its key, if it is in a file of its own")
    options = parser.parse_args()
    tls = None
    if options.tls_cert:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.tls_cert, options.tls_key)
    site = Site((options.host, options.port), options.log, tls)
    host = f"[{options.host}]" if ":" in options.host else options.host
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: threading.Thread(target=site.shutdown, daemon=True).start())
    print(
        f"silkline-site ready {'https' if tls else 'http'}://{host}:{site.server_address[1]}/",
        flush=True,
    )
    site.serve_forever(poll_interval=0.1)
    site.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
