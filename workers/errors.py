"""Which failures pass by themselves, and which will come again however often it is tried."""

import asyncpg

from core import postgres, valkey
from core.errors import UnavailableError

PASSING = (
    UnavailableError,
    *valkey.LOST,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.InsufficientResourcesError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)


def is_passing(error: BaseException) -> bool:
    """Whether another try may well succeed without anything being mended."""
    return postgres.is_lost(error) or isinstance(error, PASSING)
