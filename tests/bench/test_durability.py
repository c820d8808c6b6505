"""No figures of stores that may lose what they acknowledged."""

from pathlib import Path

import pytest

from bench.durability import NotDurable, check_durable, durability
from core.settings import Settings
from core.valkey import open_valkey


def test_stores_in_memory_are_refused() -> None:
    with pytest.raises(NotDurable, match="is in memory"):
        check_durable(Settings(_env_file=None), Path("/dev/shm"))


async def test_a_valkey_that_waits_for_no_disk_is_known(settings: Settings) -> None:
    async with open_valkey(settings) as valkey:
        before = (await valkey.config_get("appendfsync"))["appendfsync"]
        await valkey.config_set("appendfsync", "everysec")
        try:
            said = await durability(settings)
        finally:
            await valkey.config_set("appendfsync", before)
    assert said["appendfsync"] == "everysec"
