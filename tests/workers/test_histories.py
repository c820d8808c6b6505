"""Readers that have been at many places: what they say is of where they were, however long ago."""

from collections.abc import Mapping, Sequence
from copy import replace
from datetime import timedelta
from uuid import UUID

import pytest

from core.domain.values import SECOND, Shot, Status
from core.domain.window import Span
from core.models.instants import instant
from core.models.place import Place
from core.models.reader_binding import bind_from
from core.models.recompute import request_recompute
from tests.fields import as_if_received_then, now, put_up
from tests.workers.conftest import Range, in_one_partition
from workers.deps import Deps
from workers.derivation import Causes, Derivation, Look, derive
from workers.drain import drain
from workers.recall import Recall
from workers.windows import AsOf

DAY_S = 86_400


async def old_range(deps: Deps, days: int) -> Range:
    """Two butts that have stood for so many days."""
    async with deps.pool.acquire() as conn:
        return Range(deps, await put_up(conn, lanes=2, since=timedelta(days=days)))


async def bind(line: Range, reader: str, place: str | None, days_ago: float) -> None:
    """Have a reader at a slot or a lane's target since so many days ago."""
    field = line.field
    at = instant(now() - round(days_ago * DAY_S * SECOND))
    lane = int((place or "1").rstrip("A"))
    where = Place(field.slots.get(place or ""), field.targets[lane], at)
    async with line.deps.pool.acquire() as conn, conn.transaction():
        await bind_from(conn, field.readers[reader], where if place else None, at)


async def settle(line: Range) -> None:
    """Do what waits, and what is asked for by that."""
    for partition in [*range(line.deps.inbox.partitions)] * 2:
        await drain(line.deps, partition, with_overdue=True)


async def only_shot(line: Range) -> Shot:
    """The only one, once nothing waits any more."""
    await settle(line)
    (known,) = await line.shots()
    return known.shot


async def test_what_seems_to_be_of_another_time_is_of_the_place_of_its_time(deps: Deps) -> None:
    line = await old_range(deps, 9)
    field = line.field
    await bind(line, "1A bow", "2A", 6)
    # Five days ahead, and eight days old.
    ahead = 5 * DAY_S * SECOND
    release = field.release(DAY_S)
    await line.say(replace(release, ts=release.ts + ahead, offset=-ahead))
    shot = await only_shot(line)
    assert shot.slot_id == field.slots["1A"] and shot.released_at == release.ts


async def test_what_was_shot_before_many_moves_is_of_its_place(deps: Deps) -> None:
    line = await old_range(deps, 20)
    field = line.field
    for days in range(18, 1, -1):
        await bind(line, "1A bow", "2A" if days % 2 else "1A", days)
    release = field.release(3.5 * DAY_S)
    await line.say(release)
    assert (await only_shot(line)).slot_id == field.slots["2A"]


@pytest.mark.parametrize("days", [20, 40])
@pytest.mark.parametrize("buffered", [0, 5])
async def test_a_word_decides_what_was_shot_where_its_reader_was_before(
    deps: Deps, days: int, buffered: int
) -> None:
    line = await old_range(deps, days)
    field = line.field
    await line.say(as_if_received_then(field.release(10)))
    assert (await only_shot(line)).status is Status.UNRESOLVED
    await bind(line, "1 target", "2", days - 1)
    await bind(line, "1 target", None, days - 2)
    await bind(line, "1 target", "2", 1)
    await line.say(field.beat("1 target", started=-1000, buffered=buffered))
    if buffered:
        assert (await only_shot(line)).status is Status.UNRESOLVED
        await line.say(field.beat("1 target", started=-1000, buffered=0))
    assert (await only_shot(line)).status is Status.MISSED


@pytest.mark.parametrize("named", [-5_399.0, -3_600.0, None])
@pytest.mark.parametrize("is_in_time", [True, False])
async def test_a_reader_that_once_named_another_start_was_there(
    deps: Deps, named: float | None, is_in_time: bool
) -> None:
    line = await in_one_partition(deps)
    field = line.field
    said = [(-5_400.0, -100.0), (named, -90.0), (-5_400.0, 700.0)]
    first, odd, last = (
        replace(
            field.beat("1 target", started=started, buffered=0),
            received_at=field.starts_at + round(at * SECOND),
        )
        for started, at in said
    )
    await line.say(first, *[odd] * is_in_time)
    await line.say(as_if_received_then(field.release(600)))
    await line.say(last, *[odd] * (not is_in_time))
    assert (await only_shot(line)).status is Status.MISSED
    async with deps.pool.acquire() as conn:
        await request_recompute(conn, [field.targets[1]])
    assert (await only_shot(line)).status is Status.MISSED


@pytest.mark.parametrize("order", [[[0], [1]], [[1], [0]], [[1, 0]]])
@pytest.mark.parametrize(("started", "buffered"), [(-1_000, 5), (40 * DAY_S - 15, 0)])
async def test_of_a_place_of_long_ago_a_word_tells_in_any_order(
    deps: Deps, order: Sequence[Sequence[int]], started: float, buffered: int
) -> None:
    line = await in_one_partition(deps, lanes=2, since=timedelta(days=40))
    field = line.field
    await line.say(as_if_received_then(field.release(10)))
    await bind(line, "1 target", "2", 39)
    words = [
        field.beat("1 target", started=-1_000, buffered=0),
        field.beat("1 target", started=started, buffered=buffered),
    ]
    said = [
        replace(word, received_at=now() - ago * SECOND)
        for word, ago in zip(words, (20, 10), strict=True)
    ]
    for batch in order:
        await line.say(*(said[number] for number in batch))
    assert (await only_shot(line)).status is Status.MISSED


async def test_a_start_has_only_those_butts_derived_where_its_reader_was_then(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = await old_range(deps, 9)
    field, derived = line.field, set[UUID]()
    await bind(line, "1 target", "2", 1)
    two_hours_ago = now() - 7_200 * SECOND
    beat = field.beat("1 target", started=-1000, buffered=0)
    await line.say(replace(beat, received_at=two_hours_ago))

    async def noted(
        recall: Recall, spans: Mapping[UUID, Span], as_of: AsOf, causes: Causes, look: Look
    ) -> Derivation:
        derived.update(spans)
        return await derive(recall, spans, as_of, causes, look)

    monkeypatch.setattr("workers.batch.derive", noted)
    # It was switched on again an hour ago.
    await line.say(field.beat("1 target", started=9 * DAY_S - 3_600, buffered=0))
    await settle(line)
    assert derived == {field.targets[2]}
