"""Readers that were away and are switched on again: what became of the arrows that nobody saw is
the same in whatever order they say so."""

import random
from collections.abc import Callable, Iterator, Sequence
from uuid import uuid4

import pytest

from core.domain.values import Status
from core.models.recompute import request_recompute
from core.schema.inbox import Accepted, AcceptedBeat
from tests.workers.conftest import Range, in_one_partition
from tests.workers.moves import (
    a_while_later,
    ago,
    became,
    in_batches,
    past_its_opening,
    running,
    then,
    two_arrows,
)
from workers.deps import Deps
from workers.drain import drain

ORDERS = ["landing first", "heartbeat first", "together"]


async def comes_back(line: Range, beat: AcceptedBeat, order: str) -> None:
    """The reader sees an arrow, and sends a heartbeat."""
    release, hit = line.field.release(ago(line, 15)), line.field.landed(ago(line, 14.6))
    if order == "together":
        await line.say(release, hit, beat)
    elif order == "heartbeat first":
        await line.say(beat)
        await line.say(release, hit)
    else:
        await line.say(release, hit)
        # It is sent only then.
        await line.say(then(beat, 0))
    await a_while_later(line, 0)
    assert await became(line, release) is Status.LANDED


@pytest.mark.parametrize(("seconds", "named_a_start"), [(60, True), (200, True), (200, False)])
@pytest.mark.parametrize("order", ORDERS)
async def test_what_fell_while_it_was_dead_was_seen_by_nobody(
    line: Range, seconds: int, named_a_start: bool, order: str
) -> None:
    await past_its_opening(line)
    if named_a_start:
        await line.say(then(running(line), 400))
    unseen = then(line.field.release(ago(line, seconds)), seconds)
    await line.say(unseen)
    assert await became(line, unseen) is Status.UNRESOLVED
    await comes_back(line, line.field.beat(started=ago(line, 20), buffered=0), order)
    assert await became(line, unseen) is Status.UNRESOLVED


@pytest.mark.parametrize("order", ORDERS)
async def test_nothing_was_missed_by_who_has_more_to_send_after_all(
    line: Range, order: str
) -> None:
    await line.say(then(running(line), 400))
    unseen = then(line.field.release(ago(line, 60)), 60)
    await line.say(unseen)
    assert await became(line, unseen) is Status.UNRESOLVED
    await comes_back(line, running(line, left=5), order)
    # It dies with it.
    await a_while_later(line, 60)
    assert await became(line, unseen) is Status.UNRESOLVED


@pytest.mark.parametrize("order", ORDERS)
async def test_what_it_saw_before_it_died_it_has_seen(line: Range, order: str) -> None:
    field = line.field
    await line.say(then(running(line), 100))
    miss = then(field.release(ago(line, 90)), 90)
    other, hit = then(field.release(ago(line, 82)), 82), then(field.landed(ago(line, 81.6)), 81)
    await line.say(miss, other, hit)
    assert await became(line, miss) is Status.MISSED
    await comes_back(line, field.beat(started=ago(line, 20), buffered=0), order)
    assert await became(line, miss) is Status.MISSED


@pytest.mark.parametrize("is_together", [False, True])
@pytest.mark.parametrize("seconds", [84, 70])
async def test_who_had_more_to_send_and_died_has_seen_nothing(
    line: Range, is_together: bool, seconds: int
) -> None:
    """Whether it said so before its last landing or after."""
    before = await two_arrows(line)
    holding = then(running(line, left=5), seconds)
    again = then(line.field.beat(started=ago(line, 40), buffered=0), 30)
    first, second = (holding, before.hit) if seconds > 81 else (before.hit, holding)
    await in_batches(line, [first, second, again], is_together=is_together)
    assert await became(line, before.miss) is Status.UNRESOLVED


@pytest.mark.parametrize("is_together", [False, True])
async def test_who_has_more_to_send_after_each_of_two_starts_has_seen_nothing_before(
    line: Range, is_together: bool
) -> None:
    before = await two_arrows(line)
    await line.say(before.hit)
    assert await became(line, before.miss) is Status.MISSED
    again = then(line.field.beat(started=ago(line, 40), buffered=1), 30)
    await in_batches(line, [then(running(line, left=5), 70), again], is_together=is_together)
    await line.say(then(line.field.beat(started=ago(line, 40), buffered=0), 20))
    await a_while_later(line, 0)
    assert await became(line, before.miss) is Status.UNRESOLVED


