"""How the work stands."""

from collections.abc import Sequence

from pydantic import Field

from core.schema.admin import PauseState
from core.schema.types import Boundary


class WorkerSeen(Boundary):
    """A worker that is alive."""

    id: str
    host: str
    pid: int
    started_at: str
    version: str
    running: int = Field(description="Jobs it is at")
    done: int = Field(description="Jobs done since it started")
    failed: int = Field(description="Jobs given up since it started")


class QueueState(Boundary):
    """Counts of the work; `inbox` + `queued` + `running` = 0 means everything accepted is in the
    database and published."""

    inbox: int = Field(description="Events and heartbeats that no worker has processed")
    queued: int = Field(
        description="Jobs that are due, and changes waiting to be derived or published"
    )
    running: int = Field(description="Jobs under way")
    deferred: int = Field(description="Jobs for later that were never begun: timers")
    retrying: int = Field(description="Jobs that failed and will be tried again by themselves")
    failed: int = Field(
        description="Jobs given up, waiting for an operator; counted up to 10 000, 10 001: more"
    )
    oldest_age_ms: int = Field(description="How long the oldest event or due job has waited")
    workers: Sequence[WorkerSeen]
    pause: PauseState
