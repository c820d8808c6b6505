"""The operators' pages."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from api.cookie import Operator
from api.routers.admin_live import BroadcastOf
from api.web.excerpt import excerpt_of
from api.web.filter import bulk_filter
from api.web.operator import OperatorOf
from api.web.rendering import render
from api.web.sources import Sources
from api.web.wanted import wanted_of
from core.models.failed_job_list import KEPT
from core.schema.admin import JobState, Overview

# A page of these stays well below a hundred kilobytes.
ROWS = 30
STATES = [
    JobState.QUEUED,
    JobState.RUNNING,
    JobState.DEFERRED,
    JobState.RETRYING,
    JobState.FAILED,
    JobState.RESTARTED,
    JobState.MENDED,
    JobState.DISCARDED,
    JobState.DONE,
]

router = APIRouter(prefix="/admin", include_in_schema=False)


async def get_sources(request: Request) -> Sources:
    """Where the pages take what they show."""
    sources: Sources = request.state.sources
    return sources


async def get_overview(request: Request, broadcast: BroadcastOf, _: OperatorOf) -> Overview:
    """How the work stands: every page's head says it. Who did something sees at once what came of
    it."""
    return await broadcast.latest(is_now=request.headers.get("cache-control") == "no-cache")


SourcesOf = Annotated[Sources, Depends(get_sources)]
OverviewOf = Annotated[Overview, Depends(get_overview)]


def _shown(
    request: Request, page: str, operator: Operator, overview: Overview, **more: object
) -> HTMLResponse:
    context = {
        "page": page,
        "operator": operator,
        "overview": overview,
        "states": STATES,
        "is_first": "cursor" not in request.query_params,
        **more,
    }
    return render(request, f"{page}.html", context)


@router.get("")
async def show_overview(request: Request, who: OperatorOf, overview: OverviewOf) -> HTMLResponse:
    """How the work stands, at a glance."""
    return _shown(request, "overview", who, overview)


@router.get("/job")
async def show_jobs(
    request: Request, who: OperatorOf, overview: OverviewOf, sources: SourcesOf
) -> HTMLResponse:
    """Jobs of a state, narrowed down as the address says."""
    wanted = wanted_of(request.query_params)
    jobs = await sources.jobs(wanted, request.query_params.get("cursor"), ROWS)
    return _shown(
        request,
        "jobs",
        who,
        overview,
        wanted=wanted,
        jobs=jobs,
        # Those in the queue come in one part.
        is_whole=wanted.state in KEPT or len(jobs.items) < ROWS,
        bulk=bulk_filter(wanted, datetime.now(UTC)),
    )


@router.get("/job/{job_id}")
async def show_job(
    request: Request, job_id: str, who: OperatorOf, overview: OverviewOf, sources: SourcesOf
) -> HTMLResponse:
    """All that is known of a job."""
    job = await sources.job(job_id)
    return _shown(request, "job", who, overview, job=job, shown=excerpt_of(job))


@router.get("/failure")
async def show_failures(
    request: Request, who: OperatorOf, overview: OverviewOf, sources: SourcesOf
) -> HTMLResponse:
    """Failures by their kind and place."""
    wanted = wanted_of(request.query_params)
    groups = await sources.job_groups(wanted)
    return _shown(request, "failures", who, overview, wanted=wanted, groups=groups)


@router.get("/worker")
async def show_workers(
    request: Request, who: OperatorOf, overview: OverviewOf, sources: SourcesOf
) -> HTMLResponse:
    """Who works."""
    return _shown(request, "workers", who, overview, workers=await sources.workers())


@router.get("/schedule")
async def show_schedules(
    request: Request, who: OperatorOf, overview: OverviewOf, sources: SourcesOf
) -> HTMLResponse:
    """What is done regularly."""
    return _shown(request, "schedules", who, overview, schedules=await sources.schedules())


@router.get("/partition")
async def show_partitions(
    request: Request, who: OperatorOf, overview: OverviewOf, sources: SourcesOf
) -> HTMLResponse:
    """The streams of the inbox."""
    return _shown(request, "partitions", who, overview, partitions=await sources.partitions())


@router.get("/reader")
async def show_readers(
    request: Request, who: OperatorOf, overview: OverviewOf, sources: SourcesOf
) -> HTMLResponse:
    """Readers of open sessions, those with trouble first."""
    is_narrow = request.query_params.get("trouble") == "true"
    cursor = request.query_params.get("cursor")
    readers = await sources.readers(cursor, ROWS, only_trouble=is_narrow)
    return _shown(request, "readers", who, overview, readers=readers, only_trouble=is_narrow)


@router.get("/action")
async def show_actions(
    request: Request, who: OperatorOf, overview: OverviewOf, sources: SourcesOf
) -> HTMLResponse:
    """What operators did."""
    actions = await sources.actions(request.query_params.get("cursor"), ROWS)
    return _shown(request, "actions", who, overview, actions=actions)
