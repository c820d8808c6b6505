"""What readers said: events, when they were heard and how their clocks go, in one statement."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import replace
from datetime import datetime
from uuid import UUID

from msgspec import Struct, field

from core.domain.values import MILLISECOND, EventType
from core.models.instants import LAST, held, instant, microseconds, optional_held
from core.models.presence import UNSAID
from core.models.reader_boot import Doubt, keep_boots, take_back
from core.models.reader_clock import ClockKey, KnownClock, columns_of_clocks
from core.postgres import Connection, Row
from core.schema.inbox import Accepted, AcceptedBeat, AcceptedEvent

LANDED = EventType.LANDED

# Of readers that were never heard there was no row that could have been locked. They are written
# first, in one order, and locked where somebody else has written them since: whoever waits for
# another's word waits here, before anything that depends on it is read or written.
STATUS_INSERT_MISSING = """
INSERT INTO reader_status AS status (reader_id, last_heard_at, is_online)
SELECT reader_id, '-infinity', false FROM unnest($1::uuid[]) AS reader_id
ON CONFLICT (reader_id) DO UPDATE SET last_heard_at = status.last_heard_at
RETURNING reader_id, last_heard_at
"""

# What an older heartbeat says never replaces what a newer one said. What is still to be sent is
# what the newest heartbeat said, whatever else was heard since: it may be heard late. Of two that
# came at once the greater is believed: nobody gets a zero for it.
# An event is of the latest start before it came; of a reader that never said when, of no start. It
# counts for nothing when the newest heartbeat is of a later one: what the reader had left to send
# when the event came is not known any more. Nor does it count when it is sent again, perhaps by a
# gateway, and perhaps after its reader is gone: of several copies, which may come on several ways
# and be done in any order, only the first that came does, and all that one said is kept: another
# may have been placed by another clock.
# Clocks are measured by the same messages, and the events are among them: all of it is kept in the
# same statement.
SAID_KEEP = """
WITH stored AS (
    INSERT INTO event (
        event_id, reader_id, type, ts, sent_at, received_at, offset_ms, occurred_at,
        arrow_id, x, y, sigma_mm, request_id
    )
    SELECT event_id, reader_id, type, instant(ts), instant(sent_at), instant(received_at),
        offset_ms, instant(occurred_at), arrow_id, x, y, sigma_mm, request_id
    FROM unnest($1::said_event[])
    ON CONFLICT (event_id) DO UPDATE SET
        ts = excluded.ts, sent_at = excluded.sent_at, received_at = excluded.received_at,
        offset_ms = excluded.offset_ms, occurred_at = excluded.occurred_at,
        arrow_id = excluded.arrow_id, x = excluded.x, y = excluded.y, sigma_mm = excluded.sigma_mm
        WHERE event.received_at > excluded.received_at
            AND event.reader_id = excluded.reader_id AND event.type = excluded.type
    RETURNING event_id, received_at, CASE WHEN xmax <> 0 THEN (
        SELECT ROW(before.received_at, before.occurred_at) FROM event AS before
        WHERE before.event_id = event.event_id
    ) END AS was
), kept AS (
    INSERT INTO reader_status AS status
        (reader_id, last_heard_at, is_online, battery_pct, firmware, buffered, buffered_said_at)
    SELECT reader_id, heard_at, heard_at >= $7, battery_pct, firmware, buffered, said_at
    FROM unnest(
        $2::uuid[], $3::timestamptz[], $4::double precision[], $5::text[], $6::integer[],
        $8::timestamptz[]
    ) AS heard (reader_id, heard_at, battery_pct, firmware, buffered, said_at)
    ON CONFLICT (reader_id) DO UPDATE SET
        last_heard_at = greatest(status.last_heard_at, excluded.last_heard_at),
        is_online = status.is_online OR excluded.is_online,
        battery_pct = coalesce(excluded.battery_pct, status.battery_pct),
        firmware = coalesce(excluded.firmware, status.firmware),
        buffered = CASE
            WHEN excluded.buffered_said_at IS NULL THEN status.buffered
            WHEN excluded.buffered_said_at < status.buffered_said_at THEN status.buffered
            WHEN excluded.buffered_said_at = status.buffered_said_at
                THEN greatest(status.buffered, excluded.buffered)
            ELSE excluded.buffered END,
        buffered_said_at = greatest(status.buffered_said_at, excluded.buffered_said_at)
    RETURNING reader_id, buffered, buffered_said_at, (
        SELECT is_online FROM reader_status AS before WHERE before.reader_id = status.reader_id
    ) AS was_online
), watched AS (
    INSERT INTO reader_boot AS boot (reader_id, said_started_at, started_at, event_clear_at)
    SELECT heard.reader_id, coalesce(latest.said_started_at, $11), coalesce(latest.started_at, $11),
        heard_at
    FROM (
        SELECT landed.reader_id, max(heard_at) AS heard_at
        FROM unnest($9::uuid[], $10::timestamptz[], $12::uuid[], $13::boolean[])
            AS landed (reader_id, heard_at, event_id, is_kept)
        LEFT JOIN stored USING (event_id)
        WHERE stored.received_at = heard_at OR is_kept AND heard_at <= coalesce(
            stored.received_at,
            (SELECT received_at FROM event WHERE event.event_id = landed.event_id)
        )
        GROUP BY landed.reader_id
    ) AS heard
    JOIN kept ON kept.reader_id = heard.reader_id AND coalesce(kept.buffered, 0) = 0
    LEFT JOIN LATERAL (
        SELECT said_started_at, started_at FROM reader_boot
        WHERE reader_id = heard.reader_id
            AND started_at <= greatest(heard_at, kept.buffered_said_at)
        ORDER BY started_at DESC LIMIT 1
    ) AS latest ON true
    WHERE latest.started_at IS NULL OR latest.started_at <= heard_at
    ON CONFLICT (reader_id, said_started_at) DO UPDATE
        SET event_clear_at = greatest(boot.event_clear_at, excluded.event_clear_at)
), measured AS (
    INSERT INTO reader_clock (reader_id, source, offset_ms, measured_at, suspect, jumped_at, state)
    SELECT * FROM unnest(
        $14::uuid[], $15::text[], $16::double precision[], $17::timestamptz[], $18::text[],
        $19::timestamptz[], $20::jsonb[]
    )
    ON CONFLICT (reader_id, source) DO UPDATE SET
        offset_ms = excluded.offset_ms, measured_at = excluded.measured_at,
        suspect = excluded.suspect, jumped_at = excluded.jumped_at, state = excluded.state
)
SELECT reader_id, was_online, NULL::uuid AS event_id, NULL::record AS was, ARRAY(
    SELECT partition_key FROM reader_way AS way WHERE way.reader_id = kept.reader_id
) AS ways FROM kept
UNION ALL SELECT NULL, NULL, event_id, was, NULL FROM stored
"""

STATUS_NOTE_BUFFERED = """
INSERT INTO reader_status AS status (
    reader_id, last_heard_at, is_online, buffered, buffered_said_at
)
SELECT reader_id, '-infinity', false, buffered, said_at
FROM unnest($1::uuid[], $2::integer[], $3::timestamptz[]) AS said (reader_id, buffered, said_at)
ON CONFLICT (reader_id) DO UPDATE SET
    buffered = CASE WHEN excluded.buffered_said_at > status.buffered_said_at
        THEN excluded.buffered ELSE greatest(status.buffered, excluded.buffered) END,
    buffered_said_at = excluded.buffered_said_at
