"""Who works, what is done regularly, and how partitions and readers fare."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from asyncpg import Record
from redis.asyncio import Redis

from core import roster
from core.errors import InvalidInputError
from core.inbox import Inbox
from core.models.reader_state import select_open_targets, select_reader_states
from core.models.work import count_asked_by_partition
from core.postgres import Connection
from core.schedules import select_schedules
from core.schema.admin import PartitionState, ReaderState, Schedule, WorkerDetail
from core.schema.page import Page
from core.statistics import heard, repeated

OVER_MINUTES = 5
# Of what a reader sends: this often a minute, what it sent before.
STUTTERS_AT = 3.0

type Trouble = Literal["silent", "stuttering", "clock", "battery", "buffering"]

TROUBLES: Mapping[str, Trouble] = {
    "is_silent": "silent",
    "is_stuttering": "stuttering",
    "has_odd_clock": "clock",
    "is_low": "battery",
    "is_buffering": "buffering",
}


async def workers(valkey: Redis) -> Sequence[WorkerDetail]:
    """Those that are alive."""
    reports = await roster.workers(valkey)
    wishes = await roster.wishes(valkey, [each["id"] for each in reports])
    seen = await roster.seen(valkey, [each["id"] for each in reports])
    return [_worker(each, wishes.get(each["id"]), seen.get(each["id"])) for each in reports]


def _worker(
    report: Mapping[str, Any], wish: roster.Wish | None, seen_at: datetime | None
) -> WorkerDetail:
    said = {name: report[name] for name in WorkerDetail.model_fields.keys() & report.keys()}
    return WorkerDetail.model_validate(
        {
            **said,
            "running": report["jobs"],
            "seen_at": seen_at or report["started_at"],
            "asked_to": wish,
        }
    )


async def schedules(valkey: Redis) -> Sequence[Schedule]:
    """What is done regularly."""
    return [
        Schedule(
            name=each.name,
            function=each.function,
            every=each.every,
            last_run_at=each.last_run_at,
            last_duration_ms=each.last_duration_ms,
            next_run_at=each.next_run_at,
        )
        for each in await select_schedules(valkey)
    ]


async def partitions(conn: Connection, inbox: Inbox, at: datetime) -> Sequence[PartitionState]:
    """The streams of the inbox, and how far each is behind."""
    states = await inbox.states()
    asked = await count_asked_by_partition(conn, inbox.partitions)
    targets = Counter(map(inbox.partition_of, await select_open_targets(conn, at)))
    now_ms = at.timestamp() * 1000
    return [
        PartitionState(
            partition=state.partition,
            depth=state.depth,
            limit=inbox.limit,
            oldest_age_ms=(
                None if state.oldest_ms is None else max(0, round(now_ms - state.oldest_ms))
            ),
            is_woken=state.is_woken,
            asked=asked.get(state.partition, 0),
            targets=targets.get(state.partition, 0),
        )
        for state in states
    ]


async def readers(
    conn: Connection,
    valkey: Redis,
    cursor: str | None,
    limit: int,
    at: datetime,
    *,
    only_trouble: bool = False,
) -> Page[ReaderState]:
    """Readers of open sessions, silent and stuttering ones first.

    Raises:
        InvalidInputError: The cursor is none.
    """
    offset = _offset(cursor)
    again = {
        r: count / OVER_MINUTES for r, count in (await repeated(valkey, OVER_MINUTES, at)).items()
    }
    stuttering = [reader for reader, rate in again.items() if rate >= STUTTERS_AT]
    rows = await select_reader_states(
        conn, stuttering, at, only_trouble=only_trouble, limit=limit, offset=offset
    )
    shown = rows[:limit]
    events = await heard(valkey, [row["id"] for row in shown], OVER_MINUTES, at)
    return Page(
        items=[_reader(row, events, again) for row in shown],
        next_cursor=str(offset + limit) if len(rows) > limit else None,
    )


def _offset(cursor: str | None) -> int:
    """A list whose order changes while one looks at it goes on by how many were seen."""
    if cursor is None:
        return 0
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 9:
        raise InvalidInputError("query.cursor", "is not a cursor that this list gave")
    return int(cursor)


def _reader(row: Record, events: Mapping[UUID, int], again: Mapping[UUID, float]) -> ReaderState:
    said = {name: row[name] for name in ReaderState.model_fields.keys() & set(row.keys())}
    return ReaderState(
        **said,
        events_per_min=round(events.get(row["id"], 0) / OVER_MINUTES, 1),
        duplicates_per_min=round(again.get(row["id"], 0.0), 1),
        trouble=[word for column, word in TROUBLES.items() if row[column]],
    )
