"""Readers whose clocks are wrong, and the shots that come out right all the same."""

import random
from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from core.domain.values import EventType, Shot, Status
from core.gate import Incoming, Watermarks
from core.inbox import Inbox
from core.models.instants import instant, microseconds
from core.models.place import Place
from core.models.reader_binding import bind_from
from core.models.recompute import request_recompute
from core.postgres import Connection
from core.schema.inbox import Accepted, AcceptedBeat, AcceptedEvent, encode
from tests.fields import Field, now, put_up
from tests.workers.conftest import Range, cursed
from workers import batch
from workers.deps import Deps
from workers.drain import drain
from workers.late import drain_late

SECOND = 1_000_000
MINUTE = 60 * SECOND
BEHIND = {"1A bow": 2 * SECOND, "1A arrow": -1_500_000, "1 target": -2 * SECOND}

EVENT_SELECT_OFFSETS = "SELECT event_id, offset_ms, occurred_at FROM event ORDER BY event_id"
CLOCK_SELECT = "SELECT offset_ms, suspect, jumped_at FROM reader_clock WHERE reader_id = $1"


@dataclass(frozen=True, slots=True)
class Wrong:
    """Readers whose clocks are behind, each by so many microseconds.

    Args:
        field: Theirs.
        behind: By the reader's name; the others are right.
        way: How long a message is on its way.
    """

    field: Field
    behind: Mapping[str, int]
    way: int = 4_000

    def told(self, accepted: AcceptedEvent, reader: str, received_at: int) -> AcceptedEvent:
        """An event as such a reader says it."""
        behind = self.behind.get(reader, 0)
        return replace(
            accepted,
            ts=accepted.ts - behind,
            sent_at=received_at - self.way - behind,
            received_at=received_at,
        )

    def shot(self, at: float, received_at: int) -> list[AcceptedEvent]:
        """An arrow is drawn, leaves and lands."""
        bow = [self.field.event("1A bow", EventType.ENGAGE, at - 3), self.field.release(at)]
        landing = self.field.landed(at + 0.4, x=3)
        return [
            *(self.told(each, "1A bow", received_at) for each in bow),
            self.told(landing, "1 target", received_at),
        ]

    def beat(self, reader: str, received_at: int, *, started_at: int | None = None) -> AcceptedBeat:
        """A heartbeat with the reader's own token; `started_at` is by the server's clock."""
        behind = self.behind.get(reader, 0)
        return replace(
            self.field.beat(reader),
            received_at=received_at,
            sent_at=received_at - self.way - behind,
            started_at=None if started_at is None else started_at - behind,
        )


@pytest.fixture(name="wrong")
def _wrong(field: Field) -> Wrong:
    """Readers that are off by two seconds, either way."""
    return Wrong(field, BEHIND)


async def stored_offsets(line: Range) -> dict[UUID, tuple[float, int]]:
    """The offset and the corrected time of each event."""
    async with line.deps.pool.acquire() as conn:
        rows = await conn.fetch(EVENT_SELECT_OFFSETS)
    return {r["event_id"]: (r["offset_ms"], microseconds(r["occurred_at"])) for r in rows}


async def shots_of(line: Range) -> list[Shot]:
    """The shots, without their versions."""
    return [known.shot for known in await line.shots()]


async def test_readers_that_disagree_by_seconds_make_the_right_shots(
    line: Range, wrong: Wrong
) -> None:
    await line.say(*wrong.shot(10, now()), *wrong.shot(30, now()))
    shots = await shots_of(line)
    assert [(shot.status, shot.label) for shot in shots] == [(Status.LANDED, "X")] * 2
    released = [shot.released_at - line.field.starts_at for shot in shots]
    assert released == [10 * SECOND + 4_000, 30 * SECOND + 4_000]
    assert [(shot.landed_at or 0) - shot.released_at for shot in shots] == [400_000] * 2


