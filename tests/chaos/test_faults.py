"""Each fault on its own, under load: nothing lost, nothing doubled, every shot right, seen by all.

Real processes, so minutes: `pytest -m chaos`.
"""

import asyncio

import pytest

from simulators.faults import clock_jump, duplicate, reorder
from simulators.tournament import Plan
from tests.chaos.faults import SINGLE, Fault, fill_inbox
from tests.chaos.load import Load, recovered, under_load
from tests.chaos.whole import Whole

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

PLAN = Plan(4, ends=2, seed=5)
SPEED = 20.0


async def broken(everything: Whole, load: Load, fault: Fault) -> None:
    """Break it in the middle of the shooting, and see that it recovers."""

    async def during() -> None:
        while len(load.accepted) < 60:
            await asyncio.sleep(0.05)
        await fault(everything, load)
        await recovered(everything)

    await under_load(everything, load, during)


@pytest.mark.parametrize("name", list(SINGLE))
async def test_it_survives_when(everything: Whole, name: str) -> None:
    await broken(everything, Load(everything, PLAN, SPEED), SINGLE[name])


async def test_it_survives_when_the_inbox_is_full(everything: Whole) -> None:
    many = Load(everything, Plan(4, ends=8, seed=6), 200.0)
    await broken(everything, many, fill_inbox)
    assert many.refusals > 0


async def test_it_survives_when_a_readers_clock_jumps(everything: Whole) -> None:
    faults = (duplicate(0.05), reorder(), clock_jump(3_600.0))
    load = Load(everything, PLAN, SPEED, faults)

    async def nothing(_: Whole, __: Load) -> None:
        pass

    await broken(everything, load, nothing)
