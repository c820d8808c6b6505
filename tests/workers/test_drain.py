"""A partition emptied: events in, shots and frames out."""

import json
import random
from copy import replace
from uuid import uuid4

import asyncpg
import pytest
from redis.exceptions import ConnectionError as LostConnection

from core.domain.values import EventType, Status
from core.feed import Message
from core.gate import Incoming, Watermarks, stream_key
from core.inbox import Inbox
from core.models.failed_job import count_failed_jobs
from core.models.instants import FOREVER
from core.models.untold import count_untold
from core.schema.inbox import AcceptedEvent, encode
from tests.fields import Field, put_up
from tests.workers.conftest import Range, cursed
from workers import batch
from workers.deps import Deps
from workers.drain import drain


def kinds(frames: list[Message] | tuple[Message, ...]) -> list[str]:
    """What the frames are."""
    return [json.loads(frame.text)["type"] for frame in frames]


async def test_a_release_and_its_landing_become_a_scored_shot(line: Range) -> None:
    release, landing = line.field.release(10), line.field.landed(10.4, x=3)
    await line.say(release, landing)
    (known,) = await line.shots()
    assert (known.shot.status, known.shot.score, known.shot.label) == (Status.LANDED, 10, "X")
    assert (known.shot.release_event_id, known.shot.landing_event_id) == (
        release.event_id,
        landing.event_id,
    )
    async with line.deps.pool.acquire() as conn:
        assert await count_untold(conn, FOREVER) == 1
        await line.deps.told.note(line.deps.pool)
        assert await count_untold(conn, FOREVER) == 0


async def test_what_is_committed_has_left_the_inbox(line: Range) -> None:
    await line.say(line.field.release(10))
    assert set((await line.deps.inbox.depths()).values()) == {0}


async def test_viewers_are_told_of_the_release_and_then_of_the_landing(line: Range) -> None:
    await line.say(line.field.release(10))
    await line.say(line.field.landed(10.4))
    told = [kind for kind in kinds(list(await line.frames())) if kind.startswith("shot.")]
    # The butt's reader had not been heard from, so the release of an hour ago was not settled
    # first.
    assert told == ["shot.created", "shot.updated", "shot.landed"]


async def test_a_replay_tells_of_the_release_too(line: Range) -> None:
    await line.say(line.field.release(10), line.field.landed(10.4))
    shots = [json.loads(f.text) for f in await line.frames()]
    told = [(f["type"], f["data"]["shot"]["version"]) for f in shots if "shot" in f["data"]]
    assert told == [("shot.created", 1), ("shot.landed", 2)]


async def test_the_same_events_again_change_nothing(line: Range) -> None:
    said = [line.field.release(10), line.field.landed(10.4)]
    await line.say(*said)
    before, frames = await line.shots(), len(await line.frames())
    await line.say(*said, *said)
    assert await line.shots() == before
    assert len(await line.frames()) == frames


async def test_a_request_id_travels_from_the_event_to_the_frame(line: Range) -> None:
    request_id = uuid4()
    event = line.field.event("1A bow", EventType.RELEASE, 10, request_id=request_id)
    await line.say(event)
    frames = [json.loads(frame.text) for frame in await line.frames()]
    assert frames[0]["request_id"] == str(request_id)


async def test_any_order_and_batching_of_a_tournament_ends_in_the_same_shots(deps: Deps) -> None:
    async with deps.pool.acquire() as conn:
        field = await put_up(conn, lanes=2, letters="AB")
    rng = random.Random(7)
    said: list[AcceptedEvent] = []
    for number in range(24):
        at, place = 10 + number * 9.7, rng.choice(["1A", "1B", "2A", "2B"])
        said.append(field.event(f"{place} bow", EventType.ENGAGE, at - 3))
        said.append(field.release(at, place))
        if rng.random() < 0.9:
            said.append(field.landed(at + 0.35, int(place[0]), x=rng.uniform(-300, 300)))
    line = Range(deps, field)
    await line.say(*said, field.beat("1 target"), field.beat("2 target"))
    expected = {known.shot.id: known.shot for known in await line.shots()}
    await line.forget()
    mixed = said + rng.choices(said, k=30)
    rng.shuffle(mixed)
    while mixed:
        size = rng.randint(1, 9)
        await line.say(*mixed[:size])
        mixed = mixed[size:]
    assert {known.shot.id: known.shot for known in await line.shots()} == expected
    assert len(expected) == 24


async def test_a_reader_without_a_place_makes_no_shot_and_its_events_are_kept(line: Range) -> None:
    async with line.deps.pool.acquire() as conn:
        await conn.execute("DELETE FROM reader_binding")
    await line.say(line.field.release(10))
    async with line.deps.pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM event") == 1
    assert await line.shots() == []


