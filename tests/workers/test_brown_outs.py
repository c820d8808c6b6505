"""A reader without a battery that is switched off and on again and again, sometimes at once: its
clock begins at 1970 each time."""

import random
from collections.abc import Iterator, Sequence
from copy import replace
from dataclasses import dataclass
from dataclasses import field as made_by
from uuid import uuid4

import pytest

from core.domain.clock import Bounds
from core.domain.values import SECOND, Status
from core.schema.inbox import Accepted, AcceptedBeat, AcceptedEvent, Start
from tests.fields import Field, as_if_received_then, now
from tests.workers.conftest import Range, cursed, in_one_partition
from tests.workers.moves import (
    a_while_later,
    ago,
    became,
    in_batches,
    moved_lately,
    past_its_opening,
    then,
)
from workers.clocks import correct
from workers.deps import Deps
from workers.drain import drain
from workers.sweep import sweep
from workers.ways import telling_most

BEGIN, SHOT_EVERY, FLIGHT = 900.0, (6.0, 20.0), 0.4
# When a run began, and when an arrow was shot in it, which the first did not see land.
RUNS_OF_A_MOVED_READER = ((300, 299.3), (296.3, 294), (296.3, 285))


@dataclass
class Story:
    """What was said, with when it came, and the arrows. All times are seconds before `end`.

    Args:
        line: Where it happens.
        rng: Draws everything.
        end: Microseconds.
    """

    line: Range
    rng: random.Random
    end: int
    said: list[Accepted] = made_by(default_factory=list)
    hits: list[AcceptedEvent] = made_by(default_factory=list)
    unseen: list[AcceptedEvent] = made_by(default_factory=list)

    def say[Said: (AcceptedEvent, AcceptedBeat)](
        self, word: Said, left: float, run: float | None
    ) -> Said:
        """Have a word come soon after it left, by the clock of a run of its reader."""
        way = self.rng.uniform(0.005, 0.05)
        by_its_clock = None if run is None else round((run - left) * SECOND)
        came = self.end - round((left - way) * SECOND)
        heard = replace(word, received_at=came, sent_at=by_its_clock)
        self.said.append(heard)
        return heard

    def shoot(self, at: float, run: float | None) -> None:
        """An arrow, and its landing where the reader runs and sees it."""
        shot = self.line.field.release((self.end - self.line.field.starts_at) / SECOND - at)
        release = self.say(shot, at, None)
        if run is None:
            self.unseen.append(release)
        elif self.rng.random() < 0.5:
            self.hits.append(release)
            landed = replace(self.line.field.landed(0), ts=round((run - at + FLIGHT) * SECOND))
            self.say(landed, at - FLIGHT - 0.01, run)


def runs(rng: random.Random) -> Iterator[tuple[float, float]]:
    """When the reader was switched on, and off."""
    on = BEGIN
    while on > 20:
        lasts = rng.choice([(0.5, 15), (20, 200), (100, 300)])
        off = max(0.0, on - rng.uniform(*lasts))
        yield on, off
        on = off - rng.uniform(*rng.choice([(0.3, 4), (5, 30), (30, 120)]))


def told(line: Range, seed: int) -> Story:
    """A quarter of an hour."""
    story = Story(line, random.Random(seed), now())
    began = list(runs(story.rng))
    for on, off in began:
        at = on - story.rng.uniform(0.2, 2)
        while at > off:
            story.say(replace(line.field.beat(buffered=0), started_at=0), at, on)
            at -= story.rng.choice([10, 10, 10, 30])
    at = BEGIN
    while (at := at - story.rng.uniform(*SHOT_EVERY)) > 40:
        running = (on for on, off in began if on >= at and off <= at - FLIGHT - 0.2)
        story.shoot(at, next(running, None))
    story.said.sort(key=lambda word: word.received_at)
    return story


@pytest.mark.parametrize("seed", [4, 31, 47, 52, 55, 99])
async def test_no_arrow_that_hit_or_that_nobody_saw_is_a_miss(deps: Deps, seed: int) -> None:
    line = await in_one_partition(deps)
    await past_its_opening(line)
    story = told(line, seed)
    cut = random.Random(seed)
    while story.said:
        some = cut.choice([1, 1, 2, 5])
        await line.say(*story.said[:some])
        del story.said[:some]
    await a_while_later(line, 0)
    wrong = [
        each for each in story.hits + story.unseen if await became(line, each) is Status.MISSED
    ]
    assert not wrong
    assert story.hits and story.unseen


