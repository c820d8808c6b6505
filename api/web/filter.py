"""What a page's address asks for, as the functions behind it take it."""

from datetime import datetime

from api.web.wanted import Wanted
from core.schema.admin import JobFilter, JobState


def job_filter(wanted: Wanted, now: datetime) -> JobFilter:
    """The filter that names exactly what a page shows."""
    return JobFilter(
        state=wanted.state,
        function=wanted.function,
        session_id=wanted.session_id,
        target_id=wanted.target_id,
        fingerprint=wanted.fingerprint,
        q=wanted.q,
        since=wanted.since_when(now),
        until=wanted.until,
    )


def bulk_filter(wanted: Wanted, now: datetime) -> JobFilter | None:
    """What a page's buttons mean by "all of these"; None: nothing can be done to all of it."""
    can_be_done = wanted.state in (JobState.FAILED, JobState.DISCARDED)
    return job_filter(wanted, now) if can_be_done else None
