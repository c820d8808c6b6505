"""Events on disk until they are processed."""

import time
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from core import lanes
from core.entries import DEATHS_OVER_MANY, DEATHS_OVER_ONE
from core.errors import UnavailableError
from core.gate import Haste, Incoming, Watermarks, stream_key
from core.inbox import Inbox, begun_key, partition_key


@pytest.fixture(name="inbox")
def _inbox(valkey: Redis) -> Inbox:
    """Four streams that hold three entries each."""
    return Inbox(valkey, partitions=4, marks=Watermarks(3))


def told(*entries: tuple[int, bytes], haste: Haste = Haste.NOW) -> list[Incoming]:
    """Entries by their partitions."""
    return [Incoming(partition, payload, haste) for partition, payload in entries]


def a_second_ago() -> str:
    """An entry's id."""
    return f"{round(time.time() * 1_000) - 1_000}-0"


async def payloads(inbox: Inbox, partition: int) -> list[bytes]:
    """What a partition holds, oldest first."""
    return [entry.payload for entry in await inbox.read(partition, 100)]


async def test_entries_are_read_in_the_order_of_their_coming(inbox: Inbox) -> None:
    await inbox.append(told((1, b"a"), (2, b"b"), (1, b"c")))
    await inbox.append(told((1, b"d")))
    assert await payloads(inbox, 1) == [b"a", b"c", b"d"]
    assert await payloads(inbox, 2) == [b"b"]


async def test_only_partitions_that_nobody_was_told_of_are_to_be_woken(inbox: Inbox) -> None:
    assert await inbox.append(told((1, b"a"), (2, b"b"))) == [1, 2]
    assert await inbox.append(told((1, b"c"), (3, b"d"))) == [3]


async def test_after_a_drain_has_begun_new_entries_wake_again(inbox: Inbox) -> None:
    await inbox.append(told((1, b"a")))
    await inbox.begin(1)
    assert await inbox.append(told((1, b"b"))) == [1]


async def test_a_full_stream_refuses_the_whole_batch(inbox: Inbox) -> None:
    await inbox.append(told((1, b"a"), (1, b"b")))
    with pytest.raises(UnavailableError):
        await inbox.append(told((2, b"c"), (1, b"d"), (1, b"e")))
    assert await inbox.depths() == {0: 0, 1: 2, 2: 0, 3: 0}


async def test_what_is_acknowledged_is_gone_and_nothing_else(inbox: Inbox) -> None:
    await inbox.append(told((1, b"a"), (1, b"b"), (1, b"c")))
    first, _, third = await inbox.read(1, 10)
    await inbox.acknowledge({1: [first, third]})
    assert await payloads(inbox, 1) == [b"b"]


async def test_nothing_is_appended_for_nothing(inbox: Inbox) -> None:
    assert await inbox.append([]) == []
    assert await inbox.oldest_ms() is None


async def test_a_partition_whose_entry_waits_for_long_without_a_wake_up_is_unattended(
    inbox: Inbox, valkey: Redis
) -> None:
    await valkey.xadd(stream_key(0), {"e": b"old"}, id=a_second_ago())
    await valkey.xadd(stream_key(3), {"e": b"old"}, id=a_second_ago())
    await inbox.append(told((2, b"b"), (3, b"c")))
    await inbox.begin(2)
    assert await inbox.unattended() == {0}


async def test_what_came_late_and_nobody_is_at_for_long_is_unattended(
    inbox: Inbox, valkey: Redis
) -> None:
    long_ago = f"{round(time.time() * 1_000) - 16_000}-0"
    for partition in (0, 1):
        await valkey.xadd(stream_key(inbox.late_lane(partition)), {"e": b"late"}, id=long_ago)
    await inbox.claim_late(1, 60_000)
    await inbox.append(told((2, b"just now"), haste=Haste.LATE))
    assert await inbox.unattended() == {0}


async def test_what_can_wait_wakes_nobody_until_it_has_waited(inbox: Inbox, valkey: Redis) -> None:
    await valkey.xadd(stream_key(0), {"e": b"old"}, id=a_second_ago())
    assert await inbox.append(told((0, b"a"), (1, b"b"), haste=Haste.SOON)) == []
    await inbox.wake_those_who_wait()
    await inbox.wake_those_who_wait()
    assert await inbox.woken() == set()
    assert await inbox.take_patient(1) == {0}


