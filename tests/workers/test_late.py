"""What came late: done in parts, out of the way of what happens now, and the same in the end."""

import json
import random
from copy import replace
from itertools import pairwise

import pytest

from core.domain.values import SECOND, Status
from core.entries import DEATHS_OVER_MANY, Reading
from core.gate import Haste, Incoming
from core.models.failed_job import count_failed_jobs
from core.models.instants import instant
from core.models.place import Place
from core.models.reader_binding import bind_from
from core.postgres import Connection
from core.schema.inbox import AcceptedEvent, encode
from tests.fields import Field, now, put_up
from tests.workers.conftest import Range, cursed, eventually, in_one_partition
from workers import batch, late
from workers.correlate import correlate
from workers.deps import Deps
from workers.drain import do_aside, do_reading, drain
from workers.late import drain_late
from workers.turn import Turn

LANES = 4


@pytest.fixture(name="alone")
async def _alone(deps: Deps) -> Range:
    """Butts with an archer each, all of one partition."""
    return await in_one_partition(deps, LANES)


def shot_at(field: Field, at: float) -> list[AcceptedEvent]:
    """An arrow at each butt."""
    return [
        event
        for lane in field.targets
        for event in (field.release(at, f"{lane}A"), field.landed(at + 0.4, lane))
    ]


async def drain_all_late(alone: Range) -> None:
    """Do all that came late."""
    while await drain_late(alone.deps, 0):
        pass


async def statuses(line: Range) -> list[Status]:
    """What became of all shots."""
    return [known.shot.status for known in await line.shots()]


async def test_what_came_late_makes_shots(alone: Range) -> None:
    await alone.put(*shot_at(alone.field, 10), haste=Haste.LATE)
    assert await drain_late(alone.deps, 0)
    assert not await drain_late(alone.deps, 0)
    assert await statuses(alone) == [Status.LANDED] * LANES
    assert await alone.deps.inbox.depths() == {0: 0}


async def test_nobody_is_told_and_it_is_done_all_the_same(line: Range, working: None) -> None:
    del working
    await line.put(line.field.release(10), line.field.landed(10.4), haste=Haste.LATE)

    async def landed() -> bool:
        return await statuses(line) == [Status.LANDED]

    await eventually(landed)


async def test_a_wake_up_does_what_came_late_too(alone: Range) -> None:
    await alone.put(*shot_at(alone.field, 10), haste=Haste.LATE)
    await correlate(alone.deps, 0)
    assert await statuses(alone) == [Status.LANDED] * LANES


async def test_each_butt_is_done_at_once_in_parts_of_several(
    alone: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late, "PART", 6)
    said = [event for n in range(2) for event in shot_at(alone.field, 10 + 20 * n)]
    random.Random(4).shuffle(said)
    await alone.put(*said, haste=Haste.LATE)
    assert await drain_late(alone.deps, 0)
    assert await statuses(alone) == [Status.LANDED] * 2 * LANES
    parts: list[set[str]] = []
    for frame in await alone.frames():
        data = json.loads(frame.text)["data"]
        if "shot" in data:
            # A part tells of its releases in their order.
            if not parts or data["shot"]["version"] == 1 and data["shot"]["target_id"] in parts[-1]:
                parts.append(set())
            parts[-1].add(data["shot"]["target_id"])
    assert all(one != other for one, other in pairwise(parts))


async def test_who_may_not_go_on_leaves_the_other_parts_where_they_are(
    alone: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late, "PART", 6)
    await alone.put(*shot_at(alone.field, 10), haste=Haste.LATE)
    assert await drain_late(alone.deps, 0, lambda: False)
    done = len(await alone.shots())
    assert 0 < done < LANES
    assert await alone.deps.inbox.depth_of(alone.deps.inbox.late_lane(0)) == 2 * (LANES - done)
    # It was no death: what is left is done as if nobody had begun it.
    assert await drain_late(alone.deps, 0)
    assert await statuses(alone) == [Status.LANDED] * LANES


