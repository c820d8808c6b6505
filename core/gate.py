"""What may come into the inbox: all of a request or nothing, and not more than workers get rid of.

A partition that is full, or whose oldest entry waits for too long, is shut until workers have
caught up; a reader that sends faster than any reader can shoot waits its turn, and nobody else
does.
"""

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from uuid import UUID

from redis.asyncio import Redis

from core.convoy import Convoy
from core.errors import TooManyRequestsError, UnavailableError

# A wake-up that got lost stops to count as pending after this time.
WAKE_TTL_MS = 2_000
# While this stands no job is begun, by an operator's wish: entries grow old and no fault is in it,
# and wake-ups do not come to anybody.
PAUSE = "quiver:paused"
WAKE_TTL_IN_PAUSE_MS = 60_000
# Partitions for which something came, in that order: whoever is free takes the first. While nobody
# takes any, only so many are kept: what is not named here is found by a look at all.
WOKEN = "quiver:inbox:woken"
# The same for what is better done together with others: whoever's turn it is takes all of them.
PATIENT = "quiver:inbox:patient"
WOKEN_LENGTH = 1_024
SHORTEST_WAIT_S, LONGEST_WAIT_S = 1, 60
# What is known of the drain before it was measured.
UNMEASURED_WAIT_S = 2.0
# As long as workers need to be started again.
STALLED_WAIT_S = 5.0
MEASURED_OVER_S = 1.0
# Whoever is sent away at once should not all return at once: so much of the wait comes on top,
# drawn from whole seconds, of which there must be several to draw from.
JITTER, LEAST_JITTER_S = 0.5, 3

# For each lane three keys: its entries, its wake-up, whether it is shut; then the sender's bucket.
# ARGV: what is the same for all calls, in one (reading ten words costs a client more than splitting
# one costs here): the limit, the depth at which a shut lane opens again, the greatest age in ms,
# the bucket's rate in a second and its size, a wake-up's time to live, and that in the operators'
# pause, that pause's key, where woken partitions are named, and how many at most, and where those
# that can wait a little; whether there is a bucket; for each lane 1 when it is to be woken, 2 when
# that can wait a little, else 0; for each entry the number of its lane, and the number of another
# that it goes into while there is something in that (0: none); then the entries. Answers: {0, lanes
# that were woken …}, {-1, lane, depth, entries ever added} where one is shut, {-2, seconds to wait}
# where the bucket is empty.
APPEND = """
local usual, lane_of = {}, {}
for word in string.gmatch(ARGV[1], '%S+') do
    usual[#usual + 1] = word
end
for word in string.gmatch(ARGV[4], '%S+') do
    lane_of[#lane_of + 1] = tonumber(word)
end
local limit, reopen_at, oldest_ms = tonumber(usual[1]), tonumber(usual[2]), tonumber(usual[3])
local rate, size, wake_ttl = tonumber(usual[4]), tonumber(usual[5]), usual[6]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
if redis.call('EXISTS', usual[8]) == 1 then
    oldest_ms, wake_ttl = math.huge, usual[7]
end
local coming, count = {}, #ARGV - 4
for i = 1, count do
    local lane, behind = lane_of[2 * i - 1], lane_of[2 * i]
    if behind > 0 and redis.call('XLEN', KEYS[3 * behind - 2]) > 0 then
        lane = behind
    end
    lane_of[2 * i] = lane
    coming[lane] = (coming[lane] or 0) + 1
end
for lane, more in pairs(coming) do
    local key, shut = KEYS[3 * lane - 2], KEYS[3 * lane]
    local depth = redis.call('XLEN', key)
    local first = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1]
    local age = first and now - tonumber(string.match(first[1], '^%d+')) or 0
    local was_shut = redis.call('EXISTS', shut) == 1
    local is_shut = depth + more > limit or age > oldest_ms
        or was_shut and (depth > reopen_at or age > oldest_ms / 2)
    if is_shut then
        if not was_shut and depth > 0 then
            redis.call('SET', shut, now)
        end
        local added = 0
        if depth > 0 then
            local info = redis.call('XINFO', 'STREAM', key)
            for i = 1, #info, 2 do
                if info[i] == 'entries-added' then
                    added = info[i + 1]
                end
            end
        end
        return {-1, lane, depth, added}
    elseif was_shut then
        redis.call('DEL', shut)
    end
end
if ARGV[2] == '1' then
    local bucket = KEYS[#KEYS]
    local kept = redis.call('HMGET', bucket, 'left', 'at')
    local back = (now - tonumber(kept[2] or now)) * rate / 1000
    local left = math.min(size, tonumber(kept[1] or size) + back)
    if left < count then
        return {-2, tostring((count - left) / rate)}
    end
    redis.call('HSET', bucket, 'left', tostring(left - count), 'at', now)
    redis.call('PEXPIRE', bucket, math.ceil((size - left + count) / rate * 1000) + 1000)
end
for i = 1, count do
    redis.call('XADD', KEYS[3 * lane_of[2 * i] - 2], '*', 'e', ARGV[i + 4])
end
local woken = {0}
for lane, _ in pairs(coming) do
    local haste, wake = string.sub(ARGV[3], lane, lane), KEYS[3 * lane - 1]
    local known = haste ~= '0' and redis.call('GET', wake)
    -- Whoever was told that it can wait was not told that it cannot.
    if haste ~= '0' and known ~= '1' and known ~= haste then
        local names = haste == '1' and usual[9] or usual[11]
        redis.call('SET', wake, haste, 'PX', wake_ttl)
        woken[#woken + 1] = lane
        redis.call('RPUSH', names, string.match(KEYS[3 * lane - 2], '%d+$'))
        redis.call('LTRIM', names, -tonumber(usual[10]), -1)
    end
end
return woken
"""


