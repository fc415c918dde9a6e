"""A proxy without waits to speak of, and clients for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from silkline.aio import (
    SessionProxy,
)
from silkline.sandbox import Sandbox
from silkline.schedule import Budget, RetryPolicy, Rule, Wait

TRANSPORTS = ["aiohttp", "httpx"]


Failure: TypeAlias = Literal[
    "account", "ban", "garbled", "network", "server", "target", "throttled"
]
FAILURES: tuple[Failure, ...] = get_args(Failure)


def quick(**budgets: Budget) -> RetryPolicy:
    """The budgets of the service's preset, or those given, with waits of a tenth of a second."""
    policy = RetryPolicy("smart_proxy")
    for name in FAILURES:
        budget = budgets.get(name, policy.rule(name).budget)
        policy = policy.with_rule(name, Rule(Wait(0.05, 0.1), budget))
    return policy


NO_RETRIES = {name: Budget("retries", 0) for name in FAILURES}


@asynccontextmanager
async def sandbox(ca_directory: Path, **proxy: Any) -> AsyncIterator[Sandbox]:
    options: Any = {"delay": 0.0, "ca_directory": ca_directory, **proxy}
    async with Sandbox(extraction_port=None, proxy_port=0, keys=["KEY"], proxy=options) as box:
        yield box


def client(box: Sandbox, **options: Any) -> SessionProxy:
    given = {"session_delay": 0.0, "policy": quick(), "transport": "aiohttp", **options}
    given.setdefault("ca", box.ca_certificate)
    return SessionProxy("KEY", endpoint=box.proxy_url, **given)


def counts(box: Sandbox) -> dict[str, Any]:
    found: dict[str, Any] = box.stats()["proxy"]
    return found


@asynccontextmanager
async def service(*answers: bytes) -> AsyncIterator[tuple[str, list[str]]]:
    """A service that answers each connection's first request so, and the list of those requests."""
    seen: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        seen.append(head)
        writer.write(answers[min(len(seen), len(answers)) - 1])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", seen
    finally:
        server.close()
        await server.wait_closed()
