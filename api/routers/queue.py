"""How the work stands, for operators."""

from fastapi import APIRouter

from api.dependencies import Watcher
from api.routers.admin_overview import LookoutOf
from core.schema.envelope import Envelope, wrap
from core.schema.queue import QueueState

router = APIRouter(prefix="/api/v0/admin/queue", tags=["admin"])


@router.get("")
async def get_queue(_: Watcher, lookout: LookoutOf) -> Envelope[QueueState]:
    """Counts of the work.

    `inbox` + `queued` + `running` = 0 means that every accepted event is in the database and
    published. While a store does not answer that cannot be told, and the answer is 503;
    `/api/v0/admin/overview` shows the rest.
    """
    return wrap(await lookout.queue_state())
