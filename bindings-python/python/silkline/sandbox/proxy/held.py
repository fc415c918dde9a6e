"""Requests that the service holds back, and the clock by which it lets them through."""

from __future__ import annotations

import asyncio
import time

from silkline.service import ProxyFetch, ProxyService, ZyteProxyService


class Held:
    """Wakes each request that is held back when the service says that it is on time."""

    def __init__(self, service: ProxyService | ZyteProxyService) -> None:
        self._service = service
        self._waiting: dict[int, asyncio.Future[ProxyFetch]] = {}
        self._timer: asyncio.TimerHandle | None = None

    @staticmethod
    def now() -> float:
        """Tell the moment, as the service counts time."""
        return time.monotonic()

    async def fetch(self, ticket: int) -> ProxyFetch:
        """Wait until the service lets a request through."""
        future: asyncio.Future[ProxyFetch] = asyncio.get_running_loop().create_future()
        self._waiting[ticket] = future
        try:
            self._pump()
            return await future
        finally:
            self._waiting.pop(ticket, None)

    def close(self) -> None:
        """Wake nobody from here on."""
        if self._timer is not None:
            self._timer.cancel()

    def _pump(self) -> None:
        """Do what the service wants done, and come back when it says."""
        self.close()
        while isinstance(output := self._service.poll(self.now()), ProxyFetch):
            future = self._waiting.get(output.ticket)
            if future is not None and not future.done():
                future.set_result(output)
        if output is not None:
            delay = max(output - self.now(), 0.0)
            self._timer = asyncio.get_running_loop().call_later(delay, self._pump)
