"""A bound on guesses: who shows many wrong tokens from one address has to wait."""

from redis.asyncio import Redis

WRONG_AT_MOST = 10
WITHIN_S = 300

# One call: a count that never expires would lock somebody out for good.
COUNT_WRONG = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return count
"""


def _key(address: str) -> str:
    return f"quiver:login:{address}"


async def wait_s(valkey: Redis, address: str) -> int:
    """Seconds until this address may try again; 0: now."""
    async with valkey.pipeline(transaction=True) as pipe:
        pipe.get(_key(address))
        pipe.ttl(_key(address))
        wrong, left = await pipe.execute()
    return max(1, int(left)) if int(wrong or 0) >= WRONG_AT_MOST else 0


async def note_wrong(valkey: Redis, address: str) -> None:
    """A wrong token came from this address."""
    await valkey.register_script(COUNT_WRONG)(keys=[_key(address)], args=[WITHIN_S])


async def forgive(valkey: Redis, address: str) -> None:
    """A right one came."""
    await valkey.delete(_key(address))
