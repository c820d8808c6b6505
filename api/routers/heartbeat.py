"""Signs of life of readers."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Response

from api.door import Door, DoorOf
from api.refusals import TOO_FAST, UNAVAILABLE
from api.short_way import short_way
from core.errors import ForbiddenError, InvalidInputError
from core.models.instants import microseconds, optional_microseconds
from core.models.token import Principal
from core.schema.envelope import Envelope, wrap
from core.schema.event import Beat, Heartbeat, HeartbeatAccepted
from core.schema.inbox import AcceptedBeat
from core.schema.token import Role


async def take_heartbeat(heartbeat: Heartbeat, door: Door) -> Response:
    """Judge signs of life, and keep them, all or none."""
    caller, received_at = door.caller, datetime.now(UTC)
    came = _Came(microseconds(received_at), door.request_id, caller.role is not Role.READER)
    speakers = [_speaker(number, beat, caller) for number, beat in enumerate(heartbeat.readers)]
    readers = await door.doorkeeper.readers(set(speakers), received_at)
    for number, reader_id in enumerate(speakers):
        if reader_id not in readers:
            raise InvalidInputError(f"body.readers.{number}.reader_id", f"no reader {reader_id}")
    beats = [
        (readers[reader].target_id or reader, _beat(reader, beat, heartbeat.sent_at, came))
        for reader, beat in zip(speakers, heartbeat.readers, strict=True)
    ]
    await door.keep(beats)
    answer = wrap(HeartbeatAccepted(accepted=len(beats)))
    return Response(answer.model_dump_json(), media_type="application/json")


router = APIRouter(
    prefix="/api/v0/reader", tags=["reader"], route_class=short_way(Heartbeat, take_heartbeat)
)


@router.post(
    "/heartbeat",
    response_model=Envelope[HeartbeatAccepted],
    responses={**TOO_FAST, **UNAVAILABLE},
)
async def post_heartbeat(
    heartbeat: Heartbeat,
    door: DoorOf,
) -> Response:
    """Say which readers live, every 10 seconds.

    `started_at` tells whether a reader was there while an arrow flew, `buffered` whether it has
    more to tell: both decide between a miss and a shot that nobody can judge. `sent_at` measures
    the clock of whoever sends: a reader's own with its own token, else the gateway's, which counts
    for readers that never said `sent_at` themselves. 429 and 503 with `Retry-After` as for events.
    """
    return await take_heartbeat(heartbeat, door)


def _speaker(number: int, beat: Beat, caller: Principal) -> UUID:
    if caller.role is Role.READER and beat.reader_id not in (None, caller.reader_id):
        raise ForbiddenError(
            f"body.readers.{number}.reader_id: this token belongs to another reader"
        )
    reader_id = beat.reader_id or caller.reader_id
    if reader_id is None:
        raise InvalidInputError(f"body.readers.{number}.reader_id", "is missing")
    return reader_id


@dataclass(frozen=True, slots=True)
class _Came:
    """When and by which request heartbeats came, and whether a gateway relays them."""

    at: int
    request_id: UUID
    by_gateway: bool


def _beat(reader_id: UUID, beat: Beat, sent_at: datetime | None, came: _Came) -> AcceptedBeat:
    return AcceptedBeat(
        reader_id=reader_id,
        received_at=came.at,
        sent_at=optional_microseconds(sent_at),
        started_at=optional_microseconds(beat.started_at),
        buffered=beat.buffered,
        battery_pct=beat.battery_pct,
        firmware=beat.firmware,
        request_id=came.request_id,
        by_gateway=came.by_gateway,
    )
