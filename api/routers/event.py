"""Events in: what is accepted is on disk."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from api.dependencies import (
    DEFAULT,
    After,
    ConnectionOf,
    InboxOf,
    JudgeOnly,
    PageLimit,
    QueueOf,
    RequestId,
    Sender,
    SettingsOf,
)
from api.errors import failure
from api.intake import Intake
from core.models.event import select_events
from core.models.reader_lookup import select_known_readers
from core.schema.envelope import Envelope, wrap
from core.schema.event import Acceptance, EventBatch, StoredEvent
from core.schema.inbox import encode
from core.schema.page import Page, Position, page_of
from core.schema.token import Role

router = APIRouter(prefix="/api/v0/event", tags=["event"])


@router.post("", status_code=202, response_model=Envelope[Acceptance])
async def post_events(
    batch: EventBatch,
    caller: Sender,
    conn: ConnectionOf,
    inbox: InboxOf,
    queue: QueueOf,
    settings: SettingsOf,
    request_id: RequestId,
) -> Response:
    """Take what readers saw, at most 1000 events and 1 MiB at once.

    A bad event is named under `rejected` and does not hold up the others; when all are bad the answer is
    422. What is accepted is on disk, and is processed whatever fails next. Sending an `event_id` again
    changes nothing. 503 with `Retry-After`: the inbox is full and nothing of the batch was kept.
    """
    intake = Intake(caller, settings, datetime.now(UTC))
    judged = intake.read(batch.events)
    speakers = {intake.reader_of(each.said) for each in judged if each.said is not None}
    known = {reader for reader in speakers if reader is not None}
    readers = await select_known_readers(conn, known, intake.received_at)
    judged = intake.place(judged, readers)
    rejected = [each.rejected() for each in judged if each.error is not None]
    if judged and len(rejected) == len(judged):
        foreign = all((each.error or "").startswith("reader_id: this token") for each in judged)
        errors = [f"body.events.{each.index}.{each.error}" for each in rejected]
        return failure(403 if foreign and caller.role is Role.READER else 422, errors)
    accepted = [
        intake.accept(each.said, batch.sent_at, request_id)
        for each in judged
        if each.error is None and each.said is not None
    ]
    entries = [
        (inbox.partition_of(readers[event.reader_id].target_id or event.reader_id), encode(event))
        for event in accepted
    ]
    await queue.wake(await inbox.append(entries), request_id)
    said = wrap(Acceptance(accepted=len(accepted), rejected=rejected), 202)
    return JSONResponse(said.model_dump(mode="json"), 202)


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