@pytest.mark.parametrize("is_together", [False, True])
async def test_what_it_saw_before_it_died_it_has_seen_in_whatever_batches(
    line: Range, is_together: bool
) -> None:
    before = await two_arrows(line)
    release = then(line.field.release(ago(line, 15)), 15)
    hit = then(line.field.landed(ago(line, 14.6)), 14)
    again = then(line.field.beat(started=ago(line, 20), buffered=0), 10)
    await in_batches(line, [before.hit, release, hit, again], is_together=is_together)
    assert await became(line, before.miss) is Status.MISSED


@pytest.mark.parametrize("is_named_first", [False, True])
@pytest.mark.parametrize("started", [-1000.0, None])
async def test_what_a_start_names_later_does_not_clear_what_came_before_it(
    line: Range, is_named_first: bool, started: float | None
) -> None:
    """It died with five to send, and does not know at once when it was switched on."""
    field = line.field
    await past_its_opening(line)
    await line.say(then(field.beat(started=started, buffered=0), 100))
    await line.say(then(field.beat(started=started, buffered=5), 86))
    miss = then(field.release(ago(line, 90)), 90)
    other, hit = then(field.release(ago(line, 82)), 82), then(field.landed(ago(line, 81.6)), 81)
    await line.say(miss, other, hit)
    again = field.beat(started=ago(line, 40), buffered=0)
    if is_named_first:
        await line.say(then(again, 39))
    await line.say(then(field.beat(buffered=0), 38))
    await line.say(then(field.landed(ago(line, 29.6)), 29))
    await line.say(then(again, 20))
    await a_while_later(line, 0)
    assert await became(line, miss) is Status.UNRESOLVED


def story(
    line: Range, rng: random.Random, names_start: Callable[[], bool]
) -> Iterator[Sequence[Accepted]]:
    """What is said of some minutes in which a reader goes off and on, has more to send or does not
    say, and misses half of what it could see."""
    field, started, is_on, seconds = line.field, ago(line, 800), True, 400.0
    while (seconds := seconds - rng.uniform(3, 8)) > 5:
        what = rng.random()
        if what < 0.1:
            is_on = not is_on
            started = ago(line, seconds) if is_on else started
        elif what < 0.55:
            shot: list[Accepted] = [then(field.release(ago(line, seconds)), seconds)]
            if is_on and rng.random() < 0.5:
                shot.append(then(field.landed(ago(line, seconds - 0.4)), seconds - 0.5))
            yield shot
        elif is_on:
            left = rng.choice([0, 0, 3]) if rng.random() < 0.9 else None
            named = started if names_start() else None
            yield [then(field.beat(started=named, buffered=left), seconds)]


async def statuses(line: Range) -> list[Status]:
    """What became of all arrows, in the order of their releases."""
    shots = sorted((known.shot for known in await line.shots()), key=lambda s: s.released_at)
    return [shot.status for shot in shots]


async def told(deps: Deps, seed: int, named: float, cut: float) -> list[Status]:
    """What becomes of a story that is cut into batches here and there; as it is derived anew."""
    async with deps.pool.acquire() as conn:
        await conn.execute("TRUNCATE session CASCADE")
    line, rng = await in_one_partition(deps), random.Random(seed)
    await past_its_opening(line)
    where = random.Random(seed)
    for said in story(line, rng, lambda: rng.random() < named):
        await line.put(*said)
        if where.random() < cut:
            await drain(line.deps, 0)
    await line.say()
    await a_while_later(line, 0)
    stored = await statuses(line)
    async with deps.pool.acquire() as conn:
        await request_recompute(conn, list(line.field.targets.values()), request_id=uuid4())
    await line.say(with_overdue=True)
    assert await statuses(line) == stored
    return stored


@pytest.mark.parametrize("seed", [0, 2, 6, 10])
@pytest.mark.parametrize("named", [0.6, 1.0])
async def test_what_becomes_of_arrows_hangs_on_no_batches(
    deps: Deps, seed: int, named: float
) -> None:
    apart, cut, together = [await told(deps, seed, named, share) for share in (1.0, 0.3, 0.0)]
    assert apart == cut == together
    assert Status.MISSED in apart and Status.UNRESOLVED in apart