async def test_what_is_done_together_is_taken_by_one_worker_at_a_time(inbox: Inbox) -> None:
    assert await inbox.append(told((0, b"a"), (1, b"b"), haste=Haste.TOGETHER)) == [0, 1]
    assert await inbox.append(told((1, b"c"), haste=Haste.TOGETHER)) == []
    assert await inbox.woken() == set()
    assert await inbox.take_patient(60_000) == {0, 1}
    await inbox.begin(0)
    assert await inbox.append(told((0, b"d"), haste=Haste.TOGETHER)) == [0]
    assert await inbox.take_patient(60_000) == set()


async def test_whose_turn_it_is_takes_no_turn_while_nothing_waits(inbox: Inbox) -> None:
    assert await inbox.take_patient(60_000) == set()
    await inbox.append(told((0, b"a"), haste=Haste.TOGETHER))
    assert await inbox.take_patient(60_000) == {0}


async def test_what_cannot_wait_wakes_a_partition_that_could(inbox: Inbox) -> None:
    await inbox.append(told((1, b"a"), haste=Haste.TOGETHER))
    assert await inbox.append(told((1, b"b"))) == [1]
    assert await inbox.append(told((1, b"c"), haste=Haste.TOGETHER)) == []
    assert await inbox.woken() == {1}


async def test_what_can_wait_goes_with_what_cannot(inbox: Inbox) -> None:
    await inbox.append([*told((1, b"a"), haste=Haste.SOON), *told((1, b"b"))])
    assert await inbox.woken() == {1}
    assert await payloads(inbox, 1) == [b"a", b"b"]


async def test_what_came_late_has_a_lane_of_its_own_and_is_counted_with_the_rest(
    inbox: Inbox,
) -> None:
    assert await inbox.append(told((1, b"a"), (1, b"b"), haste=Haste.LATE)) == []
    await inbox.append(told((1, b"c")))
    assert await payloads(inbox, 1) == [b"c"]
    assert await payloads(inbox, inbox.late_lane(1)) == [b"a", b"b"]
    assert (await inbox.depths())[1] == 3


