"""Round after round of faults chosen at random, under load.

`QUIVER_CHAOS_ROUNDS` says how many (10), `QUIVER_CHAOS_SEED` which ones.
"""

import asyncio
import os
import random

import pytest

from simulators.faults import clock_jump, duplicate, reorder
from simulators.tournament import Plan
from tests.chaos.faults import QUICK
from tests.chaos.load import Load, recovered, under_load
from tests.chaos.whole import Whole

ROUNDS = int(os.environ.get("QUIVER_CHAOS_ROUNDS", "10"))
SEED = int(os.environ.get("QUIVER_CHAOS_SEED", "1"))
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120 + 60 * ROUNDS)]

# It is stopped when the rounds are over.
ENDLESS = Plan(4, ends=1 + 4 * ROUNDS, seed=SEED)
SPEED = 20.0


async def test_round_after_round_nothing_is_lost(everything: Whole) -> None:
    rng = random.Random(SEED)
    faults = (duplicate(0.05), reorder(), clock_jump(3_600.0))
    load = Load(everything, ENDLESS, SPEED, faults)

    async def during() -> None:
        for number in range(1, ROUNDS + 1):
            name = rng.choice(list(QUICK))
            await asyncio.sleep(rng.uniform(0.0, 1.0))
            await QUICK[name](everything, load)
            took_s = await recovered(everything)
            print(f"round {number}: {name}, recovered after {took_s:.1f} s", flush=True)
        load.stop.set()

    await under_load(everything, load, during)
