"""Live shooting that ends with a backlog: no more arrows are drawn, those drawn are shot."""

import asyncio
import random

from bench.load.begin import Begin
from bench.load.job import Butt, Field, Live, Phase
from bench.load.live import until_over
from bench.load.plan import plan_live
from bench.load.seen import Seen
from bench.load.shooting import EVENTS_A_SHOT
from bench.load.tally import Tally

FIELD = Field("session", [Butt(f"butt {b}", [f"bow {b}{a}" for a in "ABCD"]) for b in range(10)])
PLAN = plan_live(Live(FIELD, [Phase("live", 8.5, 60)]), Begin.after(0), random.Random(1))


def seen() -> Seen:
    """All landings are waited for."""
    return Seen(Begin.after(0), Tally(), dict(PLAN.landings), set())


async def test_all_is_sent_when_it_is_not_over() -> None:
    assert list(until_over(PLAN.requests, seen(), asyncio.Event())) == PLAN.requests


async def test_shots_that_have_begun_are_sent_whole_and_no_others() -> None:
    over, waited_for = asyncio.Event(), seen()
    requests = until_over(PLAN.requests, waited_for, over)
    sent = [next(requests) for _ in range(100)]
    over.set()
    ended_at = sent[-1].at
    sent += requests
    begun = {request.begins for request in sent}
    assert len(sent) == EVENTS_A_SHOT * len(begun) < len(PLAN.requests)
    assert max(begun) <= ended_at
    assert set(waited_for.live) == {r.landing for r in sent if r.landing}
