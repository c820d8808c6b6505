"""Bows, and the styles they are shot in."""

from enum import StrEnum
from uuid import UUID

from core.schema.types import Boundary, Instant, Positive, Text


class Bowstyle(StrEnum):
    """How a bow is built and shot: it tells the arrow's speed to begin with."""

    RECURVE = "recurve"
    COMPOUND = "compound"
    BAREBOW = "barebow"
    LONGBOW = "longbow"
    TRADITIONAL = "traditional"


class BowCreate(Boundary):
    """A new bow."""

    archer_id: UUID
    bowstyle: Bowstyle
    name: Text | None = None
    draw_weight_lb: Positive | None = None


class BowUpdate(Boundary):
    """What is to change of a bow; what is left out stays."""

    archer_id: UUID = UUID(int=0)
    bowstyle: Bowstyle = Bowstyle.RECURVE
    name: Text | None = None
    draw_weight_lb: Positive | None = None


class Bow(BowCreate):
    """A bow."""

    id: UUID
    created_at: Instant
    updated_at: Instant
