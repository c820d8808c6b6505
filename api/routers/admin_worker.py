"""Workers, and asking one of them to go."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path
from redis.asyncio import Redis

from api.dependencies import ValkeyOf, Watcher
from api.operating import Operating, OperatingOf
from api.operations import workers
from core.errors import NotFoundError
from core.roster import Wish, ask
from core.schema.admin import WorkerDetail
from core.schema.envelope import Envelope, wrap

router = APIRouter(prefix="/api/v0/admin/worker", tags=["admin"])

type WorkerId = Annotated[str, Path(min_length=1, max_length=100)]


@router.get("")
async def get_workers(_: Watcher, valkey: ValkeyOf) -> Envelope[Sequence[WorkerDetail]]:
    """Those that are alive: each says every two seconds what it is at."""
    return wrap(await workers(valkey))


@router.post("/{worker_id}/stop")
async def stop_worker(
    worker_id: WorkerId, operating: OperatingOf, valkey: ValkeyOf
) -> Envelope[WorkerDetail]:
    """Have a worker begin no more jobs, end those under way, and stay away.

    Under `quiver up` it is not started again until `up` is; a container's restart policy may decide
    otherwise. A worker that was asked before is asked nothing anew.
    """
    return wrap(await _asked(operating, valkey, worker_id, Wish.STOP))


@router.post("/{worker_id}/restart")
async def restart_worker(
    worker_id: WorkerId, operating: OperatingOf, valkey: ValkeyOf
) -> Envelope[WorkerDetail]:
    """Have a worker begin no more jobs, end those under way, and be started anew."""
    return wrap(await _asked(operating, valkey, worker_id, Wish.RESTART))


async def _asked(operating: Operating, valkey: Redis, worker_id: str, wish: Wish) -> WorkerDetail:
    async with operating.conn.transaction():
        if await ask(valkey, worker_id, wish):
            await operating.note(f"{wish}_worker", f"worker {worker_id}")
    for worker in await workers(valkey):
        if worker.id == worker_id:
            return worker
    raise NotFoundError("worker", worker_id)