class Haste(Enum):
    """How soon an entry is to be looked at.

    `NOW` wakes a worker. `TOGETHER` wakes one a few hundredths of a second later, with all others
    like it. `SOON` waits for another that does, or for a look at all that waits.
    `BEHIND` is `SOON`, but behind what came late: it says that all before it was told. `LATE`
    happened long ago, and is one of many, perhaps: it gets out of the way of what happens now.
    """

    NOW = auto()
    TOGETHER = auto()
    SOON = auto()
    BEHIND = auto()
    LATE = auto()


@dataclass(frozen=True, slots=True)
class Incoming:
    """What comes into the inbox.

    Args:
        partition: Whose.
        payload: As it is kept.
        haste: How soon it is to be looked at.
    """

    partition: int
    payload: bytes
    haste: Haste = Haste.NOW


@dataclass(frozen=True, slots=True)
class Watermarks:
    """How much may wait, and how fast one reader may send.

    Args:
        limit: Entries that a lane holds at most.
        reopen_at: Share of them at which a partition that was full takes entries again.
        oldest_s: Seconds that its oldest entry may wait.
        reader_rate: Events that a reader may send in a second for long.
        reader_burst: Events that it may send at once after a silence.
    """

    limit: int
    reopen_at: float = 0.8
    oldest_s: float = 900.0
    reader_rate: float = 200.0
    reader_burst: int = 10_000


@dataclass(frozen=True, slots=True)
class _Sample:
    """How many entries had left a lane at a time.

    Args:
        at: Seconds, of a clock that never goes back.
        left: Entries.
    """

    at: float
    left: int


def stream_key(lane: int) -> str:
    """Where the events of a lane are."""
    return f"quiver:inbox:{lane}"


def late_lane(partition: int, partitions: int) -> int:
    """The lane of what comes late, so that it is not in the way of what happens now."""
    return partition + partitions


def wake_key(partition: int) -> str:
    """Stands while a partition's wake-up is under way."""
    return f"quiver:inbox:wake:{partition}"


def claim_key(partition: int) -> str:
    """Stands while somebody is at what came late for a partition."""
    return f"quiver:inbox:claim:{partition}"


def shut_key(lane: int) -> str:
    """Stands while a lane takes nothing: since when, milliseconds since the epoch."""
    return f"quiver:inbox:shut:{lane}"


def bucket_key(reader_id: UUID) -> str:
    """What a reader may still send; gone when it has been silent for long enough."""
    return f"quiver:inbox:bucket:{reader_id}"


def _usual(marks: Watermarks) -> str:
    """What is the same for all calls of `APPEND`."""
    reopen_at, oldest_ms = math.floor(marks.limit * marks.reopen_at), round(marks.oldest_s * 1000)
    limits = (marks.limit, reopen_at, oldest_ms, marks.reader_rate, marks.reader_burst)
    names = (WAKE_TTL_MS, WAKE_TTL_IN_PAUSE_MS, PAUSE, WOKEN, WOKEN_LENGTH, PATIENT)
    return " ".join(map(str, (*limits, *names)))