WHERE status.buffered_said_at IS NULL OR excluded.buffered_said_at >= status.buffered_said_at
"""


class Later(Struct, frozen=True):
    """A copy of an event that counted before the first that came of it was done.

    Args:
        reader_id: Who said it.
        received_at: When it came, microseconds.
        at: When it happened by that copy.
    """

    reader_id: UUID
    received_at: int
    at: int


class News(Struct, frozen=True):
    """What signs of life told.

    Args:
        online: Readers that were not online before and are now.
        doubts: Readers that said for the first time when they were switched on, or that more is to
            come than was known, or earlier what was known already.
        new: Events that were not known before, in the order of their ids, and those of which an
            earlier copy came than was known.
        earlier: What was known of these last, by their ids.
        ways: The keys of the ways that are noted of those who were heard, as far as there are any:
            who had to wait for a reader may have read them too early.
    """

    online: Sequence[UUID]
    doubts: Sequence[Doubt]
    new: Sequence[AcceptedEvent]
    ways: Mapping[UUID, Collection[int]] = field(default_factory=dict)
    earlier: Mapping[UUID, Later] = field(default_factory=dict)


class Said(Struct, frozen=True):
    """What readers said, and what is known by it.

    Args:
        heard: What tells that its reader lives, in any order.
        last_heard: When readers were heard last, microseconds, as far as they ever were.
        clocks: How readers' clocks go by now, those of any readers.
        events: Those to be kept, of any readers, each with the offset that was found for it.
        kept: Those that were just kept and had not been known.
    """

    heard: Sequence[Accepted]
    last_heard: Mapping[UUID, int]
    clocks: Mapping[ClockKey, KnownClock]
    events: Sequence[AcceptedEvent] = ()
    kept: Collection[UUID] = ()

    @property
    def landings(self) -> list[AcceptedEvent]:
        """The landings that were heard, each as it came first. Only a butt's reader is asked later
        whether it was there."""
        return first_copies(
            e for e in self.heard if isinstance(e, AcceptedEvent) and e.type is LANDED
        )

    def is_kept(self, landing: AcceptedEvent) -> bool:
        """Whether it may be the first copy though it is known: it waited to be heard, or was just
        kept."""
        return landing.is_echo or landing.event_id in self.kept


def first_copies(events: Iterable[AcceptedEvent]) -> list[AcceptedEvent]:
    """Each event as it came first."""
    in_time = sorted(events, key=lambda event: event.received_at)
    return list({event.event_id: event for event in reversed(in_time)}.values())


async def keep_said(conn: Connection, said: Said, online_since: datetime) -> News:
    """Keep events, and what they and heartbeats tell of their readers' presence and clocks.

    Args:
        conn: In the transaction that takes them from the inbox, with their readers locked.
        said: What came.
        online_since: Who was heard at or after this time is online.
    """
    if not (said.heard or said.clocks or said.events):
        return News([], [], [])
    first, *others = _rounds(said.heard)
    events = _in_order(said.events)
    news = await _keep_round(conn, replace(said, heard=first, events=events), online_since)
    taken_back = await _take_back(conn, events, news)
    news = replace(news, doubts=[*news.doubts, *taken_back])
    kept = {event.event_id for event in news.new}
    for heard in others:
        later = await _keep_round(conn, Said(heard, said.last_heard, {}, kept=kept), online_since)
        news = News(
            [*news.online, *later.online],
            [*news.doubts, *later.doubts],
            news.new,
            {**news.ways, **later.ways},
            news.earlier,
        )
    return news


async def _take_back(
    conn: Connection, events: Sequence[AcceptedEvent], news: News
) -> Sequence[Doubt]:
    """Take back what later copies of landings said; what is in doubt by it."""
    landed = (e.event_id for e in events if e.type is LANDED and e.event_id in news.earlier)
    vouched = {(news.earlier[e].reader_id, news.earlier[e].received_at) for e in landed}
    return await take_back(conn, vouched) if vouched else ()


def _rounds(heard: Sequence[Accepted]) -> list[list[Accepted]]:
    """What was heard, in the order in which it came as far as that matters: what a reader's
    landings say hangs on its heartbeats before them, and is taken back by those after them."""
    told = [each for each in heard if isinstance(each, AcceptedBeat) or each.type is LANDED]
    telling = {each.reader_id for each in told if _tells_of_a_start(each)}
    several = {r for r, count in Counter(e.reader_id for e in told).items() if count > 1} & telling
    if not several:
        return [list(heard)]
    rounds: list[list[Accepted]] = [[each for each in heard if each.reader_id not in several]]
    # For each of those the round of its last word, and whether that told of a start.
    last: dict[UUID, tuple[int, bool]] = {}
    for each in sorted(heard, key=_came_at):
        if each.reader_id in several:
            place, did_tell = last.get(each.reader_id, (-1, True))
            tells = _tells_of_a_start(each)
            place += did_tell or tells
            last[each.reader_id] = place, tells
            rounds.extend([] for _ in range(place + 1 - len(rounds)))
            rounds[place].append(each)
    return rounds


def _tells_of_a_start(accepted: Accepted) -> bool:
    return isinstance(accepted, AcceptedBeat) or accepted.start is not None


def _came_at(accepted: Accepted) -> tuple[int, bool, int]:
    """What words are sorted by: of those that came at once who tells of a start comes first, and of
    these who has more to send."""
    left = accepted.buffered if isinstance(accepted, AcceptedBeat) else None
    return accepted.received_at, not _tells_of_a_start(accepted), -(left or 0)


async def _keep_round(conn: Connection, said: Said, online_since: datetime) -> News:
    """As `keep_said`, of readers whose words do not hang on each other."""
    heard = said.heard
    readers = sorted({each.reader_id for each in heard})
    beats = [each for each in heard if isinstance(each, AcceptedBeat)]
    first_heard = await _first_heard(conn, readers, said.last_heard)
    events = [each for each in heard if isinstance(each, AcceptedEvent)]
    starts = [(event.reader_id, event.start) for event in events if event.start is not None]
    doubts = await keep_boots(conn, beats, starts) if beats or starts else []
    kept = await _keep(
        conn, replace(said, last_heard={**said.last_heard, **first_heard}), online_since
    )
    newest = _latest(heard)
    online = [r for r in readers if r not in kept.online and instant(newest[r]) >= online_since]
    new = [event for event in said.events if event.event_id in kept.new]
    return News(online, doubts, new, kept.ways, kept.earlier)


async def keep_unheard(
    conn: Connection,
    events: Sequence[AcceptedEvent] = (),
    clocks: Mapping[ClockKey, KnownClock] | None = None,
) -> News:
    """Keep events or clocks as `keep_said` does, which tell nothing of their readers' presence."""
    return await keep_said(conn, Said((), {}, clocks or {}, events), LAST)


