"""Misses that are presumed, since the butt's reader still counts as online: when they are taken
back, and what they do not hang on."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from core.domain.outcome import shot_id
from core.domain.rulings import Action, Worth
from core.domain.values import SECOND, EventType, Status
from core.domain.window import Span
from core.gate import Haste, Incoming, stream_key
from core.models.failed_job import Attempt, Failure, insert_failed_job
from core.models.instants import instant
from core.models.reader_move import move_reader
from core.models.recompute import request_recompute
from core.models.ruling import Author, NewRuling, undo_ruling
from core.models.said import Said, keep_said
from core.schema.inbox import Accepted, AcceptedEvent, encode
from core.schema.reader import Whereabouts
from tests.fields import now, put_up
from tests.workers.conftest import Range, in_one_partition
from tests.workers.moves import (
    a_while_later,
    ago,
    at_the_look,
    became,
    begun_lately,
    bind,
    go,
    moved_lately,
    presumed_miss,
    running,
    then,
    told_of,
)
from tests.workers.test_rulings import rule
from workers.attempts import DIED
from workers.deps import Deps
from workers.drain import drain
from workers.group import drain_group
from workers.late import drain_late
from workers.sweep import sweep

FAILED_UPDATE_LONG_AGO = "UPDATE failed_job SET updated_at = now() - interval '1 hour'"
# An arrow's time is up after the landing window and the grace.
UP_AFTER = 4 * SECOND


@pytest.fixture(name="two")
async def _two(deps: Deps) -> Range:
    """Two butts with one archer each."""
    async with deps.pool.acquire() as conn:
        return Range(deps, await put_up(conn, lanes=2))


@pytest.mark.parametrize("lane", [1, 2, None])
async def test_it_is_taken_back_when_its_reader_falls_silent_wherever_that_is(
    two: Range, lane: int | None
) -> None:
    release = await presumed_miss(two)
    if lane != 1:
        await bind(two, "1 target", lane)
        await two.say()
    assert await became(two, release) is Status.MISSED
    await a_while_later(two, 20)
    assert await became(two, release) is Status.UNRESOLVED


async def test_it_stands_while_another_reader_of_the_butt_is_online(two: Range) -> None:
    await bind(two, "2 target", 1, seconds=60)
    await two.say()
    release = await presumed_miss(two)
    await a_while_later(two, 20)
    assert await became(two, release) is Status.UNRESOLVED
    await two.say(then(running(two, "2 target"), 13))
    await a_while_later(two, 0)
    assert await became(two, release) is Status.MISSED


async def test_nobody_is_asked_again_for_what_was_taken_back(two: Range) -> None:
    release = await presumed_miss(two)
    await a_while_later(two, 20)
    assert await became(two, release) is Status.UNRESOLVED
    shots = await two.shots()
    await sweep(two.deps)
    async with two.deps.pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM recompute") == 0
    await two.say(with_overdue=True)
    assert await two.shots() == shots


async def test_it_is_taken_back_of_a_reader_that_was_heard_too_late_to_count_as_online(
    deps: Deps,
) -> None:
    """Workers were away: the reader's word is done now, what happened at its butt as of then."""
    begun = await begun_lately(deps)
    line, home, inbox = begun.line, begun.home, deps.inbox
    field = line.field
    said: list[tuple[int, Accepted, float]] = [
        (begun.own, then(running(line, f"{begun.lane} target"), 40), 40),
        (home, then(field.release(ago(line, 35), f"{begun.lane}A"), 35), 24.9),
    ]
    other = next(lane for lane in field.targets if lane != begun.lane)
    said.append((inbox.late_lane(home), then(field.beat(f"{other}A bow"), 25), 25))
    for lane, each, seconds in said:
        came = f"{(now() - round(seconds * SECOND)) // 1_000}-0"
        await deps.valkey.xadd(stream_key(lane), {b"e": encode(each)}, id=came)
    for _ in range(3):
        for partition in (begun.own, home):
            await drain(deps, partition)
        await drain_late(deps, home)
        await sweep(deps)
    await drain(deps, home, with_overdue=True)
    assert sum((await inbox.depths()).values()) == 0
    assert [shot.shot.status for shot in await line.shots()] == [Status.UNRESOLVED]


@pytest.mark.parametrize("is_held", [False, True])
@pytest.mark.parametrize("has_more", [False, True])
async def test_it_is_taken_back_within_a_look_by_a_word_against_it_that_must_wait(
    deps: Deps, is_held: bool, has_more: bool
) -> None:
    moved = await moved_lately(deps, 100)
    line, field = moved.line, moved.line.field
    await moved.put(moved.after, then(running(line), 15))
    await drain(deps, moved.after)
    release = field.release(ago(line, 12), f"{moved.lane}A")
    await moved.put(moved.after, release)
    await drain(deps, moved.after)
    assert await became(line, release) is Status.MISSED
    if is_held:
        await moved.put(moved.before, field.landed(ago(line, 150)), haste=Haste.LATE)
    switched_on = field.beat(started=ago(line, 10), buffered=0)
    await moved.put(moved.after, running(line, left=5) if has_more else switched_on)
    await drain(deps, moved.after)
    await sweep(deps)
    await drain(deps, moved.after)
    assert await became(line, release) is Status.UNRESOLVED


