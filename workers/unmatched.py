"""Impacts that are nobody's, kept as the derivation of their butt leaves them."""

from collections.abc import Sequence

from core.domain.ends import is_shooting
from core.domain.strays import Stray, explained
from core.models.butt import PlacedButt
from core.models.unmatched_landing import (
    UnmatchedLanding,
    delete_unmatched,
    upsert_unmatched,
)
from workers.recall import Recall
from workers.windows import Window


def unmatched_of(window: Window) -> list[UnmatchedLanding]:
    """The impacts within a window that are nobody's and that no judge dismissed."""
    strays = explained(
        window.found, window.events, window.butt, is_shooting(window.placed.end_rules)
    )
    dismissed = window.placed.verdicts.dismissed
    return [
        _unmatched(stray, window.placed)
        for stray in strays
        if dismissed.isdisjoint((stray.landing.id, *stray.duplicates))
    ]


def _unmatched(stray: Stray, placed: PlacedButt) -> UnmatchedLanding:
    landing = stray.landing
    return UnmatchedLanding(
        landing_event_id=landing.id,
        session_id=placed.session_id,
        target_id=placed.target_id,
        landed_at=landing.at,
        x=landing.x,
        y=landing.y,
        arrow_id=landing.arrow_id,
        sigma_mm=landing.sigma_mm,
        reason=stray.reason,
        nearest_shot_id=stray.nearest_shot_id,
        duplicates=stray.duplicates,
        deadline=stray.deadline,
    )


async def keep_unmatched(recall: Recall, windows: Sequence[Window]) -> list[UnmatchedLanding]:
    """Write what differs from what is kept, in the transaction that writes the shots.

    Args:
        recall: What is stored of the butts.
        windows: What was derived: all within them that is nobody's; the landing of one of their
            shots is not, wherever it lies.

    Returns:
        What is new or other than before.
    """
    if not windows:
        return []
    spans = {window.target_id: window.span for window in windows}
    mine = {window.target_id: unmatched_of(window) for window in windows}
    found = {each.landing_event_id: each for strays in mine.values() for each in strays}
    ids = {
        window.target_id: {each.landing_event_id for each in mine[window.target_id]}.union(
            shot.landing_event_id
            for shot in window.found.shots
            if shot.landing_event_id is not None
        )
        for window in windows
    }
    known = await recall.unmatched(spans, ids)
    gone = known.keys() - found.keys()
    if gone:
        await delete_unmatched(recall.conn, gone)
    written = [each for each in found.values() if known.get(each.landing_event_id) != each]
    if written:
        await upsert_unmatched(recall.conn, written)
    recall.note_unmatched(gone, written)
    return written
