"""Measurements for Prometheus."""

from fastapi import APIRouter, Response
from starlette.requests import Request

from api.dependencies import ConnectionOf, InboxOf, QueueOf
from api.hub import Hub
from api.metrics import Metrics
from core.models.failed_job import count_failed_jobs
from core.models.reader_clock import count_suspects

router = APIRouter(tags=["health"])


@router.get("/metrics", response_class=Response)
async def get_metrics(
    request: Request, conn: ConnectionOf, inbox: InboxOf, queue: QueueOf
) -> Response:
    """Request times, viewers, suspect clocks and work by state, in Prometheus' text format."""
    metrics: Metrics = request.state.metrics
    hub: Hub = request.state.hub
    jobs = await queue.counts()
    states = {
        "inbox": sum((await inbox.depths()).values()),
        "queued": jobs.due - jobs.running,
        "running": jobs.running,
        "deferred": jobs.deferred,
        "retrying": jobs.retrying,
        "failed": await count_failed_jobs(conn),
    }
    for state, count in states.items():
        metrics.work.labels(state).set(count)
    for reason, suspects in (await count_suspects(conn)).items():
        metrics.suspect_clocks.labels(reason.value).set(suspects)
    metrics.viewers.set(hub.viewers)
    text, content_type = metrics.text()
    return Response(text, media_type=content_type)
