"""A try of a job, and what it is about."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

# The task that tries a failed job again; its argument is the failed job's id.
RETRY = "retry"
TASKS_OF_A_TARGET = frozenset({"score_shots"})
TASKS_OF_A_SESSION = frozenset({"leaderboard"})


@dataclass(frozen=True, slots=True)
class Job:
    """One try of a job.

    Args:
        function: The task's name.
        job_id: Its id in the queue.
        tries: Which try this is, from 1.
        arguments: What the task was given.
        request_id: The request that caused it.
        enqueued_at: When it was asked for.
        due_at: Not before this time.
    """

    function: str
    job_id: str
    tries: int
    arguments: tuple[object, ...]
    request_id: UUID | None = None
    enqueued_at: datetime | None = None
    due_at: datetime | None = None

    @property
    def target_id(self) -> UUID | None:
        """The target that its arguments name."""
        return self._first_id() if self.function in TASKS_OF_A_TARGET else None

    @property
    def session_id(self) -> UUID | None:
        """The session that its arguments name."""
        return self._first_id() if self.function in TASKS_OF_A_SESSION else None

    @property
    def failed_job_id(self) -> UUID | None:
        """The failed job that it tries again."""
        return self._first_id() if self.function == RETRY else None

    def _first_id(self) -> UUID | None:
        return as_id(self.arguments[0]) if self.arguments else None


def as_id(said: object) -> UUID | None:
    """A UUID where one was written; None otherwise."""
    try:
        return UUID(said) if isinstance(said, str) else None
    except ValueError:
        return None
