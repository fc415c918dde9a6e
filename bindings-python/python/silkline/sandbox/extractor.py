"""Extraction away from the event loop."""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import os
import signal
import threading
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """A page to extract an item from. Crosses to other processes."""

    body: bytes | str
    content_type: str
    url: str
    page_type: str
    article_body_raw: bool
    full_html: bool


@dataclass(frozen=True)
class Extracted:
    """The item, what is known of the page, and the page if wanted: all as the service has them."""

    item: str
    web_page: str
    html: str | None


class Extractor:
    """Takes items out of pages, in processes of its own or in threads.

    The work is all CPU: in threads it slows the event loop down, processes take a second to start.
    """

    def __init__(self, workers: int) -> None:
        _import()  # what is missing is told now, not page by page
        self._workers = workers
        self._executor = self._start()

    def _start(self) -> Executor:
        if self._workers == 0:
            return ThreadPoolExecutor(2, thread_name_prefix="silkline-extractor")
        return ProcessPoolExecutor(
            self._workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin_worker,
        )

    def warm_up(self) -> None:
        """Starts the workers, so that the first page does not wait for them."""
        for _ in range(self._workers):
            self._executor.submit(_import)

    async def extract(self, task: Task) -> Extracted | str:
        """The item, or the failure's name."""
        executor = self._executor
        try:
            return await asyncio.get_running_loop().run_in_executor(executor, run, task)
        except BrokenProcessPool:
            # A page that brings a worker down must not take the others' with it for good.
            _log.warning("%s: a worker died", task.url)
            if self._executor is executor:
                self._executor = self._start()
                executor.shutdown(wait=False)
            return "internal"

    def close(self) -> None:
        """Stops the workers; what they are at is not waited for."""
        processes = list((getattr(self._executor, "_processes", None) or {}).values())
        manager = getattr(self._executor, "_executor_manager_thread", None)
        self._executor.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        if manager is not None:
            # It ends with them. Python 3.10 may else wake it at exit while it goes.
            manager.join(1.0)


def run(task: Task) -> Extracted | str:
    """Does one task, in whatever process this is."""
    from .items import extract
    from .items.page import decode

    try:
        result = extract(
            task.body,
            task.url,
            task.page_type,
            article_body_raw=task.article_body_raw,
            content_type=task.content_type or None,
        )
        if not result.visible or result.item is None:
            return "no_visible_elements"
        html = decode(task.body, task.content_type or None) if task.full_html else None
        return Extracted(
            item=_json(result.item),
            web_page=_json(result.web_page),
            html=None if html is None else _clean(html),
        )
    except Exception:  # noqa: BLE001 -- whatever a page does to a library, it is answered
        _log.exception("%s: extraction failed", task.url)
        return "internal"


def _json(value: object) -> str:
    return _clean(json.dumps(value, ensure_ascii=False, allow_nan=False))


def _clean(text: str) -> str:
    """The text without lone surrogates, which no UTF-8 can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _import() -> None:
    from . import items  # noqa: F401


def _begin_worker() -> None:
    """Leaves signals to the parent, and goes when that is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(0)

    threading.Thread(target=follow, daemon=True).start()
    _import()
