"""The operations of `schedule`, for the vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from silkline.schedule import (
    Budget,
    Pace,
    Place,
    Progress,
    Rate,
    RateLimiter,
    RetryPolicy,
    Rng,
    Rule,
    SessionKey,
    SessionPool,
    Turn,
    Unavailable,
    Use,
    Wait,
)
from vectors import Given, Json, check_keys, micros, run


def seconds(value: int) -> float:
    return value / 1_000_000


def maybe_seconds(value: int | None) -> float | None:
    return None if value is None else seconds(value)


def rate(value: list[int]) -> Rate:
    count, period = value
    return Rate(count, seconds(period))


def rate_limiter(given: Given) -> Json:
    check_keys(given, "rate", "burst", "now_us", "steps")
    limiter = RateLimiter(rate(given["rate"]), burst=given["burst"], now=seconds(given["now_us"]))

    def step(step: Given) -> Json:
        check_keys(step, "at_us", "call", "count")
        match step["call"]:
            case "take":
                return micros(limiter.try_acquire(step["count"], seconds(step["at_us"])))
            case "give_back":
                return limiter.give_back()
            case "ready":
                return micros(limiter.ready_at(seconds(step["at_us"])))
        raise AssertionError(step)

    return list(map(step, given["steps"]))


def wait(given: Given) -> Wait:
    check_keys(given, "between_us", "growing_us", "first_us", "first")
    wait = Wait(*map(seconds, given["between_us"]))
    if "growing_us" in given:
        wait = wait.growing(*map(seconds, given["growing_us"]))
    if "first" in given:
        wait = wait.with_first(given["first"], *map(seconds, given["first_us"]))
    return wait


def budget(given: Json) -> Budget:
    if given == "forever":
        return Budget("forever")
    [(kind, limit)] = given.items()
    match kind:
        case "retries":
            return Budget("retries", limit)
        case "since_first_attempt_us":
            return Budget("since_first_attempt", seconds(limit))
        case "uninterrupted_us":
            return Budget("uninterrupted", seconds(limit))
    raise AssertionError(given)


def budget_json(budget: Budget) -> Json:
    match budget:
        case Budget("forever"):
            return "forever"
        case Budget("retries", limit):
            return {"retries": limit}
        case Budget(kind, limit):
            return {f"{kind}_us": micros(limit)}


def policy(given: Given) -> RetryPolicy:
    policy = RetryPolicy(given.get("preset", "default"))
    for name, changed in (given.get("rules") or {}).items():
        check_keys(changed, "budget", "wait")
        known = policy.rule(name)
        rule = Rule(
            wait(changed["wait"]) if "wait" in changed else known.wait,
            budget(changed["budget"]) if "budget" in changed else known.budget,
        )
        policy = policy.with_rule(name, rule)
    return policy


def ranges(given: Given) -> Json:
    check_keys(given, "preset", "rules", "classes", "failures")
    rules = {name: policy(given).rule(name) for name in given["classes"]}
    return {
        name: {
            "waits_us": [list(map(micros, rule.wait.range(n))) for n in given["failures"]],
            "budget": budget_json(rule.budget),
        }
        for name, rule in rules.items()
    }


def retries(given: Given) -> Json:
    check_keys(given, "preset", "rules", "seed", "first_attempt_us", "failures")
    found, rng = policy(given), Rng(given["seed"])
    progress = Progress(seconds(given["first_attempt_us"]))

    def step(failure: Given) -> Json:
        check_keys(failure, "at_us", "class", "asked_us")
        asked = maybe_seconds(failure.get("asked_us"))
        now = seconds(failure["at_us"])
        return micros(found.next(progress, failure["class"], now, rng, asked=asked))

    return list(map(step, given["failures"]))


def pace(given: Given) -> Json:
    check_keys(given, "margin_us", "ready_us", "steps")
    pace = Pace(maybe_seconds(given.get("margin_us")), seconds(given["ready_us"]))
    turns: list[Turn] = []

    def step(step: Given) -> Json:
        check_keys(step, "at_us", "call", "delay_us", "turn", "asked_us")
        now, turn = seconds(step["at_us"]), step.get("turn", 0)
        match step["call"]:
            case "begin":
                turns.append(pace.begin(seconds(step["delay_us"]), now))
            case "sent":
                turns[turn] = pace.sent(turns[turn], now)
            case "answered":
                pace.answered(turns[turn], now)
            case "timed_out":
                pace.timed_out(turns[turn], now)
            case "not_sent":
                pace.not_sent(turns[turn])
            case "slow_down":
                pace.slow_down(now, asked=maybe_seconds(step.get("asked_us")))
            case "recover":
                pace.recover()
            case other:
                raise AssertionError(other)
        return micros(pace.ready_at)

    return list(map(step, given["steps"]))


def unavailable(reason: Unavailable | None) -> Json:
    match reason:
        case Unavailable("cooling", until):
            return {"until_us": micros(until)}
        case Unavailable(name):
            return name
    return None


def pool_settings(config: Given) -> Given:
    return {
        name.removesuffix("_us"): maybe_seconds(value) if name.endswith("_us") else value
        for name, value in config.items()
    }


class Pool:
    """A pool whose places and uses are numbered in the order in which they were got."""

    def __init__(self, config: Given) -> None:
        self.pool = SessionPool(**pool_settings(config))
        self.places: list[Place] = []
        self.uses: list[Use] = []

    def session(self, step: Given) -> SessionKey:
        session = self.pool.find(step["id"])
        assert session is not None
        return session

    def step(self, step: Given) -> Json:
        check_keys(
            step,
            *("at_us", "call", "named", "place", "id", "address", "sent_us", "delay_us", "use"),
            *("name", "ending", "asked_us", "by"),
        )
        now, delay = seconds(step["at_us"]), maybe_seconds(step.get("delay_us"))
        return getattr(self, f"step_{step['call']}")(step, now, delay)

    def step_reserve(self, step: Given, now: float, _: float | None) -> Json:
        place = self.pool.reserve(now, named=step.get("named", False))
        if place is None:
            return None
        self.places.append(place)
        return len(self.places) - 1

    def step_add(self, step: Given, now: float, delay: float | None) -> Json:
        first = None if delay is None else (seconds(step["sent_us"]), delay)
        place, address = self.places[step["place"]], step.get("address")
        added = self.pool.add(place, step["id"], now, address=address, first_use=first)
        assert self.pool.id(added) == step["id"]

    def step_cancel(self, step: Given, *_: object) -> Json:
        self.pool.cancel(self.places[step["place"]])

    def step_lose(self, step: Given, now: float, _: float | None) -> Json:
        self.pool.lose(self.places[step["place"]], now)

    def step_adopt(self, step: Given, now: float, delay: float | None) -> Json:
        assert delay is not None
        self.pool.adopt(step["id"], delay, now, address=step.get("address"))

    def step_acquire(self, step: Given, now: float, delay: float | None) -> Json:
        assert delay is not None
        if "id" in step:
            found = self.pool.try_acquire_session(self.session(step), delay, now)
        else:
            found = self.pool.try_acquire(delay, now)
        if isinstance(found, Unavailable):
            return unavailable(found)
        self.uses.append(found)
        return {"id": self.pool.id(found.session)}

    def step_ready(self, _: Given, now: float, __: float | None) -> Json:
        return unavailable(self.pool.ready_at(now))

    def step_sent(self, step: Given, now: float, _: float | None) -> Json:
        self.uses[step["use"]] = self.pool.sent(self.uses[step["use"]], now)

    def step_finish(self, step: Given, now: float, _: float | None) -> Json:
        use, asked = self.uses[step["use"]], maybe_seconds(step.get("asked_us"))
        return {"retired": self.pool.finish(use, step["ending"], now, asked=asked)}

    def step_ban(self, step: Given, *_: object) -> Json:
        return {"retired": self.pool.ban(self.session(step))}

    def step_expired(self, _: Given, now: float, __: float | None) -> Json:
        return self.pool.take_expired(now)

    def step_name(self, step: Given, *_: object) -> Json:
        return self.pool.set_name(self.session(step), step["name"])

    def step_end_name(self, step: Given, *_: object) -> Json:
        session = self.pool.end_name(step["name"])
        return session and self.pool.id(session)

    def step_address(self, step: Given, *_: object) -> Json:
        self.pool.set_address(self.session(step), step["address"])

    def step_shrink(self, *_: object) -> Json:
        self.pool.shrink()

    def step_grow(self, step: Given, *_: object) -> Json:
        self.pool.grow(step["by"])

    def step_stats(self, *_: object) -> Json:
        stats = self.pool.stats()
        names = ("sessions", "in_use", "named", "reserved", "lost", "limit")
        return {name: getattr(stats, name) for name in names}


def session_pool(given: Given) -> Json:
    check_keys(given, "config", "steps")
    pool = Pool(given["config"])
    return [run(pool.step, step) for step in given["steps"]]


OPERATIONS: dict[str, Callable[[Given], Any]] = {
    "schedule.pace.run": pace,
    "schedule.rate_limiter.run": rate_limiter,
    "schedule.retry_policy.ranges": ranges,
    "schedule.retry_policy.run": retries,
    "schedule.session_pool.run": session_pool,
}