async def test_an_offset_is_kept_with_the_event(line: Range, wrong: Wrong) -> None:
    said = wrong.shot(10, now())
    await line.say(*said)
    assert await stored_offsets(line) == {
        each.event_id: (offset, each.ts + round(offset * 1_000))
        for each, offset in zip(said, (2_004.0, 2_004.0, -1_996.0), strict=True)
    }


async def test_a_reader_that_never_says_when_it_sends_is_believed(line: Range) -> None:
    release = line.field.release(10)
    await line.say(release)
    assert await stored_offsets(line) == {release.event_id: (0.0, release.ts)}


async def test_an_event_without_a_word_has_the_offset_that_is_known(
    line: Range, wrong: Wrong
) -> None:
    await line.say(wrong.beat("1A bow", now()))
    release = replace(wrong.told(line.field.release(10), "1A bow", now()), sent_at=None)
    await line.say(release)
    assert (await stored_offsets(line))[release.event_id][0] == 2_004.0


async def test_an_event_that_is_sent_again_keeps_its_first_offset(
    line: Range, wrong: Wrong
) -> None:
    first = wrong.shot(10, now())
    await line.say(*first)
    before = await stored_offsets(line), await line.shots()
    again = [replace(each, sent_at=(each.sent_at or 0) - 9_000_000) for each in first]
    await line.say(*again)
    assert (await stored_offsets(line), await line.shots()) == before


async def test_what_is_read_again_after_a_crash_changes_nothing(line: Range, wrong: Wrong) -> None:
    said: list[Accepted] = []
    for number in range(20):
        said += [wrong.beat("1A bow", now() + number * 10 * SECOND)]
    await line.say(*said)
    async with line.deps.pool.acquire() as conn:
        before = await conn.fetch("SELECT * FROM reader_clock")
        await line.say(*said)
        assert await conn.fetch("SELECT * FROM reader_clock") == before


def tournament(wrong: Wrong, rng: random.Random) -> list[Accepted]:
    """Twenty arrows, each event in a message of its own that takes its time, and heartbeats."""
    begin, said = now() - 20 * MINUTE, list[Accepted]()
    for number in range(20):
        at = begin + number * 10 * SECOND
        said += [wrong.beat(reader, at) for reader in BEHIND]
        for event in wrong.shot(10 + number * 20, at + 5 * SECOND):
            way = round(rng.expovariate(1 / 40_000))
            said.append(replace(event, received_at=event.received_at + way))
    return said


async def test_any_batching_gives_the_same_offsets(line: Range, wrong: Wrong) -> None:
    rng = random.Random(5)
    said = tournament(wrong, rng)
    await line.say(*rng.sample(said, len(said)))
    expected = await stored_offsets(line), await shots_of(line)
    assert len(expected[1]) == 20
    found = {offset for offset, _ in expected[0].values()}
    # Within the millisecond that a clock may have moved from a heartbeat to the next event.
    assert all(min(abs(offset - true) for true in (2_004, -1_996)) < 1 for offset in found)
    await empty(line)
    said.sort(key=lambda each: each.received_at)
    while said:
        size = rng.randint(1, 9)
        await line.say(*said[:size])
        said = said[size:]
    assert (await stored_offsets(line), await shots_of(line)) == expected


async def empty(line: Range) -> None:
    """Forget what was said."""
    await line.forget()
    async with line.deps.pool.acquire() as conn:
        await conn.execute("TRUNCATE reader_clock, reader_status")


async def test_events_in_any_order_make_the_same_shots(line: Range, wrong: Wrong) -> None:
    rng = random.Random(6)
    said = tournament(wrong, rng)
    await line.say(*said)
    labels = [(s.release_event_id, s.landing_event_id, s.label) for s in await shots_of(line)]
    await empty(line)
    mixed = said + rng.choices(said, k=20)
    rng.shuffle(mixed)
    while mixed:
        await line.say(*mixed[:7])
        mixed = mixed[7:]
    assert labels == [
        (s.release_event_id, s.landing_event_id, s.label) for s in await shots_of(line)
    ]


