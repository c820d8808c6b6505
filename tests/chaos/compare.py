"""The same faults met by Quiver and by arq as it comes: what is lost, and how long nothing moves.

`python -m tests.chaos.compare` prints a table; `--write docs/reliability.md` puts it there.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from cli import processes
from cli.processes import Child
from core import migrate
from core.embedded import EmbeddedStores
from core.embedded.process import free_port
from core.settings import Settings
from simulators.api import Api, open_api
from tests.chaos.whole import Whole, kept_running, quiver_children
from tests.conftest import ADMIN_TOKEN

RATE_PER_S = 40
BEFORE_S, AFTER_S = 5.0, 10.0
LOOK_EVERY_S = 0.1
CUT_FOR_S, CUT_EVERY_S = 6.0, 0.3
STOPPED_FOR_S = 20.0
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"

RIVAL_CREATE = """
CREATE TABLE rival_event (
    event_id uuid PRIMARY KEY, reader_id uuid NOT NULL, type text NOT NULL, ts timestamptz NOT NULL
);
CREATE TABLE rival_run (event_id uuid NOT NULL);
"""
RIVAL_SELECT = "SELECT event_id FROM rival_event"
RIVAL_COUNT_TWICE = "SELECT count(*) - count(DISTINCT event_id) FROM rival_run"
OURS_SELECT = "SELECT event_id FROM event"
OURS_COUNT_TWICE = "SELECT count(*) - count(DISTINCT release_event_id) FROM shot"


@dataclass(frozen=True, slots=True)
class Contender:
    """Somebody who takes events.

    Args:
        name: What it is called.
        children: Makes its API and workers.
        readers: Sets a field up and answers the ids of its readers.
        select: The ids of the events that are stored.
        count_twice: How many were done twice.
        prepare: What the database needs.
    """

    name: str
    children: Callable[[EmbeddedStores, Mapping[str, str], int], dict[str, Child]]
    readers: Callable[[str], Awaitable[Sequence[str]]]
    select: str
    count_twice: str
    prepare: str = "SELECT 1"


@dataclass(frozen=True, slots=True)
class Met:
    """How a fault was met.

    Args:
        accepted: Events that were answered with 202.
        lost: Those of them that were not stored when patience ended.
        twice: Those that were done twice.
        still_s: The longest time in which nothing was stored though something waited.
    """

    accepted: int
    lost: int
    twice: int
    still_s: float


def rival_children(stores: EmbeddedStores, urls: Mapping[str, str], port: int) -> dict[str, Child]:
    """An API that enqueues, and two plain arq workers."""
    said = {**os.environ, "DATABASE_URL": urls["postgres"], "REDIS_URL": urls["valkey"]}
    worker = ["-m", "arq", "tests.chaos.rival.worker.WorkerSettings"]
    api = ["-m", "uvicorn", "tests.chaos.rival.api:app", "--port", str(port)]
    commands = {"api": api, "worker-1": worker, "worker-2": worker}
    return {
        name: Child(name, [sys.executable, *words], said, stores.log(name))
        for name, words in commands.items()
    }


async def rival_readers(_: str) -> Sequence[str]:
    """Any will do."""
    return [str(uuid4()) for _ in range(32)]


async def our_readers(url: str) -> Sequence[str]:
    """The bows of a field of eight butts."""
    now = datetime.now(UTC).isoformat()
    session = {"is_opened": True, "start_time": now, "location": "here", "is_indoor": True}
    entries = [
        {"lane": lane, "letter": letter, "given_name": "A", "family_name": "B"}
        | {"bowstyle": "recurve", "shaft_diameter_mm": 5.5, "arrows": []}
        for lane in range(1, 9)
        for letter in "ABCD"
    ]
    faces = [{"face_type": "wa_40_full", "x": 0, "y": 0, "letter": None}]
    field = {"width_mm": 1300, "height_mm": 1300, "faces": faces, "entries": entries}
    async with open_api(url, ADMIN_TOKEN) as client:
        api = Api(client)
        made = await api.call(
            "POST", "/session", {**session, "distance": 18, "kind": "practice", "name": "x"}
        )
        listed = await api.call("POST", f"/session/{made['id']}/start_list", field)
    return [slot["bow_reader_id"] for slot in listed["slots"]]


QUIVER = Contender("Quiver", quiver_children, our_readers, OURS_SELECT, OURS_COUNT_TWICE)
ARQ = Contender(
    "arq as it comes", rival_children, rival_readers, RIVAL_SELECT, RIVAL_COUNT_TWICE, RIVAL_CREATE
)


async def kill(name: str, whole: Whole) -> None:
    """A process is gone at once."""
    whole.send(name, signal.SIGKILL)


async def break_store(name: str, signum: signal.Signals, whole: Whole) -> None:
    """A store goes, and comes again."""
    whole.kill_store(name, signum)


async def cut_lines(whole: Whole) -> None:
    """Every connection to the stores is cut, again and again."""
    for _ in range(round(CUT_FOR_S / CUT_EVERY_S)):
        for tap in whole.taps.values():
            tap.cut()
        await asyncio.sleep(CUT_EVERY_S)


async def stop_worker(whole: Whole) -> None:
    """A worker stands still for a while."""
    whole.send("worker-1", signal.SIGSTOP)
    await asyncio.sleep(STOPPED_FOR_S)
    whole.send("worker-1", signal.SIGCONT)


FAULTS: Mapping[str, Callable[[Whole], Awaitable[None]]] = {
    "a worker is killed (-9)": partial(kill, "worker-1"),
    "the API is killed (-9)": partial(kill, "api"),
    "Valkey is killed (-9)": partial(break_store, "valkey", signal.SIGKILL),
    "PostgreSQL is restarted (immediate)": partial(break_store, "postgres", signal.SIGQUIT),
    "all connections are cut every 0.3 s, for 6 s": cut_lines,
    "a worker stands still for 20 s": stop_worker,
}


@asynccontextmanager
async def stage(contender: Contender) -> AsyncIterator[Whole]:
    """A contender at work, with stores of its own that have on disk what they acknowledge."""
    with tempfile.TemporaryDirectory(prefix="quiver-compare-") as folder:
        Path(folder).chmod(0o755)
        with EmbeddedStores(Path(folder)) as stores:
            assert stores.postgres is not None
            await asyncio.to_thread(migrate.up, Settings(database_url=stores.postgres.url))
            conn = await asyncpg.connect(stores.postgres.url)
            await conn.execute(contender.prepare)
            await conn.close()
            make = partial(contender.children, stores)
            async with kept_running(stores, make, free_port()) as whole:
                yield whole


class Meeting:
    """One contender meets one fault under a steady load."""

    def __init__(self, contender: Contender, whole: Whole, patience_s: float) -> None:
        self._contender = contender
        self._whole = whole
        self._patience_s = patience_s
        self._accepted: set[str] = set()
        self._stored: set[str] = set()
        self._still_s = 0.0

    async def run(self, fault: Callable[[Whole], Awaitable[None]]) -> Met:
        """Shoot, break it, go on shooting, and wait for what is missing."""
        readers = await self._contender.readers(self._whole.url)
        over = asyncio.Event()
        looking = asyncio.create_task(self._look())
        shooting = asyncio.create_task(self._shoot(readers, over))
        await asyncio.sleep(BEFORE_S)
        await fault(self._whole)
        await asyncio.sleep(AFTER_S)
        over.set()
        await shooting
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience_s):
                while self._accepted - self._stored:
                    await asyncio.sleep(LOOK_EVERY_S)
        looking.cancel()
        lost = len(self._accepted - self._stored)
        return Met(len(self._accepted), lost, await self._twice(), self._still_s)

    async def _shoot(self, readers: Sequence[str], over: asyncio.Event) -> None:
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        tasks: set[asyncio.Task[None]] = set()
        async with httpx.AsyncClient(
            base_url=self._whole.url, headers=headers, timeout=5
        ) as client:
            number = 0
            while not over.is_set():
                event = _release(readers[number % len(readers)])
                tasks.add(asyncio.create_task(self._send(client, event)))
                number += 1
                await asyncio.sleep(1 / RATE_PER_S)
            await asyncio.wait(tasks, timeout=60)

    async def _send(self, client: httpx.AsyncClient, event: Mapping[str, str]) -> None:
        """Send an event until it is taken, as a reader does."""
        while True:
            with suppress(httpx.HTTPError):
                answer = await client.post("/api/v0/event", json={"events": [event]})
                if answer.status_code == 202:
                    self._accepted.add(event["event_id"])
                    return
            await asyncio.sleep(0.5)

    async def _look(self) -> None:
        moved_at = monotonic()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now_stored = await self._select()
            if len(now_stored) > len(self._stored) or not self._accepted - self._stored:
                moved_at = monotonic()
            self._stored |= now_stored
            self._still_s = max(self._still_s, monotonic() - moved_at)

    async def _select(self) -> set[str]:
        postgres = self._whole.stores.postgres
        assert postgres is not None
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            conn = await asyncpg.connect(postgres.url, timeout=2)
            try:
                return {str(row[0]) for row in await conn.fetch(self._contender.select)}
            finally:
                await conn.close()
        return self._stored

    async def _twice(self) -> int:
        conn = await asyncpg.connect(self._whole.settings.database_url)
        twice: int = await conn.fetchval(self._contender.count_twice)
        await conn.close()
        return twice


def _release(reader_id: str) -> dict[str, str]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"event_id": str(uuid4()), "reader_id": reader_id, "type": "arrow_release", "ts": now}


async def compare(patience_s: float, contenders: Sequence[Contender]) -> list[str]:
    """The lines of the table."""
    # What is killed on purpose is not taken for what cannot live.
    processes.QUICK_DEATHS_AT_MOST = 1_000
    heads = [f"{each.name}: {word}" for each in contenders for word in ("lost", "twice", "still")]
    lines = [f"| fault | {' | '.join(heads)} |", f"| --- |{' ---: |' * len(heads)}"]
    for name, fault in FAULTS.items():
        cells: list[Any] = []
        for contender in contenders:
            async with stage(contender) as whole:
                met = await Meeting(contender, whole, patience_s).run(fault)
            cells += [f"{met.lost} of {met.accepted}", met.twice, f"{met.still_s:.1f} s"]
        lines.append(f"| {name} | {' | '.join(map(str, cells))} |")
        print(lines[-1], flush=True)
    return lines


def main() -> None:
    """Compare, print, and write if wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="Put the table between a document's marks")
    parser.add_argument("--patience", type=float, default=330.0, help="Seconds to wait at most")
    said = parser.parse_args()
    lines = asyncio.run(compare(said.patience, [QUIVER, ARQ]))
    table = "\n".join(lines)
    print(table)
    if said.write is not None:
        before, _, rest = said.write.read_text().partition(BEGIN)
        _, _, after = rest.partition(END)
        said.write.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}")


if __name__ == "__main__":
    main()
