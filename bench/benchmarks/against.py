"""Quiver beside stock arq and beside the floor, one after the other in the same run."""

from dataclasses import dataclass
from typing import Any

from bench.against.stock import forget
from bench.benchmarks.latency import at_mean_and_peak
from bench.benchmarks.ratios import latencies, ratios, replayed, steps
from bench.fields import set_up, stored
from bench.figures import Run, load_share, together
from bench.load.job import Backlog, Field, Job, Live
from bench.load.tally import Tally
from bench.measure import doubts, generate, notes_of, put_on
from bench.probes import probed
from bench.stack import Stack
from bench.wish import Wish

BATCH, GATEWAYS = 200, 8
FLOOR = "(c)"


@dataclass(frozen=True, slots=True)
class Stock:
    """A worker of arq's.

    Args:
        name: What its figures are called.
        settings: Its class.
        events: Of its replay, so that it takes about half a minute; rates compare all the same.
    """

    name: str
    settings: str
    events: int


# With default settings a worker looks at a hundred jobs each half second, and does ten at once.
STOCKS = (Stock("(a)", "Stock", 8_000), Stock("(b)", "Quick", 8_000))


async def against(stack: Stack, wish: Wish) -> Run:
    """One run."""
    with stack.served():
        fields = iter([await set_up(stack, wish.butts) for _ in range(4 + 2 * len(STOCKS))])
        parts = [await _quiver(stack, wish, next(fields), next(fields))]
    parts.append(await _floor(stack, wish, next(fields), next(fields)))
    for stock in STOCKS:
        parts.append(await beside_stock(stack, wish, stock, (next(fields), next(fields))))
    found = together(parts)
    return Run({**found.figures, **ratios(found.figures)}, found.doubts, notes=found.notes)


async def _quiver(stack: Stack, wish: Wish, shot: Field, kept: Field) -> Run:
    live = await put_on(stack, Live(shot, at_mean_and_peak(wish)))
    why_not = await doubts(stack, [shot], live)
    late = await put_on(stack, backlog=Backlog(kept, wish.events, BATCH, GATEWAYS))
    why_not += await doubts(stack, [kept], late)
    notes = [f"quiver: {note}" for tally in (live, late) for note in notes_of(tally)]
    wrong = [f"quiver: {why}" for why in why_not]
    return Run(_figures(stack, "quiver", live, late), wrong, notes=notes)


async def _floor(stack: Stack, wish: Wish, shot: Field, kept: Field) -> Run:
    # It is in the load generator's process, whose one core is all that it has.
    live = await _hand(stack, "floor", live=Live(shot, at_mean_and_peak(wish)))
    late = await _hand(stack, "floor", backlog=Backlog(kept, wish.events, BATCH, GATEWAYS))
    wrong = await _lost(stack, FLOOR, shot, live) + await _lost(stack, FLOOR, kept, late)
    return Run({**_figures(stack, FLOOR, live, late), **steps(FLOOR, live, late)}, wrong)


async def beside_stock(stack: Stack, wish: Wish, stock: Stock, fields: tuple[Field, Field]) -> Run:
    """Both loads, neither waited for longer than it was to take: it may never catch up."""
    backlog = Backlog(fields[1], min(wish.events, stock.events), BATCH, GATEWAYS)
    live, live_ended = await _by_stock(
        stack, wish, stock, {"live": Live(fields[0], at_mean_and_peak(wish))}, wish.seconds
    )
    late, late_ended = await _by_stock(stack, wish, stock, {"backlog": backlog}, 3 * wish.seconds)
    wrong = [f"{stock.name}: {why}" for why in (*live_ended, *late_ended)]
    notes = [f"{stock.name}: {note}" for tally in (live, late) for note in notes_of(tally)]
    for what, field, tally in (("live", fields[0], live), ("replay", fields[1], late)):
        if tally.unseen:
            notes.append(
                f"{stock.name} cannot keep up: {tally.unseen} landings of its {what} load were "
                "not done at the deadline; its figures are of those that were"
            )
        else:
            wrong += await _lost(stack, stock.name, field, tally)
    return Run(_figures(stack, stock.name, live, late), wrong, notes=notes)


async def _by_stock(
    stack: Stack, wish: Wish, stock: Stock, load: dict[str, Any], patience_s: float
) -> tuple[Tally, list[str]]:
    """What became of a load, and what ended of the workers that should not have."""
    # What the load before left undone is not done in this one's time.
    await forget(stack.settings.redis_url or "")
    command = ["-m", "arq", f"bench.against.stock.{stock.settings}"]
    with stack.running({f"arq-{number}": command for number in range(wish.workers)}):
        return await _hand(stack, "stock", **load, patience_s=patience_s), stack.ended()


async def _hand(
    stack: Stack,
    kind: str,
    live: Live | None = None,
    backlog: Backlog | None = None,
    patience_s: float = 60.0,
) -> Tally:
    """Have a load handed over without HTTP in between."""
    url = stack.settings.redis_url or ""
    job = Job(stack.url, "", url, dict(stack.servers), live, backlog, patience_s=patience_s)
    return await generate(stack, job, "bench.against", kind)


async def _lost(stack: Stack, name: str, field: Field, tally: Tally) -> list[str]:
    events, _ = await stored(stack, [field])
    wrong = [f"{name}: {why}" for why in stack.ended()]
    if tally.unseen:
        wrong.append(f"{name}: {tally.unseen} landings were never seen")
    if events != tally.sent:
        wrong.append(f"{name}: {tally.sent} events were sent, {events} are stored")
    return wrong


def _figures(stack: Stack, name: str, live: Tally, late: Tally) -> dict[str, float]:
    found = {**latencies(name, live), **replayed(name, late)}
    found |= {**load_share(name, live), **load_share(f"{name} replay", late)}
    return {**found, **probed(stack.directory, f"after {name}")}
