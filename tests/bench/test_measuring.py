"""What ends a measurement, and what is seen before it begins."""

import asyncio
from collections.abc import Sequence
from copy import replace
from pathlib import Path

import pytest

from bench.load.job import Job
from bench.measure import generate
from bench.measuring import measure
from bench.stack import Stack
from bench.suite import check_large_enough
from bench.wish import Wish
from core.embedded.process import wait_until
from core.errors import InvalidInputError

WITHIN_S = 20.0


async def test_a_load_ends_when_it_is_interrupted(stack: Stack) -> None:
    job = Job(stack.url, "", stack.settings.redis_url or "", {})
    load = asyncio.create_task(generate(stack, job, "tests.bench.forever"))
    await asyncio.sleep(0)
    load.cancel()
    async with asyncio.timeout(WITHIN_S):
        with pytest.raises(asyncio.CancelledError):
            await load


def test_a_server_that_ends_is_told_of(stack: Stack) -> None:
    with stack.running({"worker-1": ["-c", "raise SystemExit('no more')"]}):
        assert wait_until(lambda: bool(stack.ended()), WITHIN_S)
        assert stack.ended() == ["worker-1 ended with status 1: no more"]
    assert stack.ended() == []


@pytest.mark.parametrize(("names", "is_too_small"), [(["fanout"], True), (["latency"], False)])
def test_a_field_is_large_enough_for_what_is_shot(names: Sequence[str], is_too_small: bool) -> None:
    wish = Wish(butts=139)
    if is_too_small:
        with pytest.raises(InvalidInputError, match="--butts: .* takes 140 butts"):
            check_large_enough(names, wish)
    else:
        check_large_enough(names, wish)
    check_large_enough(names, replace(wish, butts=140))


def test_where_nothing_can_be_written_nothing_is_measured(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="--json: nothing can be written there"):
        measure(Wish(), ["latency"], tmp_path / "none" / "figures.json", against=False)
