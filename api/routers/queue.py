"""How the work stands, for operators."""

import time
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from api.dependencies import ConnectionOf, InboxOf, QueueOf, ValkeyOf, ViewerOnly
from core.models.correlated_shot import count_unpublished
from core.models.failed_job import count_failed_jobs
from core.models.instants import FOREVER
from core.models.work import count_asked
from core.roster import workers
from core.schema.envelope import Envelope, wrap
from core.schema.queue import QueueState, WorkerSeen

SEEN = ("id", "host", "pid", "started_at", "version", "running", "done", "failed")

router = APIRouter(prefix="/api/v0/admin/queue", tags=["admin"])


@router.get("")
async def get_queue(
    conn: ConnectionOf, _: ViewerOnly, inbox: InboxOf, queue: QueueOf, valkey: ValkeyOf
) -> Envelope[QueueState]:
    """Counts of the work.

    `inbox` + `queued` + `running` = 0 means that every accepted event is in the database and
    published.
    """
    # In the order of the way: what leaves one place while we count is found in the next.
    depths = await inbox.depths()
    oldest_ms = await inbox.oldest_ms()
    jobs = await queue.counts()
    waiting = await count_asked(conn) + await count_unpublished(conn, FOREVER)
    ages = [at for at in (oldest_ms, jobs.oldest_due_ms) if at is not None]
    now_ms = time.time_ns() // 1_000_000
    state = QueueState(
        inbox=sum(depths.values()),
        queued=jobs.due - jobs.running + waiting,
        running=jobs.running,
        deferred=jobs.deferred,
        failed=await count_failed_jobs(conn),
        oldest_age_ms=max(0, now_ms - min(ages, default=now_ms)),
        workers=[_seen(each) for each in await workers(valkey)],
    )
    return wrap(state)


def _seen(report: Mapping[str, Any]) -> WorkerSeen:
    return WorkerSeen(**{name: report[name] for name in SEEN})
