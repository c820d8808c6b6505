"""Shooting while things break, viewers that watch it, and whether all came out right."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any
from uuid import UUID

import httpx

from cli.frames import SeenShot
from cli.viewer_socket import ViewerSocket
from core.feed import Feed
from core.postgres import open_pool
from core.valkey import open_valkey
from simulators.api import Api, ApiRefused, open_api
from simulators.evaluation import Evaluation, evaluate
from simulators.faults import Fault, duplicate, reorder
from simulators.run import Run, run_tournament
from simulators.tournament import Plan
from simulators.truth import Truth
from tests.chaos.whole import Whole
from tests.conftest import ADMIN_TOKEN

WATCHING_WITHIN_S = 10.0
RECOVERED_WITHIN_S = 15.0
SETTLED_WITHIN_S = 30.0
LATE_MS = 1_500
# Whoever sends pauses for up to five seconds between two tries: longer than that, all is answered.
ANSWERED_WITHIN_S = 30.0
VIEWERS = 3
EVENT = "/api/v0/event"

EVENT_SELECT_OF_SESSION = """
SELECT DISTINCT event.event_id
FROM target
JOIN reader_binding AS binding ON binding.target_id = target.id
JOIN event ON event.reader_id = binding.reader_id
WHERE target.session_id = $1
"""
VERSION_SELECT = "SELECT id, version FROM shot WHERE session_id = $1"
LANDINGS_COUNT = """
SELECT count(landing_event_id) - count(DISTINCT landing_event_id) FROM shot WHERE session_id = $1
"""

type Versions = dict[str, set[int]]


@dataclass(slots=True)
class Load:
    """A tournament that is shot while things break.

    Args:
        whole: What it is sent to.
        plan: What kind.
        speed: How much faster than life.
        faults: What goes wrong on the way of the events.
    """

    whole: Whole
    plan: Plan
    speed: float
    faults: Sequence[Fault] = (duplicate(0.05), reorder())
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    session: asyncio.Future[str] = field(default_factory=asyncio.Future)
    sent: set[str] = field(default_factory=set)
    accepted: set[str] = field(default_factory=set)
    refusals: int = 0

    def run(self) -> Run:
        """The tournament."""
        return Run(
            self.plan,
            self.whole.url,
            ADMIN_TOKEN,
            self.speed,
            self.faults,
            started=self.session.set_result,
            stop=self.stop,
            patience_s=ANSWERED_WITHIN_S,
            connect=self._connect,
        )

    def _connect(self, url: str, token: str | None) -> httpx.AsyncClient:
        client = open_api(url, token)
        client.event_hooks["request"].append(self._note_sending)
        client.event_hooks["response"].append(self._note)
        return client

    async def _note_sending(self, request: httpx.Request) -> None:
        if request.method == "POST" and request.url.path == EVENT:
            self.sent.update(_ids(request))

    async def _note(self, answer: httpx.Response) -> None:
        """Remember what was accepted, by id."""
        if answer.request.method != "POST" or answer.request.url.path != EVENT:
            return
        self.refusals += answer.status_code == 503
        if answer.status_code == 202:
            sent = _ids(answer.request)
            await answer.aread()
            bad = {each["index"] for each in answer.json()["data"]["rejected"]}
            self.accepted |= {each for number, each in enumerate(sent) if number not in bad}


def _ids(request: httpx.Request) -> list[str]:
    """The events of a request."""
    return [event["event_id"] for event in json.loads(request.content)["events"]]


@asynccontextmanager
async def watching(whole: Whole, session_id: str) -> AsyncIterator[list[Versions]]:
    """Viewers that watch already and connect again by cursor, and what each saw."""
    seen: list[Versions] = [defaultdict(set) for _ in range(VIEWERS)]
    viewers = [ViewerSocket(whole.url, None, session_id, None) for _ in seen]
    tasks = [
        asyncio.create_task(viewer.follow(partial(_note, versions)))
        for viewer, versions in zip(viewers, seen, strict=True)
    ]
    try:
        async with asyncio.timeout(WATCHING_WITHIN_S):
            while any(viewer.board.cursor is None for viewer in viewers):
                await asyncio.sleep(0.01)
        yield seen
    finally:
        for task in tasks:
            task.cancel()


def _note(versions: Versions, news: Sequence[SeenShot]) -> None:
    for shot in news:
        versions[shot.id].add(shot.version)


async def recovered(whole: Whole) -> float:
    """Seconds until nothing waits for long any more.

    Raises:
        TimeoutError: It takes too long.
    """
    began, good = monotonic(), 0
    async with asyncio.timeout(RECOVERED_WITHIN_S), open_api(whole.url, ADMIN_TOKEN) as client:
        client.timeout = httpx.Timeout(3.0)
        while good < 3:
            state = await _state(Api(client))
            good = good + 1 if state["workers"] and state["oldest_age_ms"] < LATE_MS else 0
            await asyncio.sleep(0.1)
    return monotonic() - began


async def _state(api: Api) -> dict[str, Any]:
    """How the work stands; nothing works while the API does not answer."""
    with suppress(ApiRefused):
        state: dict[str, Any] = await api.call("GET", "/admin/queue")
        return state
    return {"workers": []}


async def under_load(
    whole: Whole,
    load: Load,
    during: Callable[[], Awaitable[None]],
) -> Truth:
    """Shoot, do something meanwhile, and hold what came of it against the truth."""
    shooting = asyncio.create_task(run_tournament(load.run()))
    try:
        await asyncio.wait((shooting, load.session), return_when=asyncio.FIRST_COMPLETED)
        if not load.session.done():
            # It could not begin: that says why.
            await shooting
        session_id = await load.session
        async with watching(whole, session_id) as seen:
            await during()
            truth = await shooting
            shots = await _settled(whole, session_id)
            found = evaluate(truth, shots)
            _all_right(found, shots)
            await _held(whole, session_id, load)
            await _all_seen(whole, session_id, seen)
    finally:
        shooting.cancel()
    return truth


def _all_right(found: Evaluation, shots: Sequence[dict[str, Any]]) -> None:
    """Every shot is right; what is said of the others is shown, since no run is like another."""
    of_release = {shot["release_event_id"]: shot for shot in shots}
    wrong = [(verdict.value, release, of_release.get(release)) for release, verdict in found.wrong]
    assert not wrong, f"{len(wrong)} of {found.total} shots are wrong: {json.dumps(wrong[:20])}"


async def _settled(whole: Whole, session_id: str) -> list[dict[str, Any]]:
    async with asyncio.timeout(SETTLED_WITHIN_S), open_api(whole.url, ADMIN_TOKEN) as client:
        while True:
            with suppress(ApiRefused):
                state = await Api(client).call("GET", "/admin/queue")
                shots = await Api(client).every(f"/session/{session_id}/shot")
                busy = state["inbox"] + state["queued"] + state["running"]
                if not busy and all(shot["status"] != "in_flight" for shot in shots):
                    query: dict[str, str | int] = {"state": "failed"}
                    page = await Api(client).call("GET", "/admin/job", query=query)
                    assert [(each["function"], each["error"]) for each in page["items"]] == []
                    return shots
            await asyncio.sleep(0.1)


async def _held(whole: Whole, session_id: str, load: Load) -> None:
    """Every accepted event is stored, and none that nobody sent; no landing is two shots'."""
    async with await open_pool(whole.settings, minimum=0, maximum=1) as pool:
        async with pool.acquire() as conn:
            rows = await conn.fetch(EVENT_SELECT_OF_SESSION, UUID(session_id))
            twice = await conn.fetchval(LANDINGS_COUNT, UUID(session_id))
    stored = {str(row["event_id"]) for row in rows}
    assert load.accepted - stored == set()
    # The last answer may have been lost on its way when the load was stopped.
    assert stored - load.sent == set()
    assert twice == 0


