"""The rules tried on a simulated field without a server: what they make of it, and what the oracle
does.

The simulators say what happened and what the readers told of it; the rules see only what a server
would see. Both ends meet here and nowhere else.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from core.domain.clock import Clock, Reading
from core.domain.clock_reading import heard
from core.domain.correlation import correlate
from core.domain.scoring import Face
from core.domain.values import SECOND, Boot, Butt, Event, EventType, Rules, Slot, Watch
from simulators.evaluation import Evaluation, evaluate
from simulators.faults import Fault, Sending, afflicted, clock_noise, clock_offset, drop
from simulators.oracle import Secrets, foretold
from simulators.shooting import Played, play
from simulators.tournament import SHAFT_MM, STYLES, Archer, Plan, archers, rehearsal
from simulators.truth import Truth
from simulators.wire import WireEvent

ARCHERS = 4
ENDS = 10
ARROWS = 6
# When the field begins, and long after everything has happened: microseconds.
BEGIN = 1_800_000_000 * SECOND
LATER = BEGIN + 86_400 * SECOND
# A message is on its way for at least so long, and for so much longer on average.
QUICKEST_S = 0.004
SLOWER_S = 0.01
HERE_ALL_ALONG = Watch(-BEGIN, 2 * LATER, LATER, 0, (Boot(None, LATER),))


@dataclass(frozen=True, slots=True)
class Trial:
    """A field to try the rules on: four archers on each butt, shooting all at once.

    Args:
        distance: Metres.
        noise_ms: How far each event's time is off, one sigma.
        loss: The share of events that never arrive.
        offset_s: How far each reader's clock is off at most.
        own_faces: Each archer has a face of their own.
        shots: About how many.
        seed: The same seed gives the same field.
    """

    distance: float = 70.0
    noise_ms: float = 10.0
    loss: float = 0.01
    offset_s: float = 0.0
    own_faces: bool = False
    shots: int = 20_000
    seed: int = 1

    @property
    def plan(self) -> Plan:
        """The field."""
        butts = max(1, round(self.shots / (ARCHERS * ENDS * ARROWS)))
        return Plan(
            butts=butts,
            archers_per_butt=ARCHERS,
            ends=ENDS,
            arrows_per_end=ARROWS,
            distance=self.distance,
            seed=self.seed,
            spacing="dense",
            own_faces=self.own_faces,
        )

    @property
    def faults(self) -> list[Fault]:
        """What goes wrong on it."""
        wished = [
            (self.loss, drop(self.loss)),
            (self.noise_ms, clock_noise(self.noise_ms / 1000)),
            (self.offset_s, clock_offset(self.offset_s)),
        ]
        return [fault for is_wished, fault in wished if is_wished]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a trial.

    Args:
        trial: Which.
        ours: The verdicts on what the rules say.
        oracle: The verdicts on what the oracle says.
    """

    trial: Trial
    ours: Evaluation
    oracle: Evaluation

    def ratio(self, *, first: bool) -> float:
        """Our errors in units of the oracle's."""
        return self.ours.errors(first=first) / max(1, self.oracle.errors(first=first))


def run_trial(trial: Trial) -> Result:
    """Shoot the field, and hold both against what happened."""
    field = archers(trial.plan, rehearsal(trial.plan))
    played = play(trial.plan, field)
    sent = afflicted(played.events, trial.faults, random.Random(f"{trial.seed} faults"))
    ids = {sending.event.event_id for sending in sent}
    start = datetime.fromtimestamp(BEGIN / SECOND, UTC)
    truth = Truth("", "", [shot.sent(start, ids) for shot in played.shots])
    secrets = Secrets(trial.noise_ms / 1000, trial.loss)
    oracle = _as_shots(foretold(sent, field, secrets), played)
    ours = _correlated(trial, field, sent)
    return Result(trial, evaluate(truth, ours), evaluate(truth, oracle))


