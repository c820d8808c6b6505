"""The queue on the command line, against a running server."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from core.models.failed_job import Failure, attempt, insert_failed_job
from core.models.token import create_token
from core.postgres import Pool
from core.schema.token import Role
from core.settings import Settings
from tests.conftest import ADMIN_TOKEN
from tests.resources import UNKNOWN
from tests.serving import Served, serving


@pytest.fixture(name="server")
async def make_server(settings: Settings) -> AsyncIterator[Served]:
    """The API on a port of its own."""
    async with serving(settings) as made:
        yield made


async def run(server: Served, *words: str, token: str = ADMIN_TOKEN) -> Result:
    """What `quiver queue …` does."""
    asked = ["queue", *words, "--url", server.url, "--token", token]
    return await asyncio.to_thread(CliRunner().invoke, app, asked)


def last(ended: Result) -> str:
    """What the command said: the server in this process logs to the same place."""
    return ended.stdout.splitlines()[-1]


async def failed(pool: Pool, number: int = 1) -> UUID:
    """A job that failed."""
    now = datetime.now(UTC)
    tries = [attempt(ValueError("no [face]"), now, now)]
    failure = Failure(f"score:{number}", "score_shots", {"arguments": ["1"]}, tries)
    async with pool.acquire() as conn:
        return await insert_failed_job(conn, failure)


async def test_the_status_counts_what_waits_and_what_failed(server: Served, pool: Pool) -> None:
    await failed(pool)
    shown = (await run(server, "status")).stdout
    assert "failed 1" in shown
    assert "no worker is alive" in shown
    assert "ValueError: no [face]" in shown


async def test_the_status_is_json_for_scripts(server: Served) -> None:
    said = json.loads(last(await run(server, "status", "--json")))
    assert (said["failed"], said["failures"]) == (0, [])


async def test_the_status_says_first_that_the_queue_is_held_who_did_it_and_why(
    server: Served,
) -> None:
    assert "paused" not in (await run(server, "status")).stdout
    held = last(await run(server, "pause", "--reason", "lunch [at noon]"))
    assert f"{held}: lunch [at noon]\n" in (await run(server, "status")).stdout
    pause = json.loads(last(await run(server, "status", "--json")))["pause"]
    assert (pause["paused_by"], pause["reason"]) == ("the environment", "lunch [at noon]")


async def test_a_failed_job_is_listed_shown_and_retried_once(server: Served, pool: Pool) -> None:
    job_id = str(await failed(pool))
    (job,) = json.loads(last(await run(server, "jobs", "--json")))
    assert job["id"] == job_id
    assert "ValueError: no [face]" in (await run(server, "show", job_id)).stdout
    assert last(await run(server, "retry", job_id)) == "1 being retried"
    assert last(await run(server, "retry", job_id)) == "0 being retried"


async def test_all_that_the_options_let_pass_are_discarded_and_restored(
    server: Served, pool: Pool
) -> None:
    for number in range(3):
        await failed(pool, number)
    none = await run(server, "discard", "--all", "--function", "relay")
    every = await run(server, "discard", "--all", "--text", "NO [face]")
    back = await run(server, "restore", "--all")
    assert [last(each) for each in (none, every, back)] == [
        "0 discarded",
        "3 discarded",
        "3 restored",
    ]


async def test_the_queue_is_held_and_goes_on(server: Served) -> None:
    held = last(await run(server, "pause", "--reason", "lunch"))
    assert held.startswith("paused since 20")
    assert held.endswith(" by the environment")
    assert last(await run(server, "resume")) == "jobs are begun"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["retry"], "say either which jobs, or --all"),
        (["retry", UNKNOWN, "--all"], "say either which jobs, or --all"),
        (["retry", UNKNOWN, "--function", "relay"], "say --all"),
        (["show", UNKNOWN], f"job {UNKNOWN}: not found"),
        (["jobs", "--state", "lost"], "query.state"),
    ],
)
async def test_what_makes_no_sense_ends_with_a_sentence(
    server: Served, words: list[str], said: str
) -> None:
    ended = await run(server, *words)
    assert ended.exit_code == 1
    assert said in ended.stderr


async def test_a_viewer_is_refused(server: Served, pool: Pool) -> None:
    async with pool.acquire() as conn:
        token = (await create_token(conn, Role.VIEWER, "somebody")).token
    ended = await run(server, "pause", token=token)
    assert ended.exit_code == 1
    assert "the role viewer may not do this" in ended.stderr


def test_a_server_that_is_not_there_is_named() -> None:
    asked = ["queue", "status", "--url", "http://127.0.0.1:1"]
    ended = CliRunner().invoke(app, asked)
    assert ended.exit_code == 1
    assert "http://127.0.0.1:1 does not answer" in ended.stderr


def test_where_the_data_are_is_also_taken_from_the_environment() -> None:
    shown = CliRunner().invoke(app, ["up", "--help"], env={"COLUMNS": "200"}).stdout
    assert "QUIVER_DATA_DIR" in shown
