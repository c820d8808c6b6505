"""What comes minutes late changes what it must and nothing else."""

import json
import random
from collections.abc import Sequence
from typing import Any

import pytest

from core.domain.values import Shot, Status
from core.schema.inbox import AcceptedEvent
from tests.fields import Field, put_up
from tests.workers.conftest import Range
from workers.deps import Deps


@pytest.fixture(name="dense")
async def _dense(deps: Deps) -> Range:
    """A butt with four archers."""
    async with deps.pool.acquire() as conn:
        return Range(deps, await put_up(conn, letters="ABCD"))


def shot_at_once(field: Field, arrows: int = 12) -> list[AcceptedEvent]:
    """Four archers that shoot when they like; their arrows cross in the air."""
    rng = random.Random(5)
    said: list[AcceptedEvent] = []
    for letter, flight in zip("ABCD", (0.31, 0.33, 0.35, 0.36), strict=True):
        at = 20 + rng.uniform(0, 8)
        for _ in range(arrows):
            said.append(field.release(at, f"1{letter}"))
            if rng.random() > 0.05:
                lands = at + rng.gauss(flight, 0.01)
                x, y = rng.uniform(-300, 300), rng.uniform(-300, 300)
                said.append(field.landed(lands, x=x, y=y))
            at += rng.uniform(4, 8)
    return sorted(said, key=lambda event: event.ts)


def landings(said: Sequence[AcceptedEvent]) -> list[AcceptedEvent]:
    """What the butt said."""
    return [event for event in said if event.x is not None]


async def outcome(line: Range) -> dict[object, Shot]:
    """All shots, but for what depends on when events came."""
    return {known.shot.id: known.shot for known in await line.shots()}


async def told_since(line: Range, before: int) -> list[dict[str, Any]]:
    """The shot frames after the first `before` frames."""
    frames = [json.loads(frame.text) for frame in (await line.frames())[before:]]
    return [frame for frame in frames if frame["type"].startswith("shot.")]


async def test_a_late_landing_changes_the_shots_that_it_changes_and_tells_of_these(
    dense: Range,
) -> None:
    said = shot_at_once(dense.field)
    late = landings(said)[5]
    await dense.say(*(event for event in said if event is not late), dense.field.beat())
    before, frames = await outcome(dense), len(await dense.frames())
    await dense.say(late)
    after = await outcome(dense)
    changed = {shot_id for shot_id in after if after[shot_id] != before[shot_id]}
    told = [frame["data"]["shot"]["id"] for frame in await told_since(dense, frames)]
    assert sorted(told) == sorted(map(str, changed))
    assert 1 <= len(changed) < 4
    (landed,) = [s for s in after.values() if s.landing_event_id == late.event_id]
    assert (before[landed.id].status, landed.status) == (Status.MISSED, Status.LANDED)


async def test_what_is_told_again_from_a_buffer_tells_nobody_anything(dense: Range) -> None:
    said = shot_at_once(dense.field)
    await dense.say(*said, dense.field.beat())
    before, frames = await outcome(dense), len(await dense.frames())
    await dense.say(*said)
    assert await outcome(dense) == before
    assert await told_since(dense, frames) == []


async def test_a_butt_that_replays_its_buffer_decides_all_that_waited(dense: Range) -> None:
    said = shot_at_once(dense.field)
    heard = landings(said)
    await dense.say(*(event for event in said if event not in heard))
    waiting = await outcome(dense)
    assert {shot.status for shot in waiting.values()} == {Status.UNRESOLVED}
    for begin in range(0, len(heard), 7):
        await dense.say(*heard[begin : begin + 7])
    await dense.say(dense.field.beat())
    by_portions = await outcome(dense)
    counts = [shot.landing_event_id for shot in by_portions.values() if shot.landing_event_id]
    assert len(counts) == len(set(counts)) == len(heard)


async def test_any_order_teaches_the_same_and_so_gives_the_same_shots(dense: Range) -> None:
    said = shot_at_once(dense.field)
    await dense.say(*said, dense.field.beat())
    expected = await outcome(dense)
    lessons = "SELECT * FROM lesson ORDER BY shot_id"
    async with dense.deps.pool.acquire() as conn:
        taught = await conn.fetch(lessons)
    await dense.forget()
    mixed = random.Random(2).sample(said, len(said))
    while mixed:
        await dense.say(*mixed[:8])
        mixed = mixed[8:]
    assert await outcome(dense) == expected
    async with dense.deps.pool.acquire() as conn:
        assert await conn.fetch(lessons) == taught
    assert len(taught) == len(expected)
