"""The catalogue of faces: where their spots are and what their rings count.

Lengths are millimetres from the face's centre, x to the right and y upward. Spots are numbered as
one reads: from the top row down, within a row from left to right.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from types import MappingProxyType

from msgspec import Struct

X_LABEL = "X"


class Ring(Struct, frozen=True):
    """All that lies within a circle, as far as no smaller ring of the face takes it."""

    diameter_mm: float
    score: int
    label: str

    @property
    def is_x(self) -> bool:
        """Whether it is the inner ring that is counted apart."""
        return self.label == X_LABEL


class Spot(Struct, frozen=True):
    """The centre of one set of rings."""

    x: float
    y: float


class FaceType(Struct, frozen=True):
    """A printed face: the same rings around each of its spots.

    Args:
        code: What sessions call it, such as ``wa_122_full``.
        name: What people call it.
        spots: In reading order; a shot's spot is the index here.
        rings: From the innermost, which counts most, outward.
    """

    code: str
    name: str
    spots: tuple[Spot, ...]
    rings: tuple[Ring, ...]


SINGLE = (Spot(0.0, 0.0),)

# The NFAA's rules give the rings alone. 120 mm is what puts 16 cm spots into the corners of a 40 cm
# sheet, and within a millimetre what faces measure in photographs.
FIVE = (Spot(-120.0, 120.0), Spot(120.0, 120.0), *SINGLE, Spot(-120.0, -120.0), Spot(120.0, -120.0))


def vertical(apart_mm: float) -> tuple[Spot, ...]:
    """Three spots in a column, centres that far apart (22 or 32 cm: WA Book 2, chapter 7)."""
    return (Spot(0.0, apart_mm), *SINGLE, Spot(0.0, -apart_mm))


def vegas(apart_mm: float) -> tuple[Spot, ...]:
    """An equilateral triangle of spots around its own centre, tip up (WA Book 2, chapter 7)."""
    top, low = round(apart_mm / sqrt(3), 1), -round(apart_mm / sqrt(12), 1)
    return (Spot(0.0, top), Spot(-apart_mm / 2, low), Spot(apart_mm / 2, low))


def ten_zone(diameter_mm: float, *, lowest: int = 1) -> tuple[Ring, ...]:
    """Zone v at (11 - v) tenths of the full face, X at a twentieth (WA Book 2, chapter 7).

    Args:
        diameter_mm: Of the full face, also where only its inner rings are printed.
        lowest: The outermost zone printed: 5 with six rings, 6 with five and on triple faces.
    """
    zones = (Ring((11 - v) * diameter_mm / 10, v, str(v)) for v in range(10, lowest - 1, -1))
    return (Ring(diameter_mm / 20, 10, X_LABEL), *zones)


def compound_indoor(diameter_mm: float, *, lowest: int = 1) -> tuple[Ring, ...]:
    """What is the X elsewhere is the only 10, the rest of the gold 9 (WA Book 3, chapter 14)."""
    return (Ring(diameter_mm / 20, 10, "10"), *ten_zone(diameter_mm, lowest=lowest)[2:])


def fifths(diameter_mm: float, scores: Sequence[int]) -> tuple[Ring, ...]:
    """Rings at each fifth of a face, innermost first; fewer scores leave the outer ones out."""
    # Inches do not divide evenly in binary; a micrometre is finer than any print.
    return tuple(
        Ring(round(fifth * diameter_mm / 5, 3), score, str(score))
        for fifth, score in enumerate(scores, start=1)
    )


def wa_field(diameter_mm: float) -> tuple[Ring, ...]:
    """6 at a tenth, then 5 to 1 at the fifths, and no X (WA Book 4, field faces)."""
    return (Ring(diameter_mm / 10, 6, "6"), *fifths(diameter_mm, (5, 4, 3, 2, 1)))


def ifaa_field(diameter_mm: float) -> tuple[Ring, ...]:
    """5, 4 and 3 at one, three and five fifths; X, a 5, at a tenth (IFAA field face)."""
    five, _, four, _, three = fifths(diameter_mm, (5, 5, 4, 4, 3))
    return (Ring(diameter_mm / 10, 5, X_LABEL), five, four, three)


def nfaa_indoor(scores: Sequence[int]) -> tuple[Ring, ...]:
    """5 at 8 cm and a zone every 8 cm outward; X, a 5, at 4 cm (NFAA indoor round, 40 cm face)."""
    return (Ring(40.0, 5, X_LABEL), *fifths(400.0, scores))


def _wa_target() -> Iterator[FaceType]:
    for cm in (122, 80, 60, 40):
        yield FaceType(f"wa_{cm}_full", f"WA {cm} cm", SINGLE, ten_zone(cm * 10.0))
    for cm, printed in ((122, 6), (80, 6), (80, 5)):
        rings = ten_zone(cm * 10.0, lowest=11 - printed)
        yield FaceType(f"wa_{cm}_{printed}ring", f"WA {cm} cm, {printed} rings", SINGLE, rings)


def _wa_indoor() -> Iterator[FaceType]:
    for cm, apart_mm in ((60, 320.0), (40, 220.0)):
        code, name, rings = f"wa_{cm}_full_compound", f"WA {cm} cm", compound_indoor(cm * 10.0)
        yield FaceType(code, f"{name}, compound indoors", SINGLE, rings)
        for layout, spots in (("vertical", vertical(apart_mm)), ("Vegas", vegas(apart_mm))):
            code, name = f"wa_{cm}_triple_{layout.lower()}", f"WA {cm} cm triple, {layout}"
            yield FaceType(code, name, spots, ten_zone(cm * 10.0, lowest=6))
            rings = compound_indoor(cm * 10.0, lowest=6)
            yield FaceType(f"{code}_compound", f"{name}, compound indoors", spots, rings)


def _others() -> Iterator[FaceType]:
    for cm in (20, 40, 60, 80):
        yield FaceType(f"wa_field_{cm}", f"WA field {cm} cm", SINGLE, wa_field(cm * 10.0))
    for cm in (20, 35, 50, 65):
        yield FaceType(f"ifaa_field_{cm}", f"IFAA field {cm} cm", SINGLE, ifaa_field(cm * 10.0))
    # Archery GB's five-zone scoring, and its Worcester face of 16 inches.
    imperial, worcester = fifths(1220.0, (9, 7, 5, 3, 1)), fifths(406.4, (5, 4, 3, 2, 1))
    yield FaceType("imperial_122", "Imperial 122 cm, five zones", SINGLE, imperial)
    yield FaceType("worcester_16in", "Worcester 16 in", SINGLE, worcester)
    yield FaceType("nfaa_40", "NFAA indoor 40 cm", SINGLE, nfaa_indoor((5, 4, 3, 2, 1)))
    yield FaceType("nfaa_40_5spot", "NFAA indoor five-spot", FIVE, nfaa_indoor((5, 4)))
    # The WA 40 cm face but for its X, which the Lancaster Archery Classic counts 11.
    lancaster = (Ring(20.0, 11, X_LABEL), *ten_zone(400.0)[1:])
    yield FaceType("lancaster_40", "Lancaster 40 cm", SINGLE, lancaster)


FACE_TYPES: Mapping[str, FaceType] = MappingProxyType(
    {face.code: face for face in (*_wa_target(), *_wa_indoor(), *_others())}
)
