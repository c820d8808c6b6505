"""How the inbox's lanes stand: looks at them, none of which changes anything."""

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from msgspec import Struct
from redis.asyncio import Redis

from core.entries import order_of
from core.gate import claim_key, late_lane, stream_key, wake_key

# Whoever waits longer was forgotten: who was to come died on the way.
UNATTENDED_AFTER_MS = 600
# What came late may be many, and is worked off one partition after the other.
LATE_UNATTENDED_AFTER_MS = 15_000

# Two keys for each partition, what came late and what happens now: in which partitions, counted
# from 1, the newest that came late is older than ARGV[1] ms, or the oldest than ARGV[2] ms, and
# came before all that happens now, which is done first.
RIPE = """
local clock, ripe = redis.call('TIME'), {}
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function came(entry)
    local ms, number = string.match(entry[1], '(%d+)-(%d+)')
    return tonumber(ms), tonumber(number)
end
local function is_ripe(entry, after_ms, first)
    local ms, number = came(entry)
    -- What comes from the future came before the store's clock was set back.
    if ms <= now and now - ms < tonumber(after_ms) then
        return false
    elseif not first then
        return true
    end
    local first_ms, first_number = came(first)
    return ms < first_ms or ms == first_ms and number < first_number
end
for i = 1, #KEYS, 2 do
    local newest = redis.call('XREVRANGE', KEYS[i], '+', '-', 'COUNT', 1)[1]
    if newest then
        local first = redis.call('XRANGE', KEYS[i + 1], '-', '+', 'COUNT', 1)[1]
        local oldest = redis.call('XRANGE', KEYS[i], '-', '+', 'COUNT', 1)[1]
        if is_ripe(newest, ARGV[1], first) or is_ripe(oldest, ARGV[2], first) then
            ripe[#ripe + 1] = (i + 1) / 2
        end
    end
end
return ripe
"""
# How partitions stand, four keys each: its entries, those that came late, its wake-up, and who has
# the late ones. Of each of both how many there are and the first one's id, and whether there is one
# of the others; before all of them the time. One answer: the library's way with one costs more than
# the look.
STATES = """
local all = {redis.call('TIME')}
for i = 1, #KEYS, 4 do
    local state = {}
    for lane = i, i + 1 do
        local first, depth = '', redis.call('XLEN', KEYS[lane])
        if depth > 0 then
            first = redis.call('XRANGE', KEYS[lane], '-', '+', 'COUNT', 1)[1][1]
        end
        state[#state + 1] = depth
        state[#state + 1] = first
    end
    state[5] = redis.call('EXISTS', KEYS[i + 2])
    state[6] = redis.call('EXISTS', KEYS[i + 3])
    all[#all + 1] = state
end
return all
"""
# For each lane after which entry it is looked at, and whose is looked for there: the readers of
# whom something lies there that is not done. An echo is; and in a lane that is being read what
# comes after that may count only where it was carried there. Where entries are very many in all,
# nobody looks whose those of the longest lanes are.
HOLDING = """
local held, lanes, left, is_any = {}, {}, tonumber(ARGV[1]), ARGV[2] == '1'
for i = 1, #KEYS do
    lanes[i] = {i, redis.call('XLEN', KEYS[i])}
end
table.sort(lanes, function(one, other) return one[2] < other[2] end)
for _, lane in ipairs(lanes) do
    local i, wanted = lane[1], {}
    local after, readers = string.match(ARGV[i + 2], '(%S+) (.*)')
    for reader in string.gmatch(readers, '%S+') do
        wanted[reader] = true
    end
    local is_new, from, is_done = is_any or after == '-', after, lane[2] == 0
    while not is_done and left >= 0 do
        local some = redis.call('XRANGE', KEYS[i], from, '+', 'COUNT', math.min(500, left + 50))
        is_done = #some == 0
        for _, entry in ipairs(some) do
            from = '(' .. entry[1]
            local kind, payload = entry[2][1], entry[2][2]
            if kind ~= 's' then
                left = left - 1
                if left < 0 then
                    break
                end
                local reader = string.match(payload, '"reader_id":"([^"]+)"')
                if reader and wanted[reader]
                    and (is_new or string.find(payload, '"is_mute":true', 1, true)) then
                    held[reader] = true
                end
            end
        end
    end
    for reader, _ in pairs(is_done and {} or wanted) do
        held[reader] = true
    end
end
local found = {}
for reader, _ in pairs(held) do
    found[#found + 1] = reader
end
return found
"""
MOST_LOOKED_AT = 2_000
# Of a replay more comes soon: a butt's events are done together in a fraction of the time.
QUIET_FOR_MS, RIPE_AFTER_MS = 100, 400


