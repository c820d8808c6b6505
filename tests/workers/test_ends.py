"""Arrows counted into ends, and what counts in them, as workers write it."""

import random
from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

from core.domain.outcome import shot_id
from core.domain.review import is_listed
from core.domain.rulings import Action
from core.domain.values import ShotFlag, Status
from core.domain.window import Span
from core.models.correlated_shot import StoredShot
from core.models.instants import instant
from core.models.recompute import request_recompute
from core.models.ruling import Author, NewRuling, insert_ruling, undo_ruling
from core.models.target import TARGETS, change_target
from core.postgres import Connection
from core.schema.inbox import AcceptedEvent
from core.schema.ruling import Ruling
from core.schema.target import FaceWish, TargetUpdate
from tests.fields import Field, put_up
from tests.workers.conftest import Range
from workers.deps import Deps

MANUAL_INSERT = """
INSERT INTO shooting_end (id, session_id, number, control, opened_at, closed_at)
VALUES ($1, $2, $3, 'manual', $4, $5)
"""
MANUAL_CLOSE = "UPDATE shooting_end SET closed_at = $2 WHERE number = $1"
RULES_UPDATE = "UPDATE session SET rules = rules || $1::jsonb"
STANDING_SELECT = "SELECT total, arrows, xs FROM standing WHERE slot_id = $1"
# Millimetres beside the centre of wa_122_full for each score; the rings are 61 mm apart.
BESIDE = {10: 40.0, 9: 90.0, 8: 150.0, 7: 210.0, 6: 270.0}


async def line_of(
    deps: Deps, rules: Mapping[str, int | str], *, letters: str = "A", face: str = "wa_122_full"
) -> Range:
    """A butt with a face for all, shot at by these rules."""
    async with deps.pool.acquire() as conn:
        field = await put_up(conn, letters=letters, rules=rules)
        await hang(conn, field, face)
    return Range(deps, field)


async def hang(conn: Connection, field: Field, face_type: str, lane: int = 1) -> None:
    """Hang this face instead of what hangs there."""
    before = await TARGETS.one(conn, field.targets[lane])
    await change_target(conn, before, TargetUpdate(faces=[FaceWish(face_type=face_type, x=0, y=0)]))


def shot(field: Field, at: float, score: int, place: str = "1A") -> list[AcceptedEvent]:
    """An arrow that scores so much on a face with rings of 61 mm."""
    return [field.release(at, place), field.landed(at + 0.35, x=BESIDE[score])]


def round_of(field: Field, *scores: int, place: str = "1A", at: float = 10) -> list[AcceptedEvent]:
    """Arrows a minute apart."""
    return [e for n, score in enumerate(scores) for e in shot(field, at + 60 * n, score, place)]


async def open_end(line: Range, number: int, begins: float, ends: float | None = None) -> None:
    """A judge opens an end, and the butt is derived anew."""
    at = [None if s is None else instant(micro(line.field, s)) for s in (begins, ends)]
    async with line.deps.pool.acquire() as conn:
        await conn.execute(MANUAL_INSERT, uuid4(), line.field.session_id, number, *at)


def micro(field: Field, second: float) -> int:
    """So many seconds after the session's start."""
    return field.starts_at + round(second * 1_000_000)


async def derived_anew(line: Range, since: float | None = None) -> None:
    """The API asks for it, and it is done."""
    begin = None if since is None else instant(micro(line.field, since))
    async with line.deps.pool.acquire() as conn, conn.transaction():
        await request_recompute(conn, [line.field.targets[1]], since=begin)
    await line.say()


async def rules_changed(line: Range, **rules: object) -> None:
    """Other rules, and all derived by them."""
    async with line.deps.pool.acquire() as conn:
        await conn.execute(RULES_UPDATE, rules)
    await derived_anew(line)


async def totals(line: Range, place: str = "1A") -> tuple[int, int, int]:
    """A slot's total, arrows and Xs."""
    async with line.deps.pool.acquire() as conn:
        row = await conn.fetchrow(STANDING_SELECT, line.field.slots[place])
    assert row is not None
    return row["total"], row["arrows"], row["xs"]


def labels(shots: Sequence[StoredShot]) -> list[str | None]:
    """What they count."""
    return [known.shot.label for known in shots]


def numbers(shots: Sequence[StoredShot]) -> list[int]:
    """The ends that they belong to."""
    return [known.end_number for known in shots]


def with_flag(shots: Sequence[StoredShot], flag: ShotFlag) -> list[int]:
    """The places of those that carry a flag."""
    return [n for n, known in enumerate(shots) if flag in known.shot.flags]


