"""A stack as `quiver bench` starts one, and wishes that are over in seconds."""

from collections.abc import Iterator

import pytest

from bench.stack import Stack, open_stack
from bench.wish import Wish


@pytest.fixture(name="tiny", scope="session")
def _tiny() -> Wish:
    return Wish(
        butts=20,
        seconds=2.0,
        workers=1,
        events=300,
        burst_events_per_s=150.0,
        burst_seconds=1.0,
        viewers=10,
        shots_per_s=4.0,
        butts_of_growth=(4, 8),
        rows=(0, 900),
        sessions=(0, 3),
        minutes=0.1,
    )


@pytest.fixture(name="stack", scope="session")
def _stack(tiny: Wish) -> Iterator[Stack]:
    with open_stack(tiny.workers) as stack:
        yield stack
