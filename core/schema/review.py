"""What a judge must look at: shots, landings that are nobody's, events without a place."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from core.domain.review import Reason, explanation, reasons_of_shot
from core.schema.event import StoredEvent
from core.schema.shot import Shot
from core.schema.types import Boundary, Instant


class UnmatchedLanding(Boundary):
    """An impact that is no shot's."""

    landing_event_id: UUID = Field(description="Its first report: what a ruling names")
    landing_time: Instant
    x: float = Field(description="Millimetres right of the butt's centre")
    y: float = Field(description="Millimetres above the butt's centre")
    arrow_id: UUID | None = Field(description="The arrow that it says it is")
    sigma_mm: float | None = Field(description="The reader's uncertainty of x and y")
    nearest_shot_id: UUID | None = Field(
        description="The shot that it may belong to after all, when there is one"
    )
    duplicates: Sequence[UUID] = Field(description="Further reports of the same impact")


class ReviewRow(Boundary):
    """Something that a judge must look at; exactly one of `shot`, `landing` and `event` is
    there."""

    id: UUID = Field(description="The shot's, or the landing's or other event's `event_id`")
    kind: Literal["shot", "landing", "event"]
    reasons: Sequence[Reason] = Field(description="The most urgent first")
    explanation: str = Field(description="A sentence to act on, about the most urgent reason")
    at: Instant = Field(description="When it was released, or landed, or happened")
    target_id: UUID
    lane: int
    slot_id: UUID | None = Field(
        description="Whose it is; of an event of a reader that was bound to nothing: its place in "
        "this session before or after"
    )
    shot: Shot | None
    landing: UnmatchedLanding | None
    event: StoredEvent | None


def shot_row(shot: Shot, lane: int) -> ReviewRow:
    """A shot, which has a reason to be looked at."""
    reasons = reasons_of_shot(shot.status, shot.flags)
    return ReviewRow(
        id=shot.id,
        kind="shot",
        reasons=reasons,
        explanation=explanation(reasons),
        at=shot.release_time,
        target_id=shot.target_id,
        lane=lane,
        slot_id=shot.slot_id,
        shot=shot,
        landing=None,
        event=None,
    )


def landing_row(landing: UnmatchedLanding, reason: Reason, target_id: UUID, lane: int) -> ReviewRow:
    """An impact that is nobody's."""
    return ReviewRow(
        id=landing.landing_event_id,
        kind="landing",
        reasons=[reason],
        explanation=explanation([reason]),
        at=landing.landing_time,
        target_id=target_id,
        lane=lane,
        slot_id=None,
        shot=None,
        landing=landing,
        event=None,
    )


def event_row(event: StoredEvent, target_id: UUID, lane: int, slot_id: UUID | None) -> ReviewRow:
    """An event that makes no shot.

    Args:
        event: The event.
        target_id: Where its reader was bound, then or before or after.
        lane: Of that target.
        slot_id: The archer's place there.
    """
    reason = Reason.UNBOUND if event.place == "unbound" else Reason.OUTSIDE_SESSION
    at: datetime = event.occurred_at
    return ReviewRow(
        id=event.event_id,
        kind="event",
        reasons=[reason],
        explanation=explanation([reason]),
        at=at,
        target_id=target_id,
        lane=lane,
        slot_id=slot_id,
        shot=None,
        landing=None,
        event=event,
    )
