"""Archers: who shoots."""

from uuid import UUID

from core.schema.types import Boundary, Instant, Name, Text


class ArcherCreate(Boundary):
    """A new archer."""

    given_name: Name
    family_name: Name
    club: Text | None = None
    country: Text | None = None


class ArcherUpdate(Boundary):
    """What is to change of an archer; what is left out stays."""

    given_name: Name = ""
    family_name: Name = ""
    club: Text | None = None
    country: Text | None = None


class Archer(ArcherCreate):
    """An archer."""

    id: UUID
    created_at: Instant
    updated_at: Instant