async def test_an_event_in_the_wrong_partition_finds_its_target(deps: Deps, field: Field) -> None:
    line = Range(deps, field)
    right = deps.inbox.partition_of(field.targets[1])
    wrong = (right + 1) % deps.inbox.partitions
    await deps.inbox.append([Incoming(wrong, encode(field.release(10)))])
    await drain(deps, wrong)
    assert await line.shots() == []
    await drain(deps, right)
    assert len(await line.shots()) == 1


async def test_what_belongs_elsewhere_goes_there_however_much_lies_there(deps: Deps) -> None:
    """It was accepted: nobody could be told to send it again."""
    full = replace(deps, inbox=Inbox(deps.valkey, partitions=16, marks=Watermarks(2)))
    async with deps.pool.acquire() as conn:
        line = Range(full, await put_up(conn, lanes=6))
    field, inbox = line.field, full.inbox
    homes = {lane: inbox.partition_of(target) for lane, target in field.targets.items()}
    home, lane = homes[1], next(lane for lane in homes if homes[lane] != homes[1])
    both = [encode(field.release(10, place)) for place in ("1A", f"{lane}A")]
    await inbox.append([Incoming(home, each) for each in both])
    lying = [field.release(at, f"{lane}A") for at in (40, 70)]
    await inbox.append([Incoming(homes[lane], encode(each)) for each in lying])
    await drain(full, home)
    # With its reader's word, which comes behind what lies there.
    assert [(await inbox.depths())[partition] for partition in (home, homes[lane])] == [0, 4]
    await drain(full, homes[lane])
    assert len(await line.shots()) == 4


async def test_what_cannot_go_where_it_belongs_stays_with_all_that_came_with_it(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deps.pool.acquire() as conn:
        line = Range(deps, await put_up(conn, lanes=6))
    homes = {n: deps.inbox.partition_of(target) for n, target in line.field.targets.items()}
    home, lane = homes[1], next(lane for lane in homes if homes[lane] != homes[1])
    both = [encode(line.field.release(10, place)) for place in ("1A", f"{lane}A")]
    await deps.inbox.append([Incoming(home, each) for each in both])

    async def refuse(*_: object) -> None:
        raise LostConnection("the store is away")

    async def full(*_: object) -> None:
        raise asyncpg.DiskFullError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(batch, "derive", full)
        for _ in range(2):
            with pytest.raises(asyncpg.DiskFullError):
                await drain(deps, home)
    assert (await deps.inbox.depths())[homes[lane]] == 0
    with monkeypatch.context() as patched:
        patched.setattr(Inbox, "carry", refuse)
        with pytest.raises(LostConnection):
            await drain(deps, home)
    assert await line.frames() == []
    assert (await deps.inbox.depths())[home] == 2
    for partition in (home, homes[lane]):
        await drain(deps, partition)
    assert len(await line.shots()) == 2
    assert set((await deps.inbox.depths()).values()) == {0}


async def test_a_crash_between_commit_and_acknowledgement_doubles_nothing(
    line: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Inbox, "acknowledge_with", lambda *_: None)
        await line.say(line.field.release(10), line.field.landed(10.4))
    before, told = await line.shots(), await line.frames()
    await line.say()
    assert await line.shots() == before
    assert await line.frames() == told
    assert set((await line.deps.inbox.depths()).values()) == {0}


async def test_a_target_that_cannot_be_derived_does_not_hold_up_the_others(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deps.pool.acquire() as conn:
        field = await put_up(conn, lanes=2)
    one_partition = replace(deps, inbox=Inbox(deps.valkey, partitions=1, marks=Watermarks(1000)))
    line = Range(one_partition, field)

    monkeypatch.setattr(batch, "derive", cursed(field.targets[1]))
    await line.say(field.release(10, "1A"), field.release(10, "2A"))
    assert [known.target_id for known in await line.shots()] == [field.targets[2]]
    async with deps.pool.acquire() as conn:
        assert await count_failed_jobs(conn) == 1
        assert await conn.fetchval("SELECT count(*) FROM event") == 2
    assert set((await line.deps.inbox.depths()).values()) == {0}


async def test_an_unreadable_entry_is_written_down_and_leaves(line: Range) -> None:
    await line.deps.valkey.xadd(stream_key(3), {"e": b"\xff not json"})
    await drain(line.deps, 3)
    assert await line.deps.valkey.xlen(stream_key(3)) == 0
    async with line.deps.pool.acquire() as conn:
        row = await conn.fetchrow("SELECT function, arguments FROM failed_job")
    assert row is not None
    assert (row["function"], row["arguments"]["payload"]) == ("read_entry", "\\xff not json")


async def test_one_landing_cannot_be_stored_for_two_shots(line: Range) -> None:
    await line.say(line.field.release(10), line.field.landed(10.4), line.field.release(300))
    async with line.deps.pool.acquire() as conn:
        with pytest.raises(asyncpg.UniqueViolationError):
            await conn.execute(
                "UPDATE shot SET status = 'landed', landing_event_id = (SELECT landing_event_id "
                "FROM shot WHERE landing_event_id IS NOT NULL) WHERE landing_event_id IS NULL"
            )
