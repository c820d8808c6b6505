"""A figure counts only when what was acknowledged is on disk."""

import asyncio
from pathlib import Path

import asyncpg
from redis.asyncio import Redis

from core.errors import QuiverError
from core.settings import Settings

SETTING_SELECT = "SELECT current_setting($1)"
POSTGRES_WANTED = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
VALKEY_WANTED = {"appendonly": "yes", "appendfsync": "always"}
IN_MEMORY = ("tmpfs", "ramfs")


class NotDurable(QuiverError):
    """A store may lose what it acknowledged; the text says which and why."""


def check_durable(settings: Settings, directory: Path) -> None:
    """See that both stores have on disk what they acknowledge.

    Raises:
        NotDurable: They have not.
    """
    kind = filesystem(directory)
    if kind in IN_MEMORY:
        raise NotDurable(f"{directory} is in memory ({kind}): set TMPDIR to a folder on a disk")
    said = asyncio.run(durability(settings))
    wanted = POSTGRES_WANTED | VALKEY_WANTED
    wrong = [f"{name} is {said[name]}" for name in wanted if said[name] != wanted[name]]
    if wrong:
        raise NotDurable(f"no figures without full durability: {', '.join(wrong)}")


async def durability(settings: Settings) -> dict[str, str]:
    """What the stores say of how durable they are."""
    conn = await asyncpg.connect(settings.database_url)
    try:
        said = {name: str(await conn.fetchval(SETTING_SELECT, name)) for name in POSTGRES_WANTED}
    finally:
        await conn.close()
    async with Redis.from_url(settings.redis_url or "", decode_responses=True) as valkey:
        for name in VALKEY_WANTED:
            said[name] = str((await valkey.config_get(name))[name])
    return said


def filesystem(directory: Path) -> str:
    """The kind of file system that a directory is on."""
    best, kind = "", "unknown"
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, place, found, *_ = line.split()
        if directory.is_relative_to(place) and len(place) >= len(best):
            best, kind = place, found
    return kind
