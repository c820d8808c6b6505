"""What judges ruled, through everything that is derived again."""

import json
import random
from collections.abc import Sequence
from copy import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from core.domain.outcome import shot_id
from core.domain.rulings import Action, Worth
from core.domain.values import Shot, ShotFlag, Status
from core.domain.window import Span
from core.models.recompute import request_recompute
from core.models.ruling import (
    Author,
    NewRuling,
    insert_ruling,
    select_ruling,
    undo_by_restore,
    undo_ruling,
)
from core.models.ruling_in_force import note_applied, select_fixed, select_in_force
from core.models.shot import select_touched_shots
from core.schema.inbox import AcceptedEvent
from core.schema.ruling import Ruling
from tests.fields import Field, as_if_received_then, put_up
from tests.workers.conftest import Range
from workers.deps import Deps

NINE = Worth(9, "9", False)


@pytest.fixture(name="line")
async def _line(deps: Deps) -> Range:
    """Two butts with two archers each."""
    async with deps.pool.acquire() as conn:
        return Range(deps, await put_up(conn, lanes=2, letters="AB"))


def of(event: AcceptedEvent) -> UUID:
    """The shot of a release, or the one that is made of a landing."""
    return shot_id(event.event_id)


def release(field: Field, at: float, place: str = "1A") -> AcceptedEvent:
    """An arrow leaves, long ago."""
    return as_if_received_then(field.release(at, place))


def landing(field: Field, at: float, x: float = 3.0) -> AcceptedEvent:
    """An arrow lands at the first butt, long ago."""
    return as_if_received_then(field.landed(at, x=x))


def saying(line: Range, action: Action, *events: AcceptedEvent) -> NewRuling:
    """What a judge says of what happened at the first butt."""
    times = [event.ts for event in events]
    span = Span(min(times), max(times))
    return NewRuling(line.field.session_id, line.field.targets[1], action, "seen", span)


async def rule(line: Range, new: NewRuling, *, asks: bool = True) -> Ruling:
    """A ruling as the API keeps it; not applied yet."""
    author = Author(None, uuid4())
    named = [] if new.shot_id is None else [new.shot_id]
    landings = [] if new.landing_event_id is None else [new.landing_event_id]
    async with line.deps.pool.acquire() as conn, conn.transaction():
        before = await select_touched_shots(conn, named, landings)
        made = await insert_ruling(conn, replace(new, before=before), author)
        if asks:
            await request_recompute(conn, [new.target_id], request_id=author.request_id)
    return made


async def undo(line: Range, ruling: Ruling) -> None:
    """A ruling is taken back; nothing is derived yet, and nobody is asked to."""
    async with line.deps.pool.acquire() as conn, conn.transaction():
        await undo_ruling(conn, ruling.id, "a mistake", Author(None, uuid4()))


async def derive_all(line: Range) -> None:
    """Everything is derived anew."""
    async with line.deps.pool.acquire() as conn:
        await request_recompute(conn, list(line.field.targets.values()))
    await line.say()


async def shots(line: Range) -> dict[UUID, Shot]:
    """All shots."""
    return {known.shot.id: known.shot for known in await line.shots()}


async def told_since(line: Range, before: int) -> list[dict[str, Any]]:
    """The shot frames after the first `before` frames."""
    frames = [json.loads(frame.text) for frame in (await line.frames())[before:]]
    return [frame for frame in frames if frame["type"].startswith("shot.")]


async def pending(line: Range) -> Sequence[bool]:
    """Of the rulings that stand or are pending: whether they are pending."""
    async with line.deps.pool.acquire() as conn:
        return [each.is_pending for each in await select_in_force(conn, [line.field.targets[1]])]


async def test_a_ruled_score_is_kept_when_the_landing_comes_later(line: Range) -> None:
    shot = release(line.field, 10)
    await line.say(shot, line.field.beat())
    new = saying(line, Action.SCORE, shot)
    await rule(line, replace(new, shot_id=of(shot), worth=NINE))
    await line.say()
    hit = landing(line.field, 10.4)
    await line.say(hit)
    found = (await shots(line))[of(shot)]
    assert (found.score, found.landing_event_id, found.x) == (9, hit.event_id, 3)


