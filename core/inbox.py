"""Events that nobody has processed yet: a stream per partition, on disk before the API says 202.

An entry leaves by its id, after the transaction that stored it. Whatever dies in between, the entry
is read again, and reading it again changes nothing.
"""

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from redis.asyncio import Redis

from core.gate import (
    WAKE_TTL_MS,
    WOKEN,
    WOKEN_LENGTH,
    Gate,
    Watermarks,
    stream_key,
    wake_key,
)
from core.settings import Settings

# A batch that is begun is counted until it ends, well or not: what stays counted killed its worker.
BEGIN = """
redis.call('DEL', KEYS[1])
local found = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', ARGV[1])
if #found == 0 and ARGV[2] == '0' then
    return {found, 0, ''}
end
return {found, redis.call('INCR', KEYS[3]), redis.call('GET', KEYS[4]) or ''}
"""

# The same for several partitions, four keys each: those that hold more than ARGV[1] entries are
# left as they are.
BEGIN_FEW = """
local all = {}
for i = 1, #KEYS, 4 do
    local reading = 0
    if redis.call('XLEN', KEYS[i + 1]) <= tonumber(ARGV[1]) then
        redis.call('DEL', KEYS[i])
        local found = redis.call('XRANGE', KEYS[i + 1], '-', '+')
        if #found == 0 then
            reading = {found, 0, ''}
        else
            reading = {found, redis.call('INCR', KEYS[i + 2]), redis.call('GET', KEYS[i + 3]) or ''}
        end
    end
    all[#all + 1] = reading
end
return all
"""

# Two keys for each partition, its entries and its wake-up: names those to workers that hold an entry
# older than ARGV[1] ms and were not named lately.
WAKE_WAITING = """
local clock = redis.call('TIME')
local since = clock[1] * 1000 + math.floor(clock[2] / 1000) - tonumber(ARGV[1])
for i = 1, #KEYS, 2 do
    local first = redis.call('XRANGE', KEYS[i], '-', since, 'COUNT', 1)[1]
    if first and redis.call('SET', KEYS[i + 1], '1', 'NX', 'PX', ARGV[2]) then
        redis.call('RPUSH', ARGV[3], string.match(KEYS[i], '%d+$'))
    end
end
redis.call('LTRIM', ARGV[3], -tonumber(ARGV[4]), -1)
"""

# What can wait does so for this long: as long as several readers' word is better taken together.
PATIENCE_MS = 200

# So many workers may die in a row over a partition before its entries are taken one by one, and
# over one of them before that is put aside. All of them together are less than what a supervisor
# takes for a worker that cannot live.
DEATHS_OVER_MANY = 3
DEATHS_OVER_ONE = 2
# What is known of such deaths is of no use later.
CAREFUL_FOR_S = 24 * 3600


