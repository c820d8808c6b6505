"""Events in: what is accepted is on disk."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api.dependencies import DEFAULT, After, ConnectionOf, JudgeOnly, PageLimit
from api.door import Door, DoorOf, get_door
from api.errors import failure
from api.intake import Intake, judge, judge_plain
from api.refusals import TOO_FAST, UNAVAILABLE
from api.short_way import short_way
from core.models.event import select_events
from core.models.reader_lookup import KnownReader
from core.schema.envelope import Envelope, wrap
from core.schema.event import Acceptance, EventBatch, Rejected, StoredEvent
from core.schema.inbox import AcceptedEvent
from core.schema.page import Page, Position, page_of
from core.schema.plain import read_plain
from core.schema.token import Role

PREFIX = "/api/v0/event"

router = APIRouter(prefix=PREFIX, tags=["event"])


async def take_events(batch: EventBatch, door: Door) -> Response:
    """Judge a batch, and keep what is good of it."""
    caller = door.caller
    intake = Intake(caller, door.settings, datetime.now(UTC), batch.sent_at)
    verdict, readers = await judge(door.doorkeeper, intake, batch, door.request_id)
    if verdict.rejected and not verdict.accepted:
        foreign = verdict.is_all_foreign and caller.role is Role.READER
        return failure(403 if foreign else 422, verdict.errors)
    return await _kept(door, verdict.accepted, readers, verdict.rejected)


async def take_plain(body: bytes, request: Request) -> Response | None:
    """Keep a batch with which nothing is wrong."""
    batch = read_plain(body)
    if batch is None:
        return None
    door = await get_door(request)
    intake = Intake(door.caller, door.settings, datetime.now(UTC), batch.sent_at)
    judged = await judge_plain(door.doorkeeper, intake, batch, door.request_id)
    return None if judged is None else await _kept(door, *judged)


async def _kept(
    door: Door,
    accepted: Sequence[AcceptedEvent],
    readers: Mapping[UUID, KnownReader],
    rejected: Sequence[Rejected] = (),
) -> Response:
    """Keep what is good of a batch, and say so."""
    await door.keep([(readers[e.reader_id].target_id or e.reader_id, e) for e in accepted])
    answer = Acceptance(accepted=len(accepted), rejected=rejected)
    return Response(wrap(answer, 202).model_dump_json(), 202, media_type="application/json")


incoming = APIRouter(
    prefix=PREFIX, tags=["event"], route_class=short_way(EventBatch, take_events, take_plain)
)


@incoming.post(
    "",
    status_code=202,
    response_model=Envelope[Acceptance],
    responses={**TOO_FAST, **UNAVAILABLE},
)
async def post_events(
    batch: EventBatch,
    door: DoorOf,
) -> Response:
    """Take what readers saw, at most 1000 events and 1 MiB at once.

    A bad event is named under `rejected` and does not hold up the others; when all are bad the
    answer is 422. What is accepted is on disk, and is processed whatever fails next. Sending an
    `event_id` again changes nothing. 503 with `Retry-After`: the inbox is full or far behind, and
    nothing of the batch was kept. 429 with `Retry-After`: a reader that sends for itself sends
    faster than it may, and nothing of the batch was kept. Both say when to send the same batch
    again.

    `sent_at` lets the server measure the clock that `ts` is by, so that an event is known to have
    happened when it did, however wrong that clock is; an event that lies more than 300 s after its
    `sent_at`, or 30 days before it, is refused. A gateway whose readers' clocks differ says it with
    each event.
    """
    return await take_events(batch, door)


@router.get("")
async def list_events(
    conn: ConnectionOf,
    _: JudgeOnly,
    after: After,
    limit: PageLimit = DEFAULT,
    reader_id: UUID | None = None,
    session_id: UUID | None = None,
    placed: Annotated[
        bool | None, Query(description="false: only those that make no shot, for want of a place")
    ] = None,
) -> Envelope[Page[StoredEvent]]:
    """What readers said, as it is kept, in the order of its corrected time and id.

    Events of a reader that was bound to nothing (`unbound`), or timed outside their session
    (`outside_session`), are kept and shown here, and make no shot.
    """
    rows = await select_events(
        conn, after, limit, reader_id=reader_id, session_id=session_id, is_placed=placed
    )
    return wrap(page_of(rows, limit, lambda row: Position(row.occurred_at, row.event_id)))
