"""Readers' clocks as they are kept."""

from core.domain.clock import Before, Clock, Sample, Suspicion
from core.models.known_reader import lock_readers
from core.models.reader_clock import (
    KnownClock,
    Source,
    count_suspects,
)
from core.models.said import keep_unheard
from core.postgres import Connection
from tests.fields import put_up

AT = 1_777_000_000_000_000
CLOCK = Clock(
    samples=(Sample(AT, -2_000_123), Sample(AT + 10_000_000, -2_000_500)),
    begun_at=AT,
    since=-5,
    started_at=AT - 60,
    before=Before(3_000, None),
    jumped_at=AT,
)
ROW = "SELECT offset_ms, suspect FROM reader_clock WHERE reader_id = $1 AND source = $2"


async def test_a_clock_is_found_as_it_was_kept(conn: Connection) -> None:
    field = await put_up(conn)
    bow, butt = field.readers["1A bow"], field.readers["1 target"]
    kept = {
        (bow, Source.READER): KnownClock(CLOCK, Suspicion.JUMPED),
        (bow, Source.GATEWAY): KnownClock(Clock()),
        (butt, Source.GATEWAY): KnownClock(CLOCK),
    }
    await keep_unheard(conn, clocks=kept)
    known = await lock_readers(conn, [bow, butt, field.readers["1A arrow"]])
    assert known.clocks == kept
    assert tuple(await conn.fetchrow(ROW, bow, "reader") or ()) == (-2000.5, "jumped")
    assert tuple(await conn.fetchrow(ROW, bow, "gateway") or ()) == (None, None)


async def test_a_clock_replaces_what_was_kept_of_it(conn: Connection) -> None:
    field = await put_up(conn)
    key = (field.readers["1A bow"], Source.READER)
    await keep_unheard(conn, clocks={key: KnownClock(CLOCK, Suspicion.IMPLAUSIBLE)})
    await keep_unheard(conn, clocks={key: KnownClock(Clock())})
    known = await lock_readers(conn, [key[0]])
    assert known.clocks == {key: KnownClock(Clock())}


async def test_suspects_are_counted_by_what_the_reader_says_itself(conn: Connection) -> None:
    field = await put_up(conn)
    own, relayed, retired = (field.readers[name] for name in ("1A bow", "1 target", "1A arrow"))
    await conn.execute("UPDATE reader SET retired_at = now() WHERE id = $1", retired)
    await keep_unheard(
        conn,
        clocks={
            (own, Source.READER): KnownClock(CLOCK),
            (own, Source.GATEWAY): KnownClock(CLOCK, Suspicion.IMPLAUSIBLE),
            (relayed, Source.GATEWAY): KnownClock(CLOCK, Suspicion.JUMPED),
            (retired, Source.READER): KnownClock(CLOCK, Suspicion.JUMPED),
        },
    )
    assert await count_suspects(conn) == {Suspicion.IMPLAUSIBLE: 0, Suspicion.JUMPED: 1}
