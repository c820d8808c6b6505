"""Events that nobody has processed yet: a stream per partition, on disk before the API says 202.

An entry leaves by its id, after the transaction that stored it. Whatever dies in between, the entry
is read again, and reading it again changes nothing.
"""

import zlib
from collections.abc import Collection, Mapping, Sequence
from copy import replace
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from core.entries import (
    DEATHS_OVER_MANY,
    DEATHS_OVER_ONE,
    ECHO,
    EVENT,
    Entry,
    Found,
    Reading,
    entry_of,
    order_of,
)
from core.gate import (
    PATIENT,
    WAKE_TTL_MS,
    WOKEN,
    WOKEN_LENGTH,
    Gate,
    Incoming,
    Watermarks,
    claim_key,
    stream_key,
    wake_key,
)
from core.lanes import Lanes
from core.settings import Settings

# A batch that is begun is counted until it ends, well or not: what stays counted killed its worker.
# With what is read comes what waits longest of what came late; echoes hold up nobody.
LATE_ID = """
local function late_id(key)
    local first = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1]
    if not first or first[2][1] == 'e' then
        return first and first[1] or ''
    end
    local some = redis.call('XRANGE', key, '-', '+', 'COUNT', 100)
    for i = 1, #some do
        if some[i][2][1] == 'e' then
            return some[i][1]
        end
    end
    return #some == 100 and first[1] or ''
end
"""

BEGIN = """
redis.call('DEL', KEYS[1])
local found = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', ARGV[1])
if #found == 0 and ARGV[2] == '0' then
    return {found, 0, '', late_id(KEYS[5])}
end
local begun, careful = redis.call('INCR', KEYS[3]), redis.call('GET', KEYS[4])
return {found, begun, careful or '', late_id(KEYS[5])}
"""

# What came late is read as far as it came before all that happens now and is not done: that may say
# what a reader has still to send, and hold a landing of what would be called a miss.
BEGIN_LATE = """
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
local found = redis.call('XRANGE', KEYS[2], '-', first and '(' .. first[1] or '+', 'COUNT', ARGV[1])
if #found == 0 then
    return {found, 0, '', ''}
end
local begun, careful = redis.call('INCR', KEYS[3]), redis.call('GET', KEYS[4])
return {found, begun, careful or '', first and first[1] or ''}
"""

# As `BEGIN` for several partitions, five keys each: those that hold more than ARGV[1] entries are
# left as they are.
BEGIN_FEW = """
local all = {}
for i = 1, #KEYS, 5 do
    local reading = 0
    if redis.call('XLEN', KEYS[i + 1]) <= tonumber(ARGV[1]) then
        redis.call('DEL', KEYS[i])
        local found = redis.call('XRANGE', KEYS[i + 1], '-', '+')
        if #found == 0 then
            reading = {found, 0, '', ''}
        else
            local begun, careful = redis.call('INCR', KEYS[i + 2]), redis.call('GET', KEYS[i + 3])
            reading = {found, begun, careful or '', late_id(KEYS[i + 4])}
        end
    end
    all[#all + 1] = reading
end
return all
"""

# Two keys for each partition, its entries and its wake-up: names those to workers, among what is
# done together, that hold an entry older than ARGV[1] ms and were not named lately.
WAKE_WAITING = """
local clock = redis.call('TIME')
local since = clock[1] * 1000 + math.floor(clock[2] / 1000) - tonumber(ARGV[1])
for i = 1, #KEYS, 2 do
    local first = redis.call('XRANGE', KEYS[i], '-', since, 'COUNT', 1)[1]
    if first and redis.call('SET', KEYS[i + 1], '2', 'NX', 'PX', ARGV[2]) then
        redis.call('RPUSH', ARGV[3], string.match(KEYS[i], '%d+$'))
    end
end
redis.call('LTRIM', ARGV[3], -tonumber(ARGV[4]), -1)
"""

# Partitions are taken by one worker in so many ms, and only when there are any.
TAKE_PATIENT = """
if redis.call('LLEN', KEYS[1]) == 0 or not redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[1]) then
    return {}
end
return redis.call('LPOP', KEYS[1], ARGV[2])
"""
PATIENT_TURN = "quiver:inbox:patient:turn"