async def test_what_came_late_is_done_when_nothing_more_comes_or_it_waited_for_long(
    inbox: Inbox, valkey: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    await valkey.xadd(stream_key(inbox.late_lane(0)), {"e": b"old"}, id=a_second_ago())
    await valkey.xadd(stream_key(inbox.late_lane(1)), {"e": b"old"}, id=a_second_ago())
    await inbox.append(told((1, b"a"), haste=Haste.LATE))
    monkeypatch.setattr(lanes, "QUIET_FOR_MS", 900)
    monkeypatch.setattr(lanes, "RIPE_AFTER_MS", 60_000)
    assert await inbox.late_partitions() == [0]
    monkeypatch.setattr(lanes, "RIPE_AFTER_MS", 900)
    assert await inbox.late_partitions() == [0, 1]


async def test_a_lane_of_late_entries_that_is_full_does_not_shut_the_other(inbox: Inbox) -> None:
    await inbox.append(told((1, b"a"), (1, b"b"), (1, b"c"), haste=Haste.LATE))
    with pytest.raises(UnavailableError):
        await inbox.append(told((1, b"d"), haste=Haste.LATE))
    assert await inbox.append(told((1, b"e"))) == [1]


async def test_a_sign_of_life_stays_behind_what_came_late_before_it(inbox: Inbox) -> None:
    await inbox.append(told((1, b"first"), haste=Haste.BEHIND))
    await inbox.append(told((1, b"late"), haste=Haste.LATE))
    await inbox.append(told((1, b"beat"), (2, b"other"), haste=Haste.BEHIND))
    assert await payloads(inbox, 1) == [b"first"]
    assert await payloads(inbox, inbox.late_lane(1)) == [b"late", b"beat"]
    assert await payloads(inbox, 2) == [b"other"]


async def test_who_reads_what_happens_now_learns_since_when_something_late_waits(
    inbox: Inbox, valkey: Redis
) -> None:
    await inbox.append(told((1, b"a"), (2, b"b")))
    await valkey.xadd(stream_key(inbox.late_lane(1)), {"e": b"late"}, id="7-0")
    assert (await inbox.begin_and_read(1, 10)).late_since == 7_000
    few = await inbox.begin_and_read_few([1, 2], 10)
    assert [few[1].late_since, few[2].late_since] == [7_000, None]
    assert (await inbox.begin_and_read(inbox.late_lane(1), 10)).late_since is None


async def test_what_came_late_is_read_as_far_as_it_came_before_what_happens_now(
    inbox: Inbox, valkey: Redis
) -> None:
    late = inbox.late_lane(1)
    for entry_id in ("7-0", "9-0", "9-2"):
        await valkey.xadd(stream_key(late), {"e": entry_id}, id=entry_id)
    await valkey.xadd(stream_key(1), {"e": b"now"}, id="9-1")
    reading = await inbox.begin_and_read(late, 10)
    assert [entry.payload for entry in reading.entries] == [b"7-0", b"9-0"]
    assert (reading.now_since, reading.late_since, reading.has_more) == (9_000, None, False)
    await inbox.acknowledge({late: reading.entries})
    assert not (await inbox.begin_and_read(late, 10)).entries
    assert await inbox.late_partitions() == []
    await inbox.acknowledge({1: await inbox.read(1, 10)})
    assert await inbox.late_partitions() == [1]
    reading = await inbox.begin_and_read(late, 10)
    assert [entry.payload for entry in reading.entries] == [b"9-2"]
    # Nothing was begun for nothing.
    assert (reading.now_since, reading.is_first_try) == (None, True)


async def test_what_came_before_the_stores_clock_was_set_back_has_waited(
    inbox: Inbox, valkey: Redis
) -> None:
    later = f"{round(time.time() * 1_000) + 3_600_000}-0"
    await valkey.xadd(stream_key(0), {"e": b"now"}, id=later)
    await valkey.xadd(stream_key(inbox.late_lane(1)), {"e": b"late"}, id=later)
    assert await inbox.late_partitions() == [1]
    assert await inbox.unattended() == {0, 1}


async def test_what_came_late_is_claimed_by_one_at_a_time(inbox: Inbox) -> None:
    assert await inbox.claim_late(1, 60_000)
    assert not await inbox.claim_late(1, 60_000)
    assert await inbox.claim_late(2, 60_000)
    await inbox.leave_late(1)
    assert await inbox.claim_late(1, 60_000)


def test_a_target_always_has_the_same_partition() -> None:
    # A restart, or another version, must find the events where they were left.
    assert partition_key(UUID(int=1)) == 465_337_283


def test_targets_spread_over_the_partitions() -> None:
    counts = [0] * 16
    for _ in range(1600):
        counts[partition_key(uuid4()) % 16] += 1
    assert min(counts) > 50


async def begun(inbox: Inbox, count: int = 10) -> list[bytes]:
    """What a worker reads that dies then."""
    return [entry.payload for entry in (await inbox.begin_and_read(1, count)).entries]


async def test_a_batch_says_whether_there_is_more(inbox: Inbox) -> None:
    await inbox.append(told((1, b"a"), (1, b"b")))
    assert not (await inbox.begin_and_read(1, 3)).has_more
    assert (await inbox.begin_and_read(1, 1)).has_more


async def test_entries_that_workers_died_over_are_read_one_by_one(inbox: Inbox) -> None:
    await inbox.append(told((1, b"a"), (1, b"b"), (1, b"c")))
    together = [await begun(inbox) for _ in range(DEATHS_OVER_MANY)]
    assert together == [[b"a", b"b", b"c"]] * DEATHS_OVER_MANY
    alone = await inbox.begin_and_read(1, 10)
    assert [entry.payload for entry in alone.entries] == [b"a"] and alone.has_more
    await inbox.acknowledge({1: alone.entries})
    assert await begun(inbox) == [b"b"]


async def test_what_came_after_the_deaths_is_read_together_again(inbox: Inbox) -> None:
    await inbox.append(told((1, b"a")))
    for _ in range(DEATHS_OVER_MANY):
        await begun(inbox)
    reading = await inbox.begin_and_read(1, 10)
    await inbox.acknowledge({1: reading.entries})
    await inbox.append(told((1, b"b"), (1, b"c")))
    assert await begun(inbox) == [b"b", b"c"]


async def test_the_entry_that_workers_died_over_alone_is_the_deadly_one(inbox: Inbox) -> None:
    await inbox.append(told((1, b"a"), (1, b"b")))
    for _ in range(DEATHS_OVER_MANY + DEATHS_OVER_ONE):
        assert (await inbox.begin_and_read(1, 10)).deadly is None
    reading = await inbox.begin_and_read(1, 10)
    assert reading.deadly is not None and reading.deadly.payload == b"a"
    await inbox.acknowledge({1: [reading.deadly]})
    assert await begun(inbox) == [b"b"]


async def test_batches_that_ended_however_are_no_deaths(inbox: Inbox) -> None:
    await inbox.append(told((1, b"a"), (1, b"b")))
    for _ in range(2 * DEATHS_OVER_MANY):
        assert await begun(inbox) == [b"a", b"b"]
        await inbox.give_back(1)


async def test_looking_at_nothing_is_no_death(inbox: Inbox, valkey: Redis) -> None:
    for _ in range(2 * DEATHS_OVER_MANY):
        assert await begun(inbox) == []
    assert not await valkey.exists(begun_key(1))


async def test_what_else_workers_die_over_is_known_too(inbox: Inbox) -> None:
    for _ in range(DEATHS_OVER_ONE):
        assert not (await inbox.begin_and_read(1, 10, others=True)).others_are_deadly
    assert (await inbox.begin_and_read(1, 10, others=True)).others_are_deadly
    await inbox.acknowledge({1: []})
    assert not (await inbox.begin_and_read(1, 10, others=True)).others_are_deadly


def said_by(reader: UUID, rest: str = "") -> bytes:
    """What a reader said, as far as the lanes are looked at for it."""
    return f'{{"reader_id":"{reader}"{rest}}}'.encode()


async def test_of_whom_something_waits_is_seen_in_both_lanes(valkey: Redis) -> None:
    inbox = Inbox(valkey, partitions=4, marks=Watermarks(1_000))
    here, there, nowhere = uuid4(), uuid4(), uuid4()
    await inbox.append(told(*[(1, b"of nobody")] * 450, (1, said_by(here))))
    await inbox.append(told((2, said_by(here)), (2, said_by(there)), haste=Haste.LATE))
    late = inbox.late_lane(2)
    among = {here: [1], there: [1, late], nowhere: [1, 2, late]}
    assert await inbox.holding(among, {}) == {here, there}
    await inbox.acknowledge({1: await inbox.read(1, 1_000)})
    assert await inbox.holding({here: [1, late], there: [2], nowhere: [1]}, {}) == {here}


async def test_of_a_lane_that_is_read_only_what_was_carried_there_is_waited_for(
    inbox: Inbox,
) -> None:
    reader, mute = uuid4(), ',"is_mute":true'
    await inbox.append(told((1, said_by(reader)), (1, said_by(reader, mute))))
    first, carried = await inbox.read(1, 10)
    assert await inbox.holding({reader: [1]}, {1: first.id}) == {reader}
    assert not await inbox.holding({reader: [1]}, {1: carried.id})
    await inbox.append(told((1, said_by(reader))))
    assert not await inbox.holding({reader: [1]}, {1: carried.id})


async def test_an_echo_holds_up_nobody(inbox: Inbox) -> None:
    reader, late = uuid4(), inbox.late_lane(1)
    await inbox.put_behind([(1, said_by(reader))], is_echo=True)
    assert not await inbox.holding({reader: [late]}, {})
    await inbox.put_behind([(1, said_by(reader))])
    assert await inbox.holding({reader: [late]}, {}) == {reader}


async def test_of_very_many_entries_nobody_looks_whose_they_are(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "MOST_LOOKED_AT", 3)
    await inbox.append(told((1, b"a"), (1, b"b"), (1, b"c"), (2, b"d")))
    first, second = uuid4(), uuid4()
    # The longest comes last.
    assert await inbox.holding({first: [1, 2], second: [2]}, {}) == {first}
    last = (await inbox.read(1, 10))[0].id
    assert not await inbox.holding({first: [1, 2], second: [2]}, {1: last})


async def test_what_is_put_behind_waits_with_what_came_late(inbox: Inbox) -> None:
    await inbox.append(told((1, b"late"), haste=Haste.LATE))
    await inbox.put_behind([(1, b"behind")])
    assert await payloads(inbox, inbox.late_lane(1)) == [b"late", b"behind"]
