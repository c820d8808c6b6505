"""A thousand viewers of one session, and what one of them who reads nothing does to the rest."""

from copy import replace

from api.viewer import LOSES
from bench.fields import set_up
from bench.figures import Run, costs, load_share, spread, together
from bench.load.job import Crowd, Live, Phase
from bench.load.shooting import EVENTS_A_SHOT
from bench.measure import doubts, notes_of, put_on
from bench.stack import Stack
from bench.wish import Wish

WARM_UP_S = 2.0


async def fanout(stack: Stack, wish: Wish) -> Run:
    """One run: all read, then one does not."""
    all_read = await _watched(stack, wish, "all read", is_stalled=False)
    before = stack.times_said("api", LOSES)
    run = together([all_read, await _watched(stack, wish, "one stalled", is_stalled=True)])
    figures, notes = dict(run.figures), list(run.notes)
    if {"one stalled p99 ms", "all read p99 ms"} <= figures.keys():
        figures["one stalled / all read, p99"] = (
            figures["one stalled p99 ms"] / figures["all read p99 ms"]
        )
    if stack.times_said("api", LOSES) == before:
        notes.append("the stalled viewer lost nothing: what they did not read lies in buffers")
    return replace(run, figures=figures, notes=notes)


async def _watched(stack: Stack, wish: Wish, name: str, *, is_stalled: bool) -> Run:
    field = await set_up(stack, wish.butts)
    pace = EVENTS_A_SHOT * wish.shots_per_s
    phases = [Phase("warm-up", pace, WARM_UP_S), Phase(name, pace, wish.seconds)]
    tally = await put_on(stack, Live(field, phases), crowd=Crowd(wish.viewers, is_stalled))
    why_not = []
    if tally.frames_least < tally.frames_due:
        few = f"{tally.frames_least} frames of {tally.frames_due}"
        why_not.append(f"{name}: a viewer had {few} about arrows")
    figures = {
        **spread(name, tally.crowd_latencies.get(name, [])),
        f"{name} frames/s": tally.frames / max(1e-9, tally.frames_s),
        f"{name} KB/viewer": tally.viewer_kb,
        # What lies in queues and buffers, and what any load leaves.
        f"{name} KB/viewer more at the end": 1024 * costs(tally)["api"].grown_mb / wish.viewers,
        **load_share(name, tally),
    }
    why_not += await doubts(stack, [field], tally)
    return Run(figures, why_not, costs(tally), [f"{name}: {note}" for note in notes_of(tally)])
