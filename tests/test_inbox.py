"""Events on disk until they are processed."""

from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from core.errors import UnavailableError
from core.gate import Watermarks
from core.inbox import DEATHS_OVER_MANY, DEATHS_OVER_ONE, Inbox, begun_key, partition_key


@pytest.fixture(name="inbox")
def _inbox(valkey: Redis) -> Inbox:
    """Four streams that hold three entries each."""
    return Inbox(valkey, partitions=4, marks=Watermarks(3))


async def payloads(inbox: Inbox, partition: int) -> list[bytes]:
    """What a partition holds, oldest first."""
    return [entry.payload for entry in await inbox.read(partition, 100)]


async def test_entries_are_read_in_the_order_of_their_coming(inbox: Inbox) -> None:
    await inbox.append([(1, b"a"), (2, b"b"), (1, b"c")])
    await inbox.append([(1, b"d")])
    assert await payloads(inbox, 1) == [b"a", b"c", b"d"]
    assert await payloads(inbox, 2) == [b"b"]


async def test_only_partitions_that_nobody_was_told_of_are_to_be_woken(inbox: Inbox) -> None:
    assert await inbox.append([(1, b"a"), (2, b"b")]) == [1, 2]
    assert await inbox.append([(1, b"c"), (3, b"d")]) == [3]


async def test_after_a_drain_has_begun_new_entries_wake_again(inbox: Inbox) -> None:
    await inbox.append([(1, b"a")])
    await inbox.begin(1)
    assert await inbox.append([(1, b"b")]) == [1]


async def test_a_full_stream_refuses_the_whole_batch(inbox: Inbox) -> None:
    await inbox.append([(1, b"a"), (1, b"b")])
    with pytest.raises(UnavailableError):
        await inbox.append([(2, b"c"), (1, b"d"), (1, b"e")])
    assert await inbox.depths() == {0: 0, 1: 2, 2: 0, 3: 0}


async def test_what_is_acknowledged_is_gone_and_nothing_else(inbox: Inbox) -> None:
    await inbox.append([(1, b"a"), (1, b"b"), (1, b"c")])
    first, _, third = await inbox.read(1, 10)
    await inbox.acknowledge(1, [first, third])
    assert await payloads(inbox, 1) == [b"b"]


async def test_nothing_is_appended_for_nothing(inbox: Inbox) -> None:
    assert await inbox.append([]) == []
    assert await inbox.oldest_ms() is None


async def test_a_partition_with_entries_and_no_wake_up_is_unattended(inbox: Inbox) -> None:
    await inbox.append([(1, b"a"), (2, b"b")])
    await inbox.begin(1)
    assert await inbox.unattended() == {1}


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
    await inbox.append([(1, b"a"), (1, b"b")])
    assert not (await inbox.begin_and_read(1, 3)).has_more
    assert (await inbox.begin_and_read(1, 1)).has_more


async def test_entries_that_workers_died_over_are_read_one_by_one(inbox: Inbox) -> None:
    await inbox.append([(1, b"a"), (1, b"b"), (1, b"c")])
    together = [await begun(inbox) for _ in range(DEATHS_OVER_MANY)]
    assert together == [[b"a", b"b", b"c"]] * DEATHS_OVER_MANY
    alone = await inbox.begin_and_read(1, 10)
    assert [entry.payload for entry in alone.entries] == [b"a"] and alone.has_more
    await inbox.acknowledge(1, alone.entries)
    assert await begun(inbox) == [b"b"]


async def test_what_came_after_the_deaths_is_read_together_again(inbox: Inbox) -> None:
    await inbox.append([(1, b"a")])
    for _ in range(DEATHS_OVER_MANY):
        await begun(inbox)
    reading = await inbox.begin_and_read(1, 10)
    await inbox.acknowledge(1, reading.entries)
    await inbox.append([(1, b"b"), (1, b"c")])
    assert await begun(inbox) == [b"b", b"c"]


async def test_the_entry_that_workers_died_over_alone_is_the_deadly_one(inbox: Inbox) -> None:
    await inbox.append([(1, b"a"), (1, b"b")])
    for _ in range(DEATHS_OVER_MANY + DEATHS_OVER_ONE):
        assert (await inbox.begin_and_read(1, 10)).deadly is None
    reading = await inbox.begin_and_read(1, 10)
    assert reading.deadly is not None and reading.deadly.payload == b"a"
    await inbox.acknowledge(1, [reading.deadly])
    assert await begun(inbox) == [b"b"]


async def test_batches_that_ended_however_are_no_deaths(inbox: Inbox) -> None:
    await inbox.append([(1, b"a"), (1, b"b")])
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
    await inbox.acknowledge(1, [], others=True)
    assert not (await inbox.begin_and_read(1, 10, others=True)).others_are_deadly
