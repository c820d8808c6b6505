"""A tournament's plan, and its field: who stands where, with which readers around them."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from simulators.flight import Bow, draw_bow

BUTT_MM = 1300.0
# The furthest distance at which the small face hangs.
INDOORS_M = 25.0
LETTERS = "ABCD"
SHAFT_MM = 5.5
STYLES = ("recurve", "compound", "barebow", "recurve")
# Where four faces hang: A top left, B top right, C bottom left, D bottom right.
CENTRES = {"A": (-325.0, 325.0), "B": (325.0, 325.0), "C": (-325.0, -325.0), "D": (325.0, -325.0)}


@dataclass(frozen=True, slots=True)
class Plan:
    """What kind of tournament.

    Args:
        butts: How many.
        archers_per_butt: 1 to 4.
        ends: How many each shoots.
        arrows_per_end: Arrows of an archer in an end.
        distance: Metres.
        seed: The same seed gives the same tournament.
        spacing: `clear`: the archers of a butt shoot in turn, no two arrows of a butt are in the
            air within the landing window, so that every shot can be told. `dense`: all at once,
            each every 14 to 26 s.
        own_faces: Each archer has a face of their own; else one hangs for all.
    """

    butts: int
    archers_per_butt: int = 4
    ends: int = 4
    arrows_per_end: int = 6
    distance: float = 70.0
    seed: int = 1
    spacing: Literal["clear", "dense"] = "clear"
    own_faces: bool = False

    @property
    def face(self) -> str:
        """What hangs on the butts."""
        if self.is_indoor:
            return "wa_40_full"
        return "wa_80_6ring" if self.own_faces else "wa_122_full"

    @property
    def faces(self) -> list[dict[str, Any]]:
        """The faces of a butt: one for all at the centre, or one for each archer around it."""
        if not self.own_faces:
            return [{"face_type": self.face, "x": 0, "y": 0, "letter": None}]
        return [
            {"face_type": self.face, "x": x, "y": y, "letter": letter}
            for letter, (x, y) in CENTRES.items()
        ][: self.archers_per_butt]

    @property
    def is_indoor(self) -> bool:
        """Whether there is a roof over it."""
        return self.distance <= INDOORS_M

    @property
    def group_mm(self) -> float:
        """A usual archer's group."""
        return 1.9 * self.distance


@dataclass(frozen=True, slots=True)
class Archer:
    """Someone at a place, with the readers around them."""

    lane: int
    letter: str
    slot_id: str
    bow: Bow
    group_mm: float
    bow_reader: str
    arrow_reader: str
    target_reader: str
    arrows: Sequence[str]


def start_list(plan: Plan) -> dict[str, Any]:
    """The field, as the API takes it; the arrows' tags get their ids there."""
    places = [
        (n, letter) for n in range(1, plan.butts + 1) for letter in LETTERS[: plan.archers_per_butt]
    ]
    return {
        "width_mm": BUTT_MM,
        "height_mm": BUTT_MM,
        "faces": plan.faces,
        "entries": [
            {
                "lane": lane,
                "letter": letter,
                "given_name": f"Archer {lane}{letter}",
                "family_name": "Simulated",
                "bowstyle": STYLES[LETTERS.index(letter)],
                "shaft_diameter_mm": SHAFT_MM,
                "arrows": [
                    {"id": None, "identifier": f"{lane}{letter}{number}"[:10]}
                    for number in range(1, plan.arrows_per_end + 1)
                ],
            }
            for lane, letter in places
        ],
    }


def archers(plan: Plan, made: Mapping[str, Any]) -> list[Archer]:
    """The archers of a field that the API has made.

    Args:
        plan: The tournament.
        made: The answer to the start list.
    """
    rng = random.Random(f"{plan.seed} archers")
    targets = {target["lane"]: target["reader_id"] for target in made["targets"]}
    found = []
    for slot in sorted(made["slots"], key=lambda s: (s["lane"], s["letter"])):
        bow = draw_bow(STYLES[LETTERS.index(slot["letter"])], plan.distance, rng)
        group_mm = plan.group_mm * rng.uniform(0.5, 1.5)
        found.append(
            Archer(
                slot["lane"],
                slot["letter"],
                slot["id"],
                bow,
                group_mm,
                slot["bow_reader_id"],
                slot["arrow_reader_id"],
                targets[slot["lane"]],
                slot["arrow_ids"],
            )
        )
    return found


def rehearsal(plan: Plan) -> dict[str, Any]:
    """A field as the API would make it, but for the ids: a tournament there lasts as long."""
    return {
        "targets": [{"lane": n, "reader_id": f"target {n}"} for n in range(1, plan.butts + 1)],
        "slots": [
            {
                "id": f"slot {place}",
                "lane": entry["lane"],
                "letter": entry["letter"],
                "bow_reader_id": f"bow {place}",
                "arrow_reader_id": f"arrow {place}",
                "arrow_ids": [arrow["identifier"] for arrow in entry["arrows"]],
            }
            for entry in start_list(plan)["entries"]
            for place in [f"{entry['lane']}{entry['letter']}"]
        ],
    }
