"""A Quiver that a run can be held against: it notes what it is told, and fails when asked to."""

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx

from simulators.run import Run
from simulators.tournament import Plan
from tests.simulators.clocks import LeapingClock

type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Answer = tuple[int, Any, Mapping[str, str]]
# What happens to a request instead of being answered; None: it is answered.
type Mood = Callable[[], Answer | None]

SESSION = str(uuid5(NAMESPACE_URL, "session"))


def away() -> Answer | None:
    """Nobody there."""
    raise httpx.ConnectError("nobody there")


def saying(status: int, error: str = "no", **headers: str) -> Mood:
    """A mood that answers with an error."""
    return lambda: (status, {"errors": [error]}, headers)


def well() -> Answer | None:
    """No mood at all."""
    return None


@dataclass(slots=True)
class Range:
    """The API, as far as a run needs it.

    Args:
        moods: By path, what happens to the next requests, one after the other.
        bad: Events that are rejected, by the number of their arrival.
        calls: Methods and paths, in their order.
        events: What was accepted, by event id.
        heard: Every event that came, in its order.
        beats: What the heartbeats said.
        opened: The session's body.
    """

    moods: dict[str, list[Mood]] = field(default_factory=dict)
    bad: frozenset[int] = frozenset()
    calls: list[str] = field(default_factory=list)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    heard: list[dict[str, Any]] = field(default_factory=list)
    beats: list[dict[str, Any]] = field(default_factory=list)
    opened: dict[str, Any] = field(default_factory=dict)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        raw = b""
        while True:
            part = await receive()
            raw += part.get("body", b"")
            if not part.get("more_body"):
                break
        path = scope["path"].removeprefix("/api/v0")
        self.calls.append(f"{scope['method']} {path}")
        moods = self.moods.get(path, [])
        answer = moods.pop(0)() if moods else None
        status, said, headers = answer or self._answer(path, json.loads(raw or b"{}"))
        named = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": named})
        await send({"type": "http.response.body", "body": json.dumps(said).encode()})

    def _answer(self, path: str, body: dict[str, Any]) -> Answer:
        if path == "/session":
            self.opened = body
            return 200, {"data": {"id": SESSION}}, {}
        if path.endswith("/start_list"):
            return 200, {"data": _made(body)}, {}
        if path == "/token":
            return 200, {"data": {"id": "gateway", "token": "secret"}}, {}
        if path == "/event":
            return 202, {"data": self._take(body["events"])}, {}
        if path == "/reader/heartbeat":
            self.beats += body["readers"]
        return 200, {"data": None}, {}

    def _take(self, events: list[dict[str, Any]]) -> dict[str, Any]:
        rejected = []
        for index, event in enumerate(events):
            if len(self.heard) in self.bad:
                rejected.append({"index": index, "event_id": event["event_id"], "error": "ts: bad"})
            else:
                self.events[event["event_id"]] = event
            self.heard.append(event)
        return {"accepted": len(events) - len(rejected), "rejected": rejected}

    def connect(self, url: str, token: str | None) -> httpx.AsyncClient:
        """A client of this range."""
        headers = {"Authorization": f"Bearer {token}"}
        transport = httpx.ASGITransport(self)
        return httpx.AsyncClient(transport=transport, base_url=url, headers=headers)

    def run(self, plan: Plan, time: LeapingClock, **more: Any) -> Run:
        """A run against this range."""
        url = "http://quiver"
        return Run(plan, url, "admin", **more, connect=self.connect, clock=time.clock())


def _made(body: dict[str, Any]) -> dict[str, Any]:
    lanes = sorted({entry["lane"] for entry in body["entries"]})
    slots = [_slot(entry, f"{entry['lane']}{entry['letter']}") for entry in body["entries"]]
    targets = [{"id": f"t{n}", "lane": n, "reader_id": f"target {n}"} for n in lanes]
    readers = [target["reader_id"] for target in targets]
    readers += [slot[kind] for slot in slots for kind in ("bow_reader_id", "arrow_reader_id")]
    return {"targets": targets, "slots": slots, "tokens": {reader: "" for reader in readers}}


def _slot(entry: dict[str, Any], place: str) -> dict[str, Any]:
    return {
        "id": f"slot {place}",
        "lane": entry["lane"],
        "letter": entry["letter"],
        "bow_reader_id": f"bow {place}",
        "arrow_reader_id": f"arrow {place}",
        "arrow_ids": [f"tag {arrow['identifier']}" for arrow in entry["arrows"]],
    }