@pytest.mark.parametrize("error", [DIED, "ValueError: none"])
async def test_it_is_taken_back_though_its_butt_failed_once(two: Range, error: str) -> None:
    target = two.field.targets[1]
    failure = Failure(
        job_id=f"correlate:{target}",
        function="correlate_target",
        arguments={"target_id": str(target), "unstored": []},
        attempts=[Attempt(datetime.now(UTC), 0.0, error, "")],
        target_id=target,
    )
    async with two.deps.pool.acquire() as conn:
        await insert_failed_job(conn, failure)
        await conn.execute(FAILED_UPDATE_LONG_AGO)
    release = await presumed_miss(two)
    await a_while_later(two, 20)
    assert await became(two, release) is Status.UNRESOLVED


async def hit_waits(line: Range, reader: str, lane: int) -> None:
    """The arrow's landing came late, and waits at a butt."""
    inbox, field = line.deps.inbox, line.field
    hit = field.event(reader, EventType.LANDED, ago(line, 11.6), x=0.0, y=0.0)
    home = inbox.partition_of(field.targets[lane])
    await inbox.append([Incoming(home, encode(hit), Haste.LATE)])


async def test_it_is_looked_at_anew_when_another_reader_hung_there(two: Range) -> None:
    release = await presumed_miss(two)
    await two.say(then(running(two, "2 target"), 13))
    await hit_waits(two, "2 target", 1)
    await bind(two, "1 target", None, seconds=60)
    await bind(two, "2 target", 1, seconds=60)
    await two.say()
    assert await became(two, release) is Status.UNRESOLVED
    await drain_late(two.deps, two.deps.inbox.partition_of(two.field.targets[1]))
    assert await became(two, release) is Status.LANDED


async def test_it_is_looked_at_anew_when_it_was_another_butts_arrow(two: Range) -> None:
    field = two.field
    release = await presumed_miss(two)
    await two.say(then(running(two, "2 target"), 13))
    await hit_waits(two, "2 target", 2)
    begin, bow = instant(now() - 60 * SECOND), field.readers["1A bow"]
    async with two.deps.pool.acquire() as conn, conn.transaction():
        place = Whereabouts(field.slots["2A"], None)
        moved = await move_reader(conn, bow, place, begin, datetime.now(UTC))
        await request_recompute(conn, list(moved.targets), moved_readers=[bow], request_id=uuid4())
    await two.say()
    assert await became(two, release) is Status.UNRESOLVED
    await drain_late(two.deps, two.deps.inbox.partition_of(field.targets[2]))
    assert await became(two, release) is Status.LANDED


async def test_what_a_judge_called_a_miss_is_looked_for_when_he_takes_it_back(two: Range) -> None:
    field, home = two.field, two.deps.inbox.partition_of(two.field.targets[1])
    await two.say(then(running(two), 15))
    release = field.release(ago(two, 12))
    seen = NewRuling(
        field.session_id,
        field.targets[1],
        Action.SCORE,
        "seen to fly past",
        Span(release.ts, release.ts),
        shot_id=shot_id(release.event_id),
        worth=Worth(0, "M", False),
    )
    await two.say(release)
    made = await rule(two, seen)
    await two.say()
    assert await became(two, release) is Status.MISSED
    await hit_waits(two, "1 target", 1)
    async with two.deps.pool.acquire() as conn, conn.transaction():
        await undo_ruling(conn, made.id, "a mistake", Author(None, uuid4()))
        await request_recompute(conn, [field.targets[1]], request_id=uuid4())
    await drain(two.deps, home, with_overdue=True)
    assert await became(two, release) is Status.UNRESOLVED
    await drain_late(two.deps, home)
    assert await became(two, release) is Status.LANDED


@pytest.mark.parametrize("ruled", [None, Action.SCORE, Action.VOID])
async def test_who_is_heard_after_the_look_settles_what_it_left_open(
    deps: Deps, monkeypatch: pytest.MonkeyPatch, ruled: Action | None
) -> None:
    moved = await moved_lately(deps, 100)
    line, field = moved.line, moved.line.field
    target = field.targets[moved.lane]
    await moved.put(moved.after, then(running(line), 15))
    await drain(deps, moved.after)
    release = field.release(ago(line, 12), f"{moved.lane}A")
    await moved.put(moved.after, release)
    if ruled is not None:
        await drain(deps, moved.after)
        ruling = NewRuling(
            field.session_id,
            target,
            ruled,
            "it was not so",
            Span(release.ts, release.ts),
            shot_id=shot_id(release.event_id),
            worth=Worth(0, "M", False) if ruled is Action.SCORE else None,
        )
        made = await rule(line, ruling)
        await drain(deps, moved.after)
        async with deps.pool.acquire() as conn, conn.transaction():
            await undo_ruling(conn, made.id, "a mistake", Author(None, uuid4()))
            await request_recompute(conn, [target], request_id=uuid4())
    await moved.put(moved.before, running(line))
    held: set[UUID] = set()

    async def and_it_is_done(found: set[UUID]) -> None:
        # By another worker, which was at what came the old way.
        if not held:
            held.update(found)
            await drain(deps, moved.before)

    with monkeypatch.context() as patched:
        at_the_look(patched, deps.inbox, after=and_it_is_done)
        await drain(deps, moved.after)
    assert held
    await moved.do_all()
    assert await became(line, release) is Status.MISSED


