"""What an arrow is worth where it stands.

The value is the highest ring that the shaft reaches: a shaft that touches two zones, or the line
between them, scores the higher (WA Book 3, chapter 14). Lengths are millimetres on the butt.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import hypot, inf
from uuid import UUID

from core.domain.errors import NoFace, UnknownFaceType
from core.domain.faces import FACE_TYPES, Ring

OFF = Ring(inf, 0, "M")
# Decimal coordinates are not exact in binary. A shaft within a nanometre of a line touches it: far
# above what the arithmetic adds, far below what a reader can tell.
TOUCH_MM = 1e-6
# How far a line may be from where it belongs: printed diameters are right to 1 mm from the X to the
# 8, to 2 mm from the 7 to the 1 (Polish federation rulebook 2024, after WA Book 2, chapter 7).
INNER_FROM = 8
TOLERANCE_INNER_MM = 0.5
TOLERANCE_OUTER_MM = 1.0


class LineRule(StrEnum):
    """Whether a shaft that only touches a line has reached the ring within it."""

    INCLUSIVE = "inclusive"
    MUST_CUT = "must_cut"


@dataclass(frozen=True, slots=True)
class Face:
    """A face on a butt; its letter says whose it is, None: everyone's."""

    id: UUID
    face_type: str
    x: float
    y: float
    letter: str | None


@dataclass(frozen=True, slots=True)
class Score:
    """The value of a landing.

    Args:
        score: Signed, since some local rules count below zero.
        label: As on a scorecard: ``X``, ``10`` to ``1``, ``M``.
        is_x: Whether it is in an inner ring that is counted apart.
        face_id: The face that was reached, also when it is the wrong one; None: none.
        spot: The spot reached, an index into the face type's spots; None: none.
        is_wrong_face: It reached only faces with another's letter, and so is a miss.
        line_distance_mm: From the shaft's inner edge to the nearest line beyond which the score or
            the X would change; None: no face on the butt counts for this archer.
        line_margin_mm: The same to where that line may be: a face may be printed a little larger or
            smaller. Below zero: the face alone leaves it open.
    """

    score: int
    label: str
    is_x: bool
    face_id: UUID | None
    spot: int | None
    is_wrong_face: bool
    line_distance_mm: float | None
    line_margin_mm: float | None


@dataclass(frozen=True, slots=True)
class _Place:
    """A shaft against one spot; the inner edge is below zero when it covers the spot's centre."""

    face: Face
    spot: int
    edge_mm: float
    rings: tuple[Ring, ...]
    ring: Ring

    def beyond_mm(self, ring: Ring) -> float:
        """From that ring's line outward to the edge, so below zero within."""
        return self.edge_mm - ring.diameter_mm / 2


def score_landing(
    x: float,
    y: float,
    *,
    faces: Sequence[Face],
    letter: str,
    shaft_diameter_mm: float,
    line_rule: LineRule,
) -> Score:
    """The best that the shaft reaches on the faces that are the archer's own or everyone's.

    Reaching only another's face is a miss (WA Book 3, chapter 14). Such a face is passed over when
    its type is unknown: it could add nothing to the score. The order of the faces has no effect.

    Args:
        x: The shaft's centre, to the right of the butt's.
        y: The shaft's centre, above the butt's.
        faces: All that hang on the butt.
        letter: The archer's.
        shaft_diameter_mm: The arrow's.
        line_rule: What touching a line is worth.

    Raises:
        NoFace: No face hangs on the butt.
        UnknownFaceType: A face that counts for the archer is not in the catalogue.
    """
    if not faces:
        raise NoFace()
    known = [f for f in faces if f.letter in (None, letter) or f.face_type in FACE_TYPES]
    touch_mm = TOUCH_MM if line_rule is LineRule.INCLUSIVE else -TOUCH_MM
    places = [p for f in known for p in _places(f, x, y, shaft_diameter_mm / 2, touch_mm)]
    return _score(places, [p for p in places if p.face.letter in (None, letter)])


def _places(face: Face, x: float, y: float, radius_mm: float, touch_mm: float) -> Iterator[_Place]:
    face_type = FACE_TYPES.get(face.face_type)
    if face_type is None:
        raise UnknownFaceType(face.face_type)
    for index, spot in enumerate(face_type.spots):
        edge_mm = hypot(x - face.x - spot.x, y - face.y - spot.y) - radius_mm
        reached = (r for r in face_type.rings if edge_mm <= r.diameter_mm / 2 + touch_mm)
        yield _Place(face, index, edge_mm, face_type.rings, next(reached, OFF))


def _score(places: Sequence[_Place], own: Sequence[_Place]) -> Score:
    hit = _best(own)
    reached, ring = hit or _best(places), hit.ring if hit else OFF
    face_id, spot = (reached.face.id, reached.spot) if reached else (None, None)
    lines = list(_lines(own, hit))
    return Score(
        ring.score,
        ring.label,
        ring.is_x,
        face_id,
        spot,
        reached is not hit,
        line_distance_mm=min((mm for mm, _ in lines), default=None),
        line_margin_mm=min((mm - tolerance for mm, tolerance in lines), default=None),
    )


def _worth(ring: Ring) -> int:
    """Grows with the score, and parts an X from a ring that scores the same."""
    return 2 * ring.score + ring.is_x


def _order(place: _Place) -> tuple[int, float, UUID, int]:
    return -_worth(place.ring), place.beyond_mm(place.ring), place.face.id, place.spot


def _best(places: Sequence[_Place]) -> _Place | None:
    """The hit of most worth; of several the deepest within its ring, then by face and spot."""
    return min((p for p in places if p.ring is not OFF), key=_order, default=None)


def _lines(own: Sequence[_Place], hit: _Place | None) -> Iterator[tuple[float, float]]:
    """How far the lines of rings of more worth are, and the line of the one that was hit; and how
    far off each may be printed."""
    worth = _worth(hit.ring if hit else OFF)
    if hit:
        yield abs(hit.beyond_mm(hit.ring)), _tolerance_mm(hit.ring)
    for place in own:
        for ring in place.rings:
            if _worth(ring) > worth:
                yield abs(place.beyond_mm(ring)), _tolerance_mm(ring)


def _tolerance_mm(ring: Ring) -> float:
    return TOLERANCE_INNER_MM if ring.score >= INNER_FROM else TOLERANCE_OUTER_MM
