"""Quiver beside stock arq and beside the floor, one after the other in the same run."""

import asyncio
from dataclasses import replace

from bench.benchmarks.latency import WARM_UP, at_mean_and_peak
from bench.fields import set_up, stored
from bench.figures import Run, percentile
from bench.load.job import Backlog, Field, Job, Live, Tally
from bench.measure import doubts, generate, put_on
from bench.stack import Stack
from bench.wish import Wish

BATCH, GATEWAYS = 200, 8
# It takes stock arq minutes to do more.
STOCK_EVENTS = 4_000
PATIENCE_S = 120.0
KINDS = {"(a)": "Stock", "(b)": "Quick"}


async def against(stack: Stack, wish: Wish) -> Run:
    """One run."""
    figures: dict[str, float] = {}
    why_not: list[str] = []
    with stack.served():
        fields = [await set_up(stack, wish.butts) for _ in range(8)]
        tally = await put_on(stack, Live(fields[0], at_mean_and_peak(wish)))
        why_not += await doubts(stack, fields[:1], tally)
        figures |= _latencies("quiver", tally)
        tally = await put_on(stack, backlog=Backlog(fields[1], wish.events, BATCH, GATEWAYS))
        why_not += await doubts(stack, fields[1:2], tally)
        figures |= _replay("quiver", tally)
    tally = await _other(stack, _job(stack, wish, fields[2], fields[3]), "floor")
    figures |= _latencies("(c)", tally) | _replay("(c)", tally)
    why_not += await _lost(stack, "(c)", fields[2:4], tally)
    less = replace(wish, events=min(wish.events, STOCK_EVENTS))
    for place, (name, settings) in enumerate(KINDS.items()):
        shot, kept = fields[4 + 2 * place : 6 + 2 * place]
        command = ["-m", "arq", f"bench.against.stock.{settings}"]
        with stack.running({f"arq-{n}": command for n in range(wish.workers)}):
            tally = await _other(stack, _job(stack, less, shot, kept), "stock")
        figures |= _latencies(name, tally) | _replay(name, tally)
        why_not += await _lost(stack, name, [shot, kept], tally)
    return Run(figures | _ratios(figures), why_not)


def _job(stack: Stack, wish: Wish, shot: Field, kept: Field) -> Job:
    live = Live(shot, at_mean_and_peak(wish))
    late = Backlog(kept, wish.events, BATCH, GATEWAYS)
    url = stack.settings.redis_url or ""
    return Job(stack.url, "", url, dict(stack.servers), live, late, patience_s=PATIENCE_S)


async def _other(stack: Stack, job: Job, kind: str) -> Tally:
    return await asyncio.to_thread(generate, stack, job, "bench.against", kind)


async def _lost(stack: Stack, name: str, fields: list[Field], tally: Tally) -> list[str]:
    events, _ = await stored(stack, fields)
    wrong = [f"{name}: {tally.unseen} landings were never seen"] if tally.unseen else []
    if events != tally.sent:
        wrong.append(f"{name}: {tally.sent} events were sent, {events} are stored")
    return wrong


def _latencies(name: str, tally: Tally) -> dict[str, float]:
    return {
        f"{name} {phase} p{percent} ms": percentile([ms for _, ms in seen], percent)
        for phase, seen in tally.latencies.items()
        if phase != WARM_UP
        for percent in (50, 99)
    }


def _replay(name: str, tally: Tally) -> dict[str, float]:
    return {f"{name} replay events/s": tally.backlog_sent / max(tally.backlog_seen_s, 1e-9)}


def _ratios(figures: dict[str, float]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in ("(a)", "(b)", "(c)"):
        for phase in (
            "mean p50 ms",
            "mean p99 ms",
            "peak p50 ms",
            "peak p99 ms",
            "replay events/s",
        ):
            found[f"quiver / {name}, {phase}"] = (
                figures[f"quiver {phase}"] / figures[f"{name} {phase}"]
            )
    return found
