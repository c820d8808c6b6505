"""Where figures come from: the machine, and the versions of what ran."""

import asyncio
import os
import platform
import sysconfig
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import asyncpg
from redis.asyncio import Redis

from bench.durability import durability, filesystem
from bench.probes import fsync_ms
from bench.stack import Stack

PACKAGES = ("arq", "asyncpg", "fastapi", "redis", "uvicorn", "uvloop", "websockets", "httptools")
VERSION_SELECT = "SHOW server_version"


def describe(stack: Stack) -> dict[str, Any]:
    """Machine, versions and settings, for whoever reads the figures later."""
    return {
        "begun_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "python": f"{platform.python_version()}, {built()}",
            "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
            "kernel": platform.release(),
            "file_system": filesystem(stack.directory),
            "fsync_ms": round(fsync_ms(stack.directory), 3),
            "load_average": os.getloadavg(),
        },
        "versions": {
            "quiver": version("quiver"),
            "python": platform.python_version(),
            **asyncio.run(_stores(stack)),
            **{package: version(package) for package in PACKAGES},
        },
        "durability": asyncio.run(durability(stack.settings)),
        "settings": stack.settings.model_dump(
            exclude={"database_url", "redis_url", "quiver_admin_token", "quiver_token"}
        )
        | {"workers": stack.workers},
    }


def built() -> str:
    """How the interpreter was built: that decides what most of the processor time costs."""
    options = str(sysconfig.get_config_var("CONFIG_ARGS"))
    return "optimised" if "--enable-optimizations" in options else "not optimised"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


async def _stores(stack: Stack) -> dict[str, str]:
    conn = await asyncpg.connect(stack.settings.database_url)
    try:
        postgres = str(await conn.fetchval(VERSION_SELECT))
    finally:
        await conn.close()
    async with Redis.from_url(stack.settings.redis_url or "", decode_responses=True) as valkey:
        said = await valkey.info("server")
    return {"postgres": postgres, "valkey": str(said.get("valkey_version", "unknown"))}
