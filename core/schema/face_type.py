"""The catalogue of faces, as it is shown."""

from collections.abc import Sequence

from pydantic import Field

from core.domain.faces import FACE_TYPES
from core.schema.types import Boundary


class SpotShown(Boundary):
    """The centre of a spot, millimetres from the face's."""

    x: float
    y: float


class RingShown(Boundary):
    """A scoring zone."""

    diameter_mm: float
    score: int
    label: str


class FaceTypeShown(Boundary):
    """A kind of face."""

    code: str
    name: str
    spots: Sequence[SpotShown]
    rings: Sequence[RingShown] = Field(description="Of each spot, the innermost first")


def catalogue() -> list[FaceTypeShown]:
    """All kinds of face, in the order of their codes."""
    return [
        FaceTypeShown(
            code=face.code,
            name=face.name,
            spots=[SpotShown(x=spot.x, y=spot.y) for spot in face.spots],
            rings=[
                RingShown(diameter_mm=ring.diameter_mm, score=ring.score, label=ring.label)
                for ring in face.rings
            ],
        )
        for _, face in sorted(FACE_TYPES.items())
    ]
