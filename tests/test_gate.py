"""What comes into the inbox, and what has to come again later."""

import random
import time
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from core.errors import TooManyRequestsError, UnavailableError
from core.gate import (
    Gate,
    Haste,
    Incoming,
    Watermarks,
    bucket_key,
    shut_key,
    stream_key,
    wake_key,
)
from core.inbox import Inbox
from core.pause import pause

READER = UUID(int=7)
OTHER = UUID(int=8)


TEN = Watermarks(limit=10)
FAIR = Watermarks(limit=10_000, reader_rate=10, reader_burst=1_000)


def inbox(valkey: Redis, marks: Watermarks = TEN) -> Inbox:
    """Four streams."""
    return Inbox(valkey, partitions=4, marks=marks)


def entries(count: int, partition: int = 1, haste: Haste = Haste.NOW) -> list[Incoming]:
    """So many events of a partition."""
    return [Incoming(partition, b"e", haste)] * count


async def take(of: Inbox, count: int, partition: int = 1) -> None:
    """A worker gets rid of so many entries."""
    await of.acknowledge({partition: await of.read(partition, count)})


async def test_a_partition_that_was_full_opens_only_when_workers_have_caught_up(
    valkey: Redis,
) -> None:
    full = inbox(valkey, Watermarks(10, reopen_at=0.5))
    await full.append(entries(10))
    for worker_takes in ([], [1], [3]):
        for gone in worker_takes:
            await take(full, gone)
        with pytest.raises(UnavailableError):
            await full.append(entries(1))
    await take(full, 1)
    await full.append(entries(1))
    assert (await full.depths())[1] == 6


async def test_a_partition_that_is_shut_holds_up_no_other(valkey: Redis) -> None:
    full = inbox(valkey)
    await full.append(entries(10))
    with pytest.raises(UnavailableError):
        await full.append(entries(1))
    await full.append(entries(3, partition=2))
    assert await full.depths() == {0: 0, 1: 10, 2: 3, 3: 0}


async def test_a_batch_that_does_not_fit_shuts_nothing_that_is_empty(valkey: Redis) -> None:
    small = inbox(valkey)
    with pytest.raises(UnavailableError):
        await small.append(entries(11))
    assert not await valkey.exists(shut_key(1))
    await small.append(entries(10))


async def test_a_partition_whose_oldest_entry_waits_too_long_takes_no_more(valkey: Redis) -> None:
    late = inbox(valkey, Watermarks(10, oldest_s=60))
    since = round((time.time() - 61) * 1000)
    await valkey.xadd(stream_key(1), {"e": b"old"}, id=f"{since}-0")
    with pytest.raises(UnavailableError):
        await late.append(entries(1))
    await take(late, 1)
    await late.append(entries(1))


async def test_a_reader_that_sends_too_fast_waits_and_nobody_else_does(valkey: Redis) -> None:
    fair = inbox(valkey, FAIR)
    await fair.append(entries(1_000), READER)
    with pytest.raises(TooManyRequestsError, match="more than 10 events a second") as refused:
        await fair.append(entries(50), READER)
    # Fifty at ten a second, and up to half as long again.
    assert 5 <= refused.value.retry_after_s <= 8
    await fair.append(entries(50), OTHER)
    await fair.append(entries(50))
    assert (await fair.depths())[1] == 1_100


async def test_what_a_reader_may_send_comes_back_with_time(valkey: Redis) -> None:
    fair = inbox(valkey, FAIR)
    await fair.append(entries(1_000), READER)
    # As if ten seconds had passed.
    async with valkey.pipeline() as pipe:
        pipe.hincrby(bucket_key(READER), "at", -10_000)
        await pipe.execute()
    await fair.append(entries(100), READER)
    with pytest.raises(TooManyRequestsError):
        await fair.append(entries(50), READER)


async def test_what_is_refused_for_the_inbox_costs_the_reader_nothing(valkey: Redis) -> None:
    full = inbox(valkey)
    await full.append(entries(10))
    with pytest.raises(UnavailableError):
        await full.append(entries(5), READER)
    assert not await valkey.exists(bucket_key(READER))


async def test_a_silent_readers_bucket_is_forgotten(valkey: Redis) -> None:
    fair = inbox(valkey, Watermarks(10_000, reader_rate=100, reader_burst=1_000))
    await fair.append(entries(500), READER)
    assert 5_000 < await valkey.pttl(bucket_key(READER)) <= 6_000


