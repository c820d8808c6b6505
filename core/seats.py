"""Which of a machine's workers take what happens now; the others stand by.

Workers that share what happens now forget what each knows of a butt whenever another has written
it, and wait for each other's locks. So a machine has a seat for each two of its cores, and who has
none does what can be done beside: what came late, jobs, and what those with a seat hand over.
"""

import os
from dataclasses import dataclass

from redis.asyncio import Redis

# By default a machine has a worker for each core, up to this: half of them sit.
WORKERS_AT_MOST = 8
# Whoever says nothing for so long has left the seat.
KEPT_FOR_MS = 1_500

# A key for each seat, and one that stands while somebody stands by. ARGV: who asks, and for how
# many ms a word counts. Answers whether they have a seat, and whether somebody stands by.
TAKE = """
local seats, standing = #KEYS - 1, KEYS[#KEYS]
local mine = false
for i = 1, seats do
    mine = mine or redis.call('GET', KEYS[i]) == ARGV[1] and KEYS[i]
end
if mine then
    redis.call('PEXPIRE', mine, ARGV[2])
end
for i = 1, seats do
    mine = mine or redis.call('SET', KEYS[i], ARGV[1], 'NX', 'PX', ARGV[2])
end
if not mine then
    redis.call('SET', standing, ARGV[1], 'PX', ARGV[2])
elseif redis.call('GET', standing) == ARGV[1] then
    redis.call('DEL', standing)
end
return {mine and 1 or 0, redis.call('EXISTS', standing)}
"""
LEAVE = """
for i = 1, #KEYS do
    if redis.call('GET', KEYS[i]) == ARGV[1] then
        redis.call('DEL', KEYS[i])
    end
end
"""


def seats_of_machine() -> int:
    """How many workers fill this machine, with the stores and the API beside them."""
    return max(1, min(os.process_cpu_count() or 1, WORKERS_AT_MOST) // 2)


@dataclass(frozen=True, slots=True)
class Seating:
    """Where a worker stands.

    Args:
        is_seated: Whether it takes what happens now.
        has_relief: Whether somebody on its machine stands by.
    """

    is_seated: bool = True
    has_relief: bool = False

    @property
    def is_relieved(self) -> bool:
        """Whether somebody else does what can be done beside."""
        return self.is_seated and self.has_relief


class Seats:
    """The seats of a machine's workers.

    Args:
        valkey: A client.
        host: The machine.
        count: How many there are.
    """

    def __init__(self, valkey: Redis, host: str, count: int) -> None:
        self._keys = [f"quiver:seat:{host}:{number}" for number in range(count)]
        self._keys.append(f"quiver:seat:{host}:by")
        self._take = valkey.register_script(TAKE)
        self._leave = valkey.register_script(LEAVE)

    async def take(self, worker_id: str) -> Seating:
        """Take a seat, keep it, or stand by where there is none; to be said again and again."""
        seated, relieved = await self._take(keys=self._keys, args=[worker_id, KEPT_FOR_MS])
        return Seating(bool(seated), bool(relieved))

    async def leave(self, worker_id: str) -> None:
        """Leave it to others: the worker goes."""
        await self._leave(keys=self._keys, args=[worker_id])
