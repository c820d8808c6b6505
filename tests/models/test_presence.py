"""What signs of life leave of readers' presence."""

import asyncio
from copy import replace
from datetime import datetime
from typing import Any

import pytest

from core.domain.clock import Clock
from core.models import said as keeping
from core.models.instants import FOREVER, instant, microseconds
from core.models.known_reader import lock_readers
from core.models.presence import (
    UNSAID,
    mark_silent,
    select_reader_places,
)
from core.models.reader_binding import bind_from
from core.models.reader_boot import Doubt
from core.models.reader_clock import KnownClock, Source
from core.models.said import News, Said, keep_doubts, keep_said
from core.postgres import Connection, Pool
from core.schema.inbox import Accepted, AcceptedBeat, AcceptedEvent
from tests.fields import Field, put_up

SECOND = 1_000_000
STATUS_SELECT = "SELECT * FROM reader_status WHERE reader_id = $1"
BOOT_SELECT = "SELECT * FROM reader_boot WHERE reader_id = $1 ORDER BY said_started_at"

type Boot = tuple[int | None, int | None, int | None]
type Status = tuple[float, bool, float | None, str | None, int | None]


@pytest.fixture(name="field")
async def make_field(conn: Connection) -> Field:
    """A butt with one archer."""
    return await put_up(conn)


def moment(field: Field, at: float) -> int:
    """Microseconds since the epoch of so many seconds after the session's start."""
    return field.starts_at + round(at * SECOND)


def beat(
    field: Field,
    at: float,
    *,
    offset: float = 0.0,
    started: float | None = None,
    buffered: int | None = None,
) -> AcceptedBeat:
    """A heartbeat of the butt's reader that came so many seconds after the start."""
    usual = field.beat(started=started, buffered=buffered)
    return replace(usual, received_at=moment(field, at), offset=round(offset * SECOND))


def landed(field: Field, at: float) -> AcceptedEvent:
    """A landing that came so many seconds after the start."""
    return replace(field.landed(at), received_at=moment(field, at))


async def note(conn: Connection, field: Field, *said: Accepted, since: float = 0) -> News:
    """Keep signs of life; who was heard so many seconds after the start or later is online."""
    known = await lock_readers(conn, {each.reader_id for each in said})
    events = [each for each in said if isinstance(each, AcceptedEvent)]
    online_since = instant(moment(field, since))
    return await keep_said(conn, Said(said, known.last_heard, {}, events), online_since)


async def status(conn: Connection, field: Field) -> Status:
    """When the butt's reader was heard, whether it is online, and what it last said of itself."""
    row = await conn.fetchrow(STATUS_SELECT, field.readers["1 target"])
    assert row is not None
    second = (microseconds(row["last_heard_at"]) - field.starts_at) / SECOND
    return second, row["is_online"], row["battery_pct"], row["firmware"], row["buffered"]


async def boots(conn: Connection, field: Field) -> list[Boot]:
    """The starts of the butt's reader, each with when it was clear, and when by an event: seconds
    after the session's start; None: unsaid."""

    def second(at: datetime | None) -> int | None:
        unsaid = at is None or at == UNSAID
        return None if unsaid or at is None else (microseconds(at) - field.starts_at) // SECOND

    rows = await conn.fetch(BOOT_SELECT, field.readers["1 target"])
    names = ("started_at", "clear_at", "event_clear_at")
    return [(second(row[names[0]]), second(row[names[1]]), second(row[names[2]])) for row in rows]


async def test_a_reader_that_is_heard_for_the_first_time_comes_online(
    conn: Connection, field: Field
) -> None:
    news = await note(conn, field, beat(field, 10))
    assert news == News([field.readers["1 target"]], [], [])
    assert await status(conn, field) == (10, True, None, None, None)


async def test_it_comes_online_once(conn: Connection, field: Field) -> None:
    await note(conn, field, beat(field, 10))
    assert (await note(conn, field, beat(field, 20), landed(field, 21))).online == []


async def test_what_lay_too_long_in_the_inbox_brings_nobody_online(
    conn: Connection, field: Field
) -> None:
    assert (await note(conn, field, beat(field, 10), since=11)).online == []
    assert await status(conn, field) == (10, False, None, None, None)


async def test_an_event_is_a_sign_of_life(conn: Connection, field: Field) -> None:
    release = replace(field.release(10), received_at=moment(field, 12))
    news = await note(conn, field, release)
    assert news.online == [field.readers["1A bow"]]