async def test_a_ruling_grows_the_version_once_and_nothing_is_told_again(line: Range) -> None:
    shot = release(line.field, 10)
    await line.say(shot, landing(line.field, 10.4))
    (before,) = await line.shots()
    frames = len(await line.frames())
    new = saying(line, Action.SCORE, shot)
    made = await rule(line, replace(new, shot_id=of(shot), worth=NINE))
    await line.say()
    (after,) = await line.shots()
    assert after.version == before.version + 1
    told = await told_since(line, frames)
    assert [(f["type"], f["request_id"]) for f in told] == [("shot.updated", str(made.request_id))]
    await derive_all(line)
    await line.say(line.field.release(300, "1B"), line.field.landed(300.4, x=90))
    assert (await line.shots())[0] == after
    assert [
        f for f in await told_since(line, frames + 1) if f["data"]["shot"]["id"] == str(of(shot))
    ] == []


async def test_a_ruling_that_says_what_is_so_only_marks_the_shot(line: Range) -> None:
    shot = release(line.field, 10)
    await line.say(shot, landing(line.field, 10.4))
    before = (await shots(line))[of(shot)]
    new = saying(line, Action.SCORE, shot)
    await rule(line, replace(new, shot_id=of(shot), worth=Worth(10, "X", True)))
    await line.say()
    after = (await shots(line))[of(shot)]
    assert after == replace(before, flags=tuple(sorted((*before.flags, ShotFlag.RULED))))


async def test_a_ruling_is_applied_with_whatever_is_derived_at_its_butt(line: Range) -> None:
    shot = release(line.field, 10)
    await line.say(shot, landing(line.field, 10.4))
    new = saying(line, Action.SCORE, shot)
    made = await rule(line, replace(new, shot_id=of(shot), worth=NINE), asks=False)
    frames = len(await line.frames())
    await line.say(line.field.release(900, "1B"))
    assert (await shots(line))[of(shot)].score == 9
    told, *_ = await told_since(line, frames)
    assert told["request_id"] == str(made.request_id)
    assert await pending(line) == [False]


async def test_a_landing_moves_in_one_step_though_only_its_new_shot_is_touched(line: Range) -> None:
    ours, theirs = release(line.field, 10), release(line.field, 900, "1B")
    hit = landing(line.field, 10.4)
    await line.say(ours, theirs, hit, line.field.beat())
    before = await shots(line)
    new = saying(line, Action.ASSIGN_LANDING, ours, theirs, hit)
    new = replace(new, shot_id=of(theirs), landing_event_id=hit.event_id)
    made = await rule(line, new, asks=False)
    await line.say(line.field.release(905, "1B"))
    after = await shots(line)
    told = [(s.landing_event_id, s.status) for s in (after[of(ours)], after[of(theirs)])]
    assert told == [(None, Status.MISSED), (hit.event_id, Status.LANDED)]
    await undo(line, made)
    await line.say(line.field.release(20, "1A"))
    back = await shots(line)
    assert [back[of(e)] for e in (ours, theirs)] == [before[of(e)] for e in (ours, theirs)]


async def test_a_shot_made_of_a_landing_is_kept_and_its_landing_is_nobody_elses(
    line: Range,
) -> None:
    hit = landing(line.field, 10.4)
    await line.say(hit)
    new = saying(line, Action.SHOT, hit)
    slot_id = line.field.slots["1B"]
    await rule(line, replace(new, shot_id=of(hit), landing_event_id=hit.event_id, slot_id=slot_id))
    await line.say()
    made = (await shots(line))[of(hit)]
    late = release(line.field, 10)
    await line.say(late, line.field.beat())
    after = await shots(line)
    assert after[of(hit)] == made
    assert (after[of(late)].status, made.slot_id) == (Status.MISSED, slot_id)


