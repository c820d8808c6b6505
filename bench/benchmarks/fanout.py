"""A thousand viewers of one session, and what one of them who reads nothing does to the rest."""

from bench.fields import set_up
from bench.figures import Run, spread
from bench.load.job import Crowd, Live, Phase
from bench.load.shooting import EVENTS_A_SHOT
from bench.measure import doubts, put_on, run_of
from bench.stack import Stack
from bench.wish import Wish

WARM_UP_S = 2.0


async def fanout(stack: Stack, wish: Wish) -> Run:
    """One run: all read, then one does not."""
    figures: dict[str, float] = {}
    why_not: list[str] = []
    for name, is_stalled in (("all read", False), ("one stalled", True)):
        field = await set_up(stack, wish.butts)
        pace = EVENTS_A_SHOT * wish.shots_per_s
        phases = [Phase("warm-up", pace, WARM_UP_S), Phase(name, pace, wish.seconds)]
        crowd = Crowd(wish.viewers, is_stalled)
        tally = await put_on(stack, Live(field, phases), crowd=crowd)
        if tally.frames_least < tally.frames_due:
            why_not.append(
                f"{name}: a viewer had {tally.frames_least} frames of {tally.frames_due}"
            )
        figures |= spread(name, tally.crowd_latencies.get(name, []))
        figures[f"{name} frames/s"] = tally.frames / max(1e-9, tally.frames_s)
        figures[f"{name} KB/viewer"] = tally.viewer_kb
        why_not += await doubts(stack, [field], tally)
    return run_of(figures, tally, why_not)