class Gate:
    """Lets entries into the inbox.

    Args:
        valkey: A client that answers bytes.
        partitions: How many there are.
        marks: How much may wait.
        rng: For the jitter.
        clock: Seconds, never going back.
    """

    def __init__(
        self,
        valkey: Redis,
        partitions: int,
        marks: Watermarks,
        *,
        rng: random.Random | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._append = Convoy(valkey, APPEND)
        self._usual = _usual(marks)
        self._rng = rng or random.Random()
        self._clock = clock
        self._drains: dict[int, tuple[_Sample, float | None]] = {}
        self._partitions = partitions
        self.marks = marks

    async def append(self, entries: Sequence[Incoming], reader_id: UUID | None) -> list[int]:
        """Put entries on disk, all or none.

        Args:
            entries: What comes.
            reader_id: The reader that sends them itself; None: a gateway or a worker does, which
                is held up by the watermarks alone.

        Returns:
            The partitions that nobody had been told of; workers are, in the same call.

        Raises:
            UnavailableError: A stream is full or far behind; nothing was kept.
            TooManyRequestsError: The reader sends too fast; nothing was kept.
        """
        lanes = dict.fromkeys(lane for each in entries for lane in self._lanes(each) if lane >= 0)
        numbers = {lane: number for number, lane in enumerate(lanes, 1)}
        now, together = (
            {each.partition for each in entries if each.haste is haste}
            for haste in (Haste.NOW, Haste.TOGETHER)
        )
        keys = [key(lane) for lane in lanes for key in (stream_key, wake_key, shut_key)]
        keys += [] if reader_id is None else [bucket_key(reader_id)]
        pairs = (
            f"{numbers[lane]} {numbers.get(behind, 0)}"
            for lane, behind in map(self._lanes, entries)
        )
        said: list[bytes | str] = [self._usual, "0" if reader_id is None else "1"]
        said.append(
            "".join("1" if lane in now else "2" if lane in together else "0" for lane in lanes)
        )
        said.append(" ".join(pairs))
        said += [each.payload for each in entries]
        answer = await self._append.call(keys, said)
        by_number = list(lanes)
        if answer[0] == -1:
            _, number, depth, added = answer
            raise self._shut(by_number[number - 1], depth, added)
        if answer[0] == -2:
            raise self._too_fast(float(answer[1]))
        return sorted(by_number[number - 1] for number in answer[1:])

    def _lanes(self, entry: Incoming) -> tuple[int, int]:
        """An entry's lane, and that which it goes into while there is something in it; -1: none."""
        late = late_lane(entry.partition, self._partitions)
        if entry.haste is Haste.LATE:
            return late, -1
        return entry.partition, late if entry.haste is Haste.BEHIND else -1

    def _shut(self, lane: int, depth: int, added: int) -> UnavailableError:
        """A refusal that says when the lane will be open again, as far as that is known."""
        rate = self._drained_per_s(lane, added - depth)
        above = max(1.0, depth - self.marks.limit * self.marks.reopen_at)
        if rate is None:
            wait_s = UNMEASURED_WAIT_S
        else:
            # Where nothing leaves nobody is there, and somebody may be at any moment.
            wait_s = above / rate if rate > 0 else STALLED_WAIT_S
        return UnavailableError(
            "the inbox is full: send the same batch again later", self._rounded(wait_s)
        )

    def _too_fast(self, wait_s: float) -> TooManyRequestsError:
        return TooManyRequestsError(
            f"this reader sends more than {self.marks.reader_rate:g} events a second: nothing was"
            " kept, send the same batch again later",
            self._rounded(wait_s),
        )

    def _rounded(self, wait_s: float) -> int:
        shortest = max(math.ceil(wait_s), SHORTEST_WAIT_S)
        spread = max(math.ceil(wait_s * JITTER), LEAST_JITTER_S)
        return min(self._rng.randint(shortest, shortest + spread), LONGEST_WAIT_S)

    def _drained_per_s(self, lane: int, left: int) -> float | None:
        """How many entries leave a lane in a second, since it was last full; None: not known
        yet."""
        now = _Sample(self._clock(), left)
        before, rate = self._drains.get(lane, (now, None))
        took = now.at - before.at
        if took > LONGEST_WAIT_S or left < before.left:
            before, rate, took = now, None, 0.0
        if took >= MEASURED_OVER_S:
            before, rate = now, (left - before.left) / took
        self._drains[lane] = (before, rate)
        return rate