async def test_recomputation_gives_the_same_shots(line: Range, wrong: Wrong) -> None:
    await line.say(*wrong.shot(10, now()))
    before = await stored_offsets(line), await line.shots()
    # By now the clocks are known to be elsewhere.
    elsewhere = replace(wrong, behind={name: 7 * SECOND for name in BEHIND})
    await line.say(*(elsewhere.beat(name, now() + SECOND) for name in BEHIND))
    async with line.deps.pool.acquire() as conn:
        await conn.execute("DELETE FROM standing")
        await conn.execute("DELETE FROM lesson")
        await conn.execute("DELETE FROM shot")
        await request_recompute(conn, line.field.targets.values())
    await line.say()
    after = await stored_offsets(line), await line.shots()
    assert after[0] == before[0]
    assert [known.shot for known in after[1]] == [known.shot for known in before[1]]


async def test_a_start_is_by_the_offset_of_its_reader(line: Range, wrong: Wrong) -> None:
    quick, started_at = now(), line.field.starts_at
    slow = replace(wrong, way=900_000)
    await line.say(wrong.beat("1 target", quick))
    await line.say(slow.beat("1 target", quick + 10 * SECOND, started_at=started_at))
    async with line.deps.pool.acquire() as conn:
        kept = await conn.fetchval(
            "SELECT started_at FROM reader_boot ORDER BY said_started_at DESC LIMIT 1"
        )
    assert microseconds(kept) == started_at + 4_000


async def test_what_was_seen_before_a_restart_is_on_the_clock_of_then(
    line: Range, wrong: Wrong
) -> None:
    field, begin = line.field, line.field.starts_at
    await line.say(wrong.beat("1A bow", begin + MINUTE, started_at=begin))
    kept_back = wrong.told(field.release(70), "1A bow", begin + 5 * MINUTE)
    # Switched on again after two minutes, its clock is right.
    right = Wrong(field, {})
    await line.say(right.beat("1A bow", begin + 4 * MINUTE, started_at=begin + 2 * MINUTE))
    kept_back = replace(kept_back, sent_at=begin + 5 * MINUTE - 4_000)
    seen_since = right.told(field.release(200), "1A bow", begin + 5 * MINUTE)
    await line.say(kept_back, seen_since)
    released = [shot.released_at - begin for shot in await shots_of(line)]
    assert released == [70 * SECOND + 4_000, 200 * SECOND + 4_000]


async def test_a_gateway_that_is_right_relays_a_reader_that_is_not(
    line: Range, wrong: Wrong
) -> None:
    right = Wrong(line.field, {})
    relayed = [replace(right.beat(name, now()), by_gateway=True) for name in BEHIND]
    await line.say(*relayed)
    await line.say(*wrong.shot(10, now()))
    await line.say(*(replace(each, received_at=now()) for each in relayed))
    await line.say(*wrong.shot(30, now()))
    assert [shot.label for shot in await shots_of(line)] == ["X", "X"]
    offsets = {offset for offset, _ in (await stored_offsets(line)).values()}
    assert offsets == {2_004.0, -1_996.0}


async def test_an_event_belongs_where_its_reader_was_by_the_servers_clock(deps: Deps) -> None:
    async with deps.pool.acquire() as conn:
        field = await put_up(conn, lanes=2)
        await move(conn, field, 20)
    line, wrong = Range(deps, field), Wrong(field, {"1 target": 15 * SECOND})
    # By its own clock it saw both before it was moved.
    before = wrong.told(field.landed(10.4), "1 target", now())
    after = wrong.told(field.landed(30.4, x=50), "1 target", now())
    await line.say(field.release(10, "1A"), field.release(30, "2A"), before, after)
    await line.say()
    found = {known.shot.landing_event_id: known.target_id for known in await line.shots()}
    assert found == {before.event_id: field.targets[1], after.event_id: field.targets[2]}


async def move(conn: Connection, field: Field, at: float) -> None:
    """Move lane 1's target reader to lane 2."""
    begin = instant(field.starts_at)
    place = Place(None, field.targets[2], begin)
    await bind_from(conn, field.readers["1 target"], place, begin + timedelta(seconds=at))


