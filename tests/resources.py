"""Resources made through the API, and what it then asked of the workers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from httpx import AsyncClient, Response

from core.postgres import Connection, Pool
from core.schema.types import rfc3339

type Json = dict[str, Any]

START = datetime(2026, 5, 1, 10, tzinfo=UTC)
UNKNOWN = "00000000-0000-4000-8000-000000000000"

RECOMPUTE_SELECT = "SELECT target_id, since, until, barrier_keys FROM recompute"
RECOMPUTE_DELETE = "DELETE FROM recompute"
EVENT_INSERT = """
INSERT INTO event (event_id, reader_id, type, ts, received_at, offset_ms, occurred_at, arrow_id)
VALUES ($1, $2, $3, $4, $4, 0, $4, $5)
"""


def data(answer: Response) -> Any:
    """What a success holds."""
    body = answer.json()
    assert (answer.status_code, body["code"], body["errors"]) == (200, 200, []), answer.text
    return body["data"]


def failure(answer: Response) -> tuple[int, list[str]]:
    """The status and the errors of a failure."""
    body = answer.json()
    assert set(body) == {"code", "data", "errors"}
    assert (body["code"], body["data"]) == (answer.status_code, None), answer.text
    return answer.status_code, body["errors"]


async def make(client: AsyncClient, resource: str, fields: Json) -> Json:
    """What the API made of these fields."""
    made: Json = data(await client.post(f"/api/v0/{resource}", json=fields))
    return made


def session_fields(**others: object) -> Json:
    """An open session at 18 m that began at `START`."""
    usual = {"is_opened": True, "location": "range A", "is_indoor": False, "distance": 18}
    return usual | {"start_time": rfc3339(START)} | others


def target_fields(session_id: str, lane: int = 1, **others: object) -> Json:
    """A butt with a face for all."""
    face = {"face_type": "wa_122_full", "x": 0, "y": 0}
    usual = {"session_id": session_id, "lane": lane, "width_mm": 1300, "height_mm": 1300}
    return usual | {"faces": [face]} | others


@dataclass(frozen=True, slots=True)
class Range:
    """A session with a butt and an archer's place at it.

    Args:
        session: The session.
        target: The butt, on lane 1.
        archer: The archer.
        slot: The archer's place, A.
    """

    session: Json
    target: Json
    archer: Json
    slot: Json


async def put_up(client: AsyncClient, **session: object) -> Range:
    """A session with one archer, and nothing asked of the workers yet."""
    held = await make(client, "session", session_fields(**session))
    target = await make(client, "target", target_fields(held["id"]))
    archer = await make(client, "archer", {"given_name": "Ana", "family_name": "Ruiz"})
    slot = await make(client, "slot", slot_fields(held["id"], target["id"], archer["id"]))
    return Range(held, target, archer, slot)


def slot_fields(session_id: str, target_id: str, archer_id: str, **others: object) -> Json:
    """A place at a target."""
    usual = {"session_id": session_id, "target_id": target_id, "archer_id": archer_id}
    return usual | {"letter": "A", "bowstyle": "recurve", "shaft_diameter_mm": 5.5} | others


@dataclass(frozen=True, slots=True)
class Asked:
    """What the workers were asked to derive anew.

    Args:
        since: From when on; None: from the beginning.
        until: Until when; None: to the end.
        barriers: What must stand still meanwhile.
    """

    since: datetime | None
    until: datetime | None
    barriers: frozenset[int]


async def asked(pool: Pool) -> Mapping[str, Asked]:
    """What was asked of the workers since this was called last, by target; nothing is left of
    it."""
    async with pool.acquire() as conn, conn.transaction():
        rows = await conn.fetch(RECOMPUTE_SELECT)
        await conn.execute(RECOMPUTE_DELETE)
    return {
        str(row["target_id"]): Asked(
            None if row["since"].year == 1 else row["since"],
            None if row["until"].year == 9999 else row["until"],
            frozenset(row["barrier_keys"]),
        )
        for row in rows
    }


async def say(
    conn: Connection,
    reader_id: str,
    second: float,
    *,
    kind: str = "arrow_engage",
    arrow_id: str | None = None,
) -> UUID:
    """Keep an event as a worker would: so many seconds after `START`."""
    event_id, at = uuid4(), START + timedelta(seconds=second)
    arrow = None if arrow_id is None else UUID(arrow_id)
    await conn.execute(EVENT_INSERT, event_id, UUID(reader_id), kind, at, arrow)
    return event_id
