"""The overview, of what the stores told; what one that is silent would have told is not known."""

from collections.abc import Mapping
from datetime import datetime

from api.behind import STUCK_MS, Counted, in_words
from api.looks import OVER_MINUTES, Queued, Stored
from api.rates import function_rates, per_min
from core import valkey_health
from core.lanes import StreamState
from core.models import postgres_health
from core.pause import GOING_ON
from core.schema.admin import Overview
from core.statistics import DONE, FAILED, LATENCY, duration_quantile, total


def overview_of(queued: Queued | None, stored: Stored | None, limit: int, at: datetime) -> Overview:
    """How the work stands.

    Args:
        queued: What the queue's store tells; None: it is silent.
        stored: What the database tells; None: it is silent.
        limit: Entries that a partition of the inbox holds at most.
        at: Now.
    """
    return Overview.model_validate(
        {
            **dict.fromkeys(Overview.model_fields),
            **(_of_queue(queued, at) if queued else {}),
            **(_of_database(stored) if stored else {}),
            "at": at,
            "queued": _due(queued, stored),
            "functions": function_rates(queued.did, at) if queued else [],
            "redis": queued.health if queued else valkey_health.AWAY,
            "postgres": stored.health if stored else postgres_health.AWAY,
            "behind": in_words(_counted(queued, stored, limit, at)),
        }
    )


def _of_queue(queued: Queued, at: datetime) -> Mapping[str, object]:
    return {
        "inbox": queued.inbox,
        "running": queued.counts.running,
        "deferred": queued.counts.deferred,
        "retrying": queued.counts.retrying,
        "done_per_min": per_min(queued.did, DONE, at),
        "oldest_age_ms": queued.oldest_age_ms(at),
        "latency_p50_ms": duration_quantile(queued.did, LATENCY, 0.5),
        "latency_p99_ms": duration_quantile(queued.did, LATENCY, 0.99),
        "paused_at": queued.pause.paused_at,
        "paused_by": queued.pause.paused_by,
        "workers": queued.workers,
    }


def _of_database(stored: Stored) -> Mapping[str, object]:
    return {
        "failed": stored.failed,
        "readers_online": stored.online,
        "readers_silent": stored.silent,
    }


def _due(queued: Queued | None, stored: Stored | None) -> int | None:
    """How much is to be done now, which both stores know a part of."""
    if queued is None or stored is None:
        return None
    return queued.counts.due - queued.counts.running + stored.waiting


def _counted(queued: Queued | None, stored: Stored | None, limit: int, at: datetime) -> Counted:
    """What is said in words: of what is not known, nothing."""
    streams = queued.streams if queued else ()
    did = queued.did if queued else ()
    warnings = [
        *(queued.health if queued else valkey_health.AWAY).warnings,
        *(stored.health if stored else postgres_health.AWAY).warnings,
    ]
    return Counted(
        fullest=max((stream.depth for stream in streams), default=0),
        limit=limit,
        oldest_age_ms=queued.oldest_age_ms(at) if queued else 0,
        stuck=[each.partition for each in streams if _is_stuck(each, at)],
        failed=stored.failed if stored else 0,
        failed_lately=total(did[-OVER_MINUTES:], FAILED),
        retrying=queued.counts.retrying if queued else 0,
        silent=stored.silent if stored else 0,
        workers=queued.workers if queued else 0,
        pause=queued.pause if queued else GOING_ON,
        latency_p99_ms=duration_quantile(did, LATENCY, 0.99),
        warnings=warnings,
        is_redis_up=queued is not None,
    )


def _is_stuck(stream: StreamState, at: datetime) -> bool:
    waits_since = stream.oldest_ms
    return waits_since is not None and at.timestamp() * 1000 - waits_since > STUCK_MS
