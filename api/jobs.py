"""Jobs as operators look for them: those in the queue, those that were done, and those that
failed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from redis.asyncio import Redis

from api.queued_jobs import find_queued, list_done, list_waiting
from core.errors import NotFoundError
from core.models.admin_action import select_actions_of_job
from core.models.failed_job_list import (
    KEPT,
    select_failed_job,
    select_failed_job_groups,
    select_failed_jobs,
)
from core.models.instants import instant
from core.models.touched import select_touched_events, select_touched_shots
from core.postgres import Connection
from core.queue_jobs import attempts_so_far
from core.schema.admin import (
    Job,
    JobAttempt,
    JobDetail,
    JobFilter,
    JobGroup,
    JobState,
    TouchedEvent,
    TouchedShot,
)
from core.schema.inbox import AcceptedEvent, decode
from core.schema.page import Page, Position, decode_cursor, page_of


async def list_jobs(
    conn: Connection, valkey: Redis, wanted: JobFilter, cursor: str | None, limit: int
) -> Page[Job]:
    """Jobs of one state.

    Kept failures: the one that changed last first. Of those in the queue the next ones first, and
    of those done the latest first: both as many as a look at the queue gives, in one page.

    Raises:
        InvalidInputError: The cursor is none.
    """
    state = wanted.state or JobState.FAILED
    if state in KEPT:
        before = None if cursor is None else decode_cursor(cursor)
        found = await select_failed_jobs(conn, wanted, state, before, limit)
        return page_of(found, limit, _place)
    of_state = list_done if state is JobState.DONE else list_waiting
    jobs = await of_state(conn, valkey, wanted, state)
    return Page(items=jobs[:limit], next_cursor=None)


def _place(job: Job) -> Position:
    at: datetime | None = job.updated_at
    assert at is not None
    return Position(at, UUID(job.id))


async def job_groups(conn: Connection, wanted: JobFilter) -> Sequence[JobGroup]:
    """Kept failures by kind and place, the most frequent first.

    Of a state that is not kept there are none.
    """
    state = wanted.state or JobState.FAILED
    return await select_failed_job_groups(conn, wanted, state) if state in KEPT else []


async def job_detail(conn: Connection, valkey: Redis, job_id: str) -> JobDetail:
    """A job with all that is known of it.

    Args:
        conn: Where kept failures are.
        valkey: Where the queue is.
        job_id: Of a kept failure its UUID, of a job in the queue its id there.

    Raises:
        NotFoundError: There is none: what succeeded is not kept for long.
    """
    failed_job_id = kept_id(job_id)
    if failed_job_id is not None:
        job, attempts = await select_failed_job(conn, failed_job_id)
        events, shots = await _touched(conn, job, attempts)
        actions = await select_actions_of_job(conn, failed_job_id)
        return JobDetail(
            **job.model_dump(), attempts=attempts, events=events, shots=shots, actions=actions
        )
    queued = await find_queued(valkey, job_id)
    if queued is None:
        raise NotFoundError("job", job_id)
    tried = await attempts_so_far(valkey, job_id)
    return JobDetail(**queued.model_dump(), attempts=tried, events=[], shots=[], actions=[])


def kept_id(job_id: str) -> UUID | None:
    """The id of a kept failure; None: it is one of a job in the queue."""
    try:
        found = UUID(job_id)
    except ValueError:
        return None
    # The queue's own ids have no hyphens.
    return found if str(found) == job_id.lower() else None


async def _touched(
    conn: Connection, job: Job, attempts: Sequence[JobAttempt]
) -> tuple[list[TouchedEvent], list[TouchedShot]]:
    """The events that a failed job was given, and the shots that they belong to."""
    unstored = _unstored(job)
    if job.target_id is None or not attempts:
        return unstored, []
    first, last = attempts[0].started_at, attempts[-1].started_at
    stored = await select_touched_events(conn, job.target_id, first, last)
    ids = [event.event_id for event in stored]
    return [*unstored, *stored][:100], await select_touched_shots(conn, job.target_id, ids)


def _unstored(job: Job) -> list[TouchedEvent]:
    """Events that only the failed job has."""
    said = job.arguments.get("unstored")
    payloads = said if isinstance(said, Sequence) and not isinstance(said, str) else []
    found: list[TouchedEvent] = []
    for payload in payloads:
        event = _decoded(str(payload))
        if event is not None:
            found.append(
                TouchedEvent(
                    event_id=event.event_id, type=event.type, occurred_at=instant(event.at)
                )
            )
    return found


def _decoded(payload: str) -> AcceptedEvent | None:
    try:
        event = decode(payload.encode())
    except ValueError:
        return None
    return event if isinstance(event, AcceptedEvent) else None
