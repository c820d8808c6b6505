"""Targets: the butts of a session, and the faces on them."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from core.domain.faces import FACE_TYPES
from core.schema.types import Boundary, Distance, Instant, Letter, Number, Ordinal, Positive, Text


def known_face_type(code: str) -> str:
    """The code, when it is in the catalogue of faces."""
    if code not in FACE_TYPES:
        raise ValueError(f"no face type {code!r}: GET /api/v0/face_type lists them")
    return code


class FaceWish(Boundary):
    """A face to be hung on a butt."""

    id: UUID | None = Field(None, description="Made by the server when absent")
    face_type: Annotated[str, Field(max_length=100), AfterValidator(known_face_type)]
    x: Number = Field(description="Its centre, millimetres right of the butt's")
    y: Number = Field(description="Its centre, millimetres above the butt's")
    letter: Letter | None = Field(None, description="Whose it is; null: everyone's")


class Face(Boundary):
    """A face on a butt."""

    id: UUID
    face_type: Text
    x: float
    y: float
    letter: str | None


def each_once(faces: Sequence[FaceWish]) -> Sequence[FaceWish]:
    """The faces, when no two have the same id."""
    seen: set[UUID] = set()
    for number, face in enumerate(faces):
        if face.id in seen:
            raise ValueError(f"{number}.id: another face has the same id")
        seen |= set() if face.id is None else {face.id}
    return faces


type Faces = Annotated[Sequence[FaceWish], Field(max_length=100), AfterValidator(each_once)]


class TargetCreate(Boundary):
    """A new target."""

    session_id: UUID
    lane: Ordinal
    distance: Distance | None = Field(None, description="Metres, at most 1000; null: the session's")
    width_mm: Positive
    height_mm: Positive
    faces: Faces = ()


class TargetUpdate(Boundary):
    """What is to change of a target; what is left out stays. Faces are given all together."""

    lane: Ordinal = 1
    distance: Distance | None = None
    width_mm: Positive = 1.0
    height_mm: Positive = 1.0
    faces: Faces = ()


class Target(Boundary):
    """A target."""

    id: UUID
    session_id: UUID
    lane: int
    distance: float | None
    width_mm: float
    height_mm: float
    faces: Sequence[Face]
    created_at: Instant
    updated_at: Instant