async def test_what_a_reader_says_of_itself_is_kept_and_silence_changes_nothing(
    conn: Connection, field: Field
) -> None:
    said = replace(beat(field, 10, buffered=3), battery_pct=81.5, firmware="1.2")
    await note(conn, field, said)
    await note(conn, field, landed(field, 20))
    assert await status(conn, field) == (20, True, 81.5, "1.2", 3)


async def test_a_heartbeat_that_names_no_buffer_takes_the_last_word_back(
    conn: Connection, field: Field
) -> None:
    await note(conn, field, replace(beat(field, 10, buffered=3), battery_pct=81.5))
    await note(conn, field, beat(field, 20))
    assert await status(conn, field) == (20, True, 81.5, None, None)


async def test_of_several_in_one_batch_the_latest_counts(conn: Connection, field: Field) -> None:
    await note(conn, field, beat(field, 20, buffered=0), beat(field, 10, buffered=5))
    assert await status(conn, field) == (20, True, None, None, 0)


async def test_an_older_sign_of_life_does_not_turn_back_the_time(
    conn: Connection, field: Field
) -> None:
    await note(conn, field, beat(field, 20))
    await note(conn, field, landed(field, 10))
    assert (await status(conn, field))[0] == 20


async def test_what_an_older_heartbeat_says_does_not_replace_what_a_newer_one_said(
    conn: Connection, field: Field
) -> None:
    await note(conn, field, replace(beat(field, 20, buffered=4), battery_pct=80))
    await note(conn, field, replace(beat(field, 10, buffered=0), battery_pct=90, firmware="1.2"))
    assert await status(conn, field) == (20, True, 80, None, 4)


@pytest.mark.parametrize("is_older_first", [False, True])
async def test_what_is_still_to_be_sent_the_newest_heartbeat_says_whenever_it_is_heard(
    conn: Connection, field: Field, is_older_first: bool
) -> None:
    said = [beat(field, 10, buffered=9), beat(field, 20, buffered=0), beat(field, 20, buffered=4)]
    for each in said if is_older_first else reversed(said):
        await note(conn, field, each)
    # Of two that came at once the one that gives nobody a zero is believed.
    assert (await status(conn, field))[4] == 4
    await note(conn, field, beat(field, 30, buffered=0))
    assert (await status(conn, field))[4] == 0


async def test_a_start_is_news_the_first_time_it_is_named(conn: Connection, field: Field) -> None:
    started = moment(field, -60)
    first = await note(conn, field, beat(field, 10, started=-60))
    assert first.doubts == [Doubt(field.readers["1 target"], -FOREVER, started)]
    assert (await note(conn, field, beat(field, 20, started=-60))).doubts == []


async def test_a_start_is_on_the_servers_clock(conn: Connection, field: Field) -> None:
    # The reader's clock is 100 s slow.
    news = await note(conn, field, beat(field, 10, offset=100, started=-160, buffered=0))
    assert news.doubts == [Doubt(field.readers["1 target"], -FOREVER, moment(field, -60))]
    assert await boots(conn, field) == [(-60, 10, None)]


async def test_a_start_is_placed_once_however_its_clock_is_measured_later(
    conn: Connection, field: Field
) -> None:
    await note(conn, field, beat(field, 10, started=-60))
    await note(conn, field, beat(field, 25, offset=5, started=-60))
    assert await boots(conn, field) == [(-60, 25, None)]


async def test_a_reader_that_has_more_to_send_is_not_clear(conn: Connection, field: Field) -> None:
    await note(conn, field, beat(field, 10, started=-60, buffered=2))
    assert await boots(conn, field) == [(-60, None, None)]
    await note(conn, field, beat(field, 20, started=-60, buffered=0))
    await note(conn, field, beat(field, 30, started=-60, buffered=1))
    assert await boots(conn, field) == [(-60, 20, None)]


async def test_every_start_is_kept(conn: Connection, field: Field) -> None:
    await note(conn, field, beat(field, 10, started=-60), beat(field, 30, started=20))
    assert await boots(conn, field) == [(-60, 10, None), (20, 30, None)]


