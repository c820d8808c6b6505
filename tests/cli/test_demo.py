"""The demo: tournaments of its own, played and shown until it is stopped."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from cli.demo import run_demo
from core.postgres import Pool
from core.settings import Settings
from tests.conftest import ADMIN_TOKEN
from tests.serving import WITHIN_S, server_process

SESSION_SELECT = "SELECT end_time IS NULL AS is_opened FROM session WHERE name LIKE 'Simulated%'"
TOKEN_COUNT = "SELECT count(*) FROM token WHERE role = 'gateway' AND revoked_at IS NULL"


@contextmanager
def playing(url: str) -> Iterator[None]:
    """The demo in a thread, as `quiver up` has it; its end is a part of the test."""
    stop = threading.Event()
    thread = threading.Thread(target=run_demo, args=(url, ADMIN_TOKEN, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(WITHIN_S)
        assert not thread.is_alive()


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, and fail when it does not come."""
    by = time.monotonic() + 2 * WITHIN_S
    while not condition():
        assert time.monotonic() < by
        time.sleep(0.02)


async def test_a_demo_that_is_stopped_leaves_nothing_open(
    settings: Settings, pool: Pool, capsys: pytest.CaptureFixture[str]
) -> None:
    with server_process(settings) as server, playing(server.url):
        # Said only once the tournament is set up.
        until(lambda: "quiver watch --session" in capsys.readouterr().out)
    sessions = await pool.fetch(SESSION_SELECT)
    assert [row["is_opened"] for row in sessions] == [False]
    assert await pool.fetchval(TOKEN_COUNT) == 0


def test_an_api_that_is_not_there_is_told_of_in_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said: list[str] = []

    def complained() -> bool:
        said.append(capsys.readouterr().err)
        return any("trying again in 2 s" in text for text in said)

    with playing("http://127.0.0.1:1"):
        until(complained)
    assert "".join(said).startswith("quiver demo: http://127.0.0.1:1 does not answer: ")
