"""One arrow told by a reader and by a judge."""

from collections.abc import Sequence

from core.domain.outcome import WITHOUT_A_LANDING, suspected
from core.domain.values import Shot, Status


def told_twice(shots: Sequence[Shot], landing_window: int) -> list[Shot]:
    """Flag releases that may be those of landings that a judge made shots of.

    A judge makes a shot of a landing whose release no reader saw. When that release comes later all
    the same, it has no landing left and would be a miss beside the arrow that counts: nobody but a
    judge knows whether these are two arrows.

    Args:
        shots: A butt's, with what judges said of them.
        landing_window: How long after its release an arrow lands at most, microseconds.
    """
    made = [s for s in shots if s.release_event_id is None and s.status is not Status.VOIDED]
    if not made:
        return list(shots)
    return [suspected(shot) if _may_be(shot, made, landing_window) else shot for shot in shots]


def _may_be(shot: Shot, made: Sequence[Shot], landing_window: int) -> bool:
    return (
        shot.status in WITHOUT_A_LANDING
        and shot.landing_event_id is None
        and any(
            other.slot_id == shot.slot_id
            and 0 <= other.released_at - shot.released_at <= landing_window
            for other in made
        )
    )