# Takes what is named when the first of it is still the one that was seen to be it a while ago:
# nobody takes anything.
TAKE_FORGOTTEN = """
local first = redis.call('LINDEX', KEYS[1], 0)
if not first or first ~= ARGV[1] then
    return {first or '', {}}
end
return {'', redis.call('LPOP', KEYS[1], ARGV[2])}
"""

# Whoever takes more keeps others from them for longer than it saves.
WOKEN_AT_ONCE = 64

# What can wait does so for this long: as long as several readers' word is better taken together.
PATIENCE_MS = 200

# What is known of such deaths is of no use later.
CAREFUL_FOR_S = 24 * 3600


def partition_key(owner: UUID) -> int:
    """A number from 0 to 2³¹ − 1 that spreads ids evenly and never changes for an id."""
    return zlib.crc32(owner.bytes) & 0x7FFFFFFF


def begun_key(lane: int) -> str:
    """How many batches of a lane were begun in a row and did not end."""
    return f"quiver:inbox:begun:{lane}"


def careful_key(lane: int) -> str:
    """The last entry of the batch that workers died over."""
    return f"quiver:inbox:careful:{lane}"


def handed_key(host: str) -> str:
    """Partitions that were handed to whoever stands by on a machine."""
    return f"quiver:inbox:handed:{host}"


# Of each lane: what a script that begins a batch takes, and then what is late.
READ_KEYS = (wake_key, stream_key, begun_key, careful_key)


