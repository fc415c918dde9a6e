"""The parts that decide when something may be sent: rate limiter, retry policy, pace, session pool.

Each is a small machine of its own, usable alone: time is an argument, randomness a seeded `Rng`,
"not yet" is a value.
"""

from __future__ import annotations

from ._core import (
    Budget,
    Pace,
    Place,
    PoolStats,
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

__all__ = [
    "Budget",
    "Pace",
    "Place",
    "PoolStats",
    "Progress",
    "Rate",
    "RateLimiter",
    "RetryPolicy",
    "Rng",
    "Rule",
    "SessionKey",
    "SessionPool",
    "Turn",
    "Unavailable",
    "Use",
    "Wait",
]
