"""The operators' pause: while it stands no worker begins a job, and the API goes on accepting.

It lies in the queue's own store, on disk there, so that it stands for every worker, those that
start later too.
"""

from datetime import datetime

import orjson
from pydantic import ValidationError
from redis.asyncio import Redis

from core.gate import PAUSE
from core.queue import BELL, BELL_LENGTH
from core.schema.admin import PauseState
from core.schema.types import EARLIEST, rfc3339

GOING_ON = PauseState(paused_at=None, paused_by=None, reason=None)


async def pause(
    valkey: Redis, by: str, reason: str | None, at: datetime
) -> tuple[PauseState, bool]:
    """Have no worker begin a job from now on; one that paused before stays the one who did.

    Args:
        valkey: The queue's store.
        by: Who wishes it.
        reason: What for.
        at: Now.

    Returns:
        The pause that stands, and whether it is this one.
    """
    wish = {"paused_at": rfc3339(at), "paused_by": by, "reason": reason}
    async with valkey.pipeline(transaction=True) as pipe:
        pipe.set(PAUSE, orjson.dumps(wish), nx=True)
        pipe.get(PAUSE)
        is_new, stored = await pipe.execute()
    return _read(stored), bool(is_new)


async def resume(valkey: Redis) -> bool:
    """Have the workers go on, at once; nothing happens when they do.

    Returns:
        Whether there was a pause.
    """
    async with valkey.pipeline(transaction=True) as pipe:
        pipe.delete(PAUSE)
        # A ring for each that waits at the bell.
        pipe.lpush(BELL, *([1] * BELL_LENGTH))
        pipe.ltrim(BELL, 0, BELL_LENGTH - 1)
        was_paused, *_ = await pipe.execute()
    return bool(was_paused)


async def pause_state(valkey: Redis) -> PauseState:
    """Whether there is a pause, since when, by whom and why."""
    return _read(await valkey.get(PAUSE))


def _read(stored: bytes | None) -> PauseState:
    if stored is None:
        return GOING_ON
    try:
        return PauseState.model_validate_json(stored)
    except ValidationError:
        # Set by hand: it stands all the same, and says as much as it can.
        return PauseState(paused_at=EARLIEST, paused_by="unknown", reason=None)
