"""Which failures pass by themselves, and which will come again however often it is tried."""

import asyncpg

from core import postgres, valkey
from core.errors import UnavailableError


class MovedMeanwhileError(RuntimeError):
    """A reader's words go other ways since it was looked at: what was done by that is undone, and
    done again."""


PASSING = (
    UnavailableError,
    MovedMeanwhileError,
    *valkey.LOST,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.InsufficientResourcesError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)


class UnknownTaskError(LookupError):
    """A job wants a task that this version of the workers does not have.

    Args:
        function: The task's name.
    """

    def __init__(self, function: str) -> None:
        super().__init__(f"no worker knows the task {function!r}")


class LostJobError(LookupError):
    """What a job is about is gone from the queue."""


class OverTimeError(RuntimeError):
    """A task took longer than it may: no `TimeoutError`, which is what a store that does not answer
    ends with."""


def is_passing(error: BaseException) -> bool:
    """Whether another try may well succeed without anything being mended."""
    is_of_postgres = postgres.is_lost(error) or postgres.is_migrating(error)
    return is_of_postgres or isinstance(error, PASSING)