async def test_a_ruling_waits_while_its_release_is_gone(line: Range) -> None:
    shot = release(line.field, 10)
    await line.say(shot, landing(line.field, 10.4))
    await rule(line, replace(saying(line, Action.VOID, shot), shot_id=of(shot)))
    await line.say()
    ruled = (await shots(line))[of(shot)]
    assert (ruled.status, ruled.flags) == (Status.VOIDED, (ShotFlag.RULED,))
    async with line.deps.pool.acquire() as conn:
        await conn.execute("UPDATE reader_binding SET valid_from = valid_from + interval '1 h'")
        await derive_all(line)
        assert (await shots(line))[of(shot)].flags == ()
        await conn.execute("UPDATE reader_binding SET valid_from = valid_from - interval '1 h'")
    await derive_all(line)
    assert (await shots(line))[of(shot)] == ruled


def evening(field: Field) -> tuple[list[AcceptedEvent], list[AcceptedEvent]]:
    """What two archers shot, and the releases of it."""
    rng = random.Random(11)
    said: list[AcceptedEvent] = []
    begun: list[AcceptedEvent] = []
    for number in range(16):
        at, place = 10 + number * 5.3, rng.choice(["1A", "1B"])
        begun.append(release(field, at, place))
        said.append(begun[-1])
        if rng.random() < 0.8:
            said.append(landing(field, at + 0.35, rng.uniform(-300, 300)))
    return said, begun


def one_of_each(line: Range, begun: Sequence[AcceptedEvent]) -> list[NewRuling]:
    """Rulings of every kind that names no landing."""
    one, other = line.field.slots["1A"], line.field.slots["1B"]
    score, void, move, miss = (
        replace(saying(line, action, begun[number]), shot_id=of(begun[number]))
        for number, action in (
            (2, Action.SCORE),
            (5, Action.VOID),
            (7, Action.MOVE),
            (3, Action.ASSIGN_LANDING),
        )
    )
    swap = saying(line, Action.SWAP, begun[8], begun[12])
    return [
        replace(score, worth=NINE),
        void,
        replace(move, slot_id=other),
        miss,
        replace(swap, slot_id=one, other_slot_id=other),
    ]


async def test_any_order_of_arrival_with_the_same_rulings_ends_in_the_same_shots(
    line: Range,
) -> None:
    rng = random.Random(12)
    said, begun = evening(line.field)
    outcomes = []
    for _ in range(3):
        await line.forget()
        coming, rulings = list(said), one_of_each(line, begun)
        rng.shuffle(coming)
        rng.shuffle(rulings)
        while coming or rulings:
            await line.say(*coming[:5])
            coming = coming[5:]
            if rulings:
                await rule(line, rulings.pop())
        await line.say(line.field.beat())
        outcomes.append(await shots(line))
    assert outcomes[1] == outcomes[0] == outcomes[2]
    assert outcomes[0][of(begun[2])].score == 9
    assert outcomes[0][of(begun[5])].status is Status.VOIDED


async def test_a_ruling_that_is_taken_back_while_it_is_applied_is_looked_at_once_more(
    line: Range,
) -> None:
    shot = release(line.field, 10)
    await line.say(shot, landing(line.field, 10.4))
    new = saying(line, Action.SCORE, shot)
    made = await rule(line, replace(new, shot_id=of(shot), worth=NINE), asks=False)
    async with line.deps.pool.acquire() as conn:
        (seen,) = await select_in_force(conn, [line.field.targets[1]])
        await undo(line, made)
        await note_applied(conn, [seen], {made.id: ([], [])})
        kept = await select_ruling(conn, made.id)
    assert (await pending(line), kept.after) == ([True], None)
    await line.say(line.field.release(900, "1B"))
    assert await pending(line) == []


async def test_shots_that_a_judge_gave_a_score_are_known(line: Range) -> None:
    one, other, third = (release(line.field, at) for at in (10, 30, 50))
    await line.say(one, other, third)
    for event in (one, other):
        new = saying(line, Action.SCORE, event)
        made = await rule(line, replace(new, shot_id=of(event), worth=NINE))
    await undo(line, made)
    await rule(line, replace(saying(line, Action.VOID, third), shot_id=of(third)))
    async with line.deps.pool.acquire() as conn:
        assert await select_fixed(conn, [of(one), of(other), of(third)]) == {of(one)}


