"""What operators may be shown, made up: for tests of what the pages look like."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from api.web.wanted import Wanted
from core.errors import NotFoundError
from core.schema.admin import (
    AdminAction,
    Bucket,
    FunctionRate,
    History,
    Job,
    JobAttempt,
    JobDetail,
    JobGroup,
    JobState,
    Overview,
    PartitionState,
    PostgresHealth,
    ReaderState,
    RedisHealth,
    RunningJob,
    Schedule,
    TouchedEvent,
    TouchedShot,
    WorkerDetail,
)
from core.schema.page import Page

ERROR = "UnknownFaceType: faces.0.face_type: wa_123_full is not in the catalogue"
TRACEBACK = """Traceback (most recent call last):
  File "/srv/quiver/workers/score_shots.py", line 61, in score_shots
    scored = [score(shot, faces[shot.face_id]) for shot in unscored]
              ~~~~~^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/srv/quiver/core/domain/scoring.py", line 92, in score
    face = CATALOGUE[placed.face_type]
           ~~~~~~~~~^^^^^^^^^^^^^^^^^^
core.domain.errors.UnknownFaceType: faces.0.face_type: wa_123_full is not in the catalogue
"""


def ago(**spans: float) -> datetime:
    """A time before now."""
    return datetime.now(UTC) - timedelta(**spans)


def job(number: int, state: JobState) -> Job:
    """A job in some state."""
    is_kept = state in (JobState.FAILED, JobState.DISCARDED, JobState.MENDED, JobState.RESTARTED)
    function = ("score_shots", "correlate_target", "read_entry")[number % 3 if is_kept else 0]
    target = UUID(int=number + 77_000_000_000_000)
    return Job(
        id=str(UUID(int=number + 2**120)) if is_kept else f"{function}:{number}",
        state=state,
        function=function,
        arguments={"arguments": [str(target)]},
        session_id=UUID(int=9),
        target_id=target,
        request_id=UUID(int=number + 5),
        tries=5 if is_kept else 1,
        error=ERROR if is_kept or state is JobState.RETRYING else None,
        fingerprint="9f1c04ab77de1234" if is_kept else None,
        enqueued_at=ago(minutes=number + 1),
        due_at=None if is_kept or state is JobState.DONE else ago(seconds=-7 * number - 3),
        failed_at=ago(minutes=number) if is_kept else None,
        duration_ms=12.5 + number,
        updated_at=ago(minutes=number),
    )


@dataclass
class MadeUp:
    """Says the same to every question."""

    rng: random.Random = field(default_factory=lambda: random.Random(4))
    is_calm: bool = False

    async def overview(self) -> Overview:
        """A busy evening."""
        wrong = [] if self.is_calm else ["3 jobs failed in the last hour, all in score_shots."]
        return Overview(
            at=datetime.now(UTC),
            inbox=self.rng.randint(0, 40),
            queued=self.rng.randint(0, 9),
            running=self.rng.randint(1, 6),
            deferred=118,
            retrying=0 if self.is_calm else 2,
            failed=0 if self.is_calm else 1204,
            done_per_min=2810.5,
            oldest_age_ms=212,
            latency_p50_ms=38.2,
            latency_p99_ms=171.0,
            paused_at=None if self.is_calm else ago(minutes=3),
            paused_by=None if self.is_calm else "Ana",
            workers=2,
            readers_online=1198,
            readers_silent=2,
            functions=_rates(),
            redis=RedisHealth(
                is_up=True,
                version="9.0.1",
                memory_bytes=48_300_000,
                memory_limit_bytes=None if self.is_calm else 64_000_000,
                eviction_policy="noeviction" if self.is_calm else "allkeys-lru",
                is_append_only=True,
                fsync="always",
                connected_clients=14,
                warnings=(
                    []
                    if self.is_calm
                    else ["maxmemory-policy is allkeys-lru: accepted events may be thrown away."]
                ),
            ),
            postgres=PostgresHealth(
                is_up=True,
                version="18.1",
                connections=18,
                connection_limit=100,
                waiting_for_locks=0,
                oldest_transaction_s=0.2,
                size_bytes=912_000_000,
                warnings=[],
            ),
            behind=wrong,
        )

    async def jobs(self, wanted: Wanted, cursor: str | None, limit: int) -> Page[Job]:
        """A full page of them."""
        start = int(cursor or 0)
        return Page(
            items=[job(start + number, wanted.state) for number in range(limit)],
            next_cursor=str(start + limit),
        )

    async def job(self, job_id: str) -> JobDetail:
        """One that failed for good."""
        if not job_id.startswith("0100"):
            raise NotFoundError("job", job_id)
        tries = [
            JobAttempt(
                started_at=ago(minutes=10 - number),
                duration_ms=11.2 * number + 3,
                error=ERROR,
                traceback=TRACEBACK,
            )
            for number in range(5)
        ]
        kinds = ("arrow_engage", "arrow_release", "arrow_landed")
        return JobDetail(
            **job(3, JobState.FAILED).model_dump(),
            attempts=tries,
            events=[
                TouchedEvent(event_id=uuid4(), type=kinds[n % 3], occurred_at=ago(seconds=9 * n))
                for n in range(12)
            ],
            shots=[
                TouchedShot(id=uuid4(), status="landed", label=None, release_time=ago(seconds=n))
                for n in range(4)
            ],
            actions=[done("retry", 1)],
        )

    async def job_groups(self, wanted: Wanted) -> Sequence[JobGroup]:
        """Three kinds."""
        del wanted
        return [
            JobGroup(
                fingerprint=f"9f1c04ab77de{number}",
                function=function,
                error=ERROR,
                count=count,
                first_at=ago(hours=3 * number + 2),
                last_at=ago(minutes=number),
            )
            for number, (function, count) in enumerate(
                [("score_shots", 1180), ("correlate_target", 21), ("read_entry", 3)]
            )
        ]

    async def actions(self, cursor: str | None, limit: int) -> Page[AdminAction]:
        """What was done."""
        del cursor, limit
        names = ("retry", "discard", "pause", "resume", "stop_worker", "restore", "purge")
        return Page(
            items=[done(name, number) for number, name in enumerate(names)], next_cursor=None
        )

    async def workers(self) -> Sequence[WorkerDetail]:
        """One at work, one that goes."""
        return [
            WorkerDetail(
                id=f"w{number}",
                host=f"range-{number + 1}",
                pid=4210 + number,
                version="0.1.0",
                started_at=ago(hours=30),
                seen_at=ago(seconds=2),
                concurrency=16,
                running=[
                    RunningJob(id=f"correlate:{n}", function="correlate", started_at=ago(seconds=n))
                    for n in range(3 - number)
                ],
                done=182_334,
                failed=3 * number,
                done_per_min=1410.2,
                memory_bytes=118_000_000,
                asked_to="restart" if number else None,
            )
            for number in range(2)
        ]

    async def schedules(self) -> Sequence[Schedule]:
        """Two sweeps."""
        return [
            Schedule(
                name=name,
                function=name,
                every=every,
                last_run_at=ago(seconds=1),
                last_duration_ms=2.4,
                next_run_at=ago(seconds=-1.5),
            )
            for name, every in [
                ("sweep", "every second"),
                ("forget_discarded", "every day at 03:10"),
            ]
        ]

    async def partitions(self) -> Sequence[PartitionState]:
        """One of which is full of work."""
        return [
            PartitionState(
                partition=number,
                depth=31_022 if number == 3 else number % 4,
                limit=50_000,
                oldest_age_ms=8_120 if number == 3 else 20 if number % 4 else None,
                is_woken=number % 4 > 0,
                asked=int(number == 3),
                targets=number % 5 + 22,
            )
            for number in range(16)
        ]

    async def readers(
        self, cursor: str | None, limit: int, *, only_trouble: bool
    ) -> Page[ReaderState]:
        """Trouble first."""
        del cursor
        troubles = [["silent"], ["stuttering", "clock"], ["battery"], ["buffering"]]
        items = [
            ReaderState.model_validate(
                {
                    "id": uuid4(),
                    "kind": ("bow", "target", "arrow")[n % 3],
                    "name": f"reader {n + 1}",
                    "session_id": UUID(int=9),
                    "lane": n + 1,
                    "letter": "ABCD"[n % 4],
                    "is_online": n != 0,
                    "last_heard_at": ago(seconds=1 if n else 400),
                    "battery_pct": 9 if n == 2 else 80,
                    "buffered": 400 if n == 3 else 0,
                    "firmware": "1.4.2",
                    "clock_offset_ms": 12.4 * n - 20,
                    "clock_suspect": "jumped" if n == 1 else None,
                    "events_per_min": 7.5,
                    "duplicates_per_min": 14.0 if n == 1 else 0.0,
                    "trouble": troubles[n] if n < 4 else [],
                }
            )
            for n in range(len(troubles) if only_trouble else limit)
        ]
        return Page(items=items, next_cursor=None if only_trouble else "more")


def _rates() -> list[FunctionRate]:
    return [
        FunctionRate(
            function=name,
            done_per_min=done,
            failed_per_min=failed,
            retried_per_min=retried,
            p50_ms=p50,
            p99_ms=p50 * 6,
        )
        for name, done, failed, retried, p50 in [
            ("correlate", 2330.0, 0.0, 0.0, 11.2),
            ("expire", 402.1, 0.0, 0.0, 4.1),
            ("sweep", 60.0, 0.0, 0.0, 2.0),
            ("score_shots", 1.4, 0.6, 2.4, 18.9),
            ("rank", 17.0, 0.0, 0.0, 6.6),
        ]
    ]


def history(step_s: int, number: int) -> History:
    """An evening that grows, with a fault in the middle."""
    rng = random.Random(7)
    buckets = [
        Bucket(
            at=ago(seconds=step_s * (number - n)),
            done=rng.randint(1500, 2500) + n * 20,
            failed=rng.randint(20, 90) if 30 < n < 36 else 0,
            retried=rng.randint(50, 200) if 30 < n < 38 else 0,
            events=4000,
            latency_p50_ms=None if n == 12 else 35 + rng.random() * 10,
            latency_p99_ms=None if n == 12 else 150 + rng.random() * (900 if 30 < n < 36 else 60),
        )
        for n in range(number)
    ]
    return History(step_s=step_s, buckets=buckets)


def done(action: str, number: int) -> AdminAction:
    """Something that an operator did."""
    return AdminAction(
        id=uuid4(),
        at=ago(minutes=5 * number),
        by="Ana",
        action=action,
        subject="score_shots of target 1f3e55aa",
        count=number * 40 + 1,
        request_id=uuid4(),
    )
