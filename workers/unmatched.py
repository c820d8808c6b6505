"""Impacts that are nobody's, kept as the derivation of their butt leaves them."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from core.domain.ends import is_shooting
from core.domain.strays import Stray, explained
from core.domain.values import Shot
from core.domain.window import Span
from core.models.butt import PlacedButt
from core.models.unmatched_landing import (
    UnmatchedLanding,
    delete_unmatched,
    select_unmatched,
    upsert_unmatched,
)
from core.postgres import Connection
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


async def keep_unmatched(
    conn: Connection,
    spans: Mapping[UUID, Span],
    unmatched: Iterable[UnmatchedLanding],
    shots: Iterable[Shot],
) -> list[UnmatchedLanding]:
    """Write what differs from what is kept, in the transaction that writes the shots.

    Args:
        conn: In that transaction.
        spans: The windows that were derived, by target.
        unmatched: All impacts within them that are nobody's.
        shots: The shots that were derived: the landing of one is not nobody's, wherever it lies.

    Returns:
        What is new or other than before.
    """
    if not spans:
        return []
    found = {landing.landing_event_id: landing for landing in unmatched}
    taken = [shot.landing_event_id for shot in shots if shot.landing_event_id is not None]
    known = await select_unmatched(conn, spans, [*found, *taken])
    gone = known.keys() - found.keys()
    if gone:
        await delete_unmatched(conn, gone)
    written = [each for each in found.values() if known.get(each.landing_event_id) != each]
    if written:
        await upsert_unmatched(conn, written)
    return written