async def test_an_event_that_is_handed_over_keeps_the_offset_that_was_found(
    line: Range, wrong: Wrong
) -> None:
    right = line.deps.inbox.partition_of(line.field.targets[1])
    elsewhere = (right + 1) % line.deps.inbox.partitions
    event = wrong.told(line.field.landed(10.4), "1 target", now())
    await line.deps.inbox.append([Incoming(elsewhere, encode(event))])
    await drain(line.deps, elsewhere)
    # And an echo of it: its reader is heard when it is done.
    assert (await line.deps.inbox.depths())[right] == 2
    # By now its clock is known better.
    better = replace(wrong, way=1_000).beat("1 target", event.received_at)
    await line.deps.inbox.append([Incoming(elsewhere, encode(better))])
    await drain(line.deps, elsewhere)
    await drain(line.deps, right)
    while await drain_late(line.deps, right):
        pass
    stored = {event.event_id: (-1_996.0, event.ts - 1_996_000)}
    assert await stored_offsets(line) == stored
    assert set((await line.deps.inbox.depths()).values()) == {0}


async def test_a_target_that_fails_keeps_its_events_at_their_corrected_times(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deps.pool.acquire() as conn:
        field = await put_up(conn, lanes=2)
    one_partition = replace(deps, inbox=Inbox(deps.valkey, partitions=1, marks=Watermarks(1000)))
    line = Range(one_partition, field)

    monkeypatch.setattr(batch, "derive", cursed(field.targets[1]))
    wrong = Wrong(field, {"1A bow": 2 * SECOND, "2A bow": -3 * SECOND})
    said = [wrong.told(field.release(10, place), f"{place} bow", now()) for place in ("1A", "2A")]
    await line.say(*said)
    offsets = {event_id: offset for event_id, (offset, _) in (await stored_offsets(line)).items()}
    assert offsets == {said[0].event_id: 2_004.0, said[1].event_id: -2_996.0}


async def test_operators_are_told_once_of_a_clock_that_is_far_off(
    line: Range, wrong: Wrong
) -> None:
    far = replace(wrong, behind={"1A bow": 3_600 * SECOND})
    with capture_logs() as logs:
        for number in range(3):
            await line.say(far.beat("1A bow", now() + number * 10 * SECOND))
    told = [entry for entry in logs if entry["event"] == "a reader's clock is suspect"]
    assert [(e["log_level"], e["reason"], e["offset_ms"]) for e in told] == [
        ("warning", "implausible", 3_600_004.0)
    ]
    assert told[0]["reader"] == str(line.field.readers["1A bow"])


async def test_operators_are_told_of_a_clock_that_was_set(line: Range, wrong: Wrong) -> None:
    begin, right = now(), Wrong(line.field, {})
    await line.say(*(right.beat("1A bow", begin + n * 10 * SECOND) for n in range(5)))
    ahead = replace(wrong, behind={"1A bow": -5 * SECOND})
    with capture_logs() as logs:
        await line.say(ahead.beat("1A bow", begin + MINUTE))
        await line.say(ahead.beat("1A bow", begin + 2 * MINUTE))
    assert [e["reason"] for e in logs if "reason" in e] == ["jumped"]
    async with line.deps.pool.acquire() as conn:
        row = await conn.fetchrow(CLOCK_SELECT, line.field.readers["1A bow"])
    assert row is not None
    assert (row["offset_ms"], row["suspect"]) == (-4_996.0, "jumped")
    assert microseconds(row["jumped_at"]) == begin + MINUTE


async def test_what_cannot_have_happened_by_the_known_clock_is_by_its_own_word(
    line: Range, wrong: Wrong
) -> None:
    # Said to be a hundred years behind; then it says nothing, at the right time.
    century = 36_525 * 86_400 * SECOND
    await line.say(replace(wrong, behind={"1A bow": century}).beat("1A bow", now()))
    release = line.field.release(10)
    await line.say(release)
    assert await stored_offsets(line) == {release.event_id: (0.0, release.ts)}
