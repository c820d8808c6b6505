"""Operators at work: what they do with failed jobs is kept with who did it, and done once however
often it is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from api.dependencies import AdminOnly, ConnectionOf, QueueOf, RequestId
from core.errors import ConflictError, InvalidInputError
from core.models.admin_action import Action, insert_action
from core.models.failed_job_change import (
    Change,
    change_failed_jobs,
    taken_state,
)
from core.models.failed_job_list import select_failed_job, select_failed_job_ids
from core.models.token import Principal, select_token_name
from core.postgres import Connection
from core.queue import Queue
from core.schema.admin import Job, JobChoice, JobFilter, JobsChanged, JobState

# What is told of at once; the sweep has the rest begun.
AT_ONCE = 1_000

# Where a failure stands once it was done: asking again is harmless.
DONE_BEFORE = {
    Change.RETRY: {JobState.RESTARTED, JobState.MENDED},
    Change.DISCARD: {JobState.DISCARDED},
    Change.RESTORE: {JobState.FAILED},
}


@dataclass(frozen=True, slots=True)
class Operating:
    """An operator at work in one request.

    Args:
        conn: The request's connection.
        queue: Where retries are put.
        caller: Who they are.
        request_id: The request.
    """

    conn: Connection
    queue: Queue
    caller: Principal
    request_id: UUID

    async def change_one(self, change: Change, failed_job_id: UUID) -> Job:
        """Do it to one failure; where it was done before, nothing is changed.

        Raises:
            NotFoundError: There is no such failure.
            ConflictError: It stands so that this cannot be done.
        """
        async with self.conn.transaction():
            before, _ = await select_failed_job(self.conn, failed_job_id)
            subject = f"{before.function} {failed_job_id}"
            changed = await self._change(change, [failed_job_id], subject)
        await self._begin(change, changed)
        after, _ = await select_failed_job(self.conn, failed_job_id)
        if not changed and after.state not in DONE_BEFORE[change]:
            raise ConflictError(
                f"job {failed_job_id}: is {after.state}; {change} takes one that is"
                f" {taken_state(change)}"
            )
        return after

    async def change_many(self, change: Change, choice: JobChoice) -> JobsChanged:
        """Do it to those chosen that stand so that it can be done.

        Raises:
            InvalidInputError: The filter asks for another state than the change takes.
        """
        async with self.conn.transaction():
            ids, subject = await self._chosen(change, choice)
            changed = await self._change(change, ids, subject)
        await self._begin(change, changed)
        return JobsChanged(changed=len(changed), ids=changed[:AT_ONCE])

    async def name(self) -> str:
        """What others know the operator by."""
        return await select_token_name(self.conn, self.caller.token_id)

    async def note(self, action: str, subject: str) -> None:
        """Keep that the operator did something else."""
        await insert_action(
            self.conn,
            Action(self.caller.token_id, action, subject, request_id=self.request_id),
        )

    async def _chosen(self, change: Change, choice: JobChoice) -> tuple[Sequence[UUID], str]:
        if choice.ids is not None:
            return choice.ids, "selected jobs"
        wanted = choice.filter or JobFilter()
        if wanted.state not in (None, taken_state(change)):
            raise InvalidInputError(
                "body.filter.state", f"must be {taken_state(change)} to {change}"
            )
        said = wanted.model_dump(mode="json", exclude_none=True, exclude={"state"})
        subject = ", ".join(f"{name} {value}" for name, value in said.items()) or "all jobs"
        return await select_failed_job_ids(self.conn, wanted, taken_state(change)), subject

    async def _change(self, change: Change, ids: Sequence[UUID], subject: str) -> list[UUID]:
        changed = await change_failed_jobs(self.conn, change, ids)
        if changed:
            action = Action(
                self.caller.token_id, change, subject, len(changed), changed, self.request_id
            )
            await insert_action(self.conn, action)
        return changed

    async def _begin(self, change: Change, changed: Sequence[UUID]) -> None:
        """Have what is to be tried again begun, now that it is committed."""
        if change is not Change.RETRY:
            return
        for each in changed[:AT_ONCE]:
            await self.queue.enqueue(
                "retry", str(each), job_id=f"retry:{each}", request_id=self.request_id
            )


async def get_operating(
    conn: ConnectionOf, queue: QueueOf, caller: AdminOnly, request_id: RequestId
) -> Operating:
    """For this request."""
    return Operating(conn, queue, caller, request_id)


OperatingOf = Annotated[Operating, Depends(get_operating)]
