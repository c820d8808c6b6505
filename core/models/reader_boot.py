"""Readers' starts: when they were switched on, until when they are known to have told all that they
saw since, and what is in doubt by a word of theirs."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from core.models.instants import FOREVER, instant, microseconds
from core.models.presence import UNSAID, is_unsaid
from core.postgres import Connection, Row
from core.schema.inbox import AcceptedBeat, Start

# Readers without a clock of their own begin at the same time by it each time they are switched on.
# So who names a start that is known, and was switched on later than that by more than clocks are
# measured wrong, has been switched on again: that is known by when it was, as exactly as it is.
# Others work out when it was from how long they run, and never say quite the same: two starts so
# near that nobody is switched on again as quickly are one, or each heartbeat would be one. A start
# that the clock itself tells from the one before is another one, however near.
BOOT_UPSERT = """
INSERT INTO reader_boot AS boot (reader_id, said_started_at, started_at, clear_at)
SELECT said.reader_id, CASE
    WHEN known.started_at >= said.started_at - within THEN said.said_started_at
    WHEN near.said_started_at IS NOT NULL THEN near.said_started_at
    WHEN known.started_at IS NOT NULL THEN said.started_at
    ELSE said.said_started_at END, said.started_at, said.clear_at
FROM unnest(
    $1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[]
) AS said (reader_id, said_started_at, started_at, clear_at, heard_before)
LEFT JOIN reader_boot AS known USING (reader_id, said_started_at)
CROSS JOIN LATERAL (
    SELECT CASE WHEN known.started_at IS NULL OR said.heard_before IS NOT NULL
        THEN interval '250 ms' ELSE interval '5 s' END
) AS same (within)
LEFT JOIN LATERAL (
    SELECT said_started_at FROM reader_boot AS other
    WHERE other.reader_id = said.reader_id
        AND other.started_at BETWEEN said.started_at - within AND said.started_at + within
    ORDER BY other.started_at DESC, other.said_started_at LIMIT 1
) AS near ON true
ON CONFLICT (reader_id, said_started_at) DO UPDATE
    SET clear_at = greatest(boot.clear_at, excluded.clear_at)
RETURNING reader_id, started_at, xmax = 0 AS is_new, EXISTS (
    SELECT FROM reader_boot AS before WHERE before.reader_id = boot.reader_id
        AND before.told_on >= (boot.started_at AT TIME ZONE 'UTC')::date
        AND before.started_at < boot.started_at AND before.event_clear_at >= boot.started_at
) AS was_heard_before_it_was_known
"""

# What was heard since a start is of that start, though it counted for the one before while nobody
# knew; what was heard last before it counts for that one. Whether something was left to be sent
# then is what the newest heartbeat before said; where that is not known any more it counts for
# none.
BOOT_PART_EVENTS = """
WITH earlier AS (
    SELECT said_started_at, event_clear_at FROM reader_boot
    WHERE reader_id = $1 AND started_at < $2 AND event_clear_at >= $2
    ORDER BY started_at DESC LIMIT 1
), parted AS (
    UPDATE reader_boot AS boot SET event_clear_at = (
        SELECT max(event.received_at) FROM event
        JOIN reader_status AS status ON status.reader_id = event.reader_id
        WHERE event.reader_id = $1 AND event.type = 'arrow_landed'
            AND event.occurred_at BETWEEN $2 - interval '30 days' AND $2
            AND event.received_at >= boot.started_at AND event.received_at < $2
            AND coalesce(status.buffered, 0) = 0 AND coalesce(status.buffered_said_at < $2, true)
    )
    FROM earlier
    WHERE boot.reader_id = $1 AND boot.said_started_at = earlier.said_started_at
)
UPDATE reader_boot AS boot
SET event_clear_at = greatest(boot.event_clear_at, earlier.event_clear_at)
FROM earlier
WHERE boot.reader_id = $1 AND boot.started_at = $2
"""

# The last of a reader's landings that came by `heard_at` and says that all before it was told. That
# nothing was left to be sent then is what the newest heartbeat said, of those before it only that
# they were before it is known.
LAST_WORD = """(
    SELECT max(event.received_at) FROM event
    JOIN reader_status AS status ON status.reader_id = event.reader_id
    WHERE event.reader_id = boot.reader_id AND event.type = 'arrow_landed'
        AND event.occurred_at BETWEEN heard_at - interval '30 days'
            AND heard_at + interval '1 hour'
        AND event.received_at BETWEEN boot.started_at AND heard_at
        AND coalesce(status.buffered, 0) = 0
        AND coalesce(status.buffered_said_at <= event.received_at, true)
)"""

# What was heard while nobody knew that a reader had been switched on again was no word of what it
# was before.
BOOT_TAKE_BACK_SINCE = (
    """
