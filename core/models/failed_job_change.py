"""What operators do with kept failures: each takes a failure from one state to one other, so that
of two who do it at once one does it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from core.postgres import Connection
from core.schema.admin import JobState

FAILED_JOB_RESTART = """
UPDATE failed_job SET state = 'restarted', retries = retries + 1, updated_at = now()
WHERE id = ANY ($1) AND state = 'failed'
RETURNING id
"""

FAILED_JOB_DISCARD = """
UPDATE failed_job SET state = 'discarded', updated_at = now()
WHERE id = ANY ($1) AND state = 'failed'
RETURNING id
"""

FAILED_JOB_RESTORE = """
UPDATE failed_job SET state = 'failed', updated_at = now()
WHERE id = ANY ($1) AND state = 'discarded'
RETURNING id
"""

FAILED_JOB_PURGE = "DELETE FROM failed_job WHERE id = ANY ($1) AND state = 'discarded' RETURNING id"

# Locked in one order, so that two operators who choose the same do not lock each other out.
FAILED_JOB_LOCK = """
SELECT id FROM failed_job WHERE id = ANY ($1) AND state = $2 ORDER BY id FOR UPDATE
"""


class Change(StrEnum):
    """What can be done with a kept failure."""

    RETRY = "retry"
    DISCARD = "discard"
    RESTORE = "restore"
    PURGE = "purge"


@dataclass(frozen=True, slots=True)
class _Step:
    """A change as the table sees it.

    Args:
        takes: The state that it takes failures from.
        statement: Takes ids; returns those of the failures that it changed.
    """

    takes: JobState
    statement: str


STEPS = {
    Change.RETRY: _Step(JobState.FAILED, FAILED_JOB_RESTART),
    Change.DISCARD: _Step(JobState.FAILED, FAILED_JOB_DISCARD),
    Change.RESTORE: _Step(JobState.DISCARDED, FAILED_JOB_RESTORE),
    Change.PURGE: _Step(JobState.DISCARDED, FAILED_JOB_PURGE),
}


def taken_state(change: Change) -> JobState:
    """The state that a change takes failures from."""
    return STEPS[change].takes


async def change_failed_jobs(conn: Connection, change: Change, ids: Sequence[UUID]) -> list[UUID]:
    """Do it to those of these that stand so that it can be done; in a transaction.

    Returns:
        Those it was done to: nobody else has done it to them.
    """
    step = STEPS[change]
    locked = await conn.fetch(FAILED_JOB_LOCK, list(ids), step.takes)
    rows = await conn.fetch(step.statement, [row["id"] for row in locked])
    return [row["id"] for row in rows]
