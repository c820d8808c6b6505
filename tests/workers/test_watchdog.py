"""The thread that ends a worker whose event loop stands still."""

import threading

import pytest

from tests.workers.conftest import eventually
from workers import watchdog
from workers.watchdog import watched


async def test_an_event_loop_that_stands_still_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "LOOK_EVERY_S", 0.02)
    noticed = threading.Event()
    async with watched(0.1, noticed.set):
        # Not awaited: the loop stands still meanwhile.
        assert noticed.wait(10)


async def test_an_event_loop_that_goes_on_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "LOOK_EVERY_S", 0.02)
    noticed, looks = threading.Event(), 0

    async def was_looked_at_often() -> bool:
        nonlocal looks
        looks += 1
        return looks > 50

    async with watched(0.2, noticed.set):
        await eventually(was_looked_at_often)
    assert not noticed.is_set()
