"""Words that are heard late or twice, and starts that look like the one before: none of them says
that a reader was there that was not."""

import asyncio
from collections.abc import Collection
from copy import replace
from uuid import UUID

import pytest

from core.domain.values import SECOND, ShotFlag, Status
from core.gate import Haste
from core.models.butt import take_turns
from core.models.failed_job import count_failed_jobs
from core.models.lossless import kept_bytes
from core.postgres import Connection
from core.schema.inbox import Accepted, AcceptedBeat, AcceptedEvent, encode
from tests.fields import as_if_received_then, now
from tests.workers.conftest import WITHIN_S, Range, cursed, in_one_partition
from tests.workers.moves import (
    Before,
    Moved,
    a_while_later,
    ago,
    an_operator_retries,
    became,
    bind,
    in_batches,
    moved_lately,
    past_its_opening,
    running,
    then,
    two_arrows,
)
from workers.deps import Deps
from workers.drain import drain
from workers.late import drain_late
from workers.retry import retrying


def around(line: Range, before: Before, said_at: int) -> list[Accepted]:
    """The landing, that its reader has five more, which it still had when it was switched off, and
    what it says when it is on again, in the order in which they came."""
    holding = then(running(line, left=5), said_at)
    again = then(line.field.beat(started=ago(line, 40), buffered=0), 30)
    said: list[Accepted] = [before.hit, holding, again]
    return sorted(said, key=lambda word: word.received_at)


@pytest.mark.parametrize("is_retried", [False, True])
@pytest.mark.parametrize("said_at", [84, 70])
async def test_a_landing_that_is_heard_after_the_next_start_tells_nothing_of_the_one_before(
    line: Range, said_at: int, is_retried: bool
) -> None:
    before = await two_arrows(line)
    said = around(line, before, said_at)
    if is_retried:
        said.remove(before.hit)
    await in_batches(line, said, is_together=False)
    assert await became(line, before.miss) is Status.UNRESOLVED
    if is_retried:
        arguments = {"entry": "1-0", **kept_bytes(encode(before.hit))}
        await retrying({})(line.deps, await an_operator_retries(line.deps, "read_entry", arguments))
        await a_while_later(line, 0)
        assert await became(line, before.miss) is Status.UNRESOLVED


@pytest.mark.parametrize("size", [1000, 3])
@pytest.mark.parametrize("said_at", [84, 70])
async def test_so_it_is_in_whatever_batches_the_late_lane_is_read(
    deps: Deps, said_at: int, size: int
) -> None:
    few = replace(deps, settings=deps.settings.model_copy(update={"quiver_batch_size": size}))
    line = await in_one_partition(few, lanes=2)
    before = await two_arrows(line)
    await line.say()
    # Something late of another butt waits, and nobody is at work meanwhile.
    await line.put(then(line.field.landed(ago(line, 1000), lane=2), 95), haste=Haste.LATE)
    for each in around(line, before, said_at):
        await line.put(each, haste=Haste.NOW if each is before.hit else Haste.BEHIND)
    for _ in range(4):
        await drain(line.deps, 0)
        await drain_late(line.deps, 0)
    await a_while_later(line, 0)
    assert sum((await line.deps.inbox.depths()).values()) == 0
    assert await became(line, before.miss) is Status.UNRESOLVED