def _as_shots(landings: Mapping[str, str | None], played: Played) -> list[dict[str, Any]]:
    """What the oracle says, as the API would show it."""
    slots = {shot.release_event_id: shot.slot_id for shot in played.shots}
    scores = {shot.landing_event_id: shot.score for shot in played.shots}
    return [
        {
            "release_event_id": release,
            "landing_event_id": landing,
            "slot_id": slots[release],
            "status": "missed" if landing is None else "landed",
            "score": 0 if landing is None else scores[landing],
        }
        for release, landing in landings.items()
    ]


def _correlated(
    trial: Trial, field: Sequence[Archer], sent: Sequence[Sending]
) -> list[dict[str, Any]]:
    """What the rules say of each butt, as the API would show it."""
    shown: list[dict[str, Any]] = []
    names = {_id(archer.slot_id): archer.slot_id for archer in field}
    events = _on_the_servers_clock(trial, field, sent)
    for lane in sorted({archer.lane for archer in field}):
        line = [archer for archer in field if archer.lane == lane]
        for shot in correlate(events[lane], _butt(trial, line), LATER).shots:
            landing = shot.landing_event_id
            shown.append(
                {
                    "release_event_id": str(shot.release_event_id),
                    "landing_event_id": None if landing is None else str(landing),
                    "slot_id": names[shot.slot_id],
                    "status": shot.status.value,
                    "score": shot.score,
                    "confidence": shot.confidence,
                    "flags": [flag.value for flag in shot.flags],
                }
            )
    return shown


def _id(name: str) -> UUID:
    return uuid5(NAMESPACE_URL, name)


def _butt(trial: Trial, line: Iterable[Archer]) -> Butt:
    faces = tuple(
        Face(_id(f"face {n}"), face["face_type"], face["x"], face["y"], face["letter"])
        for n, face in enumerate(trial.plan.faces)
    )
    slots = {
        _id(archer.slot_id): Slot(
            _id(archer.slot_id),
            _id(f"archer of {archer.slot_id}"),
            archer.letter,
            STYLES["ABCD".index(archer.letter)],
            SHAFT_MM,
        )
        for archer in line
    }
    return Butt(
        distance_m=trial.distance,
        faces=faces,
        slots=slots,
        arrow_owners={},
        watches=(HERE_ALL_ALONG,),
        opens_at=0,
        closes_at=None,
        rules=Rules(),
        offline_after=30 * SECOND,
    )


def _on_the_servers_clock(
    trial: Trial, field: Sequence[Archer], sent: Sequence[Sending]
) -> dict[int, list[Event]]:
    """What a server has of each lane: each message told it when it left, by its reader's clock."""
    places: dict[str, tuple[int, UUID | None]] = {}
    for archer in field:
        places[archer.bow_reader] = archer.lane, _id(archer.slot_id)
        places[archer.arrow_reader] = archer.lane, _id(archer.slot_id)
        places[archer.target_reader] = archer.lane, None
    rng = random.Random(f"{trial.seed} ways")
    clocks: dict[str, Clock] = {}
    events: dict[int, list[Event]] = {archer.lane: [] for archer in field}
    for sending in sent:
        lane, slot_id = places[sending.event.reader_id]
        received = _at(sending.at + QUICKEST_S + rng.expovariate(1 / SLOWER_S))
        offset = _offset(clocks, sending, received) if trial.offset_s else 0
        events[lane].append(_event(sending.event, slot_id, received, offset))
    return events


def _offset(clocks: dict[str, Clock], sending: Sending, received: int) -> int:
    """By how much the reader's clock is known to be off after this message."""
    said = sending.event
    left = _at(sending.at + said.clock_ahead_s)
    clock = heard(clocks.get(said.reader_id, Clock()), Reading(received, left))
    clocks[said.reader_id] = clock
    return clock.offset_of(_at(said.at + said.clock_ahead_s), received) or 0


def _event(said: WireEvent, slot_id: UUID | None, received: int, offset: int) -> Event:
    return Event(
        id=UUID(said.event_id),
        type=EventType(said.type),
        at=_at(said.at + said.clock_ahead_s) + offset,
        received_at=received,
        slot_id=slot_id,
        x=said.x or 0.0,
        y=said.y or 0.0,
        reader_id=_id(said.reader_id),
    )


def _at(seconds: float) -> int:
    return BEGIN + round(seconds * SECOND)