async def test_a_start_that_is_worked_out_anew_each_time_is_one(
    conn: Connection, field: Field
) -> None:
    for at, wrong_ms in ((10, 0), (20, 120), (30, -200), (40, 90)):
        said = beat(field, at, started=-60)
        assert said.started_at is not None
        news = await note(conn, field, replace(said, started_at=said.started_at + wrong_ms * 1_000))
        assert bool(news.doubts) == (at == 10)
    assert await boots(conn, field) == [(-60, 40, None)]


async def test_a_start_that_only_its_time_tells_is_one_however_its_clock_is_measured(
    conn: Connection, field: Field
) -> None:
    await note(conn, field, beat(field, 10, started=-60))
    for at in range(100, 105):
        await note(conn, field, beat(field, at, offset=at - 20, started=-60))
    assert await boots(conn, field) == [(-60, 10, None), (20, 104, None)]


async def test_a_reader_that_is_switched_on_again_at_once_has_two_starts(
    conn: Connection, field: Field
) -> None:
    await note(conn, field, beat(field, 10, started=-60))
    again = beat(field, 20, started=-60)
    assert again.started_at is not None
    await note(conn, field, replace(again, started_at=again.started_at + 260_000))
    assert await boots(conn, field) == [(-60, 10, None), (-60, 20, None)]


async def test_a_reader_that_names_no_start_is_clear_without_one(
    conn: Connection, field: Field
) -> None:
    news = await note(conn, field, beat(field, 10))
    assert news.doubts == []
    assert await boots(conn, field) == [(None, 10, None)]


async def test_a_landing_is_of_the_start_before_it(conn: Connection, field: Field) -> None:
    await note(conn, field, beat(field, 10, started=-60), beat(field, 30, started=20))
    await note(conn, field, landed(field, 40))
    assert await boots(conn, field) == [(-60, 10, None), (20, 30, 40)]


async def test_a_landing_of_a_reader_that_has_more_to_send_does_not_make_it_clear(
    conn: Connection, field: Field
) -> None:
    await note(conn, field, beat(field, 10, started=-60, buffered=2))
    await note(conn, field, landed(field, 40))
    assert await boots(conn, field) == [(-60, None, None)]


async def test_what_a_heartbeat_says_against_its_reader_can_be_kept_first(
    conn: Connection, field: Field
) -> None:
    said = [beat(field, 15, buffered=0), beat(field, 20, started=5, buffered=3)]
    reader = field.readers["1 target"]
    assert await keep_doubts(conn, said) == [Doubt(reader, -FOREVER, moment(field, 5))]
    assert await keep_doubts(conn, said) == []
    # It counts for nothing yet: neither was it heard, nor is it clear.
    known = await lock_readers(conn, [reader])
    assert known.last_heard[reader] < moment(field, 0)
    await note(conn, field, landed(field, 21))
    assert await boots(conn, field) == [(5, None, None)]
    await note(conn, field, beat(field, 30, started=5, buffered=0))
    assert await boots(conn, field) == [(5, 30, None)]


async def test_what_was_heard_since_a_start_is_of_it_when_it_is_told_later(
    conn: Connection, field: Field
) -> None:
    await note(conn, field, beat(field, 10, started=-60, buffered=0))
    for at in (35, 40, 70, 90):
        await note(conn, field, landed(field, at))
    news = await note(conn, field, beat(field, 95, started=60))
    assert await boots(conn, field) == [(-60, 10, 40), (60, 95, 90)]
    reader = field.readers["1 target"]
    assert news.doubts == [Doubt(reader, moment(field, 40), moment(field, 60))]


async def test_a_start_that_is_said_to_be_a_little_earlier_puts_nothing_in_doubt(
    conn: Connection, field: Field
) -> None:
    await note(conn, field, beat(field, 10, started=-60, buffered=0))
    assert (await note(conn, field, beat(field, 70, started=60))).doubts
    assert (await note(conn, field, beat(field, 80, started=59.999))).doubts == []


async def test_what_is_heard_before_a_start_is_known_is_no_word_of_the_one_before(
    conn: Connection, field: Field
) -> None:
    reader = field.readers["1 target"]
    await note(conn, field, beat(field, 10, started=-60, buffered=0), landed(field, 11))
    unknowing = (landed(field, 14), landed(field, 16))
    at = replace(beat(field, 30, offset=80, started=-60), heard_before=moment(field, 12))
    await note(conn, field, *unknowing)
    news = await note(conn, field, at)
    assert await boots(conn, field) == [(-60, 10, 11), (20, 30, None)]
    assert news.doubts == [Doubt(reader, moment(field, 11), moment(field, 20))]