UPDATE reader_boot AS boot SET
    clear_at = CASE WHEN boot.clear_at BETWEEN heard_at AND start.started_at
        THEN heard_at ELSE boot.clear_at END,
    event_clear_at = CASE WHEN boot.event_clear_at BETWEEN heard_at AND start.started_at
        THEN """
    + LAST_WORD
    + """ ELSE boot.event_clear_at END
FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[])
    AS start (reader_id, heard_at, started_at)
WHERE boot.reader_id = start.reader_id AND boot.started_at < start.started_at
    AND (boot.clear_at > heard_at AND boot.clear_at < start.started_at
        OR boot.event_clear_at > heard_at AND boot.event_clear_at < start.started_at)
RETURNING boot.reader_id, start.started_at
"""
)

# Nothing is in doubt by a start before one that was known when nobody was heard between the two:
# readers that work out when it was from how long they run do not say the same each time.
BOOT_SELECT_BEFORE = """
SELECT said.reader_id, said.started_at, max(greatest(
    boot.started_at,
    CASE WHEN boot.clear_at < said.started_at THEN boot.clear_at END,
    CASE WHEN boot.event_clear_at < said.started_at THEN boot.event_clear_at END
)) AS heard_at, coalesce(max(boot.clear_at) < said.started_at, true) AND EXISTS (
    SELECT FROM reader_boot AS later
    WHERE later.reader_id = said.reader_id AND later.started_at > said.started_at
        AND later.started_at <> ALL ($2)
) AS is_told
FROM unnest($1::uuid[], $2::timestamptz[]) AS said (reader_id, started_at)
LEFT JOIN reader_boot AS boot
    ON boot.reader_id = said.reader_id AND boot.started_at < said.started_at
GROUP BY said.reader_id, said.started_at
"""

# Who says that more is to come may have had it already when its last events were heard: these
# were taken for the word of a reader with nothing left to send, as its heartbeat before had said.
BOOT_DOUBT_EVENTS = """
WITH doubted AS (
    SELECT DISTINCT boot.reader_id, boot.said_started_at, boot.event_clear_at,
        greatest(boot.started_at, boot.clear_at) AS clear_at
    FROM unnest($1::uuid[], $2::timestamptz[]) AS said (reader_id, at)
    JOIN LATERAL (
        SELECT * FROM reader_boot
        WHERE reader_id = said.reader_id AND started_at <= said.at
        ORDER BY started_at DESC LIMIT 1
    ) AS boot ON coalesce(boot.clear_at, $3) < least(said.at, boot.event_clear_at)
    WHERE boot.event_clear_at IS NOT NULL
)
UPDATE reader_boot AS boot SET event_clear_at = NULL
FROM doubted
WHERE boot.reader_id = doubted.reader_id AND boot.said_started_at = doubted.said_started_at
RETURNING boot.reader_id, doubted.clear_at, doubted.event_clear_at AS heard_at
"""

# Who was heard by a landing that had come before that on another way was not heard by it. What is
# left are the words of its other landings.
BOOT_TAKE_BACK = "UPDATE reader_boot AS boot SET event_clear_at = " + LAST_WORD + """
FROM unnest($1::uuid[], $2::timestamptz[]) AS vouched (reader_id, heard_at)
WHERE boot.reader_id = vouched.reader_id AND boot.event_clear_at = vouched.heard_at
RETURNING boot.reader_id, greatest(boot.started_at, boot.clear_at, boot.event_clear_at) AS clear_at,
    vouched.heard_at