async def _all_seen(whole: Whole, session_id: str, seen: Sequence[Versions]) -> None:
    """Every viewer has seen every version that was told, and the last of every shot."""
    told = await _told(whole, session_id)
    async with await open_pool(whole.settings, minimum=0, maximum=1) as pool:
        async with pool.acquire() as conn:
            rows = await conn.fetch(VERSION_SELECT, UUID(session_id))
    for row in rows:
        assert row["version"] in told[str(row["id"])]
    with suppress(TimeoutError):
        async with asyncio.timeout(RECOVERED_WITHIN_S):
            while any(_missing(told, versions) for versions in seen):
                await asyncio.sleep(0.1)
    assert [_missing(told, versions) for versions in seen] == [[] for _ in seen]


async def _told(whole: Whole, session_id: str) -> Versions:
    valkey = open_valkey(whole.settings)
    told: Versions = defaultdict(set)
    try:
        feed, cursor = Feed(valkey, length=500_000), "0-0"
        while messages := await feed.since(UUID(session_id), cursor):
            cursor = messages[-1].cursor
            for message in messages:
                shot = json.loads(message.text)["data"].get("shot")
                if shot is not None:
                    told[shot["id"]].add(shot["version"])
    finally:
        await valkey.aclose()
    return told


def _missing(told: Versions, seen: Versions) -> list[tuple[str, int]]:
    return [(shot, v) for shot, versions in told.items() for v in versions - seen[shot]]
