"""What operators see: the work, who does it, and what goes wrong."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from core.schema.types import Boundary, Instant, Text, Told


class JobState(StrEnum):
    """Where a job stands.

    `queued`, `running`, `deferred` (for later) and `retrying` (failed, to be tried again by
    itself) are in the queue; `failed`, `restarted` (an operator wants it tried again), `mended` (it
    was, and succeeded) and `discarded` are kept in the database; `done` are the latest that
    succeeded.
    """

    QUEUED = "queued"
    RUNNING = "running"
    DEFERRED = "deferred"
    RETRYING = "retrying"
    FAILED = "failed"
    RESTARTED = "restarted"
    MENDED = "mended"
    DISCARDED = "discarded"
    DONE = "done"


class JobAttempt(Boundary):
    """One try of a job that failed."""

    started_at: Told
    duration_ms: float
    error: str
    traceback: str


class Job(Boundary):
    """A job in a list.

    Its times are told between the years 1970 and 2200: of what lies outside the nearest of these.
    """

    id: str = Field(description="Of a kept failure its UUID; of a job in the queue its id there")
    state: JobState
    function: str
    arguments: Mapping[str, object]
    session_id: UUID | None
    target_id: UUID | None
    request_id: UUID | None
    tries: int = Field(description="Tries so far")
    error: str | None = Field(description="The last error, one line")
    fingerprint: str | None = Field(description="Equal for failures of the same kind and place")
    enqueued_at: Told | None
    due_at: Told | None = Field(description="Of a job in the queue: not before this time")
    failed_at: Told | None
    duration_ms: float | None = Field(description="Of the last try")
    updated_at: Told | None


class TouchedEvent(Boundary):
    """An event that a failed job was about."""

    event_id: UUID
    type: str
    occurred_at: Instant


class TouchedShot(Boundary):
    """A shot that a failed job was about."""

    id: UUID
    status: str
    label: str | None
    release_time: Instant


class JobDetail(Job):
    """A job with all that is known of it."""

    attempts: Sequence[JobAttempt]
    events: Sequence[TouchedEvent] = Field(description="At most 100, the latest first")
    shots: Sequence[TouchedShot] = Field(description="At most 100, the latest first")
    actions: Sequence["AdminAction"] = Field(description="What operators did with it")


class JobGroup(Boundary):
    """Failures of the same kind at the same place."""

    fingerprint: str
    function: str
    error: str = Field(description="Of the latest")
    count: int
    first_at: Instant
    last_at: Instant


class JobFilter(Boundary):
    """Which jobs; what is left out matters not."""

    state: JobState | None = Field(
        None, description="Only that one state may be given that the action takes jobs from"
    )
    function: Text | None = None
    session_id: UUID | None = None
    target_id: UUID | None = None
    fingerprint: Text | None = None
    q: Text | None = Field(None, description="Text in the arguments or the error")
    since: Instant | None = None
    until: Instant | None = None


class JobChoice(Boundary):
    """Jobs to do something with: those listed, or all of a filter; exactly one of both."""

    ids: Sequence[UUID] | None = Field(None, min_length=1, max_length=1000)
    filter: JobFilter | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("ids: say either which ids, or a filter")
        return self


class JobsChanged(Boundary):
    """How many jobs it was done to: those it had been done to before are not counted."""

    changed: int
    ids: Sequence[UUID] = Field(description="At most 1000 of them")


class AdminAction(Boundary):
    """What an operator did."""

    id: UUID
    at: Instant
    by: str = Field(description="The name of their token")
    action: str = Field(description="Such as `retry`, `discard`, `pause`, `stop_worker`")
    subject: str = Field(description="What it was done to, for people")
    count: int = Field(description="To how many")
    request_id: UUID | None


class FunctionRate(Boundary):
    """What one task did in the last five minutes."""

    function: str
    done_per_min: float
    failed_per_min: float
    retried_per_min: float
    p50_ms: float | None
    p99_ms: float | None


class RedisHealth(Boundary):
    """The queue's store."""

    is_up: bool
    version: str | None
    memory_bytes: int | None
    memory_limit_bytes: int | None = Field(description="null: none is set")
    eviction_policy: str | None
    is_append_only: bool | None
    fsync: str | None
    connected_clients: int | None
    warnings: Sequence[str] = Field(description="Sentences: what endangers what was accepted")


