"""What readers send over the wire, and what then lies in the inbox."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID, uuid4

from httpx import AsyncClient, Response
from redis.asyncio import Redis

from core.inbox import Inbox, open_inbox
from core.models.token import create_reader_tokens
from core.postgres import Pool
from core.schema.inbox import Accepted, decode
from core.schema.types import rfc3339
from core.settings import Settings
from tests.fields import Field
from tests.resources import Json

EVENT = "/api/v0/event"
HEARTBEAT = "/api/v0/reader/heartbeat"


def at_now() -> str:
    """The time as it goes over the wire."""
    return rfc3339(datetime.now(UTC))


def landed(field: Field, reader: str = "1 target", **further: object) -> Json:
    """An arrow landed in the middle just now."""
    return said(field, reader, "arrow_landed", **({"x": 0.0, "y": 0.0} | further))


def said(field: Field, reader: str, kind: str, **further: object) -> Json:
    """What a reader says happened just now."""
    usual = {"event_id": str(uuid4()), "reader_id": str(field.readers[reader])}
    return usual | {"type": kind, "ts": at_now()} | further


async def send(http: AsyncClient, *events: object, **batch: object) -> Response:
    """The answer to a batch of these events."""
    return await http.post(EVENT, json={"events": events} | batch)


def accepted(answer: Response) -> Json:
    """What became of a batch that was taken, wholly or in part."""
    body = answer.json()
    assert (answer.status_code, body["code"], body["errors"]) == (202, 202, []), answer.text
    taken: Json = body["data"]
    return taken


async def waiting(valkey: Redis, settings: Settings) -> Mapping[int, list[Accepted]]:
    """What lies in the inbox, by partition."""
    inbox = inbox_of(valkey, settings)
    entries = {p: await inbox.read(p, 2_000) for p in range(inbox.partitions)}
    return {p: [decode(e.payload) for e in found] for p, found in entries.items() if found}


def inbox_of(valkey: Redis, settings: Settings) -> Inbox:
    """The inbox that the API fills."""
    return open_inbox(valkey, settings)


async def token_of(pool: Pool, reader_id: UUID) -> str:
    """A token of a reader."""
    async with pool.acquire() as conn:
        return (await create_reader_tokens(conn, [reader_id], {reader_id: "a reader"}))[reader_id]
