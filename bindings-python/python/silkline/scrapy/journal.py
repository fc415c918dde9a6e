"""What a crawl with ``JOBDIR`` has asked for and done, on disk as it happens.

Scrapy writes its queues down when a spider is closed in order; this is for all other ends. The file
is append-only, a line for each event: a request is queued (with the request itself), started, done.
It is done when Scrapy is through with it, which is when the items of its callback have passed the
pipelines and its further requests are queued, or when its failure has been seen to.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy.utils.request import request_from_dict

from .lease import TOKEN
from .settings import InvalidOption, Options
from .wake import watch_ends

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler
    from scrapy.http import Request

__all__ = ["START", "Journal"]

_logger = logging.getLogger(__name__)

_ID = "_silkline_id"
START: str = "_silkline_start"
"""Meta key of requests that the spider begins with."""
_HEAD = {"silkline": "journal", "version": 1}


class Journal:
    """The journal of a crawl."""

    def __init__(self, crawler: Crawler, path: Path) -> None:
        self._crawler = crawler
        self._path = path
        self._file = -1
        self._last = 0
        self._spider: Spider | None = None
        self._under_way: dict[int, Request] = {}
        self._going_on: set[int] = set()
        self._begun: set[str] = set()
        """Fingerprints of the requests that earlier runs began with."""

    @classmethod
    def of(cls, crawler: Crawler) -> Journal | None:
        """The journal of a crawl, if it is to have one."""
        folder: str | None = crawler.settings.get("JOBDIR") or None
        if folder is None or not Options.read(crawler.settings).journal:
            return None
        return cls(crawler, Path(folder) / "silkline" / "requests.jsonl")

    def open(self, spider: Spider) -> Iterator[tuple[Request, bool]]:
        """Opens the file; gives the requests of earlier runs, and whether they are to be done."""
        self._spider = spider
        if not watch_ends(self._crawler, self._ended):
            raise InvalidOption.of(
                "SILKLINE_JOURNAL",
                "this Scrapy does not tell when it is through with a request; set it to False",
            )
        self._path.parent.mkdir(parents=True, exist_ok=True)
        whole, done = self._check()
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.ftruncate(self._file, whole)
        if not whole:
            self._write(_HEAD)
            if (self._path.parents[1] / "requests.queue").exists():
                _logger.warning("The job was begun without a journal: its queue is not continued")
        return self._earlier(whole, done)

    def _check(self) -> tuple[int, set[int]]:
        """How much of the file is whole, and what is done."""
        done: set[int] = set()
        whole = 0
        if not self._path.exists():
            return whole, done
        with self._path.open("rb") as lines:
            for line in lines:
                try:
                    said = json.loads(line)
                except ValueError:
                    break
                if not line.endswith(b"\n"):
                    break
                if not whole and said != _HEAD:
                    raise InvalidOption.of("JOBDIR", f"{self._path} is no journal of this version")
                whole += len(line)
                if "d" in said:
                    done.add(said["d"])
                self._last = max(self._last, said.get("q", 0))
        return whole, done

    def _earlier(self, whole: int, done: set[int]) -> Iterator[tuple[Request, bool]]:
        left = 0
        with self._path.open("rb") as lines:
            while lines.tell() < whole:
                said = json.loads(lines.readline())
                if "r" not in said:
                    continue
                values: dict[str, Any] = pickle.loads(base64.b85decode(said["r"]))  # noqa: S301
                request = request_from_dict(values, spider=self._spider)
                if said.get("b"):
                    self._begun.add(self._fingerprint(request))
                request.meta[_ID] = said["q"]
                fresh = said["q"] not in done
                left += fresh
                yield request, fresh
        if left:
            _logger.info("Resuming crawl (%d requests in the journal)", left)

    def has_started(self, request: Request) -> bool:
        """Whether it is one that an earlier run began with, which the journal has."""
        if START not in request.meta:
            return False
        return self._fingerprint(request) in self._begun

    def queued(self, request: Request) -> None:
        """A request is in the queue."""
        begins = request.meta.pop(START, False)
        meta = request.meta
        meta.pop(_ID, None)
        meta.pop(TOKEN, None)
        try:
            packed = base64.b85encode(pickle.dumps(request.to_dict(spider=self._spider), 4))
        except Exception as error:  # noqa: BLE001
            # Whatever a program has put into its meta.
            _logger.warning(
                "Request %s is not in the journal, and lost if the crawl is: %s", request, error
            )
            return
        self._last += 1
        meta[_ID] = self._last
        said: dict[str, object] = {"q": self._last, "r": packed.decode()}
        if begins:
            said["b"] = 1
        self._write(said)

    def started(self, request: Request) -> None:
        """A request leaves the queue."""
        number = request.meta.get(_ID)
        if isinstance(number, int):
            if number not in self._under_way:
                self._write({"s": number})
            self._under_way[number] = request

    def goes_on(self, request: Request) -> None:
        """A request comes back into the queue: it is not done when Scrapy is through with it."""
        number = request.meta.get(_ID)
        if isinstance(number, int):
            self._going_on.add(number)

    def close(self) -> None:
        """The crawl is over."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _ended(self, request: Request) -> None:
        number = request.meta.get(_ID)
        if not isinstance(number, int) or self._under_way.get(number) is not request:
            return
        if number in self._going_on:
            self._going_on.discard(number)
            return
        del self._under_way[number]
        self._write({"d": number})

    def _fingerprint(self, request: Request) -> str:
        fingerprinter: Any = self._crawler.request_fingerprinter
        found: bytes = fingerprinter.fingerprint(request)
        return found.hex()

    def _write(self, said: dict[str, Any]) -> None:
        if self._file >= 0:
            os.write(self._file, json.dumps(said, separators=(",", ":")).encode() + b"\n")
