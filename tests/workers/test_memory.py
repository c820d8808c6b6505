"""What a worker remembers of butts between two drains."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from copy import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from core.domain.learning import REMEMBERED, Lesson
from core.domain.values import SECOND, Event, EventType, Status
from core.domain.window import ALWAYS
from core.models.butt import PlacedButt, select_butts, take_butts, take_turns
from core.models.instants import instant, now
from core.models.reader_binding import bind_from
from core.models.said import keep_unheard
from tests.domain.fields import butt
from tests.models.test_presence import until_it_waits
from tests.workers.conftest import Range, cursed
from workers import batch, recall
from workers.memory import LATEST, MOST_EVENTS, Memory, Remembered


@pytest.fixture(name="taken")
def _taken(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Whether each turn found its butt remembered."""
    found: list[bool] = []
    take = Memory.take

    def noted(memory: Memory, butt_now: PlacedButt) -> Remembered | None:
        known = take(memory, butt_now)
        found.append(known is not None)
        return known

    monkeypatch.setattr(Memory, "take", noted)
    yield found


async def shoot(line: Range, *seconds: float) -> None:
    """Arrows that hit, each told by its bow first."""
    for second in seconds:
        await line.say(line.field.release(second))
        await line.say(line.field.landed(second + 0.4))


async def test_what_was_written_is_remembered_for_the_next_turn(
    line: Range, taken: list[bool]
) -> None:
    await shoot(line, 10, 40, 70)
    assert taken == [False, True, True, True, True, True]
    assert [known.shot.status for known in await line.shots()] == [Status.LANDED] * 3


async def test_a_readers_id_is_kept_once_for_all_that_it_said(
    line: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Event] = []
    keep = Memory.keep

    def noted(memory: Memory, known: Iterable[Remembered]) -> None:
        butts = list(known)
        kept[:] = [event for each in butts for event in each.events]
        keep(memory, butts)

    monkeypatch.setattr(Memory, "keep", noted)
    await shoot(line, 10, 40)
    assert len(kept) == 4
    assert len({id(event.reader_id) for event in kept}) == 2


async def test_a_butt_whose_events_were_kept_without_its_shots_is_read(line: Range) -> None:
    # As a target's events are that cannot be correlated.
    async with line.deps.pool.acquire() as conn:
        await keep_unheard(conn, [line.field.release(10)])
    await line.say(line.field.landed(10.4))
    assert [known.shot.status for known in await line.shots()] == [Status.LANDED]


async def test_what_another_worker_wrote_is_read(line: Range, taken: list[bool]) -> None:
    other = Range(replace(line.deps, memory=Memory()), line.field)
    await shoot(line, 10)
    await other.say(line.field.release(40))
    await line.say(line.field.landed(40.4))
    assert taken == [False, True, False, False]
    assert [known.shot.status for known in await line.shots()] == [Status.LANDED] * 2


async def test_a_butt_whose_readers_were_bound_otherwise_is_read(
    line: Range, taken: list[bool]
) -> None:
    await shoot(line, 10)
    field = line.field
    async with line.deps.pool.acquire() as conn, conn.transaction():
        gone_at = instant(field.starts_at + 20 * SECOND)
        await bind_from(conn, field.readers["1 target"], None, gone_at)
    await shoot(line, 40)
    # The second landing was at no butt, and says that the reader lives.
    assert taken == [False, True, False, True]


