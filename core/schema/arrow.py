"""Arrows, each with the id of the tag in it."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from core.schema.types import Boundary, Instant, Positive, storable

type Identifier = Annotated[str, Field(min_length=1, max_length=10), AfterValidator(storable)]


class ArrowCreate(Boundary):
    """A new arrow."""

    id: UUID | None = Field(None, description="The tag's UUID; made by the server when absent")
    archer_id: UUID
    identifier: Identifier = Field(description="As it is written on the shaft")
    shaft_diameter_mm: Positive
    length_mm: Positive | None = None
    mass_grain: Positive | None = None
    spine: Positive | None = None


class ArrowUpdate(Boundary):
    """What is to change of an arrow; what is left out stays."""

    archer_id: UUID = UUID(int=0)
    identifier: Identifier = ""
    shaft_diameter_mm: Positive = 1.0
    length_mm: Positive | None = None
    mass_grain: Positive | None = None
    spine: Positive | None = None


class Arrow(ArrowCreate):
    """An arrow."""

    id: UUID
    created_at: Instant
    updated_at: Instant
