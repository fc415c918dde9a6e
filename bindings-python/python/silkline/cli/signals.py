"""Ctrl-C of the commands: the first one stops, the next ones hurry."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def on_signals(stop: Callable[[int], None]) -> Iterator[None]:
    """Calls on SIGINT, SIGTERM and SIGHUP, with how often they came."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    times = 0

    def told() -> None:
        nonlocal times
        times += 1
        stop(times)

    numbers = [signal.SIGINT, signal.SIGTERM]
    if os.name != "nt" and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # not under nohup
        numbers.append(signal.SIGHUP)
    before = {
        number: signal.signal(number, lambda *_: loop.call_soon_threadsafe(told))
        for number in numbers
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