def beat_of(line: Range, on: float, left: float, way: float = 0.02) -> AcceptedBeat:
    """A heartbeat of a run that began `on` seconds ago, sent `left` seconds ago."""
    beat = replace(line.field.beat(buffered=0), started_at=0, sent_at=round((on - left) * SECOND))
    return then(beat, left - way)


def hit(
    line: Range, on: float, at: float, place: str = "1A"
) -> tuple[AcceptedEvent, AcceptedEvent]:
    """An arrow so many seconds ago, and its landing by the clock of such a run."""
    by_its_clock = round((on - at + FLIGHT) * SECOND)
    landed = replace(line.field.landed(0), ts=by_its_clock, sent_at=by_its_clock)
    return then(line.field.release(ago(line, at), place), at), then(landed, at - FLIGHT)


async def test_what_is_slow_about_a_start_moves_nothing_that_is_on_time(line: Range) -> None:
    await past_its_opening(line)
    # Off 299 s ago, and on again three seconds later.
    said: list[Accepted] = [beat_of(line, 500, left) for left in (500, 400, 310)]
    said += [beat_of(line, 500, 300, way=7), beat_of(line, 296, 295, way=5)]
    said += [beat_of(line, 296, left) for left in range(285, 40, -10)]
    arrows = [hit(line, 296, at) for at in range(271, 60, -40)]
    said += [each for arrow in arrows for each in arrow]
    for each in sorted(said, key=lambda one: one.received_at):
        await line.say(each)
    await a_while_later(line, 0)
    assert {await became(line, release) for release, _ in arrows} == {Status.LANDED}


@pytest.mark.parametrize("is_together", [False, True])
@pytest.mark.parametrize(
    ("begun", "first_word", "again", "word_again", "unseen"),
    [
        # Known by the second message: the first looks like one of the run before that was slow.
        (300, 299.6, 296.3, 295.1, 299.3),
        # Known at once, less than five seconds after the start before was.
        (300, 298.3, 294.6, 293.5, 297.5),
    ],
)
async def test_who_is_on_again_at_once_did_not_see_what_was_shot_between(
    deps: Deps,
    begun: float,
    first_word: float,
    again: float,
    word_again: float,
    unseen: float,
    is_together: bool,
) -> None:
    line = await in_one_partition(deps)
    await past_its_opening(line)
    said: list[Accepted] = [beat_of(line, 500, left) for left in (495, 485, 315, 305)]
    said += [beat_of(line, begun, first_word), beat_of(line, again, word_again)]
    said += [beat_of(line, again, left) for left in (285, 275, 240, 50)]
    release, _ = hit(line, begun, unseen)
    seen = [hit(line, 500, 320), hit(line, again, 250)]
    said += [release, *seen[0], *seen[1]]
    said.sort(key=lambda each: each.received_at)
    await in_batches(line, said, is_together=is_together)
    await a_while_later(line, 0)
    assert await became(line, release) is Status.UNRESOLVED
    assert [await became(line, shot) for shot, _ in seen] == [Status.LANDED] * 2


@pytest.mark.parametrize("is_together", [False, True])
async def test_a_landing_after_a_start_that_nobody_knew_of_is_no_word_of_the_run_before(
    deps: Deps, is_together: bool
) -> None:
    line = await in_one_partition(deps)
    await past_its_opening(line)
    unseen, _ = hit(line, 300, 299.3)
    early, seen = hit(line, 296.3, 294), hit(line, 296.3, 250)
    said: list[Accepted] = [beat_of(line, 500, left) for left in (495, 485, 315, 305)]
    said += [beat_of(line, 300, 299.6), unseen, *early]
    said += [beat_of(line, 296.3, left) for left in (285, 275)]
    said += [*seen, beat_of(line, 296.3, 50)]
    await in_batches(line, said, is_together=is_together)
    await a_while_later(line, 0)
    became_of = [await became(line, shot) for shot in (unseen, early[0], seen[0])]
    assert became_of == [Status.UNRESOLVED, Status.UNRESOLVED, Status.LANDED]


