"""A whole tournament: who shoots when, what the readers say of it, and what really happened."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from simulators.arrow_reader import identified
from simulators.bow_reader import drawn_and_released
from simulators.flight import Bow, draw_bow
from simulators.target_reader import landed
from simulators.truth import TrueShot, worth
from simulators.wire import WireEvent

MISS_SHARE = 0.02
LET_DOWN_SHARE = 0.05
WALK_S = 20.0
# Longer than any arrow may fly: then nothing but the order tells whose landing it is.
CLEAR_GAP_S = 3.3
GAP_SPREAD_S = 1.7
# No archer shoots two arrows faster than this.
OWN_GAP_S = 12.5
DENSE_GAP_S = (14.0, 26.0)
LETTERS = "ABCD"
SHAFT_MM = 5.5
STYLES = ("recurve", "compound", "barebow", "recurve")


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
    """

    butts: int
    archers_per_butt: int = 4
    ends: int = 4
    arrows_per_end: int = 6
    distance: float = 70.0
    seed: int = 1
    spacing: Literal["clear", "dense"] = "clear"

    @property
    def face(self) -> str:
        """What hangs on the butts."""
        return "wa_40_full" if self.distance <= 25 else "wa_122_full"

    @property
    def group_mm(self) -> float:
        """A usual archer's group."""
        return 1.9 * self.distance


@dataclass(frozen=True, slots=True)
class Archer:
    """Someone at a place, with the readers around them."""

    lane: int
    slot_id: str
    bow: Bow
    group_mm: float
    bow_reader: str
    arrow_reader: str
    target_reader: str
    arrows: Sequence[str]


@dataclass(frozen=True, slots=True)
class Played:
    """What was shot, and what the readers said of it, in the order of time."""

    events: Sequence[WireEvent]
    shots: Sequence[TrueShot]

    @property
    def lasts_s(self) -> float:
        """Seconds until the last event."""
        return max((event.at for event in self.events), default=0.0)


def start_list(plan: Plan) -> dict[str, Any]:
    """The field, as the API takes it."""
    places = [
        (n, letter) for n in range(1, plan.butts + 1) for letter in LETTERS[: plan.archers_per_butt]
    ]
    return {
        "faces": [{"face_type": plan.face, "x": 0, "y": 0, "letter": None}],
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


def play(plan: Plan, field: Sequence[Archer], begin: float = 5.0) -> Played:
    """Shoot the tournament.

    Args:
        plan: What kind.
        field: Who shoots.
        begin: Seconds after the start at which the shooting begins; the first bows are drawn
            before.
    """
    events: list[WireEvent] = []
    shots: list[TrueShot] = []
    lanes = sorted({archer.lane for archer in field})
    for lane in lanes:
        rng = random.Random(f"{plan.seed} lane {lane}")
        line = [archer for archer in field if archer.lane == lane]
        for archer, number, released_at in _releases(plan, line, begin, rng):
            said, shot = _shoot(plan, archer, number, released_at, rng)
            events += said
            shots.append(shot)
    return Played(
        sorted(events, key=lambda event: (event.at, event.event_id)),
        sorted(shots, key=lambda shot: (shot.released_at, shot.release_event_id)),
    )


def _releases(
    plan: Plan, line: Sequence[Archer], begin: float, rng: random.Random
) -> Iterator[tuple[Archer, int, float]]:
    """Who releases which arrow of an end when, at one butt."""
    at = begin + rng.uniform(0.0, 3.0)
    gap = max(CLEAR_GAP_S, OWN_GAP_S / len(line))
    for _ in range(plan.ends):
        if plan.spacing == "clear":
            for number in range(plan.arrows_per_end):
                for archer in line:
                    at += gap + rng.uniform(0, GAP_SPREAD_S)
                    yield archer, number, round(at, 3)
        else:
            ended = at
            for archer in line:
                own = at + rng.uniform(0, DENSE_GAP_S[1])
                for number in range(plan.arrows_per_end):
                    yield archer, number, round(own, 3)
                    own += rng.uniform(*DENSE_GAP_S)
                ended = max(ended, own)
            at = ended
        at += WALK_S


def _shoot(
    plan: Plan, archer: Archer, number: int, released_at: float, rng: random.Random
) -> tuple[list[WireEvent], TrueShot]:
    """One arrow: what the readers say, and what really happened."""
    let_down = rng.random() < LET_DOWN_SHARE
    engage, release, given_up = drawn_and_released(
        archer.bow_reader, released_at, rng, let_down=let_down
    )
    arrow_id = archer.arrows[number % len(archer.arrows)] if archer.arrows else None
    said = [engage, release, *given_up]
    if arrow_id is not None:
        said.append(identified(archer.arrow_reader, arrow_id, engage.at, rng))
    if rng.random() < MISS_SHARE:
        return said, TrueShot(archer.slot_id, arrow_id, release.event_id, None, released_at, 0)
    flight_s = archer.bow.flight_s(rng)
    hit = landed(archer.target_reader, released_at, flight_s, archer.group_mm, rng)
    score = worth(hit.x or 0.0, hit.y or 0.0, SHAFT_MM, plan.face)
    shot = TrueShot(archer.slot_id, arrow_id, release.event_id, hit.event_id, released_at, score)
    return [*said, hit], shot