async def test_rulings_that_stand_are_read_by_either_butt_that_they_concern(line: Range) -> None:
    shot = release(line.field, 10)
    await line.say(shot)
    new = saying(line, Action.MOVE, shot)
    await rule(line, replace(new, shot_id=of(shot), slot_id=line.field.slots["2A"]))
    async with line.deps.pool.acquire() as conn:
        for lane in (1, 2):
            (found,) = await select_in_force(conn, [line.field.targets[lane]])
            assert (found.target_id, found.home_id) == (
                line.field.targets[1],
                line.field.targets[2],
            )


def worth(score: int) -> Worth:
    """A score that a judge rules."""
    return Worth(score, "M" if score == 0 else str(score), False)


async def scored(line: Range, shot: AcceptedEvent, score: int) -> Ruling:
    """A judge rules a score; nobody derives anything yet."""
    new = saying(line, Action.SCORE, shot)
    return await rule(line, replace(new, shot_id=of(shot), worth=worth(score)))


async def did(line: Range, *rulings: Ruling) -> list[tuple[list[object], list[object] | None]]:
    """The scores of the shots that rulings touched, before and after."""
    async with line.deps.pool.acquire() as conn:
        kept = [await select_ruling(conn, each.id) for each in rulings]
    return [
        (
            [shot["score"] for shot in each.before],
            None if each.after is None else [shot["score"] for shot in each.after],
        )
        for each in kept
    ]


@pytest.mark.parametrize("at_once", [1, 2, 5])
async def test_what_each_ruling_did_is_kept_however_many_are_applied_at_once(
    line: Range, at_once: int
) -> None:
    shot = release(line.field, 10)
    await line.say(shot, landing(line.field, 10.4))
    made = []
    for score in (2, 7, 0, 9, 4):
        made.append(await scored(line, shot, score))
        if len(made) % at_once == 0:
            await line.say()
    await line.say()
    chain = [10, 2, 7, 0, 9, 4]
    assert await did(line, *made) == [([b], [a]) for b, a in zip(chain, chain[1:], strict=False)]


async def test_what_a_ruling_did_is_kept_when_it_was_taken_back_before_it_was_applied(
    line: Range,
) -> None:
    shot = release(line.field, 10)
    await line.say(shot, landing(line.field, 10.4))
    three, four = await scored(line, shot, 3), await scored(line, shot, 4)
    restore = await rule(line, replace(saying(line, Action.RESTORE, shot), shot_id=of(shot)))
    async with line.deps.pool.acquire() as conn, conn.transaction():
        await undo_by_restore(conn, restore.id)
    five = await scored(line, shot, 5)
    await undo(line, five)
    await line.say()
    found = await did(line, three, four, restore, five)
    assert found == [([10], [3]), ([3], [4]), ([4], [10]), ([10], [5])]
    assert await pending(line) == []
    assert (await shots(line))[of(shot)].score == 10


async def test_what_a_ruling_did_is_that_of_the_shots_that_it_touches_alone(line: Range) -> None:
    one, other = release(line.field, 10), release(line.field, 30)
    hit, second = landing(line.field, 10.4), landing(line.field, 30.4, x=70)
    await line.say(one, hit, other, second, line.field.beat())
    score = await scored(line, other, 6)
    new = saying(line, Action.ASSIGN_LANDING, one, second)
    given = await rule(line, replace(new, shot_id=of(one), landing_event_id=second.event_id))
    await line.say()
    assert await did(line, score) == [([9], [6])]
    assert await did(line, given) == [([10, 6], [9, 6])]


async def test_an_extra_arrow_is_told_as_it_counted_without_and_with_a_ruling(
    line: Range,
) -> None:
    async with line.deps.pool.acquire() as conn:
        await conn.execute("""UPDATE session SET rules = '{"arrows_per_end": 1, "ends": 1}'""")
    one, other = release(line.field, 10), release(line.field, 30)
    await line.say(one, landing(line.field, 10.4), other, landing(line.field, 30.4, x=70))
    low, high = await scored(line, one, 5), await scored(line, other, 3)
    await line.say()
    assert await did(line, low, high) == [([0], [5]), ([0], [3])]