@pytest.mark.parametrize("is_together", [False, True])
@pytest.mark.parametrize("is_over", [False, True])
async def test_a_landing_that_is_all_that_is_said_after_a_start_is_no_word_of_the_run_before(
    deps: Deps, is_together: bool, is_over: bool
) -> None:
    line = await in_one_partition(deps)
    await past_its_opening(line)
    unseen, _ = hit(line, 500, 250)
    before, seen = hit(line, 500, 308), hit(line, 230, 229)
    said: list[Accepted] = [beat_of(line, 500, left) for left in (495, 485, 315)]
    said += [*before, unseen, *seen]
    said += [] if is_over else [beat_of(line, 230, left) for left in (220, 50)]
    await in_batches(line, said, is_together=is_together)
    await a_while_later(line, 0)
    became_of = [await became(line, shot) for shot in (before[0], unseen, seen[0])]
    assert became_of == [Status.LANDED, Status.UNRESOLVED, Status.LANDED]


@pytest.mark.parametrize("named", [1_000, 5_000])
async def test_who_names_its_start_a_little_otherwise_was_switched_on_again_all_the_same(
    deps: Deps, named: int
) -> None:
    line = await in_one_partition(deps)
    await past_its_opening(line)
    unseen, _ = hit(line, 500, 250)
    said = [replace(beat_of(line, 500, left), started_at=3_000) for left in (495, 485, 475, 315)]
    again = [replace(beat_of(line, 230, left), started_at=named) for left in (229, 220, 210, 50)]
    await in_batches(line, [*said, unseen, *again], is_together=False)
    assert await became(line, unseen) is Status.UNRESOLVED


@pytest.mark.parametrize("is_together", [False, True])
@pytest.mark.parametrize(
    "heard_of",
    [
        # When each run began, and when it was heard: the second is slow to join its network.
        {300: (299.8,), 296: (291.2, 281, 271, 261, 50)},
        # The second is known by nothing but the third.
        {300: (299.8,), 295.5: (292.0,), 291: (290, 280, 270, 50)},
    ],
)
async def test_what_comes_late_in_a_run_is_no_word_of_the_one_before(
    deps: Deps, heard_of: dict[float, tuple[float, ...]], is_together: bool
) -> None:
    line = await in_one_partition(deps)
    await past_its_opening(line)
    # Off before it lands.
    unseen, _ = hit(line, 300, 299.2)
    said: list[Accepted] = [beat_of(line, 500, left) for left in (495, 485, 315, 305)]
    said += [unseen, *(beat_of(line, on, left) for on, heard in heard_of.items() for left in heard)]
    said.sort(key=lambda each: each.received_at)
    await in_batches(line, said, is_together=is_together)
    assert await became(line, unseen) is Status.UNRESOLVED


@pytest.mark.parametrize("slow", [range(265, 125, -10), (285, 275, 265)])
async def test_a_start_stays_known_when_the_way_becomes_another(
    deps: Deps, slow: Sequence[int]
) -> None:
    line = await in_one_partition(deps)
    await past_its_opening(line)
    unseen, _ = hit(line, 300, 299.3)
    said: list[Accepted] = [beat_of(line, 500, left) for left in (495, 485, 315, 305)]
    said += [beat_of(line, 300, 299.6), unseen, beat_of(line, 296.3, 295.1)]
    # So many that the clock would count as set, were it one that is.
    said += [
        beat_of(line, 296.3, left, way=0.9 if left in slow else 0.02)
        for left in range(285, 40, -10)
    ]
    await in_batches(line, said, is_together=False)
    assert await became(line, unseen) is Status.UNRESOLVED


