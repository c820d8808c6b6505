"""Jobs: what waits, what failed and why, and putting it right."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from api.dependencies import DEFAULT, ConnectionOf, PageLimit, ValkeyOf, ViewerOnly
from api.job_filter import JobFilterOf
from api.jobs import job_detail, job_groups, list_jobs
from api.operating import OperatingOf
from api.timers import TimersOf
from core.models.failed_job_change import Change
from core.schema.admin import Job, JobChoice, JobDetail, JobGroup, JobsChanged
from core.schema.envelope import Envelope, wrap
from core.schema.page import Page

router = APIRouter(prefix="/api/v0/admin", tags=["admin"])

type JobId = Annotated[str, Path(min_length=1, max_length=200)]


@router.get("/job")
async def get_jobs(
    wanted: JobFilterOf,
    conn: ConnectionOf,
    valkey: ValkeyOf,
    _: ViewerOnly,
    limit: PageLimit = DEFAULT,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Envelope[Page[Job]]:
    """Jobs of one state; of failures the one that changed last first.

    Of `queued`, `running`, `deferred` and `retrying` the first thousand by their time, in one page;
    of `done` the latest five hundred. Failures are looked for among the latest 20 000 of the state
    and time, from the cursor on; `until` leads to those before.
    """
    return wrap(await list_jobs(conn, valkey, wanted, cursor, limit))


@router.get("/job_group")
async def get_job_groups(
    wanted: JobFilterOf, conn: ConnectionOf, _: ViewerOnly
) -> Envelope[Sequence[JobGroup]]:
    """Failures of the same kind at the same place, the most frequent first; at most a hundred
    groups, counted among the latest 20 000 failures of the state and time."""
    return wrap(await job_groups(conn, wanted))


@router.get("/job/{job_id}")
async def get_job(
    job_id: JobId, conn: ConnectionOf, valkey: ValkeyOf, _: ViewerOnly
) -> Envelope[JobDetail]:
    """A job with its arguments, every attempt with its traceback, what it touched, and what
    operators did with it."""
    return wrap(await job_detail(conn, valkey, job_id))


@router.post("/job/retry")
async def retry_jobs(choice: JobChoice, operating: OperatingOf) -> Envelope[JobsChanged]:
    """Try failed jobs again: those listed, or of the latest 20 000 all of a filter.

    Each is taken exactly once: what is being tried again already is not counted. One that fails
    again is `failed` again, with all its attempts.
    """
    return wrap(await operating.change_many(Change.RETRY, choice))


@router.post("/job/discard")
async def discard_jobs(choice: JobChoice, operating: OperatingOf) -> Envelope[JobsChanged]:
    """Put failed jobs aside; they can be restored for 30 days, or until they are purged."""
    return wrap(await operating.change_many(Change.DISCARD, choice))


@router.post("/job/restore")
async def restore_jobs(choice: JobChoice, operating: OperatingOf) -> Envelope[JobsChanged]:
    """Take back that jobs were discarded."""
    return wrap(await operating.change_many(Change.RESTORE, choice))


@router.post("/job/purge")
async def purge_jobs(choice: JobChoice, operating: OperatingOf) -> Envelope[JobsChanged]:
    """Delete discarded jobs for good, with whatever only they have: this cannot be undone."""
    return wrap(await operating.change_many(Change.PURGE, choice))


@router.post("/job/{job_id}/retry")
async def retry_job(job_id: UUID, operating: OperatingOf) -> Envelope[Job]:
    """Try a failed job again; once more while it is on its way changes nothing."""
    return wrap(await operating.change_one(Change.RETRY, job_id))


@router.post("/job/{job_id}/discard")
async def discard_job(job_id: UUID, operating: OperatingOf) -> Envelope[Job]:
    """Put a failed job aside; it can be restored until it is purged."""
    return wrap(await operating.change_one(Change.DISCARD, job_id))


@router.post("/job/{job_id}/restore")
async def restore_job(job_id: UUID, operating: OperatingOf) -> Envelope[Job]:
    """Take back that a job was discarded."""
    return wrap(await operating.change_one(Change.RESTORE, job_id))


@router.post("/job/{job_id}/cancel")
async def cancel_job(job_id: JobId, timers: TimersOf) -> Envelope[JobDetail]:
    """Take a deferred job out of the queue; answers the job as it was.

    Jobs carry no truth: what a timer would have done, the safety net does a second later.
    """
    return wrap(await timers.cancel(job_id))


@router.post("/job/{job_id}/run")
async def run_job(job_id: JobId, timers: TimersOf) -> Envelope[JobDetail]:
    """Have a deferred job done now."""
    return wrap(await timers.run(job_id))