async def keep_doubts(conn: Connection, beats: Sequence[AcceptedBeat]) -> list[Doubt]:
    """Keep only what heartbeats say against the word of their readers, before anything counts for
    it: that something is still to be sent, and that they were switched on.

    Args:
        conn: In the transaction that keeps the rest of what they say later, with their readers
            locked.
        beats: Of any readers, with the offsets that were found for them.

    Returns:
        As of `News`.
    """
    last = {beat.reader_id: beat for beat in sorted(beats, key=_in_doubt_last)}
    holding = [last[reader] for reader in sorted(last) if last[reader].buffered]
    if holding:
        await conn.execute(
            STATUS_NOTE_BUFFERED,
            [beat.reader_id for beat in holding],
            [beat.buffered for beat in holding],
            [instant(beat.received_at) for beat in holding],
        )
    telling = [beat for beat in beats if beat.started_at is not None or beat.buffered]
    doubts: list[Doubt] = []
    for one_each in _rounds(telling):
        named = [beat for beat in one_each if isinstance(beat, AcceptedBeat)]
        doubts.extend(await keep_boots(conn, named, is_clear=False))
    return doubts


def _in_doubt_last(beat: AcceptedBeat) -> tuple[int, int]:
    """What heartbeats are sorted by: of two that came at once the last has more to send."""
    return beat.received_at, beat.buffered or 0


