"""A load put on the stack, and whether what came of it can be believed."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Mapping

from bench.fields import gateway_token, silence, stored
from bench.figures import Cost, Run, costs
from bench.load.job import JOB, Backlog, Crowd, Field, Job, Live
from bench.load.shooting import EVENTS_A_SHOT
from bench.load.tally import TALLY, Tally
from bench.stack import NotReady, Stack
from core.embedded.process import spawn

STORED_WITHIN_S = 60.0
# Of the one that the load generator has; above, figures may be its own.
BUSY_CORES = 0.8
LOOK_EVERY_S = 0.1


async def put_on(
    stack: Stack,
    live: Live | None = None,
    backlog: Backlog | None = None,
    crowd: Crowd | None = None,
    sample_s: float | None = None,
) -> Tally:
    """Have the load generator do this, beside the servers that run."""
    await silence(stack)
    token = await gateway_token(stack)
    job = Job(
        stack.url,
        token,
        stack.settings.redis_url or "",
        dict(stack.servers),
        live,
        backlog,
        crowd,
        sample_s,
    )
    return await generate(stack, job)


async def generate(stack: Stack, job: Job, *program: str) -> Tally:
    """Run the load generator, or another program that does such jobs, to its end, or to ours.

    Raises:
        NotReady: It ended with an error, or not at all.
    """
    wish, found = stack.directory / "job.json", stack.directory / "tally.json"
    wish.write_bytes(JOB.dump_json(job))
    found.unlink(missing_ok=True)
    log = stack.directory / "log" / "load.log"
    command = [sys.executable, "-m", *(program or ("bench.load",)), str(wish), str(found)]
    process: subprocess.Popen[bytes] = spawn(
        command, log, dies_by=signal.SIGKILL, environment=stack.environment
    )
    try:
        # When we are interrupted whoever waits is waited for: so it ends first.
        status = await asyncio.to_thread(process.wait, job.longest_s)
    except subprocess.TimeoutExpired as error:
        raise NotReady(f"the load generator did not end within {job.longest_s:.0f} s") from error
    finally:
        process.kill()
        process.wait()
    if status != 0:
        raise NotReady(f"the load generator failed: {log.read_text(encoding='utf-8')[-2000:]}")
    return TALLY.validate_json(found.read_bytes())


async def doubts(stack: Stack, fields: list[Field], tally: Tally) -> list[str]:
    """Why a run does not count: something was refused, lost, or never seen."""
    found = [*(f"refused: {why}" for why in tally.refused), *stack.ended()]
    if not tally.sent:
        found.append("no arrow was due in that time")
    if tally.unseen:
        found.append(f"{tally.unseen} landings were never seen as shots")
    until = time.monotonic() + STORED_WITHIN_S
    events, landed = await stored(stack, fields)
    while not is_all_there(tally, events, landed) and time.monotonic() < until:
        await asyncio.sleep(LOOK_EVERY_S)
        events, landed = await stored(stack, fields)
    if events != tally.sent:
        found.append(f"{tally.sent} events were accepted, {events} are stored")
    if not has_all_landed(tally, events, landed):
        found.append(f"{events} events are stored, but {landed} landed shots")
    return found


def is_all_there(tally: Tally, events: int, landed: int) -> bool:
    """Whether what is stored is all that will come: later than its events, a shot lands."""
    return events >= tally.sent and has_all_landed(tally, events, landed)


def has_all_landed(tally: Tally, events: int, landed: int) -> bool:
    """Whether every shot of so many events landed; single posts may end in the middle of one."""
    return tally.backlog_cut or landed * EVENTS_A_SHOT == events


def run_of(figures: Mapping[str, float], tally: Tally, why_not: list[str]) -> Run:
    """A run with what the processes cost."""
    found: dict[str, Cost] = costs(tally)
    shares = {f"{name} cores": cost.cores for name, cost in found.items()}
    if tally.backlog_load_cores:
        shares["load cores meanwhile"] = tally.backlog_load_cores
    return Run({**figures, **shares}, why_not, found, notes_of(tally))


def notes_of(tally: Tally) -> list[str]:
    """What must be known to read the figures of a load."""
    notes = []
    most = max(costs(tally)["load"].cores, tally.backlog_load_cores)
    if most > BUSY_CORES:
        notes.append(f"the load generator took {most:.2f} of its one core: it may be what is slow")
    if tally.sent_away:
        notes.append(f"{tally.sent_away} requests were sent away (429, 503), and sent again")
    return notes