class PostgresHealth(Boundary):
    """The database."""

    is_up: bool
    version: str | None
    connections: int | None
    connection_limit: int | None
    waiting_for_locks: int | None
    oldest_transaction_s: float | None
    size_bytes: int | None
    warnings: Sequence[str]


class Overview(Boundary):
    """How the work stands, at a glance; null is what a store would know that does not answer."""

    at: Instant
    inbox: int | None
    queued: int | None
    running: int | None
    deferred: int | None = Field(description="Jobs for later that were never begun")
    retrying: int | None = Field(description="Jobs that failed, and for later")
    failed: int | None = Field(description="Counted up to 10 000; 10 001: there are more")
    done_per_min: float | None
    oldest_age_ms: int | None
    latency_p50_ms: float | None = Field(
        description="From an event's arrival until viewers were told, over five minutes"
    )
    latency_p99_ms: float | None
    paused_at: Instant | None = Field(description="Since when no job is begun; null: they are")
    paused_by: str | None
    workers: int | None
    readers_online: int | None
    readers_silent: int | None
    functions: Sequence[FunctionRate]
    redis: RedisHealth
    postgres: PostgresHealth
    behind: Sequence[str] = Field(description="What is falling behind or broken, a sentence each")


class Bucket(Boundary):
    """What was done in a stretch of time."""

    at: Instant = Field(description="Its begin")
    done: int
    failed: int
    retried: int
    events: int
    latency_p50_ms: float | None
    latency_p99_ms: float | None


class History(Boundary):
    """Throughput and failures over time."""

    step_s: int
    buckets: Sequence[Bucket] = Field(description="The oldest first, without gaps")


class RunningJob(Boundary):
    """What a worker is at."""

    id: str
    function: str
    started_at: Instant


class WorkerDetail(Boundary):
    """A worker that is alive."""

    id: str
    host: str
    pid: int
    version: str
    started_at: Instant
    seen_at: Instant
    concurrency: int = Field(description="Jobs it does at once, at most")
    running: Sequence[RunningJob]
    done: int
    failed: int
    done_per_min: float
    memory_bytes: int
    asked_to: Literal["stop", "restart"] | None = Field(
        description="It begins no more jobs, ends those under way, and goes"
    )


class Schedule(Boundary):
    """What is done regularly."""

    name: str
    function: str
    every: str = Field(description="In words, such as `every second`")
    last_run_at: Instant | None
    last_duration_ms: float | None
    next_run_at: Instant | None


class PartitionState(Boundary):
    """A stream of the inbox."""

    partition: int
    depth: int
    limit: int
    oldest_age_ms: int | None
    is_woken: bool = Field(description="Whether a worker was told of it")
    asked: int = Field(description="Recomputations that wait")
    targets: int = Field(description="Targets of open sessions whose events go there")


class ReaderState(Boundary):
    """A reader of an open session."""

    id: UUID
    kind: str
    name: str
    session_id: UUID | None
    lane: int | None
    letter: str | None
    is_online: bool | None = Field(description="null: it was never heard")
    last_heard_at: Instant | None
    battery_pct: int | None
    buffered: int | None
    firmware: str | None
    clock_offset_ms: float | None
    clock_suspect: str | None
    events_per_min: float = Field(description="Over five minutes")
    duplicates_per_min: float = Field(description="Events sent again, over five minutes")
    trouble: Sequence[Literal["silent", "stuttering", "clock", "battery", "buffering"]]


class PauseWish(Boundary):
    """Why no job is to be begun."""

    reason: Text | None = None


class PauseState(Boundary):
    """Whether jobs are begun."""

    paused_at: Instant | None
    paused_by: str | None
    reason: str | None


class LoginWish(Boundary):
    """A token, to be exchanged for a cookie."""

    token: str = Field(min_length=1, max_length=500)