async def test_what_failed_is_forgotten(
    line: Range, taken: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    await shoot(line, 10)
    with monkeypatch.context() as patched:
        patched.setattr(batch, "derive", cursed(line.field.targets[1]))
        await line.say(line.field.release(40))
    await line.say(line.field.landed(40.4))
    assert not taken[-1]
    assert [known.shot.status for known in await line.shots()] == [Status.LANDED] * 2


async def test_what_happened_before_all_that_is_remembered_is_read(
    line: Range, taken: list[bool]
) -> None:
    await shoot(line, 4_000, 4_030)
    await line.say(line.field.landed(10.4))
    await line.say(line.field.release(10))
    assert [known.shot.status for known in await line.shots()] == [Status.LANDED] * 3
    assert len(taken) == 6


async def test_shooting_without_a_gap_is_not_read_again_with_each_arrow(
    line: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Some arrow is always in the air, so that each is derived with all before it.
    times = [10 + 2.5 * number for number in range(2 * MOST_EVENTS)]
    await line.say(
        *(e for at in times for e in (line.field.release(at), line.field.landed(at + 1)))
    )
    reads: list[object] = []
    read = getattr(recall, "select_events_of_targets")

    async def counted(*args: Any) -> Any:
        reads.append(args)
        return await read(*args)

    monkeypatch.setattr(recall, "select_events_of_targets", counted)
    for number in range(1, 5):
        at = times[-1] + 2.5 * number
        await line.say(line.field.release(at), line.field.landed(at + 1))
    # The first of them looks further back than all at once did.
    assert len(reads) <= 1
    assert len(await line.shots()) == len(times) + 4


def event(at: int) -> Event:
    """Something that a reader said."""
    return Event(
        id=uuid4(),
        type=EventType.LANDED,
        at=at,
        received_at=at,
        slot_id=None,
        arrow_id=None,
        x=0.0,
        y=0.0,
        sigma_mm=None,
        reader_id=uuid4(),
    )


def lesson(at: int) -> Lesson:
    """What a shot taught that was released then."""
    return Lesson(uuid4(), uuid4(), at, None, None, is_missing=False, strays=0)


def remembered(times: Sequence[int], lessons: Sequence[int] = ()) -> Remembered:
    """A butt with events and lessons of these times."""
    taught = {each.shot_id: each for each in map(lesson, lessons)}
    return Remembered(uuid4(), 1, "", 0, list(map(event, times)), taught, {}, {})


def test_of_a_butt_with_many_events_the_latest_are_kept() -> None:
    times = [4 * number * SECOND for number in range(MOST_EVENTS + 1)]
    taught = [number * SECOND // 3 for number in range(2 * REMEMBERED)]
    known = remembered(times, taught)
    known.shorten()
    assert known.since == times[-1] - LATEST
    assert [each.at for each in known.events] == [at for at in times if at >= known.since]
    before = [each for each in (known.lessons or {}).values() if each.released_at < known.since]
    assert len(before) == REMEMBERED


def test_what_the_last_turn_read_is_kept_however_much_it_is() -> None:
    times = [4 * number * SECOND for number in range(3 * MOST_EVENTS)]
    known = remembered(times)
    known.needed = times[20]
    known.shorten()
    assert known.since == times[20]
    known.needed = ALWAYS.begin
    known.shorten()
    assert (known.since, len(known.events)) == (times[20], len(times) - 20)


def test_no_more_is_known_of_a_butt_with_many_events_at_once_than_was_read() -> None:
    known = remembered([number * SECOND for number in range(MOST_EVENTS + 1)])
    known.shorten()
    assert known.since == 0
    assert len(known.events) == MOST_EVENTS + 1


def test_the_butts_that_nothing_happened_at_for_longest_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workers.memory.MOST_EVENTS_OF_ALL", 5)
    memory = Memory()
    butts = [remembered([1, 2]) for _ in range(3)]
    memory.keep(butts)
    assert [memory.take(placed(each.target_id)) is not None for each in butts] == [
        False,
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("turn", "bindings", "has_rulings"), [(2, "", False), (1, "other", False), (1, "", True)]
)
def test_what_may_be_other_than_remembered_is_not_recalled(
    turn: int, bindings: str, has_rulings: bool
) -> None:
    memory, known = Memory(), remembered([1])
    memory.keep([known])
    asked = replace(placed(known.target_id), turn=turn, bindings=bindings, has_rulings=has_rulings)
    assert memory.take(asked) is None
    assert memory.take(placed(known.target_id)) is None


def placed(target_id: UUID) -> PlacedButt:
    """A butt at its first turn's end; nothing else matters here."""
    return PlacedButt(target_id, uuid4(), None, butt(), False, None, turn=1)


async def test_whoever_waits_for_a_butts_turn_is_told_of_the_one_before(line: Range) -> None:
    target = line.field.targets[1]
    await shoot(line, 10)
    async with line.deps.pool.acquire() as one, line.deps.pool.acquire() as other:

        async def take() -> int:
            async with other.transaction():
                butts = await take_butts(other, [target], line.deps.offline_after, now())
                return butts[target].turn

        async with one.transaction():
            known = (await select_butts(one, [target], line.deps.offline_after))[target].turn
            await take_turns(one, [target])
            taking = asyncio.create_task(take())
            await until_it_waits(one, other)
        assert await taking == known + 1
