"""What an arrow is worth where it stands.

The value is the highest ring that the shaft reaches: a shaft that touches two zones, or the line
between them, scores the higher (WA Book 3, chapter 14). Lengths are millimetres on the butt.
"""

from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from math import hypot, inf
from operator import itemgetter
from uuid import UUID

from msgspec import Struct

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


class Face(Struct, frozen=True):
    """A face on a butt; its letter says whose it is, None: everyone's."""

    id: UUID
    face_type: str
    x: float
    y: float
    letter: str | None


class Score(Struct, frozen=True, gc=False):
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


class _Line(Struct, frozen=True):
    """A ring's outer line, as scoring takes it.

    Args:
        ring: What counts within it.
        radius_mm: Where it is.
        worth: Grows with the score, and parts an X from a ring that scores the same.
        tolerance_mm: How far off it may be printed.
    """

    ring: Ring
    radius_mm: float
    worth: int
    tolerance_mm: float


class _Place(Struct, frozen=True):
    """A shaft against one spot.

    Args:
        face: The face.
        spot: The spot's index.
        edge_mm: From the spot's centre to the shaft's inner edge; below zero when it covers that.
        lines: All of the face, from the innermost outward.
        line: The innermost that it reaches; None: it is off the spot.
    """

    face: Face
    spot: int
    edge_mm: float
    lines: Sequence[_Line]
    line: _Line | None


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
    radius_mm = shaft_diameter_mm / 2
    touch_mm = TOUCH_MM if line_rule is LineRule.INCLUSIVE else -TOUCH_MM
    mine = [face for face in faces if face.letter in (None, letter)]
    own = [place for face in mine for place in _places(face, x, y, radius_mm, touch_mm)]
    hit = _best(own)
    if hit is not None:
        return _score(own, hit, hit)
    others = [f for f in faces if f.letter not in (None, letter) and f.face_type in FACE_TYPES]
    wrong = [place for face in others for place in _places(face, x, y, radius_mm, touch_mm)]
    return _score(own, None, _best(wrong))


def _places(face: Face, x: float, y: float, radius_mm: float, touch_mm: float) -> list[_Place]:
    if face.face_type not in FACE_TYPES:
        raise UnknownFaceType(face.face_type)
    lines, found = _lines(face.face_type), []
    for index, spot in enumerate(FACE_TYPES[face.face_type].spots):
        edge_mm = hypot(x - face.x - spot.x, y - face.y - spot.y) - radius_mm
        found.append(_Place(face, index, edge_mm, lines, _reached(lines, edge_mm, touch_mm)))
    return found


@cache
def _lines(face_type: str) -> tuple[_Line, ...]:
    return tuple(
        _Line(
            ring=ring,
            radius_mm=ring.diameter_mm / 2,
            worth=2 * ring.score + ring.is_x,
            tolerance_mm=TOLERANCE_INNER_MM if ring.score >= INNER_FROM else TOLERANCE_OUTER_MM,
        )
        for ring in FACE_TYPES[face_type].rings
    )


def _reached(lines: Sequence[_Line], edge_mm: float, touch_mm: float) -> _Line | None:
    for line in lines:
        if edge_mm <= line.radius_mm + touch_mm:
            return line
    return None


def _best(places: Sequence[_Place]) -> _Place | None:
    """The hit of most worth; of several the deepest within its ring, then by face and spot."""
    hits = [(_order(p, p.line), p) for p in places if p.line is not None]
    return min(hits, key=itemgetter(0))[1] if hits else None


def _order(place: _Place, line: _Line) -> tuple[int, float, UUID, int]:
    return -line.worth, place.edge_mm - line.radius_mm, place.face.id, place.spot


def _score(own: Sequence[_Place], hit: _Place | None, reached: _Place | None) -> Score:
    """The score of a hit, or of none where another's face may have been reached."""
    line = None if hit is None else hit.line
    ring, worth = (OFF, 0) if line is None else (line.ring, line.worth)
    # How far the lines of rings of more worth are, and the line of the one that was hit.
    near = [
        (abs(place.edge_mm - each.radius_mm), each.tolerance_mm)
        for place in own
        for each in place.lines
        if each.worth > worth or (each is line and place is hit)
    ]
    distances = [mm for mm, _ in near]
    margins = [mm - tolerance for mm, tolerance in near]
    return Score(
        ring.score,
        ring.label,
        ring.is_x,
        None if reached is None else reached.face.id,
        None if reached is None else reached.spot,
        reached is not hit,
        line_distance_mm=min(distances, default=None),
        line_margin_mm=min(margins, default=None),
    )
