"""How the work stands and went, for operators."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from api.dependencies import Watcher
from api.lookout import Lookout, Stretch
from core.schema.admin import History, Overview
from core.schema.envelope import Envelope, wrap

router = APIRouter(prefix="/api/v0/admin", tags=["admin"])


async def get_lookout(request: Request) -> Lookout:
    """The process's lookout."""
    lookout: Lookout = request.state.lookout
    return lookout


LookoutOf = Annotated[Lookout, Depends(get_lookout)]


@router.get("/overview")
async def get_overview(_: Watcher, lookout: LookoutOf) -> Envelope[Overview]:
    """Counts, rates over five minutes, the stores' health, and what is falling behind, in words.

    A store that does not answer is told of, and the rest is shown. What `retrying` counts is looked
    for among the next 5 000 jobs.
    """
    return wrap(await lookout.overview())


@router.get("/history")
async def get_history(
    _: Watcher,
    lookout: LookoutOf,
    span: Annotated[Stretch, Query(description="`hour` by the minute, `day` by ten")] = "hour",
) -> Envelope[History]:
    """Throughput, failures and latency over the last hour or day, without gaps."""
    return wrap(await lookout.history(span))
