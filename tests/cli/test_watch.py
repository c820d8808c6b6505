"""Watching from the terminal, against a running server."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE
from io import StringIO
from uuid import UUID, uuid4

import pytest
import typer
from redis.asyncio import Redis
from rich.console import Console
from typer.testing import CliRunner

from cli.viewer_socket import WatchRefusedError
from cli.watch import register, watch
from core.feed import Feed, Frame
from core.models.shot import select_shot
from core.postgres import Pool
from core.settings import Settings
from tests.butts import Butts, add_shot, set_up
from tests.serving import server_process, serving, until

PROGRAM = """
import signal
import typer
from cli.watch import register
# A shell that runs the tests in its background has them ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
app = typer.Typer()
app.callback()(lambda: None)
register(app)
app()
"""


async def tell(pool: Pool, feed: Feed, butts: Butts, shot_id: UUID) -> None:
    """Publish a shot as a worker does."""
    async with pool.acquire() as conn:
        shot = await select_shot(conn, shot_id)
    data = {"shot": shot.model_dump(mode="json")}
    await feed.publish([Frame(butts.session_id, "shot.updated", data, shot.target_id)])


def application() -> typer.Typer:
    """The command line with this command alone."""
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    return app


async def test_each_shot_is_a_line_and_none_is_lost_when_the_server_is_killed(
    settings: Settings, pool: Pool, valkey: Redis
) -> None:
    written, stop, feed = StringIO(), asyncio.Event(), Feed(valkey, length=1000)
    async with pool.acquire() as conn:
        butts = await set_up(conn)
        shots = [await add_shot(conn, butts, 0, second, score=second) for second in (7, 8, 9)]
    with server_process(settings) as server:
        watching = asyncio.create_task(
            watch(
                *(server.url, None, str(butts.session_id)), stop=stop, console=Console(file=written)
            )
        )
        async with asyncio.timeout(20):
            while "  7\n" not in written.getvalue():
                # It may not have connected yet; a shot that is told again is still one line.
                await tell(pool, feed, butts, shots[0])
                await asyncio.sleep(0.05)
        server.end(signal.SIGKILL)
        await tell(pool, feed, butts, shots[1])
        server.start()
        await until(lambda: "  8\n" in written.getvalue())
        await tell(pool, feed, butts, shots[2])
        await until(lambda: "  9\n" in written.getvalue())
        stop.set()
        await watching
    lines = [line.split() for line in written.getvalue().splitlines()]
    assert [line[1:] for line in lines] == [
        ["1A", "Ana", "A", "Ruiz", "7"],
        ["1A", "Ana", "A", "Ruiz", "8"],
        ["1A", "Ana", "A", "Ruiz", "9"],
    ]


async def test_a_terminal_shows_the_table(settings: Settings, pool: Pool) -> None:
    written, stop = StringIO(), asyncio.Event()
    console = Console(file=written, force_terminal=True, width=120, height=30)
    async with pool.acquire() as conn:
        butts = await set_up(conn)
        await add_shot(conn, butts, 0, 1)
    async with serving(settings) as served:
        watching = asyncio.create_task(
            watch(served.url, None, str(butts.session_id), stop=stop, console=console)
        )
        await until(lambda: "in the air" in written.getvalue())
        stop.set()
        await watching
    assert "Leaderboard" in written.getvalue()


async def test_a_server_that_is_not_there_yet_is_waited_for() -> None:
    stop = asyncio.Event()
    watching = asyncio.create_task(
        watch("http://127.0.0.1:1", None, str(uuid4()), stop=stop, console=Console(file=StringIO()))
    )
    await asyncio.wait([watching], timeout=0.3)
    assert not watching.done()
    stop.set()
    await watching


async def test_a_refusal_says_why(settings: Settings) -> None:
    unknown = uuid4()
    async with serving(settings) as served:
        with pytest.raises(WatchRefusedError, match=f"session {unknown}: not found"):
            await watch(served.url, None, str(unknown), stop=asyncio.Event())


def test_the_command_ends_with_a_refusal_in_one_sentence(settings: Settings) -> None:
    with server_process(settings) as server:
        asked = ["watch", "--session", str(uuid4()), "--url", server.url]
        ended = CliRunner().invoke(application(), asked)
    assert ended.exit_code == 1
    assert ended.stderr.startswith("quiver: session ")


def test_the_command_refuses_what_is_no_address() -> None:
    asked = ["watch", "--session", str(uuid4()), "--url", "not an address"]
    ended = CliRunner().invoke(application(), asked)
    assert ended.exit_code == 1
    assert ended.stderr == "quiver: not an address is not the address of an API\n"


async def test_ctrl_c_ends_it_cleanly(settings: Settings, pool: Pool) -> None:
    async with pool.acquire() as conn:
        butts = await set_up(conn)
        await add_shot(conn, butts, 0, 1)
    with server_process(settings) as server:
        watching = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROGRAM, "watch"),
            *("--session", str(butts.session_id), "--url", server.url),
            stdout=PIPE,
            stderr=PIPE,
        )
        assert watching.stdout is not None
        async with asyncio.timeout(20):
            line = await watching.stdout.readline()
            watching.send_signal(signal.SIGINT)
            rest, complaints = await watching.communicate()
    assert line.endswith(b"  in the air\n")
    assert (watching.returncode, rest, complaints) == (0, b"", b"")
