"""What follows a batch: jobs for a time to come, each asked for once."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from core.domain.values import SECOND
from core.models.instants import microseconds
from tests.fields import now
from tests.workers.conftest import Range
from workers.correlate import overdue
from workers.following import BUCKET, Appointments, ranking, timers

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_deadlines_close_together_are_one_timer_after_the_last_of_them() -> None:
    at = microseconds(NOW)
    first, second = timers({at + 1, at + BUCKET - 1, at + BUCKET}, at)
    assert first.defer_until == NOW + timedelta(milliseconds=250)
    assert second.defer_until == NOW + timedelta(milliseconds=500)


def test_a_deadline_in_the_past_is_looked_at_next() -> None:
    at = microseconds(NOW)
    assert timers({at - 3600 * SECOND, at - 5 * SECOND}, at) == timers({at}, at)


def test_a_job_for_later_is_asked_for_once_until_its_time_has_come() -> None:
    appointments, session = Appointments(), uuid4()
    wanted = ranking({session}, NOW)
    assert appointments.new(wanted, NOW) == wanted
    assert appointments.new(wanted, NOW) == []
    assert appointments.new(wanted, NOW + timedelta(seconds=1)) == wanted


async def asked(line: Range) -> list[tuple[str, list[int]]]:
    """The jobs that look at a partition."""
    jobs = [await line.deps.valkey.get(key) for key in await line.deps.valkey.keys("arq:job:*")]
    found = [json.loads(job) for job in jobs if job is not None]
    return [(job["f"], job["a"]) for job in found if job["f"] == "expire"]


async def test_only_the_partitions_of_overdue_shots_are_looked_at(line: Range) -> None:
    await line.say(line.field.release((now() - line.field.starts_at) / SECOND))
    await overdue(line.deps, 7)
    assert await asked(line) == []
    async with line.deps.pool.acquire() as conn:
        await conn.execute("UPDATE shot SET deadline = now() - interval '1 second'")
    await overdue(line.deps, 7)
    partition = line.deps.inbox.partition_of(line.field.targets[1])
    assert await asked(line) == [("expire", [partition, 7])]
