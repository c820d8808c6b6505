"""Real processes: workers killed in the middle of a tournament lose nothing and double nothing."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from core.settings import Settings
from simulators.api import Api, open_api
from simulators.evaluation import Verdict, evaluate
from simulators.faults import delay, duplicate, reorder
from simulators.run import Progress, Run, run_tournament
from simulators.tournament import Plan
from simulators.truth import Truth
from tests.conftest import ADMIN_TOKEN
from tests.serving import serving

WITHIN_S = 20.0


@contextmanager
def worker_process(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a process of its own."""
    said = settings.model_dump(mode="json", exclude_none=True)
    environment = {**os.environ, **{name.upper(): str(value) for name, value in said.items()}}
    command = [sys.executable, "-m", "cli.main", "worker"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def settled(api: Api, session_id: str) -> list[dict[str, object]]:
    """The session's shots once the workers have done all that there is."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            queue = await api.call("GET", "/admin/queue")
            shots: list[dict[str, object]] = await api.every(f"/session/{session_id}/shot")
            busy = queue["inbox"] + queue["queued"] + queue["running"]
            if not busy and all(shot["status"] != "in_flight" for shot in shots):
                return shots
            await asyncio.sleep(0.05)


async def test_a_worker_killed_in_the_middle_loses_nothing_and_doubles_nothing(
    settings: Settings,
) -> None:
    plan = Plan(6, ends=1, seed=11)
    faults = (duplicate(0.05), delay(0.1, 30), reorder())
    async with serving(settings) as served:
        with worker_process(settings) as first, worker_process(settings):
            half = asyncio.Event()

            def watch(progress: Progress) -> None:
                if progress.accepted > progress.total / 2 and not half.is_set():
                    half.set()
                    first.send_signal(signal.SIGKILL)

            run = Run(plan, served.url, ADMIN_TOKEN, 40, faults, watch)
            truth: Truth = await run_tournament(run)
            assert half.is_set()
            async with open_api(served.url, ADMIN_TOKEN) as client:
                found = evaluate(truth, await settled(Api(client), truth.session_id))
    assert found.counts[Verdict.RIGHT] == found.total == len(truth.shots)
