"""A tournament set up over the wire and shot against a running API."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import httpx

from simulators.api import Api, ApiRefused, open_api
from simulators.client import Gateway
from simulators.clock import Clock, wall_clock
from simulators.faults import Fault, afflicted
from simulators.relay import Relay
from simulators.shooting import Played, play
from simulators.tournament import Plan, archers, rehearsal, start_list
from simulators.truth import Truth
from simulators.wire import rfc3339

GATEWAYS = 4
# The readers were there before the first arrow.
LEAD = timedelta(seconds=30)
REASONS_TOLD = 5
REVOKE_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Args:
        total: Events to be sent.
        due: Events whose time has come.
        accepted: Events that the API has taken.
        rejected: Events that it has refused.
        buffered: Events that are due and neither.
        retries: Requests that had to be sent again.
        reasons: Why events were refused, the first few.
    """

    total: int
    due: int
    accepted: int
    rejected: int
    buffered: int
    retries: int
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True)
class Run:
    """How to play a tournament.

    Args:
        plan: What kind.
        url: The API's.
        token: An admin's.
        speed: How much faster than life; at 1 everything happens now.
        faults: What goes wrong on the way, in this order.
        progress: Told every now and then.
        started: Told the session's id once it is set up.
        stop: Ends the run early: the truth then knows what was sent.
        patience_s: How long, in seconds, what is due is still tried after that.
        connect: Opens a client for an address and a token.
        clock: What the run goes by.
    """

    plan: Plan
    url: str
    token: str
    speed: float = 1.0
    faults: Sequence[Fault] = ()
    progress: Callable[[Progress], None] | None = None
    started: Callable[[str], None] | None = None
    stop: asyncio.Event | None = None
    patience_s: float = 1.0
    connect: Callable[[str, str | None], httpx.AsyncClient] = open_api
    clock: Clock = field(default_factory=wall_clock)


async def run_tournament(run: Run) -> Truth:
    """Set a tournament up, shoot it, and answer what really happened.

    Raises:
        ApiRefused: The API refuses the set-up or the gateways, or is not there.
    """
    async with AsyncExitStack() as stack:
        api = Api(await stack.enter_async_context(run.connect(run.url, run.token)))
        # The last arrow lands about now, whatever the speed: no event lies in the future.
        lasts_s = play(run.plan, archers(run.plan, rehearsal(run.plan))).lasts_s
        before = timedelta(seconds=lasts_s * (1 - 1 / run.speed))
        opening = _session(run.plan, run.clock.now() - before - LEAD)
        session = await api.call("POST", "/session", opening)
        made = await api.call("POST", f"/session/{session['id']}/start_list", start_list(run.plan))
        token = await api.call("POST", "/token", {"role": "gateway", "name": "simulated gateway"})
        stack.push_async_callback(_revoke, api, token["id"])
        if run.started is not None:
            run.started(session["id"])
        clients = [
            await stack.enter_async_context(run.connect(run.url, token["token"]))
            for _ in range(GATEWAYS)
        ]
        played = play(run.plan, archers(run.plan, made)).of_session(UUID(session["id"]))
        # Setting a large field up takes a while, which must not make every event late.
        start = run.clock.now() - before
        gateways = [Gateway(client, start, run.clock) for client in clients]
        await _relay(run, gateways, played, made)
    sent = {event_id for gateway in gateways for event_id in gateway.delivered}
    return Truth(run.url, session["id"], [shot.sent(start, sent) for shot in played.shots])


async def _relay(
    run: Run, gateways: Sequence[Gateway], played: Played, made: Mapping[str, Any]
) -> None:
    sendings = afflicted(played.events, run.faults, random.Random(f"{run.plan.seed} faults"))
    tell = partial(_tell, run, gateways, len(sendings))
    stop = run.stop or asyncio.Event()
    relay = Relay(
        gateways, sorted(made["tokens"]), run.clock, run.speed, stop, tell, run.patience_s
    )
    await relay.send(sendings)


async def _revoke(api: Api, token_id: str) -> None:
    """Take the gateways' token back; an API that is away keeps nobody waiting for that."""
    with suppress(ApiRefused, TimeoutError):
        async with asyncio.timeout(REVOKE_WITHIN_S):
            await api.call("DELETE", f"/token/{token_id}")


def _session(plan: Plan, start: datetime) -> dict[str, Any]:
    return {
        "is_opened": True,
        "start_time": rfc3339(start),
        "location": "simulated range",
        "name": f"Simulated tournament {plan.seed}",
        "is_indoor": plan.is_indoor,
        "distance": plan.distance,
        "kind": "tournament",
    }


def _tell(run: Run, gateways: Sequence[Gateway], total: int, due: int) -> None:
    if run.progress is None:
        return
    tallies = [gateway.tally for gateway in gateways]
    refusals = [reason for tally in tallies for reason in tally.rejected]
    run.progress(
        Progress(
            total,
            due,
            sum(tally.accepted for tally in tallies),
            len(refusals),
            sum(len(gateway.buffer) for gateway in gateways),
            sum(tally.retries for tally in tallies),
            list(dict.fromkeys(refusals))[:REASONS_TOLD],
        )
    )