async def test_who_is_sent_away_is_told_when_workers_will_have_caught_up(
    valkey: Redis,
) -> None:
    moments = iter([100.0, 110.0, 120.0])
    marks = Watermarks(limit=1_000, reopen_at=0.5)
    of = inbox(valkey, marks)
    gate = Gate(valkey, 4, marks, rng=random.Random(1), clock=lambda: next(moments))
    await of.append(entries(1_000))
    waits: list[int] = []
    for _ in range(3):
        with pytest.raises(UnavailableError) as refused:
            await gate.append(entries(1), None)
        waits.append(refused.value.retry_after_s)
        # Two hundred leave in ten seconds.
        await take(of, 200)
    # Not known at first; then 300 above the mark and 100 above it, at 20 a second.
    assert 2 <= waits[0] <= 5
    assert 15 <= waits[1] <= 23
    assert 5 <= waits[2] <= 8


async def test_who_is_sent_away_first_is_told_to_return_at_various_times(valkey: Redis) -> None:
    full = inbox(valkey)
    await full.append(entries(10))
    waits: set[int] = set()
    for seed in range(40):
        gate = Gate(valkey, 4, TEN, rng=random.Random(seed))
        with pytest.raises(UnavailableError) as refused:
            await gate.append(entries(1), None)
        waits.add(refused.value.retry_after_s)
    assert waits == {2, 3, 4, 5}


async def test_readers_that_send_too_fast_are_told_to_return_at_various_times(
    valkey: Redis,
) -> None:
    await inbox(valkey, FAIR).append(entries(1_000), READER)
    waits: set[int] = set()
    for seed in range(40):
        gate = Gate(valkey, 4, FAIR, rng=random.Random(seed))
        with pytest.raises(TooManyRequestsError) as refused:
            await gate.append(entries(5), READER)
        waits.add(refused.value.retry_after_s)
    assert waits <= {1, 2, 3, 4} and len(waits) >= 3


async def test_a_wait_is_never_longer_than_a_minute(valkey: Redis) -> None:
    moments = iter([100.0, 150.0])
    marks = Watermarks(1_000, reopen_at=0.5)
    slow = Gate(valkey, 4, marks, clock=lambda: next(moments))
    await slow.append(entries(1_000), None)
    with pytest.raises(UnavailableError):
        await slow.append(entries(1), None)
    await take(inbox(valkey, marks), 1)
    with pytest.raises(UnavailableError) as refused:
        await slow.append(entries(1), None)
    assert refused.value.retry_after_s == 60


async def test_where_nobody_works_it_is_worth_another_try_soon(valkey: Redis) -> None:
    moments = iter([100.0, 150.0])
    stuck = Gate(valkey, 4, TEN, clock=lambda: next(moments))
    await stuck.append(entries(10), None)
    for longest in (5, 8):
        with pytest.raises(UnavailableError) as refused:
            await stuck.append(entries(1), None)
        assert refused.value.retry_after_s <= longest


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["add", "take"]), st.integers(0, 3), st.integers(1, 8), st.booleans()
        ),
        max_size=30,
    )
)
async def test_what_is_refused_is_not_there_and_what_is_taken_is(
    valkey: Redis, steps: list[tuple[str, int, int, bool]]
) -> None:
    await valkey.flushdb()
    of = inbox(valkey, Watermarks(10, reader_rate=0.001, reader_burst=20))
    there: dict[int, list[bytes]] = {partition: [] for partition in range(4)}
    for what, partition, count, is_reader in steps:
        if what == "take":
            await take(of, count, partition)
            del there[partition][:count]
            continue
        # Some of them go elsewhere: all or none.
        batch = [Incoming((partition + n % 2) % 4, str(uuid4()).encode()) for n in range(count)]
        try:
            await of.append(batch, READER if is_reader else None)
        except (UnavailableError, TooManyRequestsError):
            continue
        for each in batch:
            there[each.partition].append(each.payload)
    found = {p: [entry.payload for entry in await of.read(p, 100)] for p in range(4)}
    assert found == there
    assert max(map(len, found.values())) <= 10


async def test_entries_grow_old_in_a_pause_without_shutting_the_inbox(valkey: Redis) -> None:
    hasty = inbox(valkey, Watermarks(10, oldest_s=5))
    long_ago = int((time.time() - 60) * 1000)
    await valkey.xadd(stream_key(1), {"e": "old"}, id=f"{long_ago}-0")
    with pytest.raises(UnavailableError):
        await hasty.append(entries(1))
    await pause(valkey, "Ana", None, datetime.now(UTC))
    assert await hasty.append(entries(1)) == [1]
    # Nobody comes for it: it is told of once a minute.
    assert 2_000 < await valkey.pttl(wake_key(1)) <= 60_000
    with pytest.raises(UnavailableError):
        await hasty.append(entries(9))