"""


class Doubt(Struct, frozen=True):
    """A reader whose word counts less than it did.

    Args:
        reader_id: The reader.
        since: What landed before this was seen by it as far as was known, and is, microseconds.
        until: What landed after this is not in doubt.
    """

    reader_id: UUID
    since: int
    until: int


class _Word(Struct, frozen=True):
    """What a reader says of its start: when it was by its own clock and by ours, when nothing was
    left to be sent, and until when what came is of the run before."""

    reader_id: UUID
    said_at: datetime
    at: datetime
    clear_at: datetime | None
    heard_before: datetime | None


def _of_beat(beat: AcceptedBeat, is_clear: bool) -> _Word:
    # Those that name no start have one for themselves, which matters only for what is clear.
    said, offset = beat.started_at, beat.offset or 0
    return _Word(
        beat.reader_id,
        UNSAID if said is None else instant(said),
        UNSAID if said is None else instant(said + offset),
        instant(beat.received_at) if is_clear and not beat.buffered else None,
        None if beat.heard_before is None else instant(beat.heard_before),
    )


def _of_start(reader_id: UUID, start: Start) -> _Word:
    heard = None if start.heard_before is None else instant(start.heard_before)
    return _Word(reader_id, instant(start.said_at), instant(start.at), None, heard)


async def keep_boots(
    conn: Connection,
    beats: Sequence[AcceptedBeat],
    starts: Sequence[tuple[UUID, Start]] = (),
    *,
    is_clear: bool = True,
) -> list[Doubt]:
    """Keep each start that is named, and when nothing was left to be sent.

    Args:
        conn: In the transaction that keeps what else they say, with their readers locked.
        beats: One of a reader at most, with the offset that was found for it.
        starts: Starts that were known by landings, each of another reader.
        is_clear: Whether it counts that nothing is left to be sent. It does once all that came
            before is kept.

    Returns:
        What is in doubt by it.
    """
    telling = [beat for beat in beats if is_clear or beat.started_at is not None]
    words = [_of_beat(beat, is_clear) for beat in telling] + [_of_start(*each) for each in starts]
    doubts = await _keep_starts(conn, words, is_clear) if words else []
    return doubts + await _doubt_events(conn, [beat for beat in beats if beat.buffered])


async def _keep_starts(conn: Connection, words: Sequence[_Word], is_clear: bool) -> list[Doubt]:
    """Keep starts, and take from those before what was heard since; what is in doubt by those that
    were not known."""
    rows = await conn.fetch(
        BOOT_UPSERT,
        [word.reader_id for word in words],
        [word.said_at for word in words],
        [word.at for word in words],
        [word.clear_at for word in words],
        [word.heard_before for word in words],
    )
    begun = [row for row in rows if not is_unsaid(row["started_at"])]
    parted = sorted(_key(row) for row in begun if row["was_heard_before_it_was_known"])
    if is_clear and parted:
        # All that came before is done, so that what is stored of the reader has been heard.
        await conn.executemany(BOOT_PART_EVENTS, parted)
    heard_before = {word.reader_id: word.heard_before for word in words}
    taken_back = await _take_back_since(conn, map(_key, begun), heard_before)
    new = {_key(row) for row in begun if row["is_new"]} | taken_back
    return await _doubted_by_starts(conn, sorted(new), {*parted, *taken_back}) if new else []


async def _take_back_since(
    conn: Connection,
    starts: Iterable[tuple[UUID, datetime]],
    heard_before: Mapping[UUID, datetime | None],
) -> set[tuple[UUID, datetime]]:
    """Take back what was heard of readers since their last message before a start that nobody knew
    of then; the starts of those of whom something was.

    What was held up may be heard after the start is known, so this is done with each word of it.
    """
    known = [(reader, heard, at) for reader, at in starts if (heard := heard_before[reader])]
    if not known:
        return set()
    rows = await conn.fetch(BOOT_TAKE_BACK_SINCE, *map(list, zip(*known, strict=True)))
    return {_key(row) for row in rows}


def _key(row: Row) -> tuple[UUID, datetime]:
    return row["reader_id"], row["started_at"]


async def _doubted_by_starts(
    conn: Connection,
    new: Sequence[tuple[UUID, datetime]],
    parted: Collection[tuple[UUID, datetime]],
) -> list[Doubt]:
    """What landed between starts that were not known and their readers' words before: it was heard
    by who did not see it. A start that had been told counts, too, where it was parted from an
    earlier one."""
    rows = await conn.fetch(
        BOOT_SELECT_BEFORE,
        [reader_id for reader_id, _ in new],
        [started_at for _, started_at in new],
    )
    return [
        Doubt(
            row["reader_id"],
            -FOREVER if row["heard_at"] is None else microseconds(row["heard_at"]),
            microseconds(row["started_at"]),
        )
        for row in rows
        if not row["is_told"] or _key(row) in parted
    ]


async def _doubt_events(conn: Connection, holding: Sequence[AcceptedBeat]) -> list[Doubt]:
    """What is in doubt since heartbeats say that more is to come."""
    if not holding:
        return []
    rows = await conn.fetch(
        BOOT_DOUBT_EVENTS,
        [beat.reader_id for beat in holding],
        [instant(beat.received_at) for beat in holding],
        UNSAID,
    )
    return [
        Doubt(row["reader_id"], microseconds(row["clear_at"]), microseconds(row["heard_at"]))
        for row in rows
    ]


async def take_back(conn: Connection, words: Collection[tuple[UUID, int]]) -> list[Doubt]:
    """Take back what landings said of their readers that had come before that on another way.

    Args:
        conn: In the transaction that keeps when they came first.
        words: Each a reader, and when it was heard by that, microseconds.

    Returns:
        What is in doubt by it.
    """
    rows = await conn.fetch(
        BOOT_TAKE_BACK,
        [reader_id for reader_id, _ in words],
        [instant(heard_at) for _, heard_at in words],
    )
    return [
        Doubt(row["reader_id"], microseconds(row["clear_at"]), microseconds(row["heard_at"]))
        for row in rows
        if row["clear_at"] < row["heard_at"]
    ]
