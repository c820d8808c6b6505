"""Which jobs a request asks for."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from core.schema.admin import JobFilter, JobState
from core.schema.types import Instant, Text


async def get_filter(
    *,
    state: Annotated[JobState, Query(description="Only jobs that stand so")] = JobState.FAILED,
    function: Annotated[Text | None, Query(description="Only of this task")] = None,
    session_id: Annotated[UUID | None, Query(description="Only of this session")] = None,
    target_id: Annotated[UUID | None, Query(description="Only of this target")] = None,
    fingerprint: Annotated[
        Text | None, Query(description="Only failures of this kind and place")
    ] = None,
    q: Annotated[Text | None, Query(description="Text in the arguments or the error")] = None,
    since: Annotated[Instant | None, Query(description="Only what changed from then on")] = None,
    until: Annotated[Instant | None, Query(description="Only what changed before")] = None,
) -> JobFilter:
    """The filter in a request's address."""
    return JobFilter(
        state=state,
        function=function,
        session_id=session_id,
        target_id=target_id,
        fingerprint=fingerprint,
        q=q,
        since=since,
        until=until,
    )


JobFilterOf = Annotated[JobFilter, Depends(get_filter)]
