"""The operations of `engine`, for the vectors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from silkline import ExtractionApi, ExtractionEngine, Query
from silkline.engine import (
    Abort,
    ExtractionFinished,
    ExtractionSend,
    ExtractionStopped,
    ExtractionUnmatched,
    Idle,
    WaitUntil,
)
from vectors import Given, Json, body, check_keys, micros, pairs, run, told
from vectors_schedule import maybe_seconds, policy, rate, seconds


def config(given: Given) -> Given:
    check_keys(
        given,
        *("rate", "burst", "concurrency", "queue_size", "batch_size", "deadline_us", "policy"),
        *("cap", "requeue"),
    )
    config: Given = {}
    for name, value in given.items():
        match name:
            case "rate":
                config["rate"] = rate(value)
            case "deadline_us":
                config["deadline"] = seconds(value)
            case "policy":
                check_keys(value, "preset", "rules")
                config["policy"] = policy(value)
            case _:
                config[name] = value
    return config


class Extraction:
    """A run of the extraction engine, and the queries of each request."""

    def __init__(self, given: Given) -> None:
        check_keys(given, "config", "seed", "now_us", "steps", "dialect")
        self.api = ExtractionApi("key", dialect=given.get("dialect", "automatic_extraction"))
        self.config = config(given.get("config") or {})
        self.engine = ExtractionEngine(
            self.api, **self.config, seed=given["seed"], now=seconds(given["now_us"])
        )
        self.sent: dict[int, list[Given]] = {}

    def step(self, step: Given) -> Json:
        now = seconds(step["at_us"])
        return getattr(self, f"step_{step['call']}")(step, now)

    def step_submit(self, step: Given, now: float) -> Json:
        check_keys(step, "at_us", "call", "query", "priority", "key")
        query = Query.from_json(json.dumps(step["query"]), dialect=self.api.dialect)
        return self.engine.submit(query, now, priority=step.get("priority", 0), key=step.get("key"))

    def step_cancel(self, step: Given, now: float) -> Json:
        check_keys(step, "at_us", "call", "job")
        return self.engine.cancel(step["job"], now)

    def step_poll(self, step: Given, now: float) -> Json:
        check_keys(step, "at_us", "call")
        return self.show(self.engine.poll(now))

    def step_drain(self, step: Given, now: float) -> Json:
        check_keys(step, "at_us", "call", "most")
        return list(map(self.show, self.engine.poll_batch(now, step.get("most", 1_000))))

    def step_sent(self, step: Given, now: float) -> Json:
        check_keys(step, "at_us", "call", "request")
        return self.engine.handle_sent(step["request"], now)

    def step_respond(self, step: Given, now: float) -> Json:
        check_keys(step, "at_us", "call", "request", "status", "headers", "body")
        content = body(step.get("body"))
        headers = pairs(step.get("headers"))
        return self.engine.handle_response(step["request"], step["status"], headers, content, now)

    def step_answer(self, step: Given, now: float) -> Json:
        check_keys(step, "at_us", "call", "request", "results")
        queries = self.sent[step["request"]]
        results = [
            {**result, "query": {"userQuery": query}}
            for result, query in zip(step["results"], queries, strict=False)
        ]
        content, headers = json.dumps(results).encode(), {"Content-Type": "application/json"}
        return self.engine.handle_response(step["request"], 200, headers, content, now)

    def step_fail(self, step: Given, now: float) -> Json:
        check_keys(step, "at_us", "call", "request", "failure")
        return self.engine.handle_failure(step["request"], step["failure"], now)

    def step_resume(self, step: Given, now: float) -> Json:
        check_keys(step, "at_us", "call")
        self.engine.resume(now)

    def step_start_cycle(self, step: Given, now: float) -> Json:
        check_keys(step, "at_us", "call")
        self.engine.start_cycle(now)

    def step_close(self, step: Given, now: float) -> Json:
        check_keys(step, "at_us", "call", "grace_us")
        self.engine.close(now, seconds(step.get("grace_us", 0)))

    def step_restart(self, step: Given, now: float) -> Json:
        """The process ends, and another one goes on at `to_us` of its own clock."""
        check_keys(step, "at_us", "call", "to_us", "downtime_us")
        self.engine = ExtractionEngine.restore(
            self.api,
            self.engine.snapshot(now),
            seconds(step["to_us"]),
            maybe_seconds(step.get("downtime_us")),
            **self.config,
        )

    def step_stats(self, step: Given, _: float) -> Json:
        check_keys(step, "at_us", "call")
        stats = self.engine.stats()
        names = {name for name in dir(stats) if not name.startswith("_")} - {"usage"}
        numbers = {name: getattr(stats, name) for name in names}
        numbers |= {name: getattr(stats.usage, name) for name in ("billed", "unbilled", "unknown")}
        return {name: value for name, value in numbers.items() if value}

    def show(
        self,
        output: ExtractionSend
        | Abort
        | ExtractionFinished
        | ExtractionStopped
        | ExtractionUnmatched
        | WaitUntil
        | Idle,
    ) -> Json:
        match output:
            case ExtractionSend(request_id, request):
                queries = json.loads(request.body)
                queries = queries if isinstance(queries, list) else [queries]
                self.sent[request_id] = queries
                assert len(queries) == output.queries
                shown = {
                    "request": request_id,
                    "deadline_us": micros(output.deadline),
                    "urls": [query["url"] for query in queries],
                }
                return {"send": shown}
            case Abort(request_id):
                return {"abort": request_id}
            case ExtractionFinished():
                return {"finished": finished_json(output)}
            case ExtractionStopped(error):
                return {"stopped": error.code}
            case ExtractionUnmatched(result):
                code = result.error and result.error.code
                return {"unmatched": told(error=code, url=output.query and output.query.url)}
            case WaitUntil(at, reason):
                return {"wait_until": {"at_us": micros(at), "reason": reason}}
            case Idle(reason):
                return {"idle": reason}


def finished_json(finished: ExtractionFinished) -> Json:
    return told(
        job=finished.job,
        key=finished.key,
        url=finished.query.url,
        error=finished.error and finished.error.code,
        item=finished.result and finished.result.item,
        attempts=finished.attempts,
        billed=finished.billed,
        possibly_billed=finished.possibly_billed,
        elapsed_us=micros(finished.elapsed),
    )


def extraction(given: Given) -> Json:
    engine = Extraction(given)
    return [run(engine.step, step) for step in given["steps"]]


OPERATIONS: dict[str, Callable[[Given], Any]] = {"engine.extraction.run": extraction}
