"""Failed jobs are looked at in bounded steps, however many there are."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from core.models import failed_job, failed_job_list
from core.models.failed_job import FAILED_JOB_COUNT, count_failed_jobs
from core.models.failed_job_list import (
    select_failed_job_groups,
    select_failed_job_ids,
    select_failed_jobs,
)
from core.postgres import Connection
from core.schema.admin import JobFilter, JobState
from core.schema.page import Position

MADE, LOOKED_AT = 3_000, 100
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)

# One a second until now; the oldest ten are another task's, every third was mended.
FAILED_JOB_MAKE = """
INSERT INTO failed_job (
    id, job_id, function, arguments, attempts, error, fingerprint, state, updated_at
)
SELECT ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, n::text,
    CASE WHEN n > $1 - 10 THEN 'rare' ELSE 'usual' END, '{"arguments": []}', '[]', 'no', 'f',
    CASE WHEN n % 3 = 0 THEN 'mended' ELSE 'failed' END, $2::timestamptz - n * interval '1 second'
FROM generate_series(1, $1::integer) AS n
"""


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look takes little into account."""
    monkeypatch.setattr(failed_job_list, "LOOKED_AT", LOOKED_AT)
    monkeypatch.setattr(failed_job, "COUNTED_AT_MOST", LOOKED_AT)


@pytest.fixture(name="many")
async def make_many(conn: Connection) -> Connection:
    """A connection that sees many failures."""
    await conn.execute(FAILED_JOB_MAKE, MADE, NOW)
    await conn.execute("ANALYZE failed_job")
    return conn


def scans(plan: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """How the table was read: the kind, and how many rows that gave."""
    if plan.get("Relation Name") == "failed_job":
        yield plan["Node Type"], plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    for part in plan.get("Plans", []):
        yield from scans(part)


async def plan_of(conn: Connection, statement: str, *said: object) -> list[tuple[str, float]]:
    """How a statement reads the table, planned for whatever it may be asked."""
    await conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    told = await conn.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *said)
    return list(scans(json.loads(told)[0]["Plan"]))


def of(number: int) -> UUID:
    """The id of one of them."""
    return UUID(f"00000000-0000-0000-0000-{number:012}")


async def test_they_are_counted_up_to_a_bound(many: Connection) -> None:
    assert await count_failed_jobs(many) == LOOKED_AT + 1


async def test_few_of_them_are_counted_exactly(conn: Connection) -> None:
    await conn.execute(FAILED_JOB_MAKE, 30, NOW)
    assert await count_failed_jobs(conn) == 20


async def test_a_count_reads_so_many_rows_and_no_more(many: Connection) -> None:
    ((kind, rows),) = await plan_of(many, FAILED_JOB_COUNT, LOOKED_AT + 1)
    assert (kind.startswith("Index"), rows) == (True, LOOKED_AT + 1)


@pytest.mark.parametrize("name", ["PAGE", "GROUPS", "IDS"])
@pytest.mark.parametrize("wanted", [{}, {"function": "rare"}, {"q": "nothing says this"}])
async def test_a_filter_that_nothing_fits_reads_so_many_rows_and_no_more(
    many: Connection, name: str, wanted: dict[str, str]
) -> None:
    said: list[object] = [*parameters(JobFilter.model_validate(wanted))]
    said += [] if name == "IDS" else [LOOKED_AT]
    statement = getattr(failed_job_list, f"FAILED_JOB_SELECT_{name}")
    ((kind, rows),) = await plan_of(many, statement, *said)
    assert (kind.startswith("Index"), rows) == (True, LOOKED_AT)


async def test_a_place_far_into_the_list_is_gone_to_at_once(many: Connection) -> None:
    far = Position(NOW - timedelta(seconds=2_000), of(2_000))
    said = [*parameters(JobFilter(), far), 31]
    ((kind, rows),) = await plan_of(many, failed_job_list.FAILED_JOB_SELECT_PAGE, *said)
    assert (kind.startswith("Index"), rows) == (True, 31)


async def test_what_is_rare_is_found_among_the_latest_and_further_back_by_time(
    many: Connection,
) -> None:
    rare = JobFilter(function="rare")
    assert await select_failed_job_ids(many, rare, JobState.FAILED) == []
    before = NOW - timedelta(seconds=MADE - 50)
    back = JobFilter(function="rare", until=before)
    wanted = {of(n) for n in range(MADE - 9, MADE + 1) if n % 3}
    assert set(await select_failed_job_ids(many, back, JobState.FAILED)) == wanted
    (group,) = await select_failed_job_groups(many, back, JobState.FAILED)
    assert (group.function, group.count) == ("rare", len(wanted))
    listed = await select_failed_jobs(many, back, JobState.FAILED, None, 100)
    assert {UUID(job.id) for job in listed} == wanted


async def test_pages_go_on_through_all_of_a_state(many: Connection) -> None:
    seen: list[str] = []
    place: Position | None = None
    while page := await select_failed_jobs(many, JobFilter(), JobState.MENDED, place, 99):
        seen += [job.id for job in page[:99]]
        last = page[:99][-1]
        assert last.updated_at is not None
        place = Position(last.updated_at, UUID(last.id))
    assert seen == [str(of(n)) for n in range(3, MADE + 1, 3)]


async def test_since_and_until_bound_what_is_listed(many: Connection) -> None:
    between = JobFilter(since=NOW - timedelta(seconds=5), until=NOW - timedelta(seconds=1))
    listed = await select_failed_jobs(many, between, JobState.FAILED, None, 100)
    assert [job.id for job in listed] == [str(of(n)) for n in (2, 4, 5)]


def parameters(wanted: JobFilter, before: Position | None = None) -> tuple[object, ...]:
    """A filter as the statements take it."""
    first = before or Position(datetime(9999, 1, 1, tzinfo=UTC), of(0))
    return (
        JobState.FAILED,
        datetime(1970, 1, 1, tzinfo=UTC),
        first.at,
        first.id,
        LOOKED_AT,
        wanted.function,
        wanted.session_id,
        wanted.target_id,
        wanted.fingerprint,
        wanted.q,
    )
