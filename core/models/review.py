"""The review list: flagged shots, landings that are nobody's, and events without a place, in the
order of their time."""

from uuid import UUID

from asyncpg import Record
from pydantic import BaseModel

from core.domain.review import Reason
from core.postgres import Connection
from core.schema.event import StoredEvent
from core.schema.page import Position
from core.schema.review import ReviewRow, UnmatchedLanding, event_row, landing_row, shot_row
from core.schema.shot import Shot

# Each part is read in its order from an index, no further than a page needs. The conditions on a
# shot are those of the index `shot_review`, word for word; those of reasons that put no shot on the
# list walk through the session's shots, and only when one of them is asked for.
# A judge who said what a shot counts has answered all; any other ruling leaves questions open.
#
# An event has no place of its own, so those without one are found from their readers' side: by the
# stretches of time in which a reader of the session was bound to nothing, within a day of the
# session, or bound and outside of the session.
REVIEW_SELECT_PAGE = """
WITH held AS (
    SELECT target.id AS target_id, session.start_time,
        coalesce(session.end_time, 'infinity') AS end_time,
        make_interval(
            secs => coalesce((session.rules ->> 'landing_window_ms')::double precision, 3000) / 1000
        ) AS grace
    FROM session JOIN target ON target.session_id = session.id
    WHERE session.id = $1
), heard AS (
    SELECT DISTINCT binding.reader_id
    FROM held
    JOIN reader_binding AS binding ON binding.target_id = held.target_id
    JOIN reader ON reader.id = binding.reader_id AND reader.kind IN ('bow', 'target')
), history AS (
    SELECT binding.*,
        lag(binding.valid_to, 1, '-infinity') OVER earlier AS free_since,
        lag(binding.target_id) OVER earlier AS earlier_target_id,
        lead(binding.valid_from, 1, 'infinity') OVER earlier AS free_until
    FROM heard JOIN reader_binding AS binding ON binding.reader_id = heard.reader_id
    WINDOW earlier AS (PARTITION BY binding.reader_id ORDER BY binding.valid_from)
), stretch AS (
    SELECT history.reader_id, history.target_id, history.slot_id, part.place,
        greatest(part.begins, $2) AS begins, part.ends,
        part.closes AS closes_to_releases, part.closes + held.grace AS closes_to_landings
    FROM history JOIN held ON held.target_id = history.target_id
    CROSS JOIN LATERAL (VALUES
        ('unbound', greatest(valid_to, start_time - interval '1 day'),
            least(free_until, end_time + interval '1 day'), '-infinity'::timestamptz),
        -- What follows a place in this session has been told of already.
        ('unbound', greatest(free_since, start_time - interval '1 day'),
            CASE WHEN earlier_target_id IN (SELECT target_id FROM held) THEN '-infinity'
                ELSE least(valid_from, end_time + interval '1 day') END, '-infinity'),
        ('outside_session', valid_from, least(valid_to, start_time), '-infinity'),
        ('outside_session', greatest(valid_from, end_time), valid_to, end_time)
    ) AS part (place, begins, ends, closes)
    WHERE ($5::uuid IS NULL OR history.target_id = $5)
        AND ($6::uuid IS NULL OR history.slot_id = $6)
        AND ($7::text IS NULL OR part.place = $7)
        AND part.begins < part.ends AND part.ends > $2
), page AS (
    (
        SELECT 'shot' AS kind, id, release_time AS at, target_id, slot_id, NULL AS place
        FROM shot
        WHERE session_id = $1 AND (release_time, id) > ($2, $3)
            AND status <> 'voided' AND (
                status = 'unresolved' OR flags && (
                    '{ambiguous,out_of_end,extra_arrow,wrong_face,line_call,duplicate_suspect,'
                    'late_landing,reader_offline}'
                )::text[]
            )
            AND ($5::uuid IS NULL OR target_id = $5) AND ($6::uuid IS NULL OR slot_id = $6)
            AND ($7::text IS NULL OR $7 = status OR flags @> ARRAY[$7])
            AND ($7 IS NULL OR $7 NOT IN ('engage_missing', 'arrow_unknown'))
            AND NOT (flags @> '{ruled}' AND EXISTS (
                SELECT FROM ruling
                WHERE ruling.shot_id = shot.id AND action = 'score' AND undone_at IS NULL
            ))
        ORDER BY release_time, id LIMIT $4
    ) UNION ALL (
        SELECT 'shot', id, release_time, target_id, slot_id, NULL
        FROM shot
        WHERE $7 IN ('engage_missing', 'arrow_unknown')
            AND session_id = $1 AND (release_time, id) > ($2, $3)
            AND status <> 'voided' AND flags @> ARRAY[$7]
            AND NOT (flags @> '{ruled}' AND EXISTS (
                SELECT FROM ruling
                WHERE ruling.shot_id = shot.id AND action = 'score' AND undone_at IS NULL
            ))
            AND ($5::uuid IS NULL OR target_id = $5) AND ($6::uuid IS NULL OR slot_id = $6)
        ORDER BY release_time, id LIMIT $4
    ) UNION ALL (
        SELECT 'landing', landing_event_id, landed_at, target_id, NULL, NULL
        FROM unmatched_landing
        WHERE session_id = $1 AND (landed_at, landing_event_id) > ($2, $3)
            AND deadline <= now() AND $6::uuid IS NULL
            AND ($5::uuid IS NULL OR target_id = $5) AND ($7::text IS NULL OR reason = $7)
        ORDER BY landed_at, landing_event_id LIMIT $4
    ) UNION ALL (
        SELECT 'event', said.event_id, said.occurred_at, target_id, slot_id, place
        FROM stretch
        CROSS JOIN LATERAL (
            SELECT event_id, occurred_at FROM event
            WHERE event.reader_id = stretch.reader_id
                AND occurred_at >= stretch.begins AND occurred_at < stretch.ends
                AND (occurred_at, event_id) > ($2, $3)
                AND (
                    type = 'arrow_release' AND occurred_at > closes_to_releases
                    OR type = 'arrow_landed' AND occurred_at > closes_to_landings
                )
            ORDER BY occurred_at, event_id LIMIT $4
        ) AS said
        ORDER BY said.occurred_at, said.event_id LIMIT $4
    )
    ORDER BY at, id LIMIT $4
)
SELECT page.kind AS row_kind, page.target_id AS row_target_id, page.slot_id AS row_slot_id,
    page.place AS event_place, target.lane AS row_lane,
    shot.id, shot.session_id, shot.target_id, shot.slot_id, shot.archer_id, shot.arrow_id,
    shot.engage_time, shot.release_time, shot.landing_time, shot.x, shot.y, shot.status, shot.score,
    shot.is_x, shot.label, shot.face_id, shot.spot, shot.confidence, shot.flags, shot.end_number,
    shot.version, shot.release_event_id, shot.landing_event_id,
    landing.reason, landing.landing_event_id AS unmatched_landing_event_id,
    landing.landed_at AS unmatched_landing_time, landing.x AS unmatched_x,
    landing.y AS unmatched_y, landing.arrow_id AS unmatched_arrow_id,
    landing.sigma_mm AS unmatched_sigma_mm, landing.nearest_shot_id AS unmatched_nearest_shot_id,
    landing.duplicates AS unmatched_duplicates,
    event.event_id AS event_event_id, event.reader_id AS event_reader_id, event.type AS event_type,
    event.ts AS event_ts, event.sent_at AS event_sent_at, event.received_at AS event_received_at,
    event.offset_ms AS event_offset_ms, event.occurred_at AS event_occurred_at,
    event.arrow_id AS event_arrow_id, event.x AS event_x, event.y AS event_y,
    event.sigma_mm AS event_sigma_mm, event.request_id AS event_request_id,
    CASE page.place WHEN 'outside_session' THEN target.session_id END AS event_session_id,
    CASE page.place WHEN 'outside_session' THEN page.target_id END AS event_target_id,
    CASE page.place WHEN 'outside_session' THEN page.slot_id END AS event_slot_id
FROM page
JOIN target ON target.id = page.target_id
LEFT JOIN shot ON page.kind = 'shot' AND shot.id = page.id
LEFT JOIN unmatched_landing AS landing
    ON page.kind = 'landing' AND landing.landing_event_id = page.id
LEFT JOIN event ON page.kind = 'event' AND event.event_id = page.id
ORDER BY page.at, page.id
"""


