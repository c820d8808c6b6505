"""An API that enqueues a job for each event, and answers 202 when arq has taken all."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from arq.connections import RedisSettings, create_pool
from fastapi import FastAPI, Request


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
    """arq's client."""
    arq = await create_pool(RedisSettings.from_dsn(os.environ["REDIS_URL"]))
    yield {"arq": arq}
    await arq.aclose()


app = FastAPI(lifespan=lifespan)


@app.get("/readyz")
async def ready(request: Request) -> None:
    """Whether arq's store answers."""
    await request.state.arq.ping()


@app.post("/api/v0/event", status_code=202)
async def post_events(batch: dict[str, Any], request: Request) -> None:
    """Take events."""
    for event in batch["events"]:
        await request.state.arq.enqueue_job("store", event, _job_id=event["event_id"])
