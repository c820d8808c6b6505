"""Slots: archers' places at targets."""

from uuid import UUID

from pydantic import Field

from core.schema.bow import Bowstyle
from core.schema.types import Boundary, Instant, Letter, Positive


class SlotCreate(Boundary):
    """A new slot."""

    session_id: UUID
    target_id: UUID
    letter: Letter
    archer_id: UUID
    bow_id: UUID | None = None
    bowstyle: Bowstyle
    shaft_diameter_mm: Positive = Field(description="Of the arrows that are shot from here")


class SlotUpdate(Boundary):
    """What is to change of a slot; what is left out stays."""

    target_id: UUID = UUID(int=0)
    letter: Letter = "A"
    archer_id: UUID = UUID(int=0)
    bow_id: UUID | None = None
    bowstyle: Bowstyle = Bowstyle.RECURVE
    shaft_diameter_mm: Positive = 1.0


class Slot(SlotCreate):
    """A slot."""

    id: UUID
    created_at: Instant
    updated_at: Instant
