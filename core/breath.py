"""Signs of life of worker processes, given by a thread: a busy event loop does not keep them back,
only a process that stands still gives none."""

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress

import redis
from redis.asyncio import Redis as AsyncRedis

from core.settings import Settings

BREATHE_EVERY_S = 2.0
BREATHLESS_AFTER_S = 8.0


def _key(worker_id: str) -> str:
    return f"quiver:worker:breath:{worker_id}"


@contextmanager
def breathing(settings: Settings, worker_id: str) -> Iterator[None]:
    """Give signs of life meanwhile."""
    over = threading.Event()
    client = redis.Redis.from_url(
        settings.redis_url or "", socket_timeout=BREATHE_EVERY_S, socket_connect_timeout=1
    )

    def breathe() -> None:
        while True:
            with suppress(redis.RedisError, OSError):
                client.set(_key(worker_id), 1, px=round(BREATHLESS_AFTER_S * 1000))
            if over.wait(BREATHE_EVERY_S):
                return

    thread = threading.Thread(target=breathe, name="breath", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        client.close()


async def breathe_not(valkey: AsyncRedis, me: str, worker_ids: Collection[str]) -> frozenset[str]:
    """Those of some workers that give no sign of life; none, as long as nobody hears mine."""
    others = sorted(set(worker_ids) - {me})
    if not others:
        return frozenset()
    mine, *found = await valkey.mget([_key(each) for each in (me, *others)])
    if mine is None:
        return frozenset()
    heard = zip(others, found, strict=True)
    return frozenset(worker_id for worker_id, breath in heard if breath is None)
