"""What a page's buttons mean by "all of these"."""

from datetime import datetime

from api.web.wanted import Wanted
from core.schema.admin import JobFilter, JobState


def bulk_filter(wanted: Wanted, now: datetime) -> JobFilter | None:
    """The filter that names exactly what a page shows; None: nothing can be done to all of it."""
    if wanted.state not in (JobState.FAILED, JobState.DISCARDED):
        return None
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
