"""Targets whose shots are to be derived though nothing came for them, and over which workers die:
taken out of their partition's way, each to be tried alone."""

from datetime import UTC, datetime, timedelta

from core.log import get_logger
from core.models.failed_job import Attempt, Failure, insert_failed_job
from core.models.failed_job_retry import mark_restarted
from core.postgres import Connection
from workers.attempts import DIED
from workers.deps import Deps
from workers.job import RETRY
from workers.turn import Turn, waiting

# So that one is not under way in the worker that another kills.
APART = timedelta(seconds=3)

log = get_logger(__name__)


async def set_apart(conn: Connection, deps: Deps, turn: Turn, as_of: int) -> None:
    """Write all of them down as failures that are to be tried again: whoever is innocent is
    derived then, and the deadly one fails again."""
    rows = []
    async with conn.transaction():
        spans, requests = await waiting(conn, deps, turn, as_of)
        for target_id in spans:
            log.error("workers die over a target, or one beside it", target=str(target_id))
            failure = Failure(
                job_id=f"correlate:{target_id}",
                function="correlate_target",
                arguments={"target_id": str(target_id), "unstored": []},
                attempts=[Attempt(datetime.now(UTC), 0.0, DIED, "")],
                request_id=requests.get(target_id),
                target_id=target_id,
            )
            rows.append(await insert_failed_job(conn, failure))
        await mark_restarted(conn, rows)
    for place, failed_job_id in enumerate(rows):
        job_id, at = f"{RETRY}:{failed_job_id}", datetime.now(UTC) + place * APART
        await deps.queue.enqueue(RETRY, str(failed_job_id), job_id=job_id, defer_until=at)