async def test_without_arrows_per_end_all_is_one_end(deps: Deps) -> None:
    line = await line_of(deps, {"ends": 1})
    await line.say(*round_of(line.field, 9, 8, 9, 8))
    shots = await line.shots()
    assert (numbers(shots), labels(shots)) == ([1] * 4, ["9", "8", "9", "8"])


async def test_arrows_are_counted_into_ends(deps: Deps) -> None:
    line = await line_of(deps, {"arrows_per_end": 2}, letters="AB")
    await line.say(*round_of(line.field, 9, 8, 7), *round_of(line.field, 6, place="1B", at=30))
    shots = await line.shots()
    by_slot = {
        slot: [s.end_number for s in shots if s.shot.slot_id == slot] for slot in slots(line)
    }
    assert by_slot == {line.field.slots["1A"]: [1, 1, 2], line.field.slots["1B"]: [1]}


def slots(line: Range) -> Sequence[UUID]:
    """The butt's slots."""
    return list(line.field.slots.values())


async def test_an_arrow_that_comes_late_moves_those_after_it_into_the_next_end(deps: Deps) -> None:
    line = await line_of(deps, {"arrows_per_end": 2})
    late, *rest = [shot(line.field, 10 + 60 * n, s) for n, s in enumerate((9, 8, 7, 6))]
    await line.say(*(event for events in rest for event in events))
    assert numbers(await line.shots()) == [1, 1, 2]
    versions = [known.version for known in await line.shots()]
    await line.say(*late)
    shots = await line.shots()
    assert numbers(shots) == [1, 1, 2, 2]
    assert [known.version for known in shots] == [2, versions[0], versions[1] + 1, versions[2]]
    told = [frame.text for frame in await line.frames() if "shot.updated" in frame.text]
    assert len(told) == 1


async def test_an_arrow_past_the_last_end_takes_the_highest_of_it_away(deps: Deps) -> None:
    line = await line_of(deps, {"arrows_per_end": 2, "ends": 2})
    await line.say(*round_of(line.field, 9, 9, 10, 8))
    assert await totals(line) == (36, 4, 0)
    await line.say(*shot(line.field, 600, 7))
    shots = await line.shots()
    assert (numbers(shots), labels(shots)) == ([1, 1, 2, 2, 2], ["9", "9", "M", "8", "7"])
    assert with_flag(shots, ShotFlag.EXTRA_ARROW) == [2]
    assert shots[2].shot.status is Status.LANDED
    assert await totals(line) == (33, 5, 0)


async def test_rules_that_change_number_and_value_all_anew(deps: Deps) -> None:
    line = await line_of(deps, {"arrows_per_end": 2, "ends": 1})
    await line.say(*round_of(line.field, 9, 10, 8, 7))
    before = await line.shots()
    assert labels(before) == ["M", "M", "8", "7"]
    await rules_changed(line, arrows_per_end=3, ends=2)
    shots = await line.shots()
    assert (numbers(shots), labels(shots)) == ([1, 1, 1, 2], ["9", "10", "8", "7"])
    assert [known.version for known in shots] == [known.version + 1 for known in before[:2]] + [
        before[2].version,
        before[3].version + 1,
    ]
    assert await totals(line) == (34, 4, 0)
    await rules_changed(line, arrows_per_end=None)
    assert numbers(await line.shots()) == [1] * 4


async def test_two_in_one_spot_count_as_the_lower(deps: Deps) -> None:
    line = await line_of(deps, {"arrows_per_end": 3}, face="wa_40_triple_vertical")
    said = [
        event
        for at, x in ((10, 0.0), (70, 33.0), (130, 53.0))
        for event in (line.field.release(at), line.field.landed(at + 0.35, x=x))
    ]
    await line.say(*said[:2])
    assert await totals(line) == (10, 1, 1)
    await line.say(*said[2:])
    shots = await line.shots()
    assert labels(shots) == ["M", "M", "8"]
    assert [known.shot.spot for known in shots] == [1, 1, 1]
    assert await totals(line) == (8, 3, 0)


async def test_an_arrow_taken_back_gives_the_extra_one_its_value_again(deps: Deps) -> None:
    line = await line_of(deps, {"arrows_per_end": 2, "ends": 1})
    first, second, third = (shot(line.field, at, s) for at, s in ((10, 9), (70, 8), (130, 7)))
    await line.say(*first, *second, *third)
    assert labels(await line.shots()) == ["M", "8", "7"]
    async with line.deps.pool.acquire() as conn:
        # The bow's reader was bound elsewhere when it said that.
        await conn.execute(
            "UPDATE reader_binding SET valid_to = $2 WHERE reader_id = $1",
            line.field.readers["1A bow"],
            instant(micro(line.field, 100)),
        )
    await derived_anew(line, since=129)
    shots = await line.shots()
    assert [known.shot.status for known in shots] == [Status.LANDED, Status.LANDED, Status.VOIDED]
    assert labels(shots)[:2] == ["9", "8"]
    assert await totals(line) == (17, 2, 0)