async def test_a_start_that_a_landing_makes_known_is_kept_where_its_butt_fails(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = await in_one_partition(deps)
    await past_its_opening(line)
    unseen, _ = hit(line, 500, 250)
    before, seen, later = hit(line, 500, 308), hit(line, 230, 229), hit(line, 230, 222)
    said: list[Accepted] = [beat_of(line, 500, left) for left in (495, 485, 315)]
    await in_batches(line, [*said, *before, unseen, seen[0]], is_together=False)
    with monkeypatch.context() as patched:
        patched.setattr("workers.batch.derive", cursed(line.field.targets[1]))
        await line.say(seen[1])
    await in_batches(line, later, is_together=False)
    became_of = [await became(line, shot) for shot in (before[0], unseen, seen[0], later[0])]
    landed = Status.LANDED
    assert became_of == [landed, Status.UNRESOLVED, landed, landed]


@pytest.mark.parametrize("is_again_first", [False, True])
async def test_a_start_that_a_landing_makes_known_that_is_sent_again_waits_with_its_reader(
    deps: Deps, is_again_first: bool
) -> None:
    moved = await moved_lately(deps, 600)
    line, place = moved.line, f"{moved.lane}A"
    for at in range(10, 410, 10):
        shot = line.field.release(at, place), line.field.landed(at + 0.4, moved.lane)
        await moved.put(moved.after, *map(as_if_received_then, shot))
    await drain(deps, moved.after)
    unseen, early, seen = (hit(line, on, at, place) for on, at in RUNS_OF_A_MOVED_READER)
    again = replace(early[1], sent_at=seen[1].sent_at, received_at=seen[1].received_at)
    said: list[Accepted] = [beat_of(line, 500, left) for left in (495, 485, 315, 305)]
    said += [beat_of(line, 300, 299.6), unseen[0], *early, seen[0]]
    for each in said:
        await moved.put(moved.after, each)
        await drain(deps, moved.after)
    # Something of it waits where it was before.
    await moved.put(moved.before, hit(line, 500, 400)[1])
    two = [again, seen[1]]
    await moved.put(moved.after, *(two if is_again_first else reversed(two)))
    await drain(deps, moved.after)
    for _ in range(2):
        await moved.do_all()
        await sweep(deps)
    await moved.do_all()
    for partition in (moved.after, moved.before):
        await drain(deps, partition, with_overdue=True)
    assert await became(line, unseen[0]) is Status.UNRESOLVED


async def test_a_clock_that_is_ahead_of_its_gateway_names_one_start(line: Range) -> None:
    # Once: it would wander with the time that the test takes, and be another start.
    started = ago(line, 70 - 3600)
    for left in range(60, 0, -10):
        beat = then(line.field.beat(started=started, buffered=0), left)
        await line.say(replace(beat, sent_at=beat.received_at - 20_000, by_gateway=True))
    async with line.deps.pool.acquire() as conn:
        reader = line.field.readers["1 target"]
        starts = await conn.fetchval(
            "SELECT count(*) FROM reader_boot WHERE reader_id = $1 AND started_at > '2000-01-01'",
            reader,
        )
    assert starts == 1


def test_of_a_request_the_first_landing_tells_of_the_start_that_it_makes_known(
    field: Field,
) -> None:
    end = now()

    def heard(ran: float, ago_s: float, lands: int) -> list[Accepted]:
        """What came so long ago of a run that had lasted so long: landings, else a heartbeat."""
        came, by_its_clock = end - round(ago_s * SECOND), round(ran * SECOND)
        if not lands:
            return [replace(field.beat(), received_at=came, sent_at=by_its_clock, started_at=0)]
        landed = replace(field.landed(0), ts=by_its_clock, sent_at=by_its_clock, received_at=came)
        return [replace(landed, event_id=uuid4()) for _ in range(lands)]

    before = [*heard(10, 100, 0), *heard(20, 90, 0)]
    said = [*before, *heard(3, 60, 3), *heard(4, 59, 2)]
    accepted = correct(Bounds(), said, {}).accepted
    starts = [each.start for each in accepted if isinstance(each, AcceptedEvent)]
    known_at, last = end - 60 * SECOND, end - 90 * SECOND
    assert starts == [Start(0, known_at, last + Bounds().jump), None, None, None, None]
    # What is relayed tells nothing of when its reader was switched on.
    (landing,) = heard(3, 60, 1)
    assert isinstance(landing, AcceptedEvent)
    *_, relayed = correct(Bounds(), [*before, replace(landing, by_gateway=True)], {}).accepted
    assert isinstance(relayed, AcceptedEvent) and relayed.start is None


def test_of_each_run_the_last_heartbeat_that_is_held_up_is_heard(line: Range) -> None:
    said = [
        beat_of(line, on, left) for on, left in ((500, 495), (500, 310), (290, 289), (290, 280))
    ]
    beats = [
        each for each in correct(Bounds(), said, {}).accepted if isinstance(each, AcceptedBeat)
    ]
    assert [beat for _, beat in telling_most([(0, beat) for beat in beats])] == [beats[1], beats[3]]
