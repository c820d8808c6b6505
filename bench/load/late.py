"""A backlog on its way, as fast as it is taken or at a pace."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from bench.load.begin import Begin
from bench.load.job import Backlog
from bench.load.plan import BacklogPlan
from bench.load.seen import Seen
from bench.load.sender import Request, Sender, said_at


async def send_late(
    backlog: Backlog, plan: BacklogPlan, sender: Sender, seen: Seen, patience_s: float
) -> None:
    """Send all of it and see it published; the tally then knows how long that took."""
    begun, cpu_s = sender.begin.elapsed(), time.process_time()
    tally = sender.tally
    if backlog.events_per_s is None:
        await _as_fast_as_taken(backlog, plan, sender, begun)
    else:
        requests = _paced(plan.by_gateway, backlog.events_per_s, sender.begin)
        await sender.on_schedule(requests, tally.answers_ms)
        tally.backlog_sent = sum(request.events for request in requests)
    tally.backlog_sent_s = sender.begin.elapsed() - begun
    tally.backlog_cut = tally.backlog_sent < sum(r.events for g in plan.by_gateway for r in g)
    if backlog.seconds is None:
        await seen.none_left(seen.late, sender.begin.elapsed() + patience_s)
        tally.backlog_seen_s = seen.last_late_at - begun
    else:
        # Its end may be the middle of a shot, and nobody listens.
        seen.late.clear()
    took_s = sender.begin.elapsed() - begun
    tally.backlog_load_cores = (time.process_time() - cpu_s) / took_s


async def _as_fast_as_taken(
    backlog: Backlog, plan: BacklogPlan, sender: Sender, begun: float
) -> None:
    until = None if backlog.seconds is None else begun + backlog.seconds
    queues: list[Iterator[Request]] = [iter(requests) for requests in plan.by_gateway]
    sent = await asyncio.gather(
        *(sender.one_by_one(queue, sender.tally.answers_ms, until) for queue in queues)
    )
    sender.tally.backlog_sent = sum(sent)


def _paced(
    by_gateway: Sequence[Sequence[Request]], events_per_s: float, begin: Begin
) -> list[Request]:
    """The gateways in turn, each request when the pace has come to it."""
    paced: list[Request] = []
    at = begin.elapsed()
    for turn in zip_longest(*by_gateway):
        for request in turn:
            if request is not None:
                paced.append(Request(at, said_at(begin.ts(at), request.body), request.events))
                at += request.events / events_per_s
    return paced
