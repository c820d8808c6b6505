"""No figures of stores that may lose what they acknowledged."""

import asyncio
from pathlib import Path

import pytest

from bench.durability import NotDurable, check_durable, durability
from core.settings import Settings
from core.valkey import open_valkey


def test_stores_in_memory_are_refused() -> None:
    with pytest.raises(NotDurable, match="is in memory"):
        check_durable(Settings(_env_file=None), Path("/dev/shm"))


async def test_a_valkey_that_waits_for_no_disk_is_refused(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.durability.POSTGRES_WANTED", {})
    monkeypatch.setattr("bench.durability.filesystem", lambda _: "ext4")
    async with open_valkey(settings) as valkey:
        before = (await valkey.config_get("appendfsync"))["appendfsync"]
        await valkey.config_set("appendfsync", "everysec")
        try:
            with pytest.raises(NotDurable, match="appendfsync is everysec$"):
                await asyncio.to_thread(check_durable, settings, tmp_path)
        finally:
            await valkey.config_set("appendfsync", before)


async def test_a_postgresql_that_is_not_as_wanted_is_refused(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.durability.filesystem", lambda _: "ext4")
    monkeypatch.setattr("bench.durability.VALKEY_WANTED", {})
    on = (await durability(settings))["fsync"]
    monkeypatch.setattr("bench.durability.POSTGRES_WANTED", {"fsync": "other"})
    with pytest.raises(NotDurable, match=f"fsync is {on}$"):
        await asyncio.to_thread(check_durable, settings, tmp_path)
