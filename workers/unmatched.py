"""Impacts that are nobody's, kept as the derivation of their butt leaves them."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from core.domain.correlation import Correlation
from core.domain.strays import Stray, explained
from core.domain.values import Butt, Event, Shot
from core.domain.window import Span
from core.models.butt import PlacedButt
from core.models.unmatched_landing import (
    UnmatchedLanding,
    delete_unmatched,
    select_unmatched,
    upsert_unmatched,
)
from core.postgres import Connection


def unmatched_of(
    placed: PlacedButt, butt: Butt, span: Span, events: Sequence[Event], found: Correlation
) -> list[UnmatchedLanding]:
    """The impacts within a window that are nobody's.

    Args:
        placed: Where the butt stands.
        butt: The butt as it was correlated.
        span: The window: what lies outside of it is not known for sure. No arrow is in the air at
            either end, so every release that an impact inside could be of is inside too.
        events: What was read, more than the window.
        found: What the events came to.
    """
    return [
        _unmatched(stray, placed)
        for stray in explained(found, events, butt)
        if span.begin <= stray.landing.at <= span.end
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
