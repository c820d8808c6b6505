"""Ends through HTTP, as a judge does it and viewers hear of it, with the shots that follow."""

from typing import Any

from httpx import AsyncClient

from core.domain.values import ShotFlag
from core.models.instants import instant
from core.schema.types import rfc3339
from tests.conftest import ADMIN_TOKEN
from tests.resources import data
from tests.serving import receive, serving, viewing
from tests.workers.conftest import Range
from tests.workers.test_ends import (
    MANUAL,
    labels,
    line_of,
    micro,
    numbers,
    round_of,
    totals,
    with_flag,
)
from workers.deps import Deps


def at(line: Range, second: float) -> str:
    """So many seconds after the session's start, whole milliseconds."""
    return rfc3339(instant(micro(line.field, second)))


async def test_a_judge_who_is_late_puts_it_right(deps: Deps) -> None:
    line = await line_of(deps, MANUAL)
    await line.say(*round_of(line.field, 9, 8, 7))
    assert await totals(line) == (0, 0, 0)
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    async with (
        serving(deps.settings) as served,
        AsyncClient(base_url=f"{served.url}/api/v0", headers=headers) as judge,
        viewing(served.url, line.field.session_id) as viewer,
    ):
        assert (await receive(viewer))["type"] == "snapshot"
        url = f"/session/{line.field.session_id}/end"
        end: dict[str, Any] = data(await judge.post(url, json={"opened_at": at(line, 5)}))
        told = await receive(viewer)
        assert (told["type"], told["data"]["end"]) == ("end.opened", end)
        await line.say()
        assert (await totals(line), labels(await line.shots())) == ((15, 3, 0), ["M", "8", "7"])
        close = {"closed_at": at(line, 100)}
        data(await judge.post(f"/end/{end['id']}/close", json=close))
        await line.say()
        shots = await line.shots()
        assert (numbers(shots), with_flag(shots, ShotFlag.OUT_OF_END)) == ([1, 1, 1], [2])
        assert (await totals(line), labels(shots)) == ((17, 2, 0), ["9", "8", "7"])
        data(await judge.delete(f"/end/{end['id']}"))
        await line.say()
        assert (await totals(line), numbers(await line.shots())) == ((0, 0, 0), [0, 0, 0])


async def test_other_rules_are_in_force_for_all_that_was_shot(deps: Deps) -> None:
    line = await line_of(deps, {"arrows_per_end": 2})
    await line.say(*round_of(line.field, 9, 8, 7))
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    async with (
        serving(deps.settings) as served,
        AsyncClient(base_url=f"{served.url}/api/v0", headers=headers) as admin,
    ):
        url = f"/session/{line.field.session_id}"
        data(await admin.patch(url, json={"rules": {"ends": 1}}))
        await line.say()
        assert (labels(await line.shots()), await totals(line)) == (["M", "8", "7"], (15, 3, 0))
        (end,) = data(await admin.get(f"{url}/end"))["items"]
        assert (end["number"], end["closed_at"]) == (1, at(line, 130.35))
        data(await admin.patch(url, json={"rules": {"arrows_per_end": None}}))
        await line.say()
        assert (labels(await line.shots()), await totals(line)) == (["9", "8", "7"], (24, 3, 0))
        assert data(await admin.get(f"{url}/end"))["items"] == []