async def select_review(
    conn: Connection,
    session_id: UUID,
    after: Position,
    limit: int,
    *,
    target_id: UUID | None = None,
    slot_id: UUID | None = None,
    reason: Reason | None = None,
) -> list[ReviewRow]:
    """What a judge must look at in a session, in the order of time and id, one more than `limit`
    where there is more.

    Args:
        conn: Where to ask.
        session_id: The session.
        after: The last row that is not wanted again.
        limit: How many.
        target_id: Only what is of this target.
        slot_id: Only what is of this slot; a landing that is nobody's is of none.
        reason: Only what has this reason.
    """
    rows = await conn.fetch(
        *(REVIEW_SELECT_PAGE, session_id, after.at, after.id, limit + 1),
        *(target_id, slot_id, reason),
    )
    return [_shown(row) for row in rows]


def _shown(row: Record) -> ReviewRow:
    kind, target_id, lane = row["row_kind"], row["row_target_id"], row["row_lane"]
    if kind == "shot":
        return shot_row(_part(row, Shot), lane)
    if kind == "landing":
        landing = _part(row, UnmatchedLanding, "unmatched_")
        return landing_row(landing, Reason(row["reason"]), target_id, lane)
    return event_row(_part(row, StoredEvent, "event_"), target_id, lane, row["row_slot_id"])


def _part[T: BaseModel](row: Record, shown: type[T], prefix: str = "") -> T:
    return shown.model_validate({name: row[f"{prefix}{name}"] for name in shown.model_fields})