# An entry's id, its fields and their values by turns.
type Found = tuple[bytes, Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One event in the inbox.

    Args:
        id: Its id in the partition's stream.
        payload: The event as the API accepted it.
    """

    id: bytes
    payload: bytes

    @property
    def order(self) -> tuple[int, int]:
        """What entries are sorted by: when it came, milliseconds since the epoch, and a number."""
        return _order(self.id)

    @property
    def came_at(self) -> int:
        """When it came, microseconds."""
        return self.order[0] * 1_000


@dataclass(frozen=True, slots=True)
class Reading:
    """What is to be done of a partition now.

    Args:
        entries: The oldest ones.
        has_more: Whether there were more than these.
        is_alone: Whether this is one that may be deadly: nothing else is to be done with it.
        deadly: Instead of entries to be done, the one that workers died over.
        others_are_deadly: Whether workers died over what else was to be done.
    """

    entries: Sequence[Entry]
    has_more: bool
    is_alone: bool = False
    deadly: Entry | None = None
    others_are_deadly: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether nothing is known against doing it together with others."""
        return not (self.is_alone or self.deadly is not None or self.others_are_deadly)


def partition_key(owner: UUID) -> int:
    """A number from 0 to 2³¹ − 1 that spreads ids evenly and never changes for an id."""
    return zlib.crc32(owner.bytes) & 0x7FFFFFFF


def begun_key(partition: int) -> str:
    """How many batches of a partition were begun in a row and did not end."""
    return f"quiver:inbox:begun:{partition}"


def careful_key(partition: int) -> str:
    """The last entry of the batch that workers died over."""
    return f"quiver:inbox:careful:{partition}"


# Of each partition: what a script that begins a batch takes.
READ_KEYS = (wake_key, stream_key, begun_key, careful_key)


@dataclass(frozen=True, slots=True)
class StreamState:
    """How a partition's stream stands.

    Args:
        partition: Which.
        depth: How many entries it holds.
        oldest_ms: When its oldest entry came, milliseconds since the epoch; None: it is empty.
        is_woken: Whether a wake-up is under way.
    """

    partition: int
    depth: int
    oldest_ms: int | None
    is_woken: bool


class Inbox:
    """The partitions' streams.

    Args:
        valkey: A client that answers bytes.
        partitions: How many streams there are.
        marks: How much a stream holds, and how fast one reader may send.
    """

    def __init__(self, valkey: Redis, *, partitions: int, marks: Watermarks) -> None:
        self._valkey = valkey
        self._gate = Gate(valkey, marks)
        self._begin = valkey.register_script(BEGIN)
        self._begin_few = valkey.register_script(BEGIN_FEW)
        self._wake_waiting = valkey.register_script(WAKE_WAITING)
        self.partitions = partitions
        self.limit = marks.limit

    def partition_of(self, owner: UUID) -> int:
        """The partition of a target, or of a reader that is bound to nothing."""
        return partition_key(owner) % self.partitions

    async def append(
        self,
        entries: Sequence[tuple[int, bytes]],
        reader_id: UUID | None = None,
        patient: Collection[int] = (),
    ) -> list[int]:
        """Put events on disk, all or none.

        Args:
            entries: Each with its partition.
            reader_id: The reader that sends them itself, which may not send too fast.
            patient: Partitions whose entries can wait for `wake_those_who_wait`, or for another
                that cannot.

        Returns:
            The partitions that nobody had been told of; workers are, in the same call.

        Raises:
            UnavailableError: A stream is full or far behind; nothing was kept.
            TooManyRequestsError: The reader sends too fast; nothing was kept.
        """
        return await self._gate.append(entries, reader_id, patient) if entries else []

    async def wake_those_who_wait(self) -> None:
        """Tell workers of partitions whose entries have waited for `PATIENCE_MS`: nobody was told
        of them before, or what told it is lost."""
        keys = [key(p) for p in range(self.partitions) for key in (stream_key, wake_key)]
        await self._wake_waiting(keys=keys, args=[PATIENCE_MS, WAKE_TTL_MS, WOKEN, WOKEN_LENGTH])

    async def wait_for_woken(self) -> set[int]:
        """Wait until something comes for partitions that nobody was told of, a second at most; all
        of them, none: nothing came."""
        async with self._valkey.pipeline(transaction=False) as pipe:
            pipe.blpop([WOKEN], timeout=1)
            pipe.lpop(WOKEN, WOKEN_LENGTH)
            first, others = await pipe.execute()
        return {int(name) for name in [*(first or ())[1:], *(others or ())]}

    async def woken(self) -> set[int]:
        """As `wait_for_woken`, without waiting."""
        async with self._valkey.pipeline(transaction=False) as pipe:
            pipe.lpop(WOKEN, WOKEN_LENGTH)
            (names,) = await pipe.execute()
        return {int(name) for name in names or ()}

    async def begin_and_read(self, partition: int, count: int, *, others: bool = False) -> Reading:
        """As `begin` and then `read`, in one round trip, and say that a batch begins.

        Args:
            partition: Which.
            count: How many entries at most.
            others: Whether there is something to be done besides, so that a batch begins in any
                case.

        Say `acknowledge` or `give_back` when it ended: after one that did neither, several times in
        a row, entries are read one by one until the deadly one is known.
        """
        keys = [key(partition) for key in READ_KEYS]
        said = await self._begin(keys=keys, args=[count, int(others)])
        return await self._reading(partition, count, *said)

    async def begin_and_read_few(
        self, partitions: Sequence[int], at_most: int
    ) -> dict[int, Reading]:
        """As `begin_and_read` for several partitions in one round trip; each is read whole.

        Args:
            partitions: Which.
            at_most: Those that hold more entries than this are not begun, and not in the answer.
        """
        keys = [key(partition) for partition in partitions for key in READ_KEYS]
        said = await self._begin_few(keys=keys, args=[at_most])
        return {
            partition: await self._reading(partition, at_most + 1, *each)
            for partition, each in zip(partitions, said, strict=True)
            if each
        }

    async def _reading(
        self, partition: int, count: int, found: Sequence[Found], begun: int, careful_until: bytes
    ) -> Reading:
        """What is to be done of at most `count` entries, by how often it was begun in vain."""
        entries = [_entry(*each) for each in found]
        if not entries:
            return Reading(entries, False, others_are_deadly=begun > DEATHS_OVER_ONE)
        if _order(entries[0].id) <= _order(careful_until):
            if begun > DEATHS_OVER_ONE:
                return Reading([], True, deadly=entries[0])
            return Reading(entries[:1], len(entries) > 1, is_alone=True)
        if begun > DEATHS_OVER_MANY:
            await self._be_careful(partition, entries[-1])
            return Reading(entries[:1], len(entries) > 1, is_alone=True)
        return Reading(entries, len(entries) == count)

    async def _be_careful(self, partition: int, last: Entry) -> None:
        async with self._valkey.pipeline(transaction=True) as pipe:
            pipe.set(careful_key(partition), last.id, ex=CAREFUL_FOR_S)
            pipe.set(begun_key(partition), 1)
            await pipe.execute()

    async def give_back(self, *partitions: int) -> None:
        """Their batches ended that could not be done; the entries are read again."""
        await self._valkey.delete(*map(begun_key, partitions))

    async def begin(self, partition: int) -> None:
        """From now on new events wake the partition again: what follows reads all before."""
        await self._valkey.delete(wake_key(partition))

    async def read(self, partition: int, count: int) -> list[Entry]:
        """The partition's oldest entries, at most `count`."""
        found = await self._valkey.xrange(stream_key(partition), count=count)
        return [
            _entry(entry_id, [part for pair in fields.items() for part in pair])
            for entry_id, fields in found
        ]

    async def acknowledge(
        self, partition: int, entries: Sequence[Entry], *, others: bool = False
    ) -> None:
        """Let entries leave that are in the database now: the batch ended well."""
        if entries or others:
            await self.acknowledge_all({partition: entries})

    async def acknowledge_all(self, done: Mapping[int, Sequence[Entry]]) -> None:
        """As `acknowledge`, of batches of several partitions."""
        async with self._valkey.pipeline(transaction=False) as pipe:
            for partition, entries in done.items():
                for start in range(0, len(entries), 500):
                    ids = [entry.id for entry in entries[start : start + 500]]
                    pipe.xdel(stream_key(partition), *ids)
                pipe.delete(begun_key(partition))
            await pipe.execute()

    async def depths(self) -> Mapping[int, int]:
        """How many entries each partition holds."""
        async with self._valkey.pipeline(transaction=False) as pipe:
            for partition in range(self.partitions):
                pipe.xlen(stream_key(partition))
            return dict(enumerate(await pipe.execute()))

    async def oldest_ms(self) -> int | None:
        """When the oldest entry came, in milliseconds since the epoch; None: there is none."""
        async with self._valkey.pipeline(transaction=False) as pipe:
            for partition in range(self.partitions):
                pipe.xrange(stream_key(partition), count=1)
            firsts = [found[0][0] for found in await pipe.execute() if found]
        return min((_order(entry_id)[0] for entry_id in firsts), default=None)

    async def oldest_of(self, partition: int) -> int | None:
        """As `oldest_ms`, of one partition."""
        found = await self._valkey.xrange(stream_key(partition), count=1)
        return _order(found[0][0])[0] if found else None

    async def states(self) -> list[StreamState]:
        """How each partition's stream stands."""
        async with self._valkey.pipeline(transaction=False) as pipe:
            for partition in range(self.partitions):
                pipe.xlen(stream_key(partition))
                pipe.xrange(stream_key(partition), count=1)
                pipe.exists(wake_key(partition))
            said = await pipe.execute()
        each = zip(said[::3], said[1::3], said[2::3], strict=True)
        return [
            StreamState(partition, depth, _order(first[0][0])[0] if first else None, bool(woken))
            for partition, (depth, first, woken) in enumerate(each)
        ]

    async def unattended(self) -> set[int]:
        """Partitions that hold entries and have no wake-up under way."""
        async with self._valkey.pipeline(transaction=False) as pipe:
            for partition in range(self.partitions):
                pipe.xlen(stream_key(partition))
                pipe.exists(wake_key(partition))
            said = await pipe.execute()
        pairs = zip(said[::2], said[1::2], strict=True)
        return {p for p, (length, woken) in enumerate(pairs) if length and not woken}


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


def _entry(entry_id: bytes, fields: Sequence[bytes]) -> Entry:
    """An entry; of one that the API did not make, all that stands in it."""
    is_ours = len(fields) == 2 and fields[0] == b"e"
    return Entry(entry_id, fields[1] if is_ours else b" ".join(fields))


def _order(entry_id: bytes) -> tuple[int, int]:
    """What entries are sorted by: milliseconds since the epoch, and a number; no id is before
    all."""
    milliseconds, _, number = entry_id.partition(b"-")
    return int(milliseconds or 0), int(number or 0)
