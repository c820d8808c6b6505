"""How the queue's store fares, as operators need to know it."""

from collections.abc import Mapping

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from core.schema.admin import RedisHealth

NEARLY_FULL = 0.8


async def redis_health(valkey: Redis) -> RedisHealth:
    """What the store says of itself, and what of that endangers what was accepted."""
    async with valkey.pipeline(transaction=False) as pipe:
        for section in ("server", "memory", "persistence", "clients"):
            pipe.info(section)
        sections = await pipe.execute()
    info = {name: value for section in sections for name, value in section.items()}
    fsync = await _fsync(valkey)
    limit = int(info.get("maxmemory", 0)) or None
    return RedisHealth(
        is_up=True,
        version=str(info.get("valkey_version", info.get("redis_version", ""))) or None,
        memory_bytes=int(info["used_memory"]),
        memory_limit_bytes=limit,
        eviction_policy=str(info.get("maxmemory_policy", "")) or None,
        is_append_only=bool(info["aof_enabled"]),
        fsync=fsync,
        connected_clients=int(info["connected_clients"]),
        warnings=_warnings(info, fsync),
    )


async def _fsync(valkey: Redis) -> str | None:
    """When appended events are on disk; None: the store does not tell."""
    try:
        said = await valkey.config_get("appendfsync")
    except ResponseError:
        return None
    found = next(iter(said.values()), None)
    return found.decode() if isinstance(found, bytes) else found


def _warnings(info: Mapping[str, object], fsync: str | None) -> list[str]:
    found: list[str] = []
    policy = info.get("maxmemory_policy")
    if policy not in (None, "noeviction"):
        found.append(
            f"maxmemory-policy is {policy}: when memory is short the store deletes events that were"
            " accepted; set noeviction"
        )
    if not info["aof_enabled"]:
        found.append("appendonly is no: a crash of the store loses what was accepted")
    elif fsync not in (None, "always"):
        found.append(f"appendfsync is {fsync}: a power cut loses the latest events; set always")
    limit, used = int(str(info.get("maxmemory", 0))), int(str(info["used_memory"]))
    if limit and used > NEARLY_FULL * limit:
        found.append(f"{used * 100 // limit} % of maxmemory is used: new events are soon refused")
    if str(info.get("aof_last_write_status", "ok")) != "ok":
        found.append("the last write to the append-only file failed: look at the disk")
    if info.get("loading"):
        found.append("the store is still loading its data")
    return found


AWAY = RedisHealth(
    is_up=False,
    version=None,
    memory_bytes=None,
    memory_limit_bytes=None,
    eviction_policy=None,
    is_append_only=None,
    fsync=None,
    connected_clients=None,
    warnings=["Valkey does not answer: readers are told to send again later"],
)
