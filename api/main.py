"""The API process: put together here and nowhere else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from api import errors
from api.broadcast import Broadcast
from api.doorkeeper import Doorkeeper
from api.hub import Hub
from api.logins import Logins
from api.lookout import Lookout
from api.metrics import Metrics
from api.middleware import LimitMiddleware, RequestMiddleware
from api.routers import ROUTERS
from api.routers.admin_live import PATH as LIVE
from api.snapshot import Openings
from api.state import State
from api.web.headers import PageHeadersMiddleware
from api.web.rendering import STATIC
from api.web.sources import open_sources
from core.feed import Feed
from core.inbox import open_inbox
from core.postgres import open_pool
from core.queue import Queue, open_arq
from core.schema.envelope import Failure
from core.settings import Settings
from core.valkey import open_valkey

PREFIX = "/api/v0"
LOGIN_BODY_LIMIT = 8_192


@asynccontextmanager
async def open_state(settings: Settings, metrics: Metrics) -> AsyncIterator[State]:
    """The process's pools and clients, closed in the end.

    Args:
        settings: Where the stores are, and the limits.
        metrics: Where the process is measured.
    """
    pool = await open_pool(settings)
    valkey = open_valkey(settings)
    queue = Queue(open_arq(settings))
    feed = Feed(valkey, length=settings.quiver_feed_length)
    hub = Hub(open_valkey(settings, size=2), queue_length=settings.quiver_client_queue)
    inbox = open_inbox(valkey, settings)
    lookout = Lookout(pool, valkey, inbox, queue)
    sources = open_sources(pool, valkey, inbox, lookout)
    ears = await open_pool(settings, minimum=0, maximum=1, name="quiver api, listening")
    doorkeeper = Doorkeeper(pool, ears)
    await hub.start()
    try:
        async with doorkeeper.listening():
            yield State(
                settings=settings,
                pool=pool,
                valkey=valkey,
                doorkeeper=doorkeeper,
                inbox=inbox,
                queue=queue,
                feed=feed,
                hub=hub,
                openings=Openings(pool, feed),
                metrics=metrics,
                logins=Logins(pool, settings),
                lookout=lookout,
                sources=sources,
                broadcast=Broadcast(sources.overview),
            )
    finally:
        await hub.stop()
        await queue.close()
        await valkey.aclose()
        await ears.close()
        await pool.close()


def create_app(settings: Settings) -> FastAPI:
    """The API with everything that it serves.

    Args:
        settings: Where the stores are, and the limits.
    """
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        async with open_state(settings, metrics) as state:
            yield state

    app = FastAPI(
        title="Quiver",
        version="0.1.0",
        lifespan=lifespan,
        openapi_url="/api/openapi.json",
        docs_url="/api/docs",
        redoc_url=None,
        responses={422: {"model": Failure}, 401: {"model": Failure}, 503: {"model": Failure}},
    )
    errors.install(app)
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(
        LimitMiddleware,
        concurrent=settings.api_max_concurrent_requests,
        body_limit=settings.quiver_body_limit,
        body_limits={
            f"{PREFIX}/event": settings.quiver_event_body_limit,
            # Anybody may send it: a token and a path.
            "/admin/login": LOGIN_BODY_LIMIT,
        },
        endless={LIVE},
    )
    app.mount("/admin/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(PageHeadersMiddleware)
    app.add_middleware(RequestMiddleware, metrics=metrics)
    return app