async def _first_heard(
    conn: Connection, readers: Sequence[UUID], last_heard: Mapping[UUID, int]
) -> dict[UUID, int]:
    """Lock the rows of those readers, in order, that were not known to have been heard; when they
    were."""
    unheard = [reader for reader in readers if reader not in last_heard]
    rows = await conn.fetch(STATUS_INSERT_MISSING, unheard) if unheard else []
    return {row["reader_id"]: microseconds(row["last_heard_at"]) for row in rows}


def _latest(heard: Iterable[Accepted]) -> dict[UUID, int]:
    latest: dict[UUID, int] = {}
    for each in sorted(heard, key=lambda one: (one.reader_id, one.received_at)):
        latest[each.reader_id] = each.received_at
    return latest


class _Kept(Struct, frozen=True):
    """Readers that were online before, events as of `News`, and readers' ways."""

    online: Collection[UUID]
    new: Collection[UUID]
    earlier: Mapping[UUID, Later]
    ways: Mapping[UUID, Collection[int]]


async def _keep(conn: Connection, said: Said, online_since: datetime) -> _Kept:
    """Keep when readers were heard, and of which start they said it, what their heartbeats say,
    their clocks, and the events."""
    heard, last_heard = said.heard, said.last_heard
    beats = [each for each in heard if isinstance(each, AcceptedBeat)]
    beat_of = {beat.reader_id: beat for beat in sorted(beats, key=_in_doubt_last)}
    new = {r: beat for r, beat in beat_of.items() if beat.received_at >= last_heard[r]}
    latest = _latest(heard)
    landed = said.landings
    of_reader = [new.get(reader) for reader in latest]
    rows = await conn.fetch(
        SAID_KEEP,
        [_event_row(event) for event in said.events],
        list(latest),
        [instant(at) for at in latest.values()],
        [None if beat is None else beat.battery_pct for beat in of_reader],
        [None if beat is None else beat.firmware for beat in of_reader],
        [beat_of[reader].buffered if reader in beat_of else None for reader in latest],
        online_since,
        [instant(beat_of[reader].received_at) if reader in beat_of else None for reader in latest],
        [landing.reader_id for landing in landed],
        [instant(landing.received_at) for landing in landed],
        UNSAID,
        [landing.event_id for landing in landed],
        [said.is_kept(landing) for landing in landed],
        *columns_of_clocks(said.clocks),
    )
    return _Kept(
        {row["reader_id"] for row in rows if row["was_online"]},
        {row["event_id"] for row in rows if row["event_id"] is not None},
        _earlier(said.events, rows),
        {row["reader_id"]: row["ways"] for row in rows if row["ways"]},
    )


def _earlier(events: Sequence[AcceptedEvent], rows: Sequence[Row]) -> dict[UUID, Later]:
    was = {row["event_id"]: row["was"] for row in rows if row["was"] is not None}
    return {
        event.event_id: Later(event.reader_id, *map(microseconds, was[event.event_id]))
        for event in events
        if event.event_id in was
    }


def _in_order(events: Sequence[AcceptedEvent]) -> list[AcceptedEvent]:
    """Events in the order of their ids, each once: in one order for all, so that two workers that
    insert the same events do not lock each other out."""
    return sorted(first_copies(events), key=_id)


def _id(event: AcceptedEvent) -> UUID:
    return event.event_id


def _event_row(event: AcceptedEvent) -> tuple[object, ...]:
    """A `said_event` of the database."""
    return (
        event.event_id,
        event.reader_id,
        event.type,
        held(event.ts),
        optional_held(event.sent_at),
        held(event.received_at),
        (event.offset or 0) / MILLISECOND,
        held(event.at),
        event.arrow_id,
        event.x,
        event.y,
        event.sigma_mm,
        event.request_id,
    )
