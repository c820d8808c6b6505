"""The queue held by an operator: a note in Valkey that every worker looks at."""

from datetime import datetime

import orjson
from redis.asyncio import Redis

from core.queue import BELL
from core.schema.admin import PauseState
from core.schema.types import rfc3339

PAUSED = "quiver:paused"
GOES_ON = PauseState(paused_at=None, paused_by=None, reason=None)


async def pause(valkey: Redis, by: str, reason: str | None, at: datetime) -> PauseState:
    """Hold the queue; where it is held already, the first note stands.

    Args:
        valkey: A client that answers bytes.
        by: Who holds it.
        reason: Why, for people.
        at: Now.
    """
    note = {"paused_at": rfc3339(at), "paused_by": by, "reason": reason}
    await valkey.set(PAUSED, orjson.dumps(note), nx=True)
    return await pause_state(valkey)


async def resume(valkey: Redis) -> PauseState:
    """Let the queue go on, and have workers look at it."""
    async with valkey.pipeline(transaction=True) as pipe:
        pipe.delete(PAUSED)
        pipe.lpush(BELL, 1)
        await pipe.execute()
    return GOES_ON


async def pause_state(valkey: Redis) -> PauseState:
    """Whether the queue is held, since when and by whom."""
    note = await valkey.get(PAUSED)
    return GOES_ON if note is None else PauseState.model_validate_json(note)
