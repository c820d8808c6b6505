"""The catalogue of faces: every code, and the numbers that a ruler would find."""

from itertools import combinations
from math import hypot

import pytest

from core.domain.faces import FACE_TYPES, FaceType, Spot

TRIPLES = [f"wa_{cm}_triple_{layout}" for cm in (40, 60) for layout in ("vertical", "vegas")]
COMPOUND = [f"wa_{cm}_full_compound" for cm in (40, 60)] + [f"{code}_compound" for code in TRIPLES]
CODES = {
    *(f"wa_{cm}_full" for cm in (122, 80, 60, 40)),
    *("wa_122_6ring", "wa_80_6ring", "wa_80_5ring"),
    *TRIPLES,
    *COMPOUND,
    *(f"wa_field_{cm}" for cm in (20, 40, 60, 80)),
    *("imperial_122", "worcester_16in", "nfaa_40", "nfaa_40_5spot", "lancaster_40"),
    *(f"ifaa_field_{cm}" for cm in (20, 35, 50, 65)),
}
EVERY_FACE = [pytest.param(face, id=face.code) for face in FACE_TYPES.values()]


def rings_of(code: str) -> list[tuple[str, int, float]]:
    """Label, score and diameter in millimetres of each ring, from the innermost."""
    return [(ring.label, ring.score, ring.diameter_mm) for ring in FACE_TYPES[code].rings]


def spots_of(code: str) -> list[tuple[float, float]]:
    """The centre of each spot, in its order."""
    return [(spot.x, spot.y) for spot in FACE_TYPES[code].spots]


def test_the_catalogue_has_every_code_of_the_contract() -> None:
    assert set(FACE_TYPES) == CODES


def test_each_face_stands_under_its_own_code() -> None:
    assert [face.code for face in FACE_TYPES.values()] == list(FACE_TYPES)


def test_no_two_faces_share_a_name() -> None:
    assert len({face.name for face in FACE_TYPES.values()}) == len(FACE_TYPES)


@pytest.mark.parametrize("face", EVERY_FACE)
def test_rings_grow_outward(face: FaceType) -> None:
    diameters = [ring.diameter_mm for ring in face.rings]
    assert diameters == sorted(set(diameters))


@pytest.mark.parametrize("face", EVERY_FACE)
def test_no_ring_counts_more_than_one_within_it(face: FaceType) -> None:
    scores = [ring.score for ring in face.rings]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("face", EVERY_FACE)
def test_spots_do_not_overlap(face: FaceType) -> None:
    apart = [hypot(a.x - b.x, a.y - b.y) for a, b in combinations(face.spots, 2)]
    assert all(distance > face.rings[-1].diameter_mm for distance in apart)


def test_the_122_cm_face_has_ten_zones_and_an_x() -> None:
    zones = [(str(11 - n), 11 - n, 122.0 * n) for n in range(1, 11)]
    assert rings_of("wa_122_full") == [("X", 10, 61.0), *zones]


@pytest.mark.parametrize(
    ("code", "lowest", "outer_mm"),
    [
        ("wa_80_full", 1, 800.0),
        ("wa_60_full", 1, 600.0),
        ("wa_40_full", 1, 400.0),
        ("wa_122_6ring", 5, 732.0),
        ("wa_80_6ring", 5, 480.0),
        ("wa_80_5ring", 6, 400.0),
        ("wa_40_triple_vertical", 6, 200.0),
        ("wa_60_triple_vegas", 6, 300.0),
    ],
)
def test_a_smaller_print_ends_at_its_lowest_zone(code: str, lowest: int, outer_mm: float) -> None:
    assert rings_of(code)[-1] == (str(lowest), lowest, outer_mm)


@pytest.mark.parametrize("code", TRIPLES)
def test_a_recurve_triple_keeps_its_x(code: str) -> None:
    assert [label for label, _, _ in rings_of(code)] == ["X", "10", "9", "8", "7", "6"]


@pytest.mark.parametrize("code", COMPOUND)
def test_compound_indoors_has_no_x(code: str) -> None:
    assert not any(ring.is_x for ring in FACE_TYPES[code].rings)


def test_compound_indoors_scores_ten_in_the_inner_ring_alone() -> None:
    assert rings_of("wa_40_full_compound")[:3] == [
        ("10", 10, 20.0),
        ("9", 9, 80.0),
        ("8", 8, 120.0),
    ]


def test_vertical_triples_are_numbered_from_the_top() -> None:
    assert spots_of("wa_40_triple_vertical") == [(0, 220), (0, 0), (0, -220)]


def test_vertical_60_cm_triples_stand_32_cm_apart() -> None:
    assert spots_of("wa_60_triple_vertical") == [(0, 320), (0, 0), (0, -320)]


def test_vegas_triples_are_numbered_from_the_tip() -> None:
    assert spots_of("wa_40_triple_vegas") == [(0, 127.0), (-110, -63.5), (110, -63.5)]


def test_vegas_60_cm_triples_stand_32_cm_apart() -> None:
    assert spots_of("wa_60_triple_vegas") == [(0, 184.8), (-160, -92.4), (160, -92.4)]


def test_the_five_spot_has_four_corners_around_its_centre() -> None:
    corners = [(-120, 120), (120, 120), (0, 0), (-120, -120), (120, -120)]
    assert spots_of("nfaa_40_5spot") == corners


def test_the_field_face_has_a_six_and_no_x() -> None:
    assert rings_of("wa_field_20") == [
        ("6", 6, 20.0),
        ("5", 5, 40.0),
        ("4", 4, 80.0),
        ("3", 3, 120.0),
        ("2", 2, 160.0),
        ("1", 1, 200.0),
    ]


def test_the_ifaa_face_has_three_zones_and_an_x() -> None:
    zones = [("X", 5, 35.0), ("5", 5, 70.0), ("4", 4, 210.0), ("3", 3, 350.0)]
    assert rings_of("ifaa_field_35") == zones


def test_the_imperial_face_counts_odd_numbers() -> None:
    zones = [("9", 9, 244.0), ("7", 7, 488.0), ("5", 5, 732.0), ("3", 3, 976.0), ("1", 1, 1220.0)]
    assert rings_of("imperial_122") == zones


def test_the_worcester_face_is_measured_in_inches() -> None:
    inches = [round(diameter_mm / 25.4, 6) for _, _, diameter_mm in rings_of("worcester_16in")]
    assert inches == [3.2, 6.4, 9.6, 12.8, 16.0]


def test_the_nfaa_face_counts_five_to_one_and_its_x_five() -> None:
    zones = [(str(5 - n), 5 - n, 80.0 * (n + 1)) for n in range(5)]
    assert rings_of("nfaa_40") == [("X", 5, 40.0), *zones]


def test_the_five_spot_ends_at_four() -> None:
    assert rings_of("nfaa_40_5spot") == [("X", 5, 40.0), ("5", 5, 80.0), ("4", 4, 160.0)]


def test_the_lancaster_x_counts_eleven() -> None:
    assert rings_of("lancaster_40")[:2] == [("X", 11, 20.0), ("10", 10, 40.0)]


def test_a_single_face_has_its_spot_in_the_middle() -> None:
    assert FACE_TYPES["wa_80_6ring"].spots == (Spot(0.0, 0.0),)
