"""Whether the process lives, and whether it can do its work."""

import asyncio

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field
from redis.asyncio import Redis

from api.dependencies import PoolOf, ValkeyOf
from api.errors import failure
from core import postgres, valkey
from core.migrate import pending
from core.postgres import Pool
from core.roster import workers
from core.schema.envelope import Envelope, wrap
from core.schema.types import Boundary

# Whoever asks whether we are ready does not wait longer.
ANSWER_WITHIN_S = 2.0

router = APIRouter(tags=["health"])


class Alive(Boundary):
    """The process answers."""

    status: str = Field("up")


class Ready(Boundary):
    """Everything that the work needs is there."""

    postgres: str
    valkey: str
    migrations: str
    workers: int = Field(description="Workers that are alive")


@router.get("/healthz")
async def get_health() -> Envelope[Alive]:
    """The process is up."""
    return wrap(Alive(status="up"))


@router.get("/readyz", response_model=Envelope[Ready])
async def get_readiness(pool: PoolOf, client: ValkeyOf) -> JSONResponse:
    """The stores are reachable, the migrations current and a worker alive; else 503 says what is
    not."""
    wrong = [*await _postgres(pool), *await _valkey(client)]
    if wrong:
        return failure(503, wrong, {"Retry-After": "2"})
    ready = Ready(
        postgres="reachable",
        valkey="reachable",
        migrations="current",
        workers=len(await workers(client)),
    )
    return JSONResponse(wrap(ready).model_dump(mode="json"))


async def _postgres(pool: Pool) -> list[str]:
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S), pool.acquire() as conn:
            missing = await pending(conn)
    except postgres.LOST as error:
        return [f"PostgreSQL is not reachable ({type(error).__name__})"]
    return [f"migrations are pending: {', '.join(missing)}"] if missing else []


async def _valkey(client: Redis) -> list[str]:
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            alive = await workers(client)
    except (*valkey.LOST, TimeoutError) as error:
        return [f"Valkey is not reachable ({type(error).__name__})"]
    return [] if alive else ["no worker is alive"]
