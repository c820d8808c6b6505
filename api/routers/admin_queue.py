"""The queue held and let go."""

from datetime import UTC, datetime

from fastapi import APIRouter

from api.dependencies import ValkeyOf
from api.operating import OperatingOf
from core.pause import GOING_ON, pause, pause_state, resume
from core.schema.admin import PauseState, PauseWish
from core.schema.envelope import Envelope, wrap

router = APIRouter(prefix="/api/v0/admin/queue", tags=["admin"])


@router.post("/pause")
async def post_pause(
    operating: OperatingOf, valkey: ValkeyOf, wish: PauseWish = PauseWish()
) -> Envelope[PauseState]:
    """Begin no more jobs. Jobs under way end, events are still taken, and nothing is lost: all of
    it is done once the queue goes on. Where it stands still already, nothing changes."""
    stands = await pause_state(valkey)
    if stands.paused_at is None:
        async with operating.conn.transaction():
            by = await operating.name()
            stands, is_theirs = await pause(valkey, by, wish.reason, datetime.now(UTC))
            # Of those who press at once one has done it.
            if is_theirs:
                await operating.note("pause", wish.reason or "the queue")
    return wrap(stands)


@router.post("/resume")
async def post_resume(operating: OperatingOf, valkey: ValkeyOf) -> Envelope[PauseState]:
    """Go on where the queue was held; where it runs, nothing changes."""
    stands = await pause_state(valkey)
    if stands.paused_at is not None:
        async with operating.conn.transaction():
            if await resume(valkey):
                await operating.note("resume", "the queue")
    return wrap(GOING_ON)