@pytest.mark.parametrize(
    "how",
    [
        "once",
        "again",
        "again while something waits",
        "twice at once",
        "twice, and a heartbeat between",
    ],
)
@pytest.mark.parametrize("lands_before_its_beat", [False, True])
async def test_a_landing_that_is_sent_again_says_nothing(
    deps: Deps, lands_before_its_beat: bool, how: str
) -> None:
    line = await in_one_partition(deps, lanes=2)
    field = line.field
    await past_its_opening(line)
    await line.say(then(running(line), 100))
    release, hit = then(field.release(ago(line, 96)), 96), then(field.landed(ago(line, 95.6)), 95)
    # It dies after this, and nobody sees the next; its gateway got no answer.
    unseen = then(field.release(ago(line, 90)), 90)
    repeated = then(hit, 80)
    if how.startswith("twice"):
        between = [then(running(line), 94)] if how == "twice, and a heartbeat between" else []
        await line.say(release, repeated, hit, *between)
    else:
        await line.say(release, hit)
    await line.say(unseen)
    if how.startswith("again"):
        if how != "again":
            late = as_if_received_then(field.landed(ago(line, 1000), lane=2))
            await line.put(late, haste=Haste.LATE)
        await line.put(repeated)
        for _ in range(3):
            await drain(line.deps, 0)
            await drain_late(line.deps, 0)
    if lands_before_its_beat:
        seen = field.release(ago(line, 36)), field.landed(ago(line, 35.6))
        await line.say(then(seen[0], 36), then(seen[1], 35))
    await line.say(then(field.beat(started=ago(line, 40), buffered=0), 30))
    await a_while_later(line, 0)
    assert await became(line, release) is Status.LANDED
    assert await became(line, unseen) is Status.UNRESOLVED


@pytest.mark.parametrize("with_beat", [False, True])
@pytest.mark.parametrize("repeated_at", [None, 70])
async def test_a_landing_of_an_earlier_butt_says_nothing_when_it_is_sent_again(
    deps: Deps, repeated_at: float | None, with_beat: bool
) -> None:
    moved = await moved_lately(deps, 200)
    line, field = moved.line, moved.line.field
    hit = then(field.landed(ago(line, 210)), 100)
    unseen = then(field.release(ago(line, 90), f"{moved.lane}A"), 90)
    said: list[Accepted] = [then(running(line), 150), hit, unseen]
    if with_beat:
        said.insert(2, then(running(line), 95))
    if repeated_at is not None:
        said.append(then(hit, repeated_at))
    for each in said:
        await moved.put(moved.after, each)
        await moved.do_all()
    await a_while_later(line, 0)
    await moved.do_all()
    assert await became(line, unseen) is Status.UNRESOLVED


@pytest.mark.parametrize("size", [1000, 1])
@pytest.mark.parametrize("first", ["the landing", "what is sent again", "it is carried"])
async def test_a_landing_that_is_sent_again_on_another_way_says_nothing(
    deps: Deps, first: str, size: int
) -> None:
    few = replace(deps, settings=deps.settings.model_copy(update={"quiver_batch_size": size}))
    moved = await moved_lately(few, 200)
    line, field = moved.line, moved.line.field
    await moved.put(moved.after, then(running(line), 150))
    await moved.do_all()
    hit = then(field.landed(ago(line, 100.4)), 100)
    unseen = then(field.release(ago(line, 90), f"{moved.lane}A"), 90)
    await moved.put(moved.before, hit)
    if first == "it is carried":
        await drain(line.deps, moved.before)
    await moved.put(moved.after, unseen, then(hit, 70))
    await drain(line.deps, moved.before if first == "the landing" else moved.after)
    if first == "what is sent again":
        await drain_late(line.deps, moved.after)
    await moved.do_all()
    await a_while_later(line, 0)
    await moved.do_all()
    assert sum((await line.deps.inbox.depths()).values()) == 0
    assert await became(line, unseen) is Status.UNRESOLVED


@pytest.mark.parametrize("is_first_done_last", [False, True])
async def test_of_a_landings_copies_the_first_that_came_counts_whichever_is_done_first(
    line: Range, is_first_done_last: bool
) -> None:
    await past_its_opening(line)
    release = then(line.field.release(ago(line, 300)), 300)
    hit = then(line.field.landed(ago(line, 299.6)), 299)
    copies = [hit, then(hit, 100)]
    await line.say(release)
    for copy in reversed(copies) if is_first_done_last else copies:
        await line.say(copy)
    shot = next(s.shot for s in await line.shots() if s.shot.release_event_id == release.event_id)
    assert shot.status is Status.LANDED
    assert ShotFlag.LATE_LANDING not in shot.flags


