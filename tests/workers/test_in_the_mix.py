"""Clocks that disagree, heartbeats, ends, rulings and events in any order: all at once."""

import random
from collections.abc import Awaitable, Callable, Sequence
from copy import replace
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from core.domain.ends import EndControl
from core.domain.outcome import shot_id
from core.domain.rulings import Action
from core.domain.values import EventType, Shot, ShotFlag, Status
from core.models.recompute import request_recompute
from core.models.ruling import NewRuling
from core.schema.inbox import Accepted, AcceptedEvent
from tests.fields import Field, put_up
from tests.workers.conftest import Range
from tests.workers.test_clocks import SECOND, Wrong, empty
from tests.workers.test_ends import derived_anew, hang, open_end, rules_changed
from tests.workers.test_rulings import NINE, rule, saying
from workers.deps import Deps

LETTERS = "ABCD"
SHOOTING = [(0, 100), (140, 230), (270, 380)]

type Step = Callable[[Range], Awaitable[object]]


@pytest.fixture(name="line")
async def _line(deps: Deps) -> Range:
    """Two butts with four archers each, who shoot ends of three arrows."""
    rules: dict[str, int | str] = {"arrows_per_end": 3}
    async with deps.pool.acquire() as conn:
        field = await put_up(conn, lanes=2, letters=LETTERS, rules=rules)
        await hang(conn, field, "wa_122_full")
    return Range(deps, field)


def clocks(field: Field, rng: random.Random) -> Wrong:
    """Clocks that are up to two seconds off, either way."""
    return Wrong(field, {name: rng.randint(-2 * SECOND, 2 * SECOND) for name in field.readers})


@dataclass(frozen=True, slots=True)
class Arrow:
    """What was said of one arrow at the first butt: by its bow, and by the butt unless it missed
    or was not seen."""

    said: Sequence[AcceptedEvent]

    @property
    def release(self) -> AcceptedEvent:
        """As the bow saw it leave."""
        return self.said[1]


def shoot(wrong: Wrong, rng: random.Random) -> tuple[list[Arrow], list[AcceptedEvent]]:
    """Four archers who all shoot at their own pace, many arrows in the air at once, also while no
    end is open; and the impacts that nobody shot."""
    arrows: list[Arrow] = []
    field = wrong.field
    for letter in LETTERS:
        at = rng.uniform(2, 8)
        bow = f"1{letter} bow"
        while at < 390:
            said = [(bow, field.event(bow, EventType.ENGAGE, at - 2))]
            said.append((bow, field.release(at, f"1{letter}")))
            if rng.random() < 0.9:
                x, y = rng.gauss(0, 120), rng.gauss(0, 120)
                flown = at + rng.gauss(0.4, 0.02)
                said.append(("1 target", field.landed(flown, x=x, y=y)))
            arrows.append(Arrow([wrong.told(each, name, received(each)) for name, each in said]))
            at += rng.uniform(20, 34)
    strays = [field.landed(second, x=500) for second in (33.3, 120.5, 250.1)]
    return arrows, [wrong.told(each, "1 target", received(each)) for each in strays]


def received(event: AcceptedEvent) -> int:
    """When it is heard of: long ago, so that nobody waits for what may still come."""
    return event.ts + 10_000


def beats(wrong: Wrong) -> list[Accepted]:
    """Every reader of the first butt says every minute that it is there."""
    names = [name for name in wrong.behind if name.startswith("1")]
    times = [wrong.field.starts_at + minute * 60 * SECOND for minute in range(7)]
    return [wrong.beat(name, at, started_at=times[0]) for name in names for at in times]


