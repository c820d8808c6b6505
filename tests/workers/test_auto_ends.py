"""Ends that the arrows fill by their count: kept with the shots, and told once."""

import json
from datetime import datetime
from typing import Any

import pytest

from core.models.instants import instant
from core.schema.types import rfc3339
from tests.fields import now
from tests.workers.conftest import Range, dying_before_it_tells
from tests.workers.test_ends import (
    derived_anew,
    line_of,
    micro,
    round_of,
    rules_changed,
    shot,
)
from workers.deps import Deps
from workers.relay import relay
from workers.sweep import sweep

ENDS_SELECT = """
SELECT number, opened_at, closed_at FROM shooting_end WHERE control = 'auto' ORDER BY number
"""


async def ends_of(line: Range) -> list[tuple[int, float, float | None]]:
    """The butt's ends: number, and the seconds at which they opened and closed."""

    def second(at: datetime) -> float:
        return round((at - instant(line.field.starts_at)).total_seconds(), 2)

    async with line.deps.pool.acquire() as conn:
        rows = await conn.fetch(ENDS_SELECT)
    return [(n, second(a), None if b is None else second(b)) for n, a, b in rows]


async def frames_of(line: Range) -> list[tuple[str, dict[str, Any]]]:
    """The types and data of all frames so far."""
    frames = [json.loads(frame.text) for frame in await line.frames()]
    return [(frame["type"], frame["data"]) for frame in frames]


async def told_of_ends(line: Range) -> list[tuple[str, int]]:
    """What viewers were told of ends."""
    frames = await frames_of(line)
    return [(kind, said["end"]["number"]) for kind, said in frames if kind.startswith("end.")]


async def test_an_end_opens_with_its_first_arrow_and_closes_with_its_last(deps: Deps) -> None:
    line = await line_of(deps, {"arrows_per_end": 2}, letters="AB")
    await line.say(*round_of(line.field, 9, 8), *shot(line.field, 20, 7, "1B"))
    assert await ends_of(line) == [(1, 10.0, None)]
    flies_at = round((now() - line.field.starts_at) / 1_000_000 - 0.5, 2)
    await line.say(line.field.release(flies_at, "1B"))
    assert await ends_of(line) == [(1, 10.0, None)]
    lands_at = round(flies_at + 0.35, 2)
    await line.say(line.field.landed(lands_at))
    assert await ends_of(line) == [(1, 10.0, lands_at)]
    await line.say(*shot(line.field, flies_at + 0.4, 9))
    assert await ends_of(line) == [(1, 10.0, lands_at), (2, round(flies_at + 0.4, 2), None)]


async def test_an_end_whose_last_arrow_missed_closes_when_that_is_decided(deps: Deps) -> None:
    line = await line_of(deps, {"arrows_per_end": 2})
    await line.say(*shot(line.field, 10, 9), line.field.release(70), line.field.beat())
    assert await ends_of(line) == [(1, 10.0, 73.5)]


async def test_an_unresolved_arrow_is_waited_for_until_the_next_end_opens(deps: Deps) -> None:
    line = await line_of(deps, {"arrows_per_end": 2})
    await line.say(line.field.release(10), line.field.release(70))
    assert await ends_of(line) == [(1, 10.0, None)]
    await line.say(line.field.release(200))
    assert await ends_of(line) == [(1, 10.0, 73.5), (2, 200.0, None)]


async def test_who_has_not_shot_is_waited_for_until_the_next_end_opens(deps: Deps) -> None:
    line = await line_of(deps, {"arrows_per_end": 2}, letters="AB")
    await line.say(*round_of(line.field, 9, 8))
    assert await ends_of(line) == [(1, 10.0, None)]
    await line.say(*shot(line.field, 200, 8))
    assert await ends_of(line) == [(1, 10.0, 70.35), (2, 200.0, None)]


async def test_viewers_are_told_once_before_the_first_shot_and_after_the_last(deps: Deps) -> None:
    line = await line_of(deps, {"arrows_per_end": 2})
    await line.say(*round_of(line.field, 9, 8))
    frames = [each for each in await frames_of(line) if not each[0].startswith("reader.")]
    kinds = ["end.opened", *["shot.created", "shot.landed"] * 2, "end.closed"]
    assert [kind for kind, _ in frames] == kinds
    opened, closed = frames[0][1]["end"], frames[-1][1]["end"]
    assert (opened["closed_at"], opened["target_id"]) == (None, str(line.field.targets[1]))
    assert closed["closed_at"] == rfc3339(instant(micro(line.field, 70.35)))
    assert (closed["control"], closed["opened_by"]) == ("auto", None)
    await line.say(line.field.release(40))
    await line.say(line.field.beat())
    once = [("end.opened", 1), ("end.closed", 1), ("end.opened", 2)]
    assert await told_of_ends(line) == once
    await derived_anew(line)
    assert await told_of_ends(line) == once


async def test_what_a_crash_left_untold_is_told_after_all(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = await line_of(deps, {"arrows_per_end": 2})

    with dying_before_it_tells(monkeypatch):
        await line.say(*round_of(line.field, 9, 8))
    async with deps.pool.acquire() as conn:
        await conn.execute("DELETE FROM untold")
        await conn.execute("UPDATE shooting_end SET updated_at = $1", instant(now() - 5_000_000))
    await sweep(deps)
    assert await deps.valkey.zscore("arq:queue", "relay") is not None
    await relay(deps)
    await relay(deps)
    assert await told_of_ends(line) == [("end.opened", 1), ("end.closed", 1)]


async def test_other_rules_make_other_ends(deps: Deps) -> None:
    line = await line_of(deps, {"arrows_per_end": 2})
    await line.say(*round_of(line.field, 9, 8, 7))
    assert [number for number, _, _ in await ends_of(line)] == [1, 2]
    await rules_changed(line, arrows_per_end=4)
    assert await ends_of(line) == [(1, 10.0, None)]
    await rules_changed(line, arrows_per_end=3)
    assert await ends_of(line) == [(1, 10.0, 130.35)]


@pytest.mark.parametrize("rules", [{}, {"arrows_per_end": 2, "end_control": "manual"}])
async def test_where_nothing_is_counted_no_end_opens(
    deps: Deps, rules: dict[str, int | str]
) -> None:
    line = await line_of(deps, rules)
    await line.say(*round_of(line.field, 9, 8, 7))
    assert await ends_of(line) == []
