"""What an event costs with more butts, with more events stored before, and with readers that were
at more sessions before."""

import asyncio
from collections.abc import Mapping
from copy import replace
from statistics import mean

from bench.fields import set_up
from bench.figures import Run, costs, load_share, percentile, together
from bench.filling import fill, give_past
from bench.load.job import Backlog, Field, Live, Phase
from bench.load.tally import Tally
from bench.measure import doubts, notes_of, put_on
from bench.probes import loop_ms
from bench.stack import Stack
from bench.wish import LARGEST_BUTTS, PEAK_EVENTS_PER_S, Wish

BATCH, GATEWAYS = 200, 8
# What a few archers shoot as quickly as archers can: the same in every field.
LIVE_SHARE = 0.9
# Ranks move long after the last arrow of a large field: so many of them are told in a second.
RANKS_A_S = 100
WARM_UP_EVENTS = 2_000


async def growth_of_rows(stack: Stack, wish: Wish) -> Run:
    """What an event costs with so many stored before, of a stack in which next to none is."""
    field = await _warmed_up(stack, wish)
    costs_of: dict[str, Run] = {}
    for rows in wish.rows:
        await fill(stack, field, rows)
        name, fresh = f"{rows:,} rows", await set_up(stack, wish.butts)
        costs_of[name] = await _looped_cost(stack, wish, fresh, name)
    return _compared(costs_of)


async def growth_of_sessions(stack: Stack, wish: Wish) -> Run:
    """What an event costs whose reader was at so many sessions before."""
    await _warmed_up(stack, wish)
    costs_of: dict[str, Run] = {}
    for sessions in wish.sessions:
        name, field = f"{sessions} sessions", await set_up(stack, wish.butts)
        await give_past(stack, field, sessions)
        costs_of[name] = await _looped_cost(stack, wish, field, name)
    return _compared(costs_of)


async def _warmed_up(stack: Stack, wish: Wish) -> Field:
    """A field with which servers did what they do once: that is no part of what the first cost."""
    field = await set_up(stack, wish.butts)
    await put_on(stack, backlog=Backlog(field, min(wish.events, WARM_UP_EVENTS), BATCH, GATEWAYS))
    return field


async def _looped_cost(stack: Stack, wish: Wish, field: Field, name: str) -> Run:
    """As `_cost`, and how fast the machine is just then."""
    loop = Run({f"{name}: fixed loop ms": loop_ms()})
    return together([loop, await _cost(stack, wish, field, name)])


def _compared(costs_of: Mapping[str, Run]) -> Run:
    """All of them, by their names, and the last beside the first."""
    found, (first, *others) = together(list(costs_of.values())), costs_of
    if not others:
        return found
    return replace(found, figures={**found.figures, **_ratio(found.figures, others[-1], first)})


async def growth_of_fields(stack: Stack, wish: Wish) -> Run:
    """What an event costs on each field: from the smallest to the largest and back, so that a
    machine that becomes slower or quicker does so for all of them."""
    found: dict[str, list[float]] = {}
    parts: list[Run] = []
    for way, fields in (("there", wish.butts_of_growth), ("back", wish.butts_of_growth[::-1])):
        for butts in fields:
            parts.append(Run({f"{butts} butts: fixed loop {way} ms": loop_ms()}))
            cost = await _cost(stack, wish, await set_up(stack, butts), f"{butts} butts")
            parts.append(replace(cost, figures={}))
            for name, figure in cost.figures.items():
                found.setdefault(name, []).append(figure)
    run = together([*parts, Run({name: mean(both) for name, both in found.items()})])
    first, last = wish.butts_of_growth[0], wish.butts_of_growth[-1]
    ratio = _ratio(run.figures, f"{last} butts", f"{first} butts")
    return replace(run, figures={**run.figures, **ratio})


async def _cost(stack: Stack, wish: Wish, field: Field, name: str) -> Run:
    """Milliseconds of processor time for an event: of a replay, and of live shooting."""
    # The pace is the same on every field, but heartbeats are as many as readers: none here.
    shooting = Live(field, [Phase("live", _pace(wish), wish.seconds)], is_beating=False)
    late = await put_on(stack, backlog=Backlog(field, wish.events, BATCH, GATEWAYS))
    replay = await _part(stack, field, f"{name}: replay", late)
    live = await put_on(stack, shooting)
    return together([replay, await _part(stack, field, f"{name}: live", live, late.sent)])


async def _part(stack: Stack, field: Field, name: str, tally: Tally, before: int = 0) -> Run:
    """What became of a load on a field where so many events were sent before."""
    figures = {f"{name} cpu ms/event": _cpu_ms(tally) / max(1, tally.sent)}
    figures |= load_share(name, tally)
    for seen in tally.latencies.values():
        figures[f"{name} p50 ms"] = percentile([ms for _, ms in seen], 50)
    tally.sent += before
    wrong = [f"{name}: {why}" for why in await doubts(stack, [field], tally)]
    # The next load is not to pay for this one.
    await asyncio.sleep(field.archers / RANKS_A_S)
    return Run(figures, wrong, notes=[f"{name}: {note}" for note in notes_of(tally)])


def _cpu_ms(tally: Tally) -> float:
    """Milliseconds of processor time of all servers."""
    return 1000 * sum(cost.cpu_s for name, cost in costs(tally).items() if name != "load")


def _pace(wish: Wish) -> float:
    """Events a second that are as many for each butt of the smallest field as on the largest."""
    return LIVE_SHARE * PEAK_EVENTS_PER_S * min(wish.butts_of_growth) / LARGEST_BUTTS


def _ratio(figures: Mapping[str, float], one: str, other: str) -> dict[str, float]:
    return {
        f"{one} / {other}, {kind}": figures[f"{one}: {kind} cpu ms/event"]
        / figures[f"{other}: {kind} cpu ms/event"]
        for kind in ("replay", "live")
    }
