"""Workers that an operator has go, under `quiver up`: one stays away, one is started again."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from core.embedded.process import is_alive, wait_until
from tests.cli.test_up import WITHIN_S, Up, started
from tests.resources import Json, data


@pytest.fixture(name="up")
def running_up(tmp_path: Path) -> Iterator[Up]:
    """A fresh one that is up."""
    with started(tmp_path) as up:
        assert up.comes_up() and not up.is_gone(), up.said
        yield up


@pytest.fixture(name="admin")
def make_admin(up: Up) -> Iterator[httpx.Client]:
    """An admin of it."""
    token = re.search(r"Admin token\W*(\S+)", up.said)
    assert token is not None, up.said
    headers = {"Authorization": f"Bearer {token[1]}"}
    with httpx.Client(base_url=f"{up.url}/api/v0/admin", headers=headers) as client:
        yield client


def workers(admin: httpx.Client) -> list[Json]:
    """Those that are alive."""
    told: list[Json] = data(admin.get("/worker"))
    return told


def the_worker(admin: httpx.Client, is_it: Callable[[Json], bool]) -> Json:
    """The only one there is, once it is so."""

    def is_there() -> bool:
        found = workers(admin)
        return len(found) == 1 and is_it(found[0])

    assert wait_until(is_there, WITHIN_S)
    return workers(admin)[0]


def test_a_worker_is_started_again_and_then_stays_away(up: Up, admin: httpx.Client) -> None:
    first = the_worker(admin, lambda _: True)
    assert data(admin.post(f"/worker/{first['id']}/restart"))["asked_to"] == "restart"
    second = the_worker(admin, lambda each: each["id"] != first["id"])
    assert "worker-1 was asked to start again" in up.said
    # It is no longer among the workers a moment before its process is gone.
    assert wait_until(lambda: not is_alive(first["pid"]), WITHIN_S) and is_alive(second["pid"])

    assert data(admin.post(f"/worker/{second['id']}/stop"))["asked_to"] == "stop"
    away = "worker-1 was asked to stop, and is not started again"
    assert wait_until(lambda: away in up.said, WITHIN_S)
    assert not is_alive(second["pid"]) and not workers(admin)
    behind = data(admin.get("/overview"))["behind"]
    assert "No worker is alive: events are taken, and no result comes." in behind

    done = [each["action"] for each in data(admin.get("/action"))["items"]]
    assert done == ["stop_worker", "restart_worker"]