@pytest.mark.parametrize("is_together", [False, True])
async def test_a_word_waits_for_what_came_late_also_when_both_ways_are_done_together(
    deps: Deps, is_together: bool
) -> None:
    begun = await begun_lately(deps)
    line, lane, inbox = begun.line, begun.lane, deps.inbox
    release = line.field.release(ago(line, 40), f"{lane}A")
    await inbox.append([Incoming(begun.home, encode(release))])
    await drain(deps, begun.home)
    landing = line.field.landed(ago(line, 39.6), lane)
    named = line.field.event(f"{lane}A arrow", EventType.IDENTIFIED, ago(line, 1))
    await inbox.append(
        [
            Incoming(begun.home, encode(landing), Haste.LATE),
            Incoming(begun.own, encode(running(line, f"{lane} target")), Haste.BEHIND),
            Incoming(begun.home, encode(named)),
        ]
    )
    if is_together:
        await drain_group(deps, [begun.own, begun.home])
    else:
        await drain(deps, begun.own)
        await drain(deps, begun.home)
    assert await became(line, release) is Status.UNRESOLVED
    for _ in range(3):
        for partition in (begun.own, begun.home):
            await drain_late(deps, partition)
            await drain(deps, partition)
    assert await became(line, release) is Status.LANDED


async def test_of_what_came_late_nobody_is_in_two_parts_who_went_to_a_butt_since(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = await in_one_partition(deps, lanes=2)
    field = line.field
    monkeypatch.setattr("workers.late.PART", 1)
    await line.say(then(running(line), 20))
    await go(line, 2, ago(line, 3))
    release = field.release(ago(line, 2), "2A")
    await line.say(release)

    def named(seconds: float) -> AcceptedEvent:
        return then(field.event("2A arrow", EventType.IDENTIFIED, ago(line, seconds)), 6)

    await line.put(named(100), haste=Haste.LATE)
    await line.put(then(running(line, left=5), 6), haste=Haste.BEHIND)
    await line.put(named(99), haste=Haste.LATE)
    while now() < release.at + UP_AFTER:
        await deps.valkey.ping()
    await drain_late(line.deps, 0)
    await drain(line.deps, 0, with_overdue=True)
    assert await became(line, release) is Status.UNRESOLVED
    assert "shot.missed" not in await line.told()


@pytest.mark.parametrize("is_heard", [False, True])
async def test_readers_that_are_heard_meanwhile_are_looked_for_too(
    two: Range, monkeypatch: pytest.MonkeyPatch, is_heard: bool
) -> None:
    inbox, field = two.deps.inbox, two.field
    await bind(two, "1 target", None, seconds=18)
    await bind(two, "2 target", 1, seconds=18)
    await two.say(then(running(two), 27))
    first, second = field.release(ago(two, 25)), field.release(ago(two, 12))
    hit = field.event("2 target", EventType.LANDED, ago(two, 11.6), x=0.0, y=0.0)
    await two.put(hit, haste=Haste.LATE)

    async def then_heard(_: set[UUID]) -> None:
        # Another worker commits what the second reader said before.
        beat = then(running(two, "2 target"), 14).corrected(0)
        since = instant(now() - 30 * SECOND)
        async with two.deps.pool.acquire() as conn, conn.transaction():
            await keep_said(conn, Said([beat], {}, {}), since)

    if is_heard:
        at_the_look(monkeypatch, inbox, after=then_heard)
    await two.put(first, second)
    await drain(two.deps, inbox.partition_of(field.targets[1]))
    assert await became(two, second) is Status.UNRESOLVED


@pytest.mark.parametrize("haste", [Haste.NOW, Haste.LATE])
@pytest.mark.parametrize("seconds", [0.4, 11, 13])
async def test_what_was_told_stays_while_another_arrows_hit_waits(
    deps: Deps, monkeypatch: pytest.MonkeyPatch, seconds: float, haste: Haste
) -> None:
    async with deps.pool.acquire() as conn:
        line = Range(deps, await put_up(conn, letters="AB"))
    miss = await presumed_miss(line)
    home = deps.inbox.partition_of(line.field.targets[1])
    hits = [line.field.landed(ago(line, seconds - 0.4))]

    async def and_it_lands() -> None:
        await line.put(*hits, haste=haste)
        hits.clear()

    await line.put(line.field.release(ago(line, seconds), "1B"), haste=haste)
    with monkeypatch.context() as patched:
        at_the_look(patched, deps.inbox, before=and_it_lands)
        await drain_late(deps, home)
        await drain(deps, home)
    await drain(deps, home)
    await drain_late(deps, home)
    await line.say(*hits)
    of_it = await told_of(line, miss)
    assert "unresolved" not in of_it
    assert of_it[:2] == ["in_flight", "missed"]