async def test_whatever_the_order_and_the_batches_the_ends_are_the_same(deps: Deps) -> None:
    line = await line_of(deps, {"arrows_per_end": 3, "ends": 3}, letters="AB")
    rng = random.Random(7)
    said = round_of(line.field, *rng.choices(list(BESIDE), k=11))
    said += round_of(line.field, *rng.choices(list(BESIDE), k=8), place="1B", at=40)
    await line.say(*said, line.field.beat())
    expected = [(known.shot, known.end_number) for known in await line.shots()]
    assert len(with_flag(await line.shots(), ShotFlag.EXTRA_ARROW)) == 2
    await line.forget()
    rng.shuffle(said)
    while said:
        await line.say(*said[:3])
        said = said[3:]
    await line.say(line.field.beat())
    assert [(known.shot, known.end_number) for known in await line.shots()] == expected


MANUAL: Mapping[str, int | str] = {"arrows_per_end": 2, "end_control": "manual"}


async def test_what_is_shot_outside_of_every_end_is_seen_and_does_not_count(deps: Deps) -> None:
    line = await line_of(deps, MANUAL)
    await open_end(line, 1, 60, 100)
    await line.say(*round_of(line.field, 9, 8, 7))
    shots = await line.shots()
    assert (numbers(shots), labels(shots)) == ([0, 1, 1], ["9", "8", "7"])
    assert with_flag(shots, ShotFlag.OUT_OF_END) == [0, 2]
    assert await totals(line) == (8, 1, 0)
    created = [frame.text for frame in await line.frames() if "shot.created" in frame.text]
    assert ["out_of_end" in text for text in created] == [True, False, True]


async def test_an_end_opened_afterwards_takes_in_what_was_shot_in_it(deps: Deps) -> None:
    line = await line_of(deps, MANUAL)
    await line.say(*round_of(line.field, 9, 8, 7))
    assert await totals(line) == (0, 0, 0)
    await open_end(line, 1, 5)
    await derived_anew(line, since=5)
    shots = await line.shots()
    assert (numbers(shots), labels(shots)) == ([1, 1, 1], ["M", "8", "7"])
    assert await totals(line) == (15, 3, 0)
    async with line.deps.pool.acquire() as conn:
        await conn.execute(MANUAL_CLOSE, 1, instant(micro(line.field, 100)))
    await derived_anew(line, since=5)
    shots = await line.shots()
    assert (labels(shots), with_flag(shots, ShotFlag.OUT_OF_END)) == (["9", "8", "7"], [2])
    assert await totals(line) == (17, 2, 0)


async def test_what_comes_late_belongs_to_the_end_that_its_time_falls_in(deps: Deps) -> None:
    line = await line_of(deps, MANUAL)
    await open_end(line, 1, 0, 100)
    await open_end(line, 2, 100)
    late = shot(line.field, 40, 6)
    await line.say(*round_of(line.field, 9, 8, 7))
    await line.say(*late)
    shots = await line.shots()
    assert numbers(shots) == [1, 1, 1, 2]
    assert labels(shots) == ["M", "6", "8", "7"]


async def test_what_hits_the_butt_between_ends_is_no_arrow_that_was_shot(deps: Deps) -> None:
    line = await line_of(deps, MANUAL)
    await open_end(line, 1, 0, 100)
    await line.say(line.field.landed(50), line.field.landed(150))
    async with deps.pool.acquire() as conn:
        rows = await conn.fetch("SELECT reason FROM unmatched_landing ORDER BY landed_at")
    assert [row["reason"] for row in rows] == ["no_release", "outside_end"]


async def two_butts(deps: Deps, rules: Mapping[str, int | str]) -> Range:
    """Two butts with a face for all, an archer at each."""
    async with deps.pool.acquire() as conn:
        field = await put_up(conn, lanes=2, letters="A", rules=rules)
        for lane in (1, 2):
            await hang(conn, field, "wa_122_full", lane)
    return Range(deps, field)


def at_the_other(field: Field, at: float, score: int) -> list[AcceptedEvent]:
    """An arrow of the second butt."""
    return [field.release(at, "2A"), field.landed(at + 0.35, 2, x=BESIDE[score])]


