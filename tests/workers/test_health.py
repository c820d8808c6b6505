"""What tells a container's runtime whether its worker lives."""

import pytest
from redis.asyncio import Redis

from core.roster import WorkerReport, report, sign_off
from core.settings import Settings
from workers.health import is_alive, main

HERE = WorkerReport(
    id="one", host="here", pid=1, started_at="", version="0", running=0, done=0, failed=0
)


async def test_a_worker_that_reports_is_alive(settings: Settings, valkey: Redis) -> None:
    await report(valkey, HERE)
    assert await is_alive(settings, "here")


async def test_a_worker_of_another_host_does_not_count(settings: Settings, valkey: Redis) -> None:
    await report(valkey, HERE)
    assert not await is_alive(settings, "there")


async def test_a_worker_that_signed_off_is_not_alive(settings: Settings, valkey: Redis) -> None:
    await report(valkey, HERE)
    await sign_off(valkey, "one")
    assert not await is_alive(settings, "here")


def test_without_a_valkey_it_fails_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    assert main() == 1
    assert capsys.readouterr().err.startswith("Valkey cannot be asked: ")