async def test_what_happens_now_does_not_wait_for_it(alone: Range) -> None:
    await alone.put(*shot_at(alone.field, 10), haste=Haste.LATE)
    await alone.put(alone.field.release(100), alone.field.landed(100.4))
    await drain(alone.deps, 0)
    assert await statuses(alone) == [Status.LANDED]
    # And what it tells of its readers is heard after what came before it.
    assert (await alone.deps.inbox.depths())[0] == 2 * LANES + 2


async def test_nobody_is_given_a_miss_on_the_word_of_a_reader_whose_landing_waits(
    alone: Range,
) -> None:
    """A landing lies in the inbox, and behind it the reader says that it has told all."""
    field = alone.field
    await alone.say(field.beat(started=-60, buffered=1), field.release(10))
    before = await statuses(alone)
    await alone.put(field.landed(10.4), haste=Haste.LATE)
    await alone.put(field.beat(started=-60, buffered=0), haste=Haste.BEHIND)
    await alone.put(field.landed(300.4))
    await drain(alone.deps, 0, with_overdue=True)
    assert before == await statuses(alone) == [Status.UNRESOLVED]
    await drain_late(alone.deps, 0)
    assert await statuses(alone) == [Status.LANDED]
    assert "shot.missed" not in await alone.told()


async def test_a_miss_is_called_once_nothing_late_is_left(alone: Range) -> None:
    field = alone.field
    await alone.say(field.beat(started=-60, buffered=1), field.release(10))
    await alone.put(field.release(50, "2A"), haste=Haste.LATE)
    await alone.put(field.beat(started=-60, buffered=0), haste=Haste.BEHIND)
    await drain(alone.deps, 0, with_overdue=True)
    assert await statuses(alone) == [Status.UNRESOLVED]
    await drain_late(alone.deps, 0)
    assert (await statuses(alone))[0] is Status.MISSED


async def test_a_butt_that_cannot_be_derived_does_not_hold_up_what_came_late_for_others(
    alone: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "derive", cursed(alone.field.targets[1]))
    await alone.put(*shot_at(alone.field, 10), haste=Haste.LATE)
    await drain_late(alone.deps, 0)
    assert await statuses(alone) == [Status.LANDED] * (LANES - 1)
    async with alone.deps.pool.acquire() as conn:
        assert await count_failed_jobs(conn) == 1


async def test_what_workers_die_over_is_put_aside_wherever_it_stands(
    alone: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late, "PART", 2)
    await alone.put(*shot_at(alone.field, 10), haste=Haste.LATE)
    lane, deaths = alone.deps.inbox.late_lane(0), 0
    # Each time its worker dies: nobody says how the batch ended.
    while (await alone.deps.inbox.begin_and_read(lane, 100)).deadly is None:
        deaths += 1
    assert DEATHS_OVER_MANY < deaths <= DEATHS_OVER_MANY + 3
    await drain_all_late(alone)
    # A release was put aside, and its landing is nobody's.
    assert await statuses(alone) == [Status.LANDED] * (LANES - 1)
    async with alone.deps.pool.acquire() as conn:
        assert await count_failed_jobs(conn) == 1


