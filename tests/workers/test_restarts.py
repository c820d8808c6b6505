"""Readers that were away and are switched on again: what became of the arrows that nobody saw is
the same in whatever order they say so."""

import random
from collections.abc import Iterator, Sequence
from uuid import uuid4

import pytest

from core.domain.values import Status
from core.models.recompute import request_recompute
from core.schema.inbox import Accepted, AcceptedBeat
from tests.fields import as_if_received_then
from tests.workers.conftest import Range, in_one_partition
from tests.workers.moves import a_while_later, ago, became, running, then
from workers.deps import Deps
from workers.drain import drain

ORDERS = ["landing first", "heartbeat first", "together"]


async def past_its_opening(line: Range) -> None:
    """The butt's first shots are decided by those after them, too: not any more."""
    for at in range(10, 410, 10):
        release, hit = line.field.release(at), line.field.landed(at + 0.4)
        await line.put(as_if_received_then(release), as_if_received_then(hit))
    await line.say()


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


@pytest.mark.parametrize("seconds", [60, 200])
@pytest.mark.parametrize("order", ORDERS)
async def test_what_fell_while_it_was_dead_was_seen_by_nobody(
    line: Range, seconds: int, order: str
) -> None:
    await past_its_opening(line)
    await line.say(then(running(line), 400))
    unseen = then(line.field.release(ago(line, seconds)), seconds)
    await line.say(unseen)
    assert await became(line, unseen) is Status.UNRESOLVED
    await comes_back(line, line.field.beat(started=ago(line, 20), buffered=0), order)
    assert await became(line, unseen) is Status.UNRESOLVED


@pytest.mark.parametrize("order", ORDERS)
async def test_what_fell_while_it_was_dead_was_seen_by_nobody_though_it_named_no_start_before(
    line: Range, order: str
) -> None:
    await past_its_opening(line)
    unseen = then(line.field.release(ago(line, 200)), 200)
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


def story(line: Range, rng: random.Random, *, names_starts: bool) -> Iterator[Sequence[Accepted]]:
    """What is said of ten minutes in which a reader goes off and on, has more to send or does not
    say, and misses half of what it could see."""
    field, started, is_on, seconds = line.field, ago(line, 800), True, 600.0
    while (seconds := seconds - rng.uniform(2, 8)) > 1:
        what = rng.random()
        if what < 0.05:
            is_on = not is_on
            started = ago(line, seconds) if is_on else started
        elif what < 0.55:
            shot: list[Accepted] = [then(field.release(ago(line, seconds)), seconds)]
            if is_on and rng.random() < 0.5:
                shot.append(then(field.landed(ago(line, seconds - 0.4)), seconds - 0.5))
            yield shot
        elif is_on:
            left = rng.choice([0, 0, 0, 3]) if rng.random() < 0.9 else None
            yield [
                then(field.beat(started=started if names_starts else None, buffered=left), seconds)
            ]


@pytest.mark.parametrize("seed", [2, 4, 10])
@pytest.mark.parametrize("names_starts", [False, True])
async def test_what_is_stored_is_what_would_be_derived_anew(
    deps: Deps, seed: int, names_starts: bool
) -> None:
    line = await in_one_partition(deps)
    await past_its_opening(line)
    for said in story(line, random.Random(seed), names_starts=names_starts):
        await line.put(*said)
        await drain(line.deps, 0)
    await a_while_later(line, 0)
    stored = {known.shot.id: known.shot.status for known in await line.shots()}
    async with deps.pool.acquire() as conn:
        await request_recompute(conn, list(line.field.targets.values()), request_id=uuid4())
    await line.say(with_overdue=True)
    assert {known.shot.id: known.shot.status for known in await line.shots()} == stored
    assert Status.MISSED in stored.values()
