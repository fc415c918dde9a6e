"""What a crawl with ``JOBDIR`` leaves of its sessions, so that a crash does not lose them.

The requests are the journal's: of a snapshot only the sessions are taken over.
"""

from __future__ import annotations

import json
import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from silkline import ProxyEngine
from silkline.exceptions import InvalidSnapshot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scrapy.crawler import Crawler

    from silkline import ProxyApi

__all__ = ["State"]

_logger = logging.getLogger(__name__)

_VERSION = 1
_PAUSE = 0.1
"""Seconds between two snapshots, at least."""
_PERIOD = 30.0
"""Seconds after which one is written though no session came or went."""


class State:
    """The sessions of a crawl, on disk while it runs."""

    def __init__(self, crawler: Crawler) -> None:
        folder: str | None = crawler.settings.get("JOBDIR") or None
        self._path = None if folder is None else Path(folder) / "silkline" / "sessions"
        self.names: dict[str, str] = {}
        """The names of named sessions, by id."""
        self.asked: set[str] = set()
        """The names that were made up, for sessions that spiders asked for by header."""
        self._run = os.urandom(4).hex()
        self._made = 0
        self._saved = time.monotonic()  # no snapshot while the first sessions are being made
        self._written: object = None

    def name(self, session: str, name: str) -> None:
        """Notes under which name a session serves."""
        self.names[session] = name

    def new_name(self) -> str:
        """A name that no run has."""
        self._made += 1
        name = f"asked for {self._run}.{self._made}"
        self.asked.add(name)
        return name

    def forget(self, session: str, name: str) -> None:
        """Forgets a session that is lost."""
        self.names.pop(session, None)
        self.asked.discard(name)

    def restore(self, api: ProxyApi, now: float, arguments: dict[str, Any]) -> ProxyEngine | None:
        """An engine that adopts the sessions of a run that has crashed, if there are any."""
        if self._path is None or not self._path.exists():
            return None
        try:
            head, _, snapshot = self._path.read_bytes().partition(b"\n")
            said = json.loads(head)
            if said["version"] != _VERSION:
                return None
            downtime = max(0.0, time.time() - said["saved"])
            engine = ProxyEngine.restore(api, snapshot, now, downtime, **arguments)
        except (InvalidSnapshot, ValueError, KeyError, TypeError, OSError) as error:
            _logger.warning("The sessions of the last run are left to expire: %s", error)
            return None
        for job in said["jobs"]:
            engine.cancel(job, now)
        self.names.update(said["names"])
        return engine

    def save(self, engine: ProxyEngine, jobs: Iterable[int]) -> None:
        """Writes the sessions down, if there are others than the last time."""
        if self._path is None:
            return
        passed = time.monotonic() - self._saved
        if passed < _PAUSE:
            return
        stats = engine.stats()
        mark = (stats.pool.sessions, stats.sessions_created, stats.sessions_adopted, *self.names)
        if passed < _PERIOD and (mark == self._written or stats.pool.reserved):
            # A session that is being made would be lost with the snapshot, and its place with it.
            return
        if not stats.pool.sessions and not self._path.exists():
            return
        self._saved, self._written = time.monotonic(), mark
        head = {
            "version": _VERSION,
            "saved": time.time(),
            "jobs": list(jobs),
            "names": self.names,
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(json.dumps(head).encode() + b"\n" + engine.snapshot(time.monotonic()))
        fresh.replace(self._path)

    def end(self) -> None:
        """The sessions are deleted: there is nothing to adopt."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
