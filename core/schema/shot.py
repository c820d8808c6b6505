"""Shots as viewers and judges see them."""

from collections.abc import Sequence
from uuid import UUID

from pydantic import Field

from core.domain.values import ShotFlag, Status
from core.schema.types import Boundary, Instant


class Shot(Boundary):
    """An arrow that left a bow, and what became of it."""

    id: UUID = Field(
        description="Derived from the release event: the same events give the same id; of a shot "
        "that a judge made of a landing, from that"
    )
    session_id: UUID
    target_id: UUID
    slot_id: UUID
    archer_id: UUID
    arrow_id: UUID | None = Field(description="Null: not known which")
    engage_time: Instant | None
    release_time: Instant
    landing_time: Instant | None
    x: float | None = Field(description="Millimetres right of the butt's centre")
    y: float | None = Field(description="Millimetres above the butt's centre")
    status: Status
    score: int | None = Field(description="Null: not known yet")
    is_x: bool
    label: str | None = Field(description="X, 10 to 1, or M")
    face_id: UUID | None
    spot: int | None = Field(description="Which spot of the face, from 0")
    confidence: float = Field(
        description="How probable it is that the landing (or that there is none) is right, given "
        "all that was in the air with it: 0 to 1, in hundredths; under 0.95 `ambiguous` is flagged"
    )
    flags: Sequence[ShotFlag]
    end_number: int = Field(description="From 1; 0: released before a judge opened the first end")
    version: int = Field(description="Grows with every change")
    release_event_id: UUID | None = Field(
        description="Null: a judge made the shot of a landing whose release no reader saw"
    )
    landing_event_id: UUID | None