async def test_a_batch_that_somebody_died_over_is_done_as_it_was_read(
    alone: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the next death is over the same entries, and tells more."""
    monkeypatch.setattr(late, "PART", 2)
    await alone.put(*shot_at(alone.field, 10), haste=Haste.LATE)
    inbox, lane = alone.deps.inbox, alone.deps.inbox.late_lane(0)
    await inbox.begin_and_read(lane, 100)
    sizes: list[int] = []

    async def note(
        conn: Connection, deps: Deps, turn: Turn, reading: Reading, began_at: int
    ) -> bool:
        sizes.append(len(reading.entries))
        return await do_reading(conn, deps, turn, reading, began_at)

    monkeypatch.setattr(late, "do_reading", note)
    await drain_late(alone.deps, 0)
    assert sizes == [2 * LANES]


async def test_it_is_the_same_whatever_came_late(deps: Deps) -> None:
    """The same events, some of them late, in any order and at once or by and by."""
    rng = random.Random(11)
    async with deps.pool.acquire() as conn:
        field = await put_up(conn, lanes=2, letters="AB")
    said = [
        event
        for n in range(12)
        for place in ("1A", "1B", "2A", "2B")
        for event in (
            field.release(10 + 20 * n + rng.random(), place),
            field.landed(10.9 + 20 * n + rng.random(), int(place[0]), x=rng.gauss(0, 80)),
        )
    ]
    line = Range(deps, field)
    await line.say(*said)
    expected = [known.shot for known in await line.shots()]
    await line.forget()
    rng.shuffle(said)
    while said:
        some = [said.pop() for _ in range(min(len(said), rng.randint(1, 9)))]
        haste = rng.choice((Haste.NOW, Haste.LATE))
        await line.put(*some, haste=haste)
        if rng.random() < 0.5:
            await line.say()
        if rng.random() < 0.3:
            for partition in range(deps.inbox.partitions):
                await drain_late(deps, partition)
    for partition in range(deps.inbox.partitions):
        await correlate(deps, partition)
    assert [known.shot for known in await line.shots()] == expected


async def test_a_heartbeat_is_not_done_before_what_its_reader_told_before_it(
    alone: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A butt's first word in the lane is a heartbeat, and its landing falls into another part."""
    monkeypatch.setattr(late, "PART", 4)
    field = alone.field
    await alone.say(field.beat(started=-60, buffered=1), field.release(10))
    others = [field.release(20 + n, f"{2 + n % 3}A") for n in range(3)]
    await alone.put(*others, haste=Haste.LATE)
    await alone.put(field.beat(started=-60, buffered=1), haste=Haste.BEHIND)
    await alone.put(field.landed(10.4), haste=Haste.LATE)
    await alone.put(field.beat(started=-60, buffered=0), haste=Haste.BEHIND)
    await drain_all_late(alone)
    first = (await alone.shots())[0].shot
    assert first.status is Status.LANDED
    told = [json.loads(frame.text) for frame in await alone.frames()]
    of_first = [f["type"] for f in told if f["data"].get("shot", {}).get("id") == str(first.id)]
    assert of_first[-1] == "shot.landed" and "shot.missed" not in of_first


@pytest.mark.parametrize("part", [4, 500])
@pytest.mark.parametrize(("started", "buffered"), [(-1000, 5), (52, 0)])
async def test_no_part_counts_a_readers_word_that_its_heartbeat_takes_back(
    alone: Range, monkeypatch: pytest.MonkeyPatch, part: int, started: float, buffered: int
) -> None:
    """A reader is back, says that it has more to send, or was switched on in between, and sends the
    first of it: that is no proof that an arrow missed."""
    monkeypatch.setattr(late, "PART", part)
    field = alone.field
    await alone.say(replace(field.beat(started=-1000, buffered=0), received_at=field.starts_at))
    await alone.say(field.release(50), field.release(60))
    assert await statuses(alone) == [Status.UNRESOLVED] * 2
    others = [field.release(20 + n, f"{2 + n % 3}A") for n in range(6)]
    await alone.put(*others, haste=Haste.LATE)
    await alone.put(field.beat(started=started, buffered=buffered), haste=Haste.BEHIND)
    await alone.put(field.landed(60.4), haste=Haste.LATE)
    await drain_all_late(alone)
    own = [s.shot.status for s in await alone.shots() if s.target_id == field.targets[1]]
    assert own == [Status.UNRESOLVED, Status.LANDED]
    assert "shot.missed" not in await alone.told()


async def test_butts_between_which_a_reader_moved_are_in_one_part(
    alone: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a reader tells at one butt is its word for the other, whose landing lies behind it."""
    monkeypatch.setattr(late, "PART", 2)
    field = alone.field
    async with alone.deps.pool.acquire() as conn:
        place = Place(None, field.targets[2], instant(field.starts_at))
        moved_at = instant(field.starts_at + 50_000_000)
        await bind_from(conn, field.readers["1 target"], place, moved_at)
    await alone.say(field.release(10))
    assert await statuses(alone) == [Status.UNRESOLVED]
    await alone.put(field.landed(100.4), field.release(20, "2A"), haste=Haste.LATE)
    await alone.put(field.release(20, "3A"), field.landed(10.4), haste=Haste.LATE)
    await drain_all_late(alone)
    assert (await statuses(alone))[0] is Status.LANDED
    assert "shot.missed" not in await alone.told()


async def test_what_a_request_brings_tells_nothing_before_all_of_it_is_done(alone: Range) -> None:
    """A reader is back: one request brings a landing of long ago and one of just now."""
    field = alone.field
    await alone.say(field.release(10))
    # It was under way before it came.
    live = replace(field.landed(3_000), received_at=now() - 50_000)
    await alone.deps.inbox.append(
        [
            Incoming(0, encode(field.landed(10.4)), Haste.LATE),
            Incoming(0, encode(live), Haste.NOW),
        ]
    )
    await drain(alone.deps, 0)
    assert await statuses(alone) == [Status.UNRESOLVED]
    await drain_all_late(alone)
    assert await statuses(alone) == [Status.LANDED]
    assert "shot.missed" not in await alone.told()


async def test_what_an_operator_tries_again_tells_nothing_while_something_waits(
    alone: Range,
) -> None:
    field = alone.field
    await alone.say(field.release(10))
    await alone.put(field.landed(10.4), haste=Haste.LATE)
    await do_aside(alone.deps, 0, [field.landed(3_000)])
    assert await statuses(alone) == [Status.UNRESOLVED]
    await drain_all_late(alone)
    assert await statuses(alone) == [Status.LANDED]
    assert "shot.missed" not in await alone.told()


async def test_readers_whose_clocks_are_far_off_are_in_the_part_of_their_butt(
    alone: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By their own clocks they were bound to nothing yet."""
    monkeypatch.setattr(late, "PART", 1)
    field, day = alone.field, 86_400 * SECOND
    await alone.say(field.beat(started=-1000, buffered=0))
    since = (now() - field.starts_at) / SECOND
    said = (
        replace(event, ts=event.ts - day, sent_at=now() - day)
        for event in (field.release(since - 30), field.landed(since - 29.6))
    )
    await alone.put(*said, haste=Haste.LATE)
    await drain_all_late(alone)
    assert await statuses(alone) == [Status.LANDED]
    assert "shot.missed" not in await alone.told()


async def test_what_came_late_waits_for_what_happens_now_and_came_before_it(
    alone: Range,
) -> None:
    field = alone.field
    await alone.say(replace(field.beat(started=-1000, buffered=0), received_at=field.starts_at))
    await alone.say(field.release(50), field.release(60))
    await alone.put(field.beat(started=-1000, buffered=5), haste=Haste.BEHIND)
    await alone.put(field.landed(60.4), haste=Haste.LATE)
    assert not await drain_late(alone.deps, 0)
    await drain(alone.deps, 0)
    assert await drain_late(alone.deps, 0)
    assert await statuses(alone) == [Status.UNRESOLVED, Status.LANDED]


async def test_what_a_live_event_tells_of_its_reader_is_heard_when_nothing_late_is_left(
    alone: Range,
) -> None:
    field = alone.field
    await alone.say(field.release(10))
    assert await statuses(alone) == [Status.UNRESOLVED]
    await alone.put(*(field.release(50 + n, "2A") for n in range(3)), haste=Haste.LATE)
    await alone.put(field.release(100), field.landed(100.4))
    await drain(alone.deps, 0)
    assert (await statuses(alone))[0] is Status.UNRESOLVED
    # The landing was done; its echo holds up nobody.
    assert (await alone.deps.inbox.depths())[0] == 3 + 2
    await drain_all_late(alone)
    assert (await statuses(alone))[0] is Status.MISSED
    assert await alone.deps.inbox.depths() == {0: 0}


async def test_echoes_keep_nothing_waiting(alone: Range) -> None:
    inbox, field = alone.deps.inbox, alone.field
    echo = (0, encode(replace(field.landed(5), is_echo=True)))
    await inbox.put_behind([echo] * 3, is_echo=True)
    await alone.put(field.release(100), field.landed(100.4))
    assert (await inbox.begin_and_read(0, 10)).late_since is None
    await alone.put(field.release(20, "2A"), haste=Haste.LATE)
    assert (await inbox.begin_and_read(0, 10)).late_since is not None
