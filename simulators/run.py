"""A tournament set up over the wire and shot against a running API."""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from simulators.api import Api, open_api
from simulators.client import Gateway
from simulators.faults import Fault, Sending, afflicted
from simulators.tournament import Plan, Played, archers, play, start_list
from simulators.truth import TrueShot, Truth
from simulators.wire import rfc3339

GATEWAYS = 4
TICK_S = 0.05
BEAT_EVERY_S = 10.0
# The readers were there before the first arrow.
LEAD = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Args:
        total: Events to be sent.
        due: Events whose time has come.
        accepted: Events that the API has taken.
        rejected: Events that it has refused.
    """

    total: int
    due: int
    accepted: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Run:
    """How to play a tournament.

    Args:
        plan: What kind.
        url: The API's.
        token: An admin's.
        speed: How much faster than life.
        faults: What goes wrong on the way, in this order.
        progress: Told every now and then.
        started: Told the session's id once it is set up.
        stop: Ends the run early.
    """

    plan: Plan
    url: str
    token: str
    speed: float = 1.0
    faults: Sequence[Fault] = ()
    progress: Callable[[Progress], None] | None = None
    started: Callable[[str], None] | None = None
    stop: asyncio.Event | None = None


async def run_tournament(run: Run) -> Truth:
    """Set a tournament up, shoot it, and answer what really happened.

    Raises:
        ApiRefused: The API refuses the set-up, or is not there.
    """
    async with AsyncExitStack() as stack:
        api = Api(await stack.enter_async_context(open_api(run.url, run.token)))
        length = _length(run.plan)
        # The last arrow lands about now, whatever the speed: no event lies in the future.
        start = datetime.now(UTC) - length * (1 - 1 / run.speed) - timedelta(seconds=0.5)
        session = await api.call("POST", "/session", _session(run.plan, start - LEAD))
        made = await api.call("POST", f"/session/{session['id']}/start_list", start_list(run.plan))
        if run.started is not None:
            run.started(session["id"])
        played = _of_session(play(run.plan, archers(run.plan, made)), UUID(session["id"]))
        sendings = afflicted(played.events, run.faults, random.Random(f"{run.plan.seed} faults"))
        token = await api.call("POST", "/token", {"role": "gateway", "name": "simulated gateway"})
        gateways = [
            Gateway(await stack.enter_async_context(open_api(run.url, token["token"])), start)
            for _ in range(GATEWAYS)
        ]
        await _send_all(run, gateways, sendings, sorted(made["tokens"]))
        await api.call("DELETE", f"/token/{token['id']}")
    sent = {sending.event.event_id for sending in sendings}
    return Truth(run.url, session["id"], [_as_sent(shot, sent) for shot in played.shots])


def _length(plan: Plan) -> timedelta:
    """How long the tournament lasts: a field with other ids lasts as long."""
    made = {
        "targets": [{"lane": n, "reader_id": ""} for n in range(1, plan.butts + 1)],
        "slots": [
            {
                **{name: "" for name in ("id", "bow_reader_id", "arrow_reader_id")},
                "lane": entry["lane"],
                "letter": entry["letter"],
                "arrow_ids": [arrow["identifier"] for arrow in entry["arrows"]],
            }
            for entry in start_list(plan)["entries"]
        ],
    }
    played: Played = play(plan, archers(plan, made))
    return timedelta(seconds=played.lasts_s)


def _of_session(played: Played, session_id: UUID) -> Played:
    """The tournament with event ids of its own: the same seed may be shot twice at one API."""

    def salted(event_id: str) -> str:
        return str(uuid5(session_id, event_id))

    return Played(
        [replace(event, event_id=salted(event.event_id)) for event in played.events],
        [
            replace(
                shot,
                release_event_id=salted(shot.release_event_id),
                landing_event_id=(
                    None if shot.landing_event_id is None else salted(shot.landing_event_id)
                ),
            )
            for shot in played.shots
        ],
    )


def _session(plan: Plan, start: datetime) -> dict[str, Any]:
    return {
        "is_opened": True,
        "start_time": rfc3339(start),
        "location": "simulated range",
        "name": f"Simulated tournament {plan.seed}",
        "is_indoor": plan.distance <= 25,
        "distance": plan.distance,
        "kind": "tournament",
    }


def _as_sent(shot: TrueShot, sent: set[str]) -> TrueShot:
    return replace(
        shot,
        release_sent=shot.release_event_id in sent,
        landing_sent=shot.landing_event_id is None or shot.landing_event_id in sent,
    )


async def _send_all(
    run: Run,
    gateways: Sequence[Gateway],
    sendings: Sequence[Sending],
    readers: Sequence[str],
) -> None:
    """Send each event when its time has come, and say every 10 s that the readers live."""
    began = asyncio.get_running_loop().time()
    flushing: list[asyncio.Task[None]] = []
    sent, beaten_at = 0, -BEAT_EVERY_S
    while sent < len(sendings) and not (run.stop is not None and run.stop.is_set()):
        passed = asyncio.get_running_loop().time() - began
        if passed - beaten_at >= BEAT_EVERY_S:
            beaten_at = passed
            left = sum(len(gateway.buffer) for gateway in gateways)
            await gateways[0].beat(readers, left)
        until = sent
        while until < len(sendings) and sendings[until].at <= passed * run.speed:
            until += 1
        _share_out(gateways, sendings[sent:until])
        sent = until
        flushing = _flush(gateways, flushing)
        _tell(run, gateways, len(sendings), sent)
        await asyncio.sleep(TICK_S)
    await asyncio.gather(*flushing)
    await asyncio.gather(*(gateway.flush() for gateway in gateways))
    while not await gateways[0].beat(readers, 0):
        await asyncio.sleep(1)
    _tell(run, gateways, len(sendings), sent)


def _share_out(gateways: Sequence[Gateway], sendings: Sequence[Sending]) -> None:
    """Each reader always talks to the same gateway."""
    for sending in sendings:
        number = int(sending.event.reader_id[:8], 16) % len(gateways)
        gateways[number].take([sending.event])


def _flush(
    gateways: Sequence[Gateway], flushing: Sequence[asyncio.Task[None]]
) -> list[asyncio.Task[None]]:
    """Have each gateway send that is not sending already."""
    busy = {task.get_name(): task for task in flushing if not task.done()}
    for task in flushing:
        if task.done():
            task.result()
    for number, gateway in enumerate(gateways):
        if gateway.buffer and str(number) not in busy:
            busy[str(number)] = asyncio.create_task(gateway.flush(), name=str(number))
    return list(busy.values())


def _tell(run: Run, gateways: Sequence[Gateway], total: int, due: int) -> None:
    if run.progress is not None:
        accepted = sum(gateway.tally.accepted for gateway in gateways)
        rejected = sum(len(gateway.tally.rejected) for gateway in gateways)
        run.progress(Progress(total, due, accepted, rejected))
