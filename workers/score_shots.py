"""Shots that landed and have no score, because nothing told what the butt's faces are worth."""

from uuid import UUID

from core.domain.scoring import score_landing
from core.models.butt import select_butts
from core.models.correlated_shot import select_unscored
from core.models.recompute import request_recompute
from workers.deps import Deps


async def score_shots(deps: Deps, target_id: str) -> None:
    """Score a target's shots once its faces are known.

    Raises:
        DomainError: They still cannot be scored: the face is missing or unknown.
    """
    target = UUID(target_id)
    async with deps.pool.acquire() as conn:
        unscored = await select_unscored(conn, target)
        butts = await select_butts(conn, [target], deps.offline_after)
        if not unscored or target not in butts:
            return
        butt = butts[target].butt
        for known in unscored:
            slot = butt.slots.get(known.shot.slot_id)
            if slot is None:
                # A judge gave it to somebody at another butt: it is valued when it is derived.
                continue
            score_landing(
                known.shot.x or 0.0,
                known.shot.y or 0.0,
                faces=butt.faces,
                letter=slot.letter,
                shaft_diameter_mm=slot.shaft_diameter_mm,
                line_rule=butt.rules.line_rule,
            )
        async with conn.transaction():
            await request_recompute(conn, [target])
    await deps.queue.wake([deps.inbox.partition_of(target)])
