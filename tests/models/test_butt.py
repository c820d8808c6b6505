"""What is read of a butt."""

import random
from copy import replace
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from core.domain.presence import sight
from core.domain.values import MILLISECOND, SECOND, Boot, Watch
from core.models.butt import select_butts
from core.models.instants import FOREVER, instant
from core.models.presence import UNSAID
from core.postgres import Connection
from tests.fields import Field, put_up

BOOT_INSERT = """
INSERT INTO reader_boot (reader_id, said_started_at, started_at, clear_at, event_clear_at)
VALUES ($1, $2, $2, $3, $4)
"""
OFFLINE_AFTER = 30 * SECOND
# Seconds after the session's start, as far as readers' starts of these tests go.
YEARS_AGO, MUCH_LATER = -100_000, 20_000


async def watch_of(conn: Connection, field: Field) -> Watch:
    """The first butt's only reader's time there."""
    butts = await select_butts(conn, [field.targets[1]], OFFLINE_AFTER)
    (watch,) = butts[field.targets[1]].butt.watches
    return watch


async def switch_on(conn: Connection, reader_id: UUID, boot: Boot) -> None:
    """Keep that the reader was switched on, and what it said of that."""
    words = (boot.clear_at, boot.event_clear_at)
    at = UNSAID if boot.started_at is None else instant(boot.started_at)
    said = [None if word is None else instant(word) for word in words]
    await conn.execute(BOOT_INSERT, reader_id, at, *said)


async def test_starts_of_years_past_are_not_read(conn: Connection) -> None:
    field = await put_up(conn)
    reader_id = field.readers["1 target"]
    days = [field.starts_at - day * 86_400 * SECOND for day in (300, 200, 100)]
    boots = [Boot(at, at + 3_600 * SECOND, at + 3_500 * SECOND) for at in days]
    boots += [Boot(field.starts_at + 60 * SECOND), Boot(None, field.starts_at + 5 * SECOND)]
    for boot in boots:
        await switch_on(conn, reader_id, boot)
    watch = await watch_of(conn, field)
    assert set(watch.boots) == set(boots[3:])


async def test_a_reader_that_was_never_switched_on_has_no_start(conn: Connection) -> None:
    field = await put_up(conn)
    assert not (await watch_of(conn, field)).boots


@pytest.mark.parametrize("seed", range(10))
async def test_of_an_arrow_the_starts_that_are_read_tell_what_all_would(
    conn: Connection, seed: int
) -> None:
    rng = random.Random(seed)
    field = await put_up(conn, since=timedelta(hours=6))
    micro = [
        field.starts_at + second * SECOND
        for second in sorted(rng.sample(range(YEARS_AGO, MUCH_LATER), 12))
    ]

    # A run says something until the next begins, or names a start that was known before.
    def word(begin: int, end: int) -> int | None:
        return rng.choice([None, rng.randrange(begin, rng.choice([end, micro[-1]]))])

    boots = [Boot(begin, word(begin, end), word(begin, end)) for begin, end in pairwise(micro)]
    boots += rng.choice([[], [Boot(None, rng.choice(micro), rng.choice([None, *micro]))]])
    for boot in boots:
        await switch_on(conn, field.readers["1 target"], boot)
    watch = await watch_of(conn, field)
    whole = replace(watch, boots=tuple(boots))
    assert watch.bound_from == field.starts_at and watch.bound_to == FOREVER
    as_of = micro[-1]
    for second in range(0, MUCH_LATER, 50):
        begins = field.starts_at + second * SECOND
        ends = begins + 3 * SECOND
        assert sight([watch], begins, ends, as_of, OFFLINE_AFTER) is sight(
            [whole], begins, ends, as_of, OFFLINE_AFTER
        )


async def test_a_start_is_read_as_it_is_kept(conn: Connection) -> None:
    field = await put_up(conn)
    boot = Boot(field.starts_at, field.starts_at + MILLISECOND, None)
    await switch_on(conn, field.readers["1 target"], boot)
    watch = await watch_of(conn, field)
    assert watch.boots == (boot,)