@pytest.mark.parametrize("how", ["by itself", "together", "by an operator", "in vain"])
async def test_what_is_sent_again_and_done_first_is_taken_back(
    line: Range, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await past_its_opening(line)
    release, hit = then(line.field.release(ago(line, 100.4)), 100), then(
        line.field.landed(ago(line, 100)), 99
    )
    unseen = then(line.field.release(ago(line, 90)), 90)
    await line.say(then(running(line), 150), release, unseen)
    again = then(hit, 70)
    if how == "together":
        await line.say(again, hit)
    else:
        await line.say(again)
        assert await became(line, unseen) is Status.MISSED
    if how == "by itself":
        await line.say(hit)
    elif how == "by an operator":
        arguments = {"entry": "1-0", **kept_bytes(encode(hit))}
        await retrying({})(line.deps, await an_operator_retries(line.deps, "read_entry", arguments))
    elif how == "in vain":
        with monkeypatch.context() as patched:
            patched.setattr("workers.batch.derive", cursed(line.field.targets[1]))
            await line.say(hit)
    await a_while_later(line, 0)
    assert await became(line, release) is Status.LANDED
    assert await became(line, unseen) is Status.UNRESOLVED


@pytest.mark.parametrize("is_beat", [False, True])
@pytest.mark.parametrize("is_first_done_last", [False, True])
async def test_what_its_reader_said_besides_stands(
    line: Range, is_first_done_last: bool, is_beat: bool
) -> None:
    await past_its_opening(line)
    hit = then(line.field.landed(ago(line, 100)), 100)
    missed, unseen = (then(line.field.release(ago(line, at)), at) for at in (90, 75))
    landed, beat = line.field.landed(ago(line, 80)), running(line)
    other = then(beat, 80) if is_beat else then(landed, 80)
    await line.say(then(running(line), 150), missed, unseen)
    copies = [hit, then(hit, 60)]
    for copy in reversed(copies) if is_first_done_last else copies:
        await line.say(copy, other)
    await a_while_later(line, 0)
    outcomes = [await became(line, each) for each in (missed, unseen)]
    assert outcomes == [Status.MISSED, Status.UNRESOLVED]


def own(said: AcceptedEvent, seconds: float) -> AcceptedEvent:
    """What its reader sent itself so long ago, on a quick way."""
    return replace(then(said, seconds), sent_at=now() - round((seconds + 0.01) * SECOND))


def relayed(said: AcceptedEvent, seconds: float) -> AcceptedEvent:
    """What a gateway passed on so long ago, whose clock is 20 s behind."""
    sent_at = now() - round((seconds + 20) * SECOND)
    return replace(then(said, seconds), sent_at=sent_at, by_gateway=True)


async def do_both(moved: Moved) -> None:
    """Do all that waits at the two butts."""
    for _ in range(3):
        for partition in (moved.before, moved.after):
            await drain(moved.line.deps, partition)
            await drain_late(moved.line.deps, partition)


@pytest.mark.parametrize("moved_at", [400, 290])
async def test_copies_that_clocks_place_otherwise_count_as_the_first_has_it(
    deps: Deps, moved_at: float
) -> None:
    found: list[list[Status]] = []
    for is_first_done_last in (False, True):
        moved = await moved_lately(deps, moved_at)
        line, field = moved.line, moved.line.field
        # By its own clock it landed 299 s ago, by the gateway's 279 s ago: before the reader was
        # moved, and after.
        hit = field.landed(ago(line, 299.2))
        releases = [
            then(field.release(ago(line, at), f"{lane}A"), at)
            for at, lane in ((299.6, 1), (299.6, moved.lane), (279.6, 1), (279.6, moved.lane))
        ]
        copies = [own(hit, 299), relayed(hit, 100)]
        said: list[Accepted] = [*releases, then(running(line), 350)]
        said += reversed(copies) if is_first_done_last else copies
        for each in said:
            await moved.put(moved.after, each)
            await do_both(moved)
        # Somebody else does this, and remembers nothing.
        await moved.put(moved.after, then(field.release(ago(line, 265), f"{moved.lane}A"), 265))
        await do_both(moved)
        assert len(await line.shots()) == 5 * (len(found) + 1)
        found.append([await became(line, each) for each in releases])
        async with deps.pool.acquire() as conn:
            assert await count_failed_jobs(conn) == 0
    assert found[0] == found[1]
    assert found[0].count(Status.LANDED) == 1


async def test_a_release_is_where_its_first_copy_has_it(line: Range) -> None:
    await past_its_opening(line)
    release = line.field.release(ago(line, 200))
    await line.say(then(line.field.landed(ago(line, 199.6)), 199))
    for copy in (relayed(release, 100), own(release, 199.9)):
        await line.say(copy)
    # The next arrow is shot where that was by the gateway's clock, and nothing is remembered.
    line.deps.memory.forget()
    await line.say(then(line.field.release(ago(line, 178)), 178))
    assert await became(line, release) is Status.LANDED
    shot = next(s.shot for s in await line.shots() if s.shot.release_event_id == release.event_id)
    assert abs(shot.released_at - release.ts) < SECOND


async def test_what_is_remembered_of_the_butt_where_the_first_copy_has_it_is_read_anew(
    deps: Deps,
) -> None:
    moved = await moved_lately(deps, 290)
    line, field = moved.line, moved.line.field
    hit, release = field.landed(ago(line, 299.2)), then(field.release(ago(line, 299.6)), 299)
    said: list[Accepted] = [then(running(line), 350), release, relayed(hit, 100), own(hit, 299)]
    for each in said:
        await moved.put(moved.after, each)
        await moved.do_all()
    assert await became(line, release) is Status.LANDED


async def test_readers_that_changed_places_do_not_lock_each_other_out(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = await moved_lately(deps, 290)
    line, field, lane = moved.line, moved.line.field, moved.lane
    await bind(line, f"{lane} target", 1, 290)
    hits = [field.landed(ago(line, 299.2), lane) for lane in (1, lane)]
    for home, hit in zip((moved.after, moved.before), hits, strict=True):
        await moved.put(home, relayed(hit, 100))
    await moved.do_all()
    for home, hit in zip((moved.before, moved.after), hits, strict=True):
        await moved.put(home, own(hit, 299))
    begun = asyncio.Barrier(2)

    async def at_once(conn: Connection, targets: Collection[UUID]) -> None:
        await begun.wait()
        await take_turns(conn, targets)

    monkeypatch.setattr("workers.batch.take_turns", at_once)
    other = replace(line.deps, turns=asyncio.Semaphore(1))
    async with asyncio.timeout(WITHIN_S):
        await asyncio.gather(drain(line.deps, moved.before), drain(other, moved.after))


@pytest.mark.parametrize("is_together", [False, True])
@pytest.mark.parametrize("is_first_done_last", [False, True])
async def test_a_first_copy_that_is_done_with_the_next_start_counts(
    line: Range, is_first_done_last: bool, is_together: bool
) -> None:
    await past_its_opening(line)
    missed = then(line.field.release(ago(line, 110)), 110)
    hit = then(line.field.landed(ago(line, 100)), 100)
    copies = [hit, then(hit, 70)]
    started = then(line.field.beat(started=ago(line, 60), buffered=0), 50)
    await line.say(then(running(line), 150), missed)
    first, second = reversed(copies) if is_first_done_last else copies
    await line.say(first)
    await in_batches(line, [second, started], is_together=is_together)
    await a_while_later(line, 0)
    assert await became(line, missed) is Status.MISSED


async def test_where_a_landing_of_nobody_was_is_what_its_first_copy_said(line: Range) -> None:
    hit = then(line.field.landed(ago(line, 100), x=10.0), 99)
    await line.say(replace(then(hit, 60), x=20.0))
    await line.say(hit)
    async with line.deps.pool.acquire() as conn:
        assert await conn.fetchval("SELECT x FROM unmatched_landing") == 10.0


async def test_a_shot_whose_release_is_moved_is_written_once(line: Range) -> None:
    await past_its_opening(line)
    release = line.field.release(ago(line, 200))
    quick = replace(then(release, 199), sent_at=now() - round(199.01 * SECOND))
    slow = replace(then(release, 100), sent_at=now() - round(100.015 * SECOND), by_gateway=True)
    await line.say(slow)
    await line.say(quick, then(line.field.landed(ago(line, 199.5)), 199))
    versions = set()
    for _ in range(3):
        line.deps.memory.forget()
        await line.say(then(line.field.release(ago(line, 198.5)), 198.5))
        shots = await line.shots()
        versions |= {s.version for s in shots if s.shot.release_event_id == release.event_id}
    assert len(versions) == 1


@pytest.mark.parametrize("delay", [0.01, 7, 25])
async def test_a_request_that_takes_long_soon_after_a_start_moves_nothing(
    line: Range, delay: float
) -> None:
    await past_its_opening(line)

    def sent[Said: (AcceptedEvent, AcceptedBeat)](said: Said, seconds: float, late: float) -> Said:
        return replace(then(said, seconds - late), sent_at=now() - round(seconds * SECOND))

    # Its clock is right.
    await line.say(sent(line.field.beat(started=ago(line, 100), buffered=0), 99, 0.01))
    release = then(line.field.release(ago(line, 92.6)), 92.6)
    await line.say(release, sent(line.field.landed(ago(line, 92.2)), 92, delay))
    await a_while_later(line, 0)
    assert await became(line, release) is Status.LANDED


def told(line: Range, on: float, seconds: float, begins: int) -> AcceptedBeat:
    """A heartbeat of a reader whose clock began at this time when it was switched on.

    Args:
        line: Where it is.
        on: When it was switched on, seconds ago.
        seconds: When the heartbeat was sent, seconds ago.
        begins: Microseconds since 1970.
    """
    return replace(
        line.field.beat(started=0, buffered=0),
        received_at=now() - round(seconds * SECOND),
        sent_at=begins + round((on - seconds) * SECOND),
        started_at=begins,
    )


@pytest.mark.parametrize("is_together", [False, True])
@pytest.mark.parametrize("ran_for", [300, 900])
@pytest.mark.parametrize("times", [1, 2])
async def test_a_reader_whose_clock_always_begins_at_the_same_time_was_dead(
    line: Range, times: int, ran_for: int, is_together: bool
) -> None:
    await past_its_opening(line)
    unseen, said = [], []
    first = (times + 1) * (ran_for + 120)
    for start in range(first, 0, -(ran_for + 120)):
        said += [told(line, start, start - at, 0) for at in range(10, ran_for, 30) if at < start]
        if start > ran_for + 120:
            seconds = start - ran_for - 60
            unseen.append(then(line.field.release(ago(line, seconds)), seconds))
    await line.say(*unseen)
    await in_batches(line, said, is_together=is_together)
    assert [await became(line, each) for each in unseen] == [Status.UNRESOLVED] * times


async def test_a_reader_whose_clock_always_begins_at_the_same_time_was_there(line: Range) -> None:
    await past_its_opening(line)
    missed = [then(line.field.release(ago(line, at)), at) for at in (370, 60)]
    await line.say(*missed)
    # From one moment: its clock would run too fast by as much as the saying takes.
    beats = [
        told(line, start, at, 0)
        for start, until in ((500, 300), (200, 0))
        for at in range(start - 5, until, -10)
    ]
    for beat in beats:
        await line.say(beat)
    await a_while_later(line, 0)
    assert [await became(line, each) for each in missed] == [Status.MISSED] * 2


@pytest.mark.parametrize(("first", "again"), [((0.5,), 0.6), ((5, 15), 20)])
async def test_a_run_of_such_a_reader_may_be_short(
    line: Range, first: tuple[float, ...], again: float
) -> None:
    await past_its_opening(line)
    unseen = then(line.field.release(ago(line, 300)), 300)
    await line.say(unseen)
    beats = [told(line, 500, 500 - at, 0) for at in first]
    beats += [told(line, 100, 100 - again - number * 10, 0) for number in range(8)]
    for beat in beats:
        await line.say(beat)
    await a_while_later(line, 0)
    assert await became(line, unseen) is Status.UNRESOLVED
