"""Fields set up over the API, and what must be stored of them afterwards."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from bench.load.job import Butt, Field
from bench.stack import Stack
from bench.wish import ARCHERS_A_BUTT
from simulators.api import Api, open_api
from simulators.tournament import Plan, start_list
from simulators.wire import rfc3339

# Whatever a backlog holds happened since.
OPENED_BEFORE = timedelta(hours=12)
DISTANCE_M = 18.0
# In the workers' order, who may be saying the same of who was silent for long.
STATUS_UPDATE_OFFLINE = """
UPDATE reader_status SET is_online = false
WHERE is_online AND reader_id IN (
    SELECT reader_id FROM reader_status WHERE is_online ORDER BY reader_id FOR UPDATE
)
"""
STORED_SELECT = """
SELECT count(*) AS events,
       (SELECT count(*) FROM shot WHERE session_id = ANY($1) AND status = 'landed') AS landed
FROM event
JOIN reader_binding USING (reader_id)
JOIN target ON target.id = reader_binding.target_id
WHERE target.session_id = ANY($1)
"""


async def set_up(stack: Stack, butts: int) -> Field:
    """A session of an indoor field with four archers at each butt."""
    async with open_api(stack.url, stack.admin_token) as client:
        api = Api(client)
        opening = {
            "is_opened": True,
            "start_time": rfc3339(datetime.now(UTC) - OPENED_BEFORE),
            "location": "benchmark",
            "is_indoor": True,
            "distance": DISTANCE_M,
        }
        session = await api.call("POST", "/session", opening)
        plan = Plan(butts, ARCHERS_A_BUTT, arrows_per_end=1, distance=DISTANCE_M, own_faces=True)
        made = await api.call("POST", f"/session/{session['id']}/start_list", start_list(plan))
    return Field(session["id"], _butts(made))


def _butts(made: dict[str, Any]) -> Sequence[Butt]:
    bows: defaultdict[int, list[str]] = defaultdict(list)
    for slot in sorted(made["slots"], key=lambda slot: (slot["lane"], slot["letter"])):
        bows[slot["lane"]].append(slot["bow_reader_id"])
    targets = sorted(made["targets"], key=lambda target: target["lane"])
    return [Butt(target["reader_id"], bows[target["lane"]]) for target in targets]


async def gateway_token(stack: Stack) -> str:
    """A token that may speak for all readers."""
    async with open_api(stack.url, stack.admin_token) as client:
        made = await Api(client).call("POST", "/token", {"role": "gateway", "name": "bench"})
    return str(made["token"])


async def silence(stack: Stack) -> None:
    """Have nobody of earlier loads be online: that they fall silent is no part of the next one."""
    conn = await asyncpg.connect(stack.settings.database_url)
    try:
        await conn.execute(STATUS_UPDATE_OFFLINE)
    finally:
        await conn.close()


async def stored(stack: Stack, fields: Sequence[Field]) -> tuple[int, int]:
    """How many events of these sessions are in the database, and how many shots landed."""
    conn = await asyncpg.connect(stack.settings.database_url)
    try:
        row = await conn.fetchrow(STORED_SELECT, [field.session_id for field in fields])
    finally:
        await conn.close()
    return (0, 0) if row is None else (row["events"], row["landed"])