async def test_what_waited_while_a_start_became_known_is_no_word_of_the_one_before(
    conn: Connection, field: Field
) -> None:
    await note(conn, field, beat(field, 10, started=-60, buffered=0))
    at = replace(beat(field, 30, offset=80, started=-60), heard_before=moment(field, 12))
    assert await keep_doubts(conn, [at])
    await note(conn, field, beat(field, 15, started=-60, buffered=0))
    assert await boots(conn, field) == [(-60, 15, None), (20, None, None)]
    news = await note(conn, field, at)
    assert await boots(conn, field) == [(-60, 12, None), (20, 30, None)]
    assert news.doubts == [Doubt(field.readers["1 target"], moment(field, 12), moment(field, 20))]
    assert (await note(conn, field, at)).doubts == []


async def test_who_is_on_again_within_seconds_has_two_starts_where_its_clock_tells_them_apart(
    conn: Connection, field: Field
) -> None:
    await note(conn, field, beat(field, 10, started=8))
    again = beat(field, 13, offset=4, started=8)
    await note(conn, field, again)
    assert await boots(conn, field) == [(8, 13, None)]
    await note(conn, field, replace(again, heard_before=moment(field, 11)))
    assert await boots(conn, field) == [(8, 13, None), (12, 13, None)]


async def test_what_was_heard_of_a_reader_that_had_more_to_send_is_of_no_start_before_the_next(
    conn: Connection, field: Field
) -> None:
    await note(conn, field, beat(field, 10, started=-60, buffered=0))
    await note(conn, field, beat(field, 20, started=-60, buffered=2))
    await note(conn, field, landed(field, 40))
    news = await note(conn, field, beat(field, 95, started=60, buffered=0))
    assert await boots(conn, field) == [(-60, 10, None), (60, 95, None)]
    assert [doubt.since for doubt in news.doubts] == [moment(field, 10)]


@pytest.mark.parametrize("is_first", [False, True])
async def test_who_has_more_to_send_may_have_had_it_since_it_was_last_clear(
    conn: Connection, field: Field, is_first: bool
) -> None:
    await note(conn, field, beat(field, 10, started=-60, buffered=0), landed(field, 20))
    holding = beat(field, 30, started=-60, buffered=3)
    doubts = await keep_doubts(conn, [holding]) if is_first else []
    doubts = [*doubts, *(await note(conn, field, holding)).doubts]
    reader = field.readers["1 target"]
    assert doubts == [Doubt(reader, moment(field, 10), moment(field, 20))]
    assert await boots(conn, field) == [(-60, 10, None)]


async def test_who_was_clear_since_is_not_doubted_by_what_it_said_before(
    conn: Connection, field: Field
) -> None:
    await note(conn, field, beat(field, 40, started=-60, buffered=0))
    await note(conn, field, landed(field, 50))
    news = await note(conn, field, beat(field, 30, started=-60, buffered=3))
    assert news.doubts == []
    assert await boots(conn, field) == [(-60, 40, 50)]


async def test_the_last_of_a_readers_heartbeats_says_what_it_still_has_to_send(
    conn: Connection, field: Field
) -> None:
    await keep_doubts(conn, [beat(field, 20, buffered=3), beat(field, 25, buffered=0)])
    await note(conn, field, landed(field, 26))
    assert await boots(conn, field) == [(None, None, 26)]


async def test_a_landing_before_any_heartbeat_is_of_no_start(
    conn: Connection, field: Field
) -> None:
    await note(conn, field, landed(field, 40))
    assert await boots(conn, field) == [(None, None, 40)]


async def test_readers_fall_silent_once(conn: Connection, field: Field) -> None:
    await note(conn, field, beat(field, 10), beat(field, 20))
    assert await mark_silent(conn, instant(moment(field, 20))) == []
    silent = instant(moment(field, 20) + 1)
    assert await mark_silent(conn, silent) == [field.readers["1 target"]]
    assert await mark_silent(conn, silent) == []
    assert (await status(conn, field))[:2] == (20, False)


async def test_a_reader_that_is_heard_again_comes_online_again(
    conn: Connection, field: Field
) -> None:
    await note(conn, field, beat(field, 10))
    await mark_silent(conn, instant(moment(field, 50)))
    news = await note(conn, field, beat(field, 60), since=30)
    assert news.online == [field.readers["1 target"]]
    assert (await status(conn, field))[:2] == (60, True)