class StreamState(Struct, frozen=True):
    """How a partition's lanes stand.

    Args:
        partition: Which.
        depth: How many entries they hold.
        first_ms: When the oldest of what happens now came, milliseconds since the epoch; None:
            there is none.
        first_late_ms: The same of what came late.
        is_woken: Whether a wake-up is under way.
        is_claimed: Whether somebody is at what came late.
    """

    partition: int
    depth: int
    first_ms: int | None
    first_late_ms: int | None
    is_woken: bool
    is_claimed: bool

    @property
    def oldest_ms(self) -> int | None:
        """When the oldest of all entries came, milliseconds since the epoch; None: there is
        none."""
        return _least((self.first_ms, self.first_late_ms))

    def is_unattended(self, now_ms: int) -> bool:
        """Whether the oldest entry of either lane waits for longer than it should, and nobody is
        told of it or is at it."""
        return (
            _has_waited(self.first_ms, now_ms, UNATTENDED_AFTER_MS)
            and not self.is_woken
            or _has_waited(self.first_late_ms, now_ms, LATE_UNATTENDED_AFTER_MS)
            and not self.is_claimed
        )


class Lanes:
    """The partitions' lanes, each a stream: what happens now, and what came late.

    The first has the partition's number, the other is `late_lane`. Whoever is at either holds the
    partition.

    Args:
        valkey: A client that answers bytes.
        partitions: How many there are.
    """

    def __init__(self, valkey: Redis, partitions: int) -> None:
        self._valkey = valkey
        self._ripe = valkey.register_script(RIPE)
        self._states = valkey.register_script(STATES)
        self._holding = valkey.register_script(HOLDING)
        self.partitions = partitions

    def late_lane(self, partition: int) -> int:
        """Where a partition keeps what came late."""
        return late_lane(partition, self.partitions)

    async def late_partitions(self) -> list[int]:
        """Partitions for which something came late, so long ago that no more of it is to be
        expected soon, and before all that happens now; nobody is told of them."""
        keys = [
            stream_key(lane)
            for partition in range(self.partitions)
            for lane in (self.late_lane(partition), partition)
        ]
        said = await self._ripe(keys=keys, args=[QUIET_FOR_MS, RIPE_AFTER_MS])
        return [number - 1 for number in said]

    async def holding(
        self,
        among: Mapping[UUID, Collection[int]],
        read: Mapping[int, bytes],
        *,
        with_newer: bool = False,
    ) -> set[UUID]:
        """The readers of whom something lies in a lane that is not done, whenever it came. A lane
        of very many entries holds something of all.

        Args:
            among: In which lanes, by reader.
            read: The last id that is read, by lane: what came until then is done with it.
            with_newer: Whether all counts that came after it, and not only what was carried there.
        """
        wanted: dict[int, list[str]] = {}
        for reader, lanes in among.items():
            for lane in lanes:
                wanted.setdefault(lane, []).append(str(reader))
        keys = [stream_key(lane) for lane in wanted]
        words = [
            f"{f'({read[lane].decode()}' if lane in read else '-'} {' '.join(readers)}"
            for lane, readers in wanted.items()
        ]
        held = await self._holding(keys=keys, args=[MOST_LOOKED_AT, int(with_newer), *words])
        return {UUID(reader.decode()) for reader in held}

    async def depth_of(self, lane: int) -> int:
        """How many entries a lane holds."""
        depth: int = await self._valkey.xlen(stream_key(lane))
        return depth

    async def depths(self) -> Mapping[int, int]:
        """How many entries each partition holds, the late ones among them."""
        return {state.partition: state.depth for state in await self.states()}

    async def oldest_ms(self) -> int | None:
        """When the oldest entry came, in milliseconds since the epoch; None: there is none."""
        return _least(state.oldest_ms for state in await self.states())

    async def oldest_of(self, partition: int) -> int | None:
        """As `oldest_ms`, of one partition."""
        _, (state,) = await self._look([partition])
        return state.oldest_ms

    async def states(self) -> list[StreamState]:
        """How each partition stands."""
        _, states = await self._look(range(self.partitions))
        return states

    async def unattended(self) -> set[int]:
        """Partitions whose oldest entry waits for longer than it should, and which nobody is told
        of or is at."""
        now_ms, states = await self._look(range(self.partitions))
        return {state.partition for state in states if state.is_unattended(now_ms)}

    async def _look(self, partitions: Iterable[int]) -> tuple[int, list[StreamState]]:
        """The store's time, milliseconds since the epoch, and how partitions stand."""
        looked_at = list(partitions)
        keys = [key for partition in looked_at for key in self._keys(partition)]
        (seconds, micros), *said = await self._states(keys=keys)
        return int(seconds) * 1_000 + int(micros) // 1_000, [
            StreamState(
                partition,
                depth + late_depth,
                _came_ms(first),
                _came_ms(late_first),
                bool(woken),
                bool(claimed),
            )
            for partition, (depth, first, late_depth, late_first, woken, claimed) in zip(
                looked_at, said, strict=True
            )
        ]

    def _keys(self, partition: int) -> tuple[str, str, str, str]:
        late = stream_key(self.late_lane(partition))
        return stream_key(partition), late, wake_key(partition), claim_key(partition)


def _has_waited(came_ms: int | None, now_ms: int, for_ms: int) -> bool:
    """Whether it came so long ago, or before the store's clock was set back."""
    return came_ms is not None and not now_ms - for_ms < came_ms <= now_ms


def _came_ms(entry_id: bytes) -> int | None:
    """When an entry came, milliseconds since the epoch; None: there is none."""
    return order_of(entry_id)[0] if entry_id else None


def _least(times: Iterable[int | None]) -> int | None:
    return min((at for at in times if at is not None), default=None)