async def given(line: Range, release: AcceptedEvent, place: str = "1A") -> Ruling:
    """A judge gives an arrow of the second butt to an archer; not derived yet."""
    new = NewRuling(
        line.field.session_id,
        line.field.targets[2],
        Action.MOVE,
        "seen",
        Span(release.ts, release.ts),
        shot_id=shot_id(release.event_id),
        slot_id=line.field.slots[place],
    )
    async with line.deps.pool.acquire() as conn, conn.transaction():
        made = await insert_ruling(conn, new, Author(None, uuid4()))
        await request_recompute(conn, [new.target_id])
    return made


async def quiet(line: Range) -> int:
    """Have everything done that is asked for; how often something was."""
    for rounds in range(20):
        async with line.deps.pool.acquire() as conn:
            if not await conn.fetchval("SELECT count(*) FROM recompute"):
                return rounds
        await line.say()
    raise AssertionError("it never ends")


THREE_BY_A_JUDGE: Mapping[str, int | str] = {"arrows_per_end": 3, "end_control": "manual"}


async def test_arrows_of_another_butt_are_of_the_same_end(deps: Deps) -> None:
    line = await two_butts(deps, THREE_BY_A_JUDGE)
    await open_end(line, 1, 0)
    theirs = [at_the_other(line.field, 40 + 60 * n, 10) for n in range(3)]
    await line.say(*round_of(line.field, 8, 8, 8), *(e for said in theirs for e in said))
    moves = [await given(line, said[0]) for said in theirs]
    assert await quiet(line) < 5
    assert await totals(line) == (24, 6, 0)
    assert [s.shot.label for s in await line.shots()] == ["8", "M"] * 3
    async with deps.pool.acquire() as conn, conn.transaction():
        await undo_ruling(conn, moves[0].id, "a mistake", Author(None, uuid4()))
        await request_recompute(conn, [line.field.targets[2]])
    assert await quiet(line) < 5
    assert (await totals(line), await totals(line, "2A")) == ((24, 5, 0), (10, 1, 0))


async def test_a_low_arrow_of_another_butt_takes_the_place_of_a_high_one(deps: Deps) -> None:
    line = await two_butts(deps, THREE_BY_A_JUDGE)
    await open_end(line, 1, 0)
    low = at_the_other(line.field, 40, 6)
    await line.say(*round_of(line.field, 10, 9, 8), *low)
    move = await given(line, low[0])
    assert await quiet(line) < 5
    assert await totals(line) == (23, 4, 0)
    assert [s.shot.label for s in await line.shots()] == ["M", "6", "9", "8"]
    async with deps.pool.acquire() as conn, conn.transaction():
        await undo_ruling(conn, move.id, "a mistake", Author(None, uuid4()))
        await request_recompute(conn, [line.field.targets[2]])
    assert await quiet(line) < 5
    assert (await totals(line), await totals(line, "2A")) == ((27, 3, 0), (6, 1, 0))


async def test_whatever_is_known_first_the_end_of_two_butts_is_the_same(deps: Deps) -> None:
    line = await two_butts(deps, THREE_BY_A_JUDGE)
    await open_end(line, 1, 0, 300)
    await open_end(line, 2, 300)
    rng = random.Random(11)
    said = round_of(line.field, *rng.choices(list(BESIDE), k=8))
    theirs = [at_the_other(line.field, 40 + 60 * n, rng.choice(list(BESIDE))) for n in range(8)]
    said += [event for each in theirs for event in each]
    await line.say(*said, line.field.beat(), line.field.beat("2 target"))
    for each in theirs[::2]:
        await given(line, each[0])
    await quiet(line)
    expected = [(known.shot, known.end_number) for known in await line.shots()]
    assert len(with_flag(await line.shots(), ShotFlag.EXTRA_ARROW)) > 3
    for _ in range(3):
        async with line.deps.pool.acquire() as conn:
            for table in ("standing", "lesson", "unmatched_landing", "shot", "event"):
                await conn.execute(f"DELETE FROM {table}")
        rng.shuffle(said)
        for begin in range(0, len(said), 3):
            await line.say(*said[begin : begin + 3])
            if rng.random() < 0.5:
                await quiet(line)
        await line.say(line.field.beat(), line.field.beat("2 target"))
        await quiet(line)
        assert [(known.shot, known.end_number) for known in await line.shots()] == expected


async def test_by_count_an_arrow_of_another_butt_counts_and_is_for_a_judge_to_see(
    deps: Deps,
) -> None:
    line = await two_butts(deps, {"arrows_per_end": 3, "ends": 1})
    theirs = at_the_other(line.field, 40, 10)
    await line.say(*round_of(line.field, 8, 8, 8), *theirs)
    await given(line, theirs[0])
    await quiet(line)
    shots = await line.shots()
    assert await totals(line) == (34, 4, 0)
    assert with_flag(shots, ShotFlag.EXTRA_ARROW) == [1]
    assert is_listed(shots[1].shot.status, shots[1].shot.flags)