def ruled(line: Range, arrows: Sequence[Arrow], stray: AcceptedEvent) -> list[NewRuling]:
    """A ruling of every kind."""
    hits = [arrow for arrow in arrows if len(arrow.said) == 3]
    one, other = line.field.slots["1A"], line.field.slots["1B"]

    def of(action: Action, arrow: Arrow, **more: Any) -> NewRuling:
        new = saying(line, action, *arrow.said[1:])
        return replace(new, shot_id=shot_id(arrow.release.event_id), **more)

    given = hits[9].said[2]
    return [
        of(Action.SCORE, hits[2], worth=NINE),
        of(Action.VOID, hits[5]),
        of(Action.MOVE, hits[7], slot_id=other),
        of(Action.ASSIGN_LANDING, hits[11]),
        of(Action.ASSIGN_LANDING, hits[14], landing_event_id=given.event_id),
        replace(
            saying(line, Action.SWAP, hits[16].release, hits[19].release),
            slot_id=one,
            other_slot_id=other,
        ),
        replace(
            saying(line, Action.SHOT, stray),
            landing_event_id=stray.event_id,
            shot_id=shot_id(stray.event_id),
            slot_id=other,
        ),
    ]


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that viewers and judges can see, apart from versions."""

    shots: Sequence[Shot]
    ends: Sequence[int]
    rows: Sequence[Sequence[object]]


async def outcome(line: Range) -> Outcome:
    """What came of it."""
    async with line.deps.pool.acquire() as conn:
        rows = await conn.fetch(
            "SELECT landing_event_id, reason FROM unmatched_landing ORDER BY landing_event_id"
        )
        rows += await conn.fetch("SELECT slot_id, total, arrows FROM standing ORDER BY slot_id")
    known = await line.shots()
    return Outcome(
        [each.shot for each in known],
        [each.end_number for each in known],
        [tuple(row) for row in rows],
    )


async def play(
    line: Range, said: Sequence[Accepted], steps: Sequence[Step], rng: random.Random
) -> None:
    """Events and heartbeats in batches of any size, with steps between them, and some twice."""
    coming, waiting = list(said) + rng.choices(said, k=len(said) // 5), list(steps)
    rng.shuffle(coming)
    rng.shuffle(waiting)
    while coming or waiting:
        size = rng.randint(1, 40)
        await line.say(*coming[:size])
        coming = coming[size:]
        if waiting and (not coming or rng.random() < 0.7):
            await waiting.pop()(line)
    await line.say(line.field.beat())


@pytest.mark.parametrize("control", list(EndControl))
async def test_any_order_of_events_beats_ends_and_rulings_ends_in_the_same(
    line: Range, control: EndControl
) -> None:
    rng = random.Random(f"mix {control}")
    await rules_changed(line, end_control=control, ends=3)
    wrong = clocks(line.field, rng)
    arrows, strays = shoot(wrong, rng)
    said: list[Accepted] = [event for arrow in arrows for event in arrow.said]
    said += [*strays, *beats(wrong)]
    rulings = ruled(line, arrows, strays[0])
    steps: list[Step] = [partial(_rule, new=new) for new in rulings]
    if control is EndControl.MANUAL:
        steps += [partial(_open, number=n + 1, bounds=each) for n, each in enumerate(SHOOTING)]
    # A judge can only speak of landings that are known.
    spoken_of = [each for each in said if _id(each) in {new.landing_event_id for new in rulings}]
    outcomes = []
    for _ in range(3):
        await line.say(*spoken_of)
        await play(line, said, steps, rng)
        outcomes.append(await outcome(line))
        await _from_stored_rows(line)
        outcomes.append(await outcome(line))
        await _forget(line)
    assert all(each == outcomes[0] for each in outcomes)
    assert len(outcomes[0].shots) == len(arrows) + 1
    hold_together(outcomes[0].shots)
    assert set(outcomes[0].ends) == {1, 2, 3}


def hold_together(shots: Sequence[Shot]) -> None:
    """No landing counts twice, and whatever can happen did."""
    landings = [s.landing_event_id for s in shots if s.landing_event_id]
    assert len(set(landings)) == len(landings)
    assert {s.status for s in shots} == {Status.LANDED, Status.MISSED, Status.VOIDED}
    flags = {flag for s in shots for flag in s.flags}
    assert {ShotFlag.RULED, ShotFlag.EXTRA_ARROW} <= flags


def _id(accepted: Accepted) -> UUID | None:
    return accepted.event_id if isinstance(accepted, AcceptedEvent) else None


async def _open(line: Range, number: int, bounds: tuple[int, int]) -> None:
    await open_end(line, number, *bounds)
    await derived_anew(line, since=bounds[0])


async def _forget(line: Range) -> None:
    await empty(line)
    async with line.deps.pool.acquire() as conn:
        await conn.execute("DELETE FROM shooting_end")


async def _rule(line: Range, new: NewRuling) -> None:
    await rule(line, new)
    await line.say()


async def _from_stored_rows(line: Range) -> None:
    """Everything is derived again from the events, with nothing learned and no shot known."""
    async with line.deps.pool.acquire() as conn:
        await conn.execute("TRUNCATE standing, lesson, unmatched_landing")
        await conn.execute("UPDATE shot SET confidence = 0")
        await request_recompute(conn, line.field.targets.values())
    await line.say()