class Inbox(Lanes):
    """The partitions' lanes, and what is done with them.

    Args:
        valkey: A client that answers bytes.
        partitions: How many there are.
        marks: How much a lane holds, and how fast one reader may send.
    """

    def __init__(self, valkey: Redis, *, partitions: int, marks: Watermarks) -> None:
        super().__init__(valkey, partitions)
        self._gate = Gate(valkey, partitions, marks)
        self._begin = valkey.register_script(LATE_ID + BEGIN)
        self._begin_late = valkey.register_script(BEGIN_LATE)
        self._begin_few = valkey.register_script(LATE_ID + BEGIN_FEW)
        self._wake_waiting = valkey.register_script(WAKE_WAITING)
        self._take_patient = valkey.register_script(TAKE_PATIENT)
        self._take_forgotten = valkey.register_script(TAKE_FORGOTTEN)
        self.limit = marks.limit

    def partition_of(self, owner: UUID) -> int:
        """The partition of a target, or of a reader that is bound to nothing."""
        return partition_key(owner) % self.partitions

    async def append(self, entries: Sequence[Incoming], reader_id: UUID | None = None) -> list[int]:
        """Put events on disk, all or none.

        Args:
            entries: What comes.
            reader_id: The reader that sends them itself, which may not send too fast.

        Returns:
            The partitions that nobody had been told of; workers are, in the same call.

        Raises:
            UnavailableError: A lane is full or far behind; nothing was kept.
            TooManyRequestsError: The reader sends too fast; nothing was kept.
        """
        return await self._gate.append(entries, reader_id) if entries else []

    async def carry(self, entries: Sequence[tuple[int, bytes]]) -> None:
        """Put events into the inboxes that they belong into, however much lies there: they were
        accepted, and are still where they came from.

        Args:
            entries: Each with its partition.
        """
        await self._add([(partition, EVENT, payload) for partition, payload in entries])

    async def put_behind(
        self, entries: Sequence[tuple[int, bytes]], *, is_echo: bool = False
    ) -> None:
        """Put something behind what came late.

        Args:
            entries: Each with its partition.
            is_echo: Whether it was done already, and is heard once more for what it says of its
                reader.
        """
        kind = ECHO if is_echo else EVENT
        await self._add([(self.late_lane(p), kind, payload) for p, payload in entries])

    async def _add(self, entries: Sequence[tuple[int, bytes, bytes]]) -> None:
        if entries:
            async with self._valkey.pipeline(transaction=False) as pipe:
                for lane, kind, payload in entries:
                    pipe.xadd(stream_key(lane), {kind: payload})
                await pipe.execute()

    async def wake_those_who_wait(self) -> None:
        """Tell workers of partitions whose entries have waited for `PATIENCE_MS`: nobody was told
        of them before, or what told it is lost."""
        keys = [key(p) for p in range(self.partitions) for key in (stream_key, wake_key)]
        await self._wake_waiting(keys=keys, args=[PATIENCE_MS, WAKE_TTL_MS, PATIENT, WOKEN_LENGTH])

    async def wait_for_woken(self) -> set[int]:
        """Wait until something comes for partitions that nobody was told of, a second at most; the
        first that were named, none: nothing came."""
        return await self._named(WOKEN, 1.0)

    async def wait_for_handed(self, host: str, within_s: float) -> set[int]:
        """As `wait_for_woken`, of what was handed to whoever stands by on a machine."""
        return await self._named(handed_key(host), within_s)

    async def _named(self, names: str, within_s: float) -> set[int]:
        async with self._valkey.pipeline(transaction=False) as pipe:
            pipe.execute_command("BLPOP", names, within_s)
            pipe.lpop(names, WOKEN_AT_ONCE - 1)
            first, others = await pipe.execute()
        return {int(name) for name in [*(first or ())[1:], *(others or ())]}

    async def hand(self, host: str, partitions: Collection[int]) -> None:
        """Have partitions drained by whoever stands by on a machine."""
        if partitions:
            async with self._valkey.pipeline(transaction=False) as pipe:
                pipe.rpush(handed_key(host), *sorted(partitions))
                pipe.ltrim(handed_key(host), -WOKEN_LENGTH, -1)
                await pipe.execute()

    async def take_forgotten(self, names: str, first: str) -> tuple[str, set[int]]:
        """Take what is named and nobody takes.

        Args:
            names: The key of the list where.
            first: The first of what was named there at the last look.

        Returns:
            The first of what is named now, and what was taken of it: it is the one it was.
        """
        now_first, taken = await self._take_forgotten(keys=[names], args=[first, WOKEN_AT_ONCE])
        return now_first.decode(), {int(name) for name in taken}

    async def woken(self) -> set[int]:
        """All partitions that are named, without waiting."""
        async with self._valkey.pipeline(transaction=False) as pipe:
            pipe.lpop(WOKEN, WOKEN_LENGTH)
            (names,) = await pipe.execute()
        return {int(name) for name in names or ()}

    async def begin_and_read(self, lane: int, count: int, *, others: bool = False) -> Reading:
        """As `begin` and then `read`, in one round trip, and say that a batch begins.

        Args:
            lane: Which; of what came late only what came before all that happens now and is not
                done is read.
            count: How many entries at most.
            others: Whether there is something to be done besides, so that a batch begins in any
                case.

        Say `acknowledge` or `give_back` when it ended: after one that did neither, several times in
        a row, entries are read one by one until the deadly one is known.
        """
        if lane >= self.partitions:
            now = stream_key(lane - self.partitions)
            keys = [now, stream_key(lane), begun_key(lane), careful_key(lane)]
            said = await self._begin_late(keys=keys, args=[count])
        else:
            said = await self._begin(keys=self._read_keys(lane), args=[count, int(others)])
        return await self._reading(lane, count, *said)

    async def begin_and_read_few(
        self, partitions: Sequence[int], at_most: int
    ) -> dict[int, Reading]:
        """As `begin_and_read` for several partitions in one round trip; each is read whole.

        Args:
            partitions: Which.
            at_most: Those that hold more entries than this are not begun, and not in the answer.
        """
        keys = [key for partition in partitions for key in self._read_keys(partition)]
        said = await self._begin_few(keys=keys, args=[at_most])
        return {
            partition: await self._reading(partition, at_most + 1, *each)
            for partition, each in zip(partitions, said, strict=True)
            if each
        }

    async def take_patient(self, turn_ms: int) -> set[int]:
        """The partitions for which something came that is better done together; none: somebody else
        took them within the last `turn_ms`."""
        keys, said = [PATIENT, PATIENT_TURN], [turn_ms, WOKEN_LENGTH]
        return {int(name) for name in await self._take_patient(keys=keys, args=said)}

    def _read_keys(self, partition: int) -> list[str]:
        late = stream_key(self.late_lane(partition))
        return [*(key(partition) for key in READ_KEYS), late]

    async def _reading(
        self,
        lane: int,
        count: int,
        found: Sequence[Found],
        begun: int,
        careful_until: bytes,
        other_id: bytes,
    ) -> Reading:
        """What is to be done of at most `count` entries, by how often it was begun in vain."""
        entries = [entry_of(*each) for each in found]
        since = order_of(other_id)[0] * 1_000 if other_id else None
        late_since, now_since = (None, since) if lane >= self.partitions else (since, None)
        reading = await self._by_deaths(lane, entries, len(entries) == count, begun, careful_until)
        return replace(reading, is_first_try=begun <= 1, late_since=late_since, now_since=now_since)

    async def _by_deaths(
        self,
        lane: int,
        entries: Sequence[Entry],
        has_more: bool,
        begun: int,
        careful_until: bytes,
    ) -> Reading:
        if not entries:
            return Reading(entries, False, others_are_deadly=begun > DEATHS_OVER_ONE)
        if order_of(entries[0].id) <= order_of(careful_until):
            if begun > DEATHS_OVER_ONE:
                return Reading([], True, deadly=entries[0])
            return Reading(entries[:1], len(entries) > 1, is_alone=True)
        if begun > DEATHS_OVER_MANY:
            await self._be_careful(lane, entries[-1])
            return Reading(entries[:1], len(entries) > 1, is_alone=True)
        return Reading(entries, has_more)

    async def _be_careful(self, lane: int, last: Entry) -> None:
        async with self._valkey.pipeline(transaction=True) as pipe:
            pipe.set(careful_key(lane), last.id, ex=CAREFUL_FOR_S)
            pipe.set(begun_key(lane), 1)
            await pipe.execute()

    async def give_back(self, *lanes: int) -> None:
        """Their batches ended that could not be done; the entries are read again."""
        await self._valkey.delete(*map(begun_key, lanes))

    async def begin(self, partition: int) -> None:
        """From now on new events wake the partition again: what follows reads all before."""
        await self._valkey.delete(wake_key(partition))

    async def read(self, lane: int, count: int) -> list[Entry]:
        """A lane's oldest entries, at most `count`."""
        found = await self._valkey.xrange(stream_key(lane), count=count)
        return [
            entry_of(entry_id, [part for pair in fields.items() for part in pair])
            for entry_id, fields in found
        ]

    async def acknowledge(self, done: Mapping[int, Sequence[Entry]]) -> None:
        """Let entries leave, by lane, that are in the database now: the batches ended well."""
        async with self._valkey.pipeline(transaction=False) as pipe:
            self.acknowledge_with(pipe, done)
            await pipe.execute()

    def acknowledge_with(self, pipe: Pipeline, done: Mapping[int, Sequence[Entry]]) -> None:
        """As `acknowledge`, when what is in the pipeline is sent."""
        for lane, entries in done.items():
            for start in range(0, len(entries), 500):
                ids = [entry.id for entry in entries[start : start + 500]]
                pipe.xdel(stream_key(lane), *ids)
            pipe.delete(begun_key(lane))

    async def claim_late(self, partition: int, for_ms: int) -> bool:
        """Whether what came late for a partition is the caller's now. Others leave it alone for so
        long; that they do is a courtesy, what keeps them from doing harm is the partition's lock.
        """
        return bool(await self._valkey.set(claim_key(partition), b"1", nx=True, px=for_ms))

    async def leave_late(self, partition: int) -> None:
        """Let others have what came late for it."""
        await self._valkey.delete(claim_key(partition))


def open_inbox(valkey: Redis, settings: Settings) -> Inbox:
    """The inbox as the settings have it."""
    marks = Watermarks(
        limit=settings.quiver_inbox_limit,
        reopen_at=settings.quiver_inbox_reopen_at,
        oldest_s=settings.quiver_inbox_oldest_s,
        reader_rate=settings.quiver_reader_rate,
        reader_burst=settings.quiver_reader_burst,
    )
    return Inbox(valkey, partitions=settings.quiver_partitions, marks=marks)