async def test_readers_are_found_where_they_are_at_a_time(conn: Connection, field: Field) -> None:
    reader_id = field.readers["1A bow"]
    await bind_from(conn, reader_id, None, instant(moment(field, 100)))
    (place,) = await select_reader_places(conn, [reader_id], instant(moment(field, 99)))
    assert (place.reader_id, place.kind, place.session_id) == (reader_id, "bow", field.session_id)
    assert (place.target_id, place.slot_id) == (field.targets[1], field.slots["1A"])
    assert await select_reader_places(conn, [reader_id], instant(moment(field, 100))) == []


async def test_clocks_are_kept_with_the_presence(conn: Connection, field: Field) -> None:
    key, clock = (field.readers["1 target"], Source.READER), KnownClock(Clock(begun_at=1))
    online_since = instant(moment(field, 0))
    await keep_said(conn, Said([landed(field, 1)], {}, {key: clock}), online_since)
    assert (await lock_readers(conn, [key[0]])).clocks == {key: clock}
    await note(conn, field, landed(field, 2))
    known = await lock_readers(conn, [key[0]])
    assert (known.clocks, known.last_heard) == ({key: clock}, {key[0]: moment(field, 2)})


async def test_events_are_kept_with_the_presence_and_told_apart_from_those_that_were_known(
    conn: Connection, field: Field
) -> None:
    online_since = instant(moment(field, 0))
    said = [landed(field, 1), field.release(2)]
    first = await keep_said(conn, Said(said[:1], {}, {}, said[:1]), online_since)
    # Also those that tell nothing yet of their readers.
    again = await keep_said(conn, Said([], {}, {}, [*said, said[1]]), online_since)
    assert ([each.event_id for each in first.new], again.new) == ([said[0].event_id], said[1:])
    assert again.online == []
    assert await conn.fetchval("SELECT count(*) FROM event") == 2
    assert await keep_said(conn, Said([], {}, {}), online_since) == News([], [], [])


async def test_a_first_heartbeat_and_a_first_landing_do_not_lock_each_other_out(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pool.acquire() as conn:
        field = await put_up(conn)
    keep, landings = getattr(keeping, "_keep"), list[asyncio.Task[News]]()

    async def keep_later(conn: Connection, *args: Any) -> object:
        if not landings:
            # The heartbeat's starts are noted by now.
            landings.append(asyncio.create_task(noted_alone(other, field, landed(field, 2))))
            await until_it_waits(conn, other)
        kept: object = await keep(conn, *args)
        return kept

    monkeypatch.setattr(keeping, "_keep", keep_later)
    async with pool.acquire() as one, pool.acquire() as other:
        await noted_alone(one, field, beat(field, 1, started=0, buffered=0))
        assert (await landings[0]).online == []
        reader = field.readers["1 target"]
        rows = await one.fetch(BOOT_SELECT, reader)
        known = await lock_readers(one, [reader])
    # The landing is of the start that the heartbeat told, though it came while that was written.
    assert [row["event_clear_at"] for row in rows] == [instant(moment(field, 2))]
    assert known.last_heard == {reader: moment(field, 2)}


async def test_an_older_first_heartbeat_that_waited_for_a_newer_one_replaces_nothing(
    pool: Pool,
) -> None:
    async with pool.acquire() as one, pool.acquire() as other:
        field = await put_up(one)
        newer, older = beat(field, 10, buffered=5), beat(field, 5, buffered=0)
        async with one.transaction():
            await note(one, field, newer)
            noting = asyncio.create_task(noted_alone(other, field, older))
            await until_it_waits(one, other)
        await noting
        row = await one.fetchrow(STATUS_SELECT, newer.reader_id)
    assert row is not None
    assert (row["last_heard_at"], row["buffered"]) == (instant(moment(field, 10)), 5)


async def noted_alone(conn: Connection, field: Field, said: Accepted) -> News:
    """Keep a sign of life in a transaction of its own."""
    async with conn.transaction():
        return await note(conn, field, said)


async def until_it_waits(conn: Connection, other: Connection) -> None:
    """Until the other connection waits for a lock."""
    pid, waits = other.get_server_pid(), False
    while not waits:
        waits = await conn.fetchval(
            "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1", pid
        )
