"""A gateway that gives nothing up."""

import json
from collections.abc import Callable

import httpx
import pytest

from simulators.api import ApiRefused
from simulators.client import Gateway
from simulators.wire import WireEvent
from tests.simulators.clocks import START, LeapingClock

EVENTS = [WireEvent(f"event {n}", "reader", "arrow_engage", float(n)) for n in range(450)]

type Answer = Callable[[httpx.Request], httpx.Response]


def accepted(request: httpx.Request) -> httpx.Response:
    """The server takes the whole batch."""
    number = len(json.loads(request.content)["events"])
    return httpx.Response(202, json={"data": {"accepted": number, "rejected": []}})


class Server:
    """Answers one after the other, then accepts everything."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.time = LeapingClock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        self.requests.append(request)
        return (self.answers.pop(0) if self.answers else accepted)(request)

    def gateway(self, *events: WireEvent) -> Gateway:
        """A gateway to this server that has taken some events."""
        transport = httpx.MockTransport(self)
        client = httpx.AsyncClient(transport=transport, base_url="http://quiver")
        gateway = Gateway(client, START, self.time.clock())
        for event in events:
            gateway.take(event)
        return gateway


def refusing(status: int, **headers: str) -> Answer:
    """The server refuses."""
    return lambda _: httpx.Response(status, headers=headers, json={"errors": ["no"]})


def unreachable(request: httpx.Request) -> httpx.Response:
    """Nobody answers."""
    raise httpx.ConnectError("nobody there", request=request)


async def test_events_are_sent_in_batches_in_their_order() -> None:
    server = Server()
    gateway = server.gateway(*EVENTS)
    await gateway.flush()
    bodies = [json.loads(request.content) for request in server.requests]
    assert [len(body["events"]) for body in bodies] == [200, 200, 50]
    assert [e["event_id"] for body in bodies for e in body["events"]] == [
        event.event_id for event in EVENTS
    ]
    assert bodies[0]["events"][1]["ts"] == "2026-05-01T10:00:01.000Z"
    assert gateway.tally.accepted == 450


async def test_a_busy_server_is_left_alone_as_long_as_it_asks_for() -> None:
    server = Server(refusing(503, **{"Retry-After": "7"}))
    gateway = server.gateway(*EVENTS[:3])
    await gateway.flush()
    assert server.time.pauses == [7.0]
    assert gateway.tally.accepted == 3


async def test_a_server_that_is_away_is_tried_until_it_is_back() -> None:
    server = Server(unreachable, unreachable, refusing(500))
    gateway = server.gateway(*EVENTS[:3])
    await gateway.flush()
    assert server.time.pauses == [0.2, 0.4, 0.8]
    assert (gateway.tally.accepted, len(gateway.buffer)) == (3, 0)


async def test_what_the_server_calls_bad_is_not_sent_again() -> None:
    def one_bad(_: httpx.Request) -> httpx.Response:
        bad = [{"index": 0, "event_id": "event 0", "error": "ts: lies in the future"}]
        return httpx.Response(202, json={"data": {"accepted": 2, "rejected": bad}})

    server = Server(one_bad)
    gateway = server.gateway(*EVENTS[:3])
    await gateway.flush()
    assert len(server.requests) == 1
    assert gateway.tally.rejected == ["ts: lies in the future"]


async def test_a_clock_that_is_ahead_shows_in_time_and_sending_time() -> None:
    server = Server()
    await server.gateway(WireEvent("e", "r", "arrow_engage", 1.0, clock_ahead_s=2.5)).flush()
    (event,) = json.loads(server.requests[0].content)["events"]
    assert (event["ts"], event["sent_at"]) == (
        "2026-05-01T10:00:03.500Z",
        "2026-05-01T10:00:02.500Z",
    )


async def test_a_batch_that_is_bad_as_a_whole_does_not_hold_up_the_next() -> None:
    server = Server(refusing(422))
    gateway = server.gateway(*EVENTS)
    await gateway.flush()
    assert gateway.tally.rejected == ["422, no"] * 200
    assert gateway.tally.accepted == 250


async def test_a_gateway_that_is_not_let_in_says_so_and_keeps_its_events() -> None:
    gateway = Server(refusing(401)).gateway(*EVENTS)
    with pytest.raises(ApiRefused, match="POST /event: 401, no"):
        await gateway.flush()
    assert len(gateway.buffer) == 450


async def test_an_answer_that_is_none_of_the_apis_is_not_taken_for_acceptance() -> None:
    server = Server(lambda _: httpx.Response(200, text="<h1>Back soon</h1>"))
    gateway = server.gateway(*EVENTS[:3])
    await gateway.flush()
    assert (len(server.requests), gateway.tally.accepted) == (2, 3)


async def test_a_heartbeat_says_since_when_readers_run_and_what_each_has_left() -> None:
    server = Server(lambda _: httpx.Response(200, json={"data": {"accepted": 2}}))
    assert await server.gateway(*EVENTS[:4]).beat(["reader", "another"])
    assert json.loads(server.requests[0].content)["readers"] == [
        {"reader_id": "reader", "started_at": "2026-05-01T10:00:00.000Z", "buffered": 4},
        {"reader_id": "another", "started_at": "2026-05-01T10:00:00.000Z", "buffered": 0},
    ]


async def test_a_heartbeat_that_nobody_hears_is_said_so() -> None:
    assert not await Server(unreachable).gateway().beat(["r"])


async def test_a_heartbeat_that_is_refused_is_an_error() -> None:
    with pytest.raises(ApiRefused, match="POST /reader/heartbeat: 422, no"):
        await Server(refusing(422)).gateway().beat(["r"])
