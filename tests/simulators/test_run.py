"""Whole runs against a range that is held together by memory, in no time."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from simulators.api import ApiRefused
from simulators.faults import clock_offset, delay, drop, duplicate, reorder
from simulators.run import Progress, run_tournament
from simulators.tournament import Plan
from simulators.truth import Truth
from tests.simulators.clocks import START, LeapingClock
from tests.simulators.ranges import SESSION, Range, away, saying, well

PLAN = Plan(2, 2, ends=1, arrows_per_end=3, seed=3)


async def ran(there: Range, **more: Any) -> Truth:
    """The truth of a run at 20 times life's speed."""
    return await run_tournament(there.run(PLAN, LeapingClock(), **{"speed": 20.0} | more))


async def test_every_event_arrives_once_and_the_truth_knows_it() -> None:
    there = Range()
    truth = await ran(there)
    known = {shot.release_event_id for shot in truth.shots}
    known |= {shot.landing_event_id for shot in truth.shots if shot.landing_event_id}
    assert len(there.heard) == len(there.events)
    assert known == {
        event["event_id"]
        for event in there.heard
        if event["type"] in ("arrow_release", "arrow_landed")
    }
    assert all(shot.release_sent and shot.landing_sent for shot in truth.shots)
    assert (truth.session_id, len(truth.shots)) == (SESSION, 12)


async def test_the_truth_tells_times_and_places_as_the_readers_did() -> None:
    there = Range()
    shot = next(s for s in (await ran(there)).shots if s.landing_event_id is not None)
    landing = there.events[shot.landing_event_id or ""]
    assert (shot.landing_ts, shot.x, shot.y) == (landing["ts"], landing["x"], landing["y"])
    assert shot.release_ts == there.events[shot.release_event_id]["ts"]


@pytest.mark.parametrize("speed", [1.0, 20.0, 500.0])
async def test_no_event_lies_in_the_future_and_the_last_one_is_now(speed: float) -> None:
    there, time, late = Range(), LeapingClock(), list[timedelta]()

    def look(_: Progress) -> None:
        late.extend(time.now - datetime.fromisoformat(e["ts"]) for e in there.heard[len(late) :])

    await run_tournament(there.run(PLAN, time, speed=speed, progress=look))
    assert min(late) >= timedelta(0)
    assert late[-1] < timedelta(seconds=1)


async def test_at_lifes_speed_every_shot_happens_as_it_is_told() -> None:
    there, time, late = Range(), LeapingClock(), list[timedelta]()

    def look(_: Progress) -> None:
        late.extend(time.now - datetime.fromisoformat(e["ts"]) for e in there.heard[len(late) :])

    await run_tournament(there.run(PLAN, time, progress=look))
    shots = [n for n, e in enumerate(there.heard) if e["type"] in ("arrow_release", "arrow_landed")]
    assert max(late[n] for n in shots) < timedelta(seconds=0.5)


async def test_the_session_begins_before_the_first_event() -> None:
    there = Range()
    await ran(there)
    assert there.opened["start_time"] < min(event["ts"] for event in there.heard)


async def test_the_same_seed_sends_the_same_bytes() -> None:
    one, other = Range(), Range()
    faults = (drop(0.05), duplicate(0.05), delay(0.1, 30), reorder(), clock_offset(1))
    await ran(one, faults=faults)
    await ran(other, faults=faults)
    assert json.dumps(one.heard) == json.dumps(other.heard)


async def test_a_server_that_is_away_or_busy_for_a_while_gets_everything_in_the_end() -> None:
    moods = [away, saying(503, **{"Retry-After": "2"}), well, saying(500), saying(429)] * 3
    troubled, calm = Range({"/event": list(moods)}), Range()
    await ran(troubled)
    await ran(calm)
    assert not troubled.moods["/event"]
    assert troubled.events.keys() == calm.events.keys()


async def test_what_the_server_calls_bad_is_reported_and_not_sent_again() -> None:
    there, seen = Range(bad=frozenset({3, 8})), list[Progress]()
    truth = await ran(there, progress=seen.append)
    last = seen[-1]
    assert (last.rejected, last.reasons, last.buffered) == (2, ["ts: bad"], 0)
    assert last.accepted + 2 == last.total == last.due == len(there.heard)
    assert all(shot.release_sent for shot in truth.shots)


async def test_a_dropped_event_is_known_never_to_have_been_sent() -> None:
    there = Range()
    truth = await ran(there, faults=(drop(0.3),))
    lost = {s.release_event_id for s in truth.shots if not s.release_sent}
    lost |= {s.landing_event_id or "" for s in truth.shots if not s.landing_sent}
    assert lost
    assert not lost & there.events.keys()


async def test_every_reader_says_in_the_end_that_nothing_is_left() -> None:
    there = Range()
    await ran(there)
    readers = {beat["reader_id"] for beat in there.beats}
    last = {beat["reader_id"]: beat["buffered"] for beat in there.beats}
    assert len(readers) == 2 + 2 * 4
    assert set(last.values()) == {0}


async def test_readers_say_every_ten_seconds_that_they_live() -> None:
    there = Range()
    await ran(there, speed=1.0)
    beats = sum(beat["reader_id"] == "target 1" for beat in there.beats)
    lasts_s = (datetime.fromisoformat(there.heard[-1]["ts"]) - START).total_seconds()
    # One at the beginning, and the last word.
    assert beats == int(lasts_s / 10) + 2


async def test_a_last_word_that_nobody_heard_is_said_again() -> None:
    there = Range()

    def look(progress: Progress) -> None:
        if progress.accepted == progress.total:
            there.moods["/reader/heartbeat"] = [away] * 8

    await ran(there, progress=look)
    assert not there.moods["/reader/heartbeat"]
    assert {beat["buffered"] for beat in there.beats[-10:]} == {0}


async def test_a_run_that_is_stopped_knows_what_it_has_sent() -> None:
    there, stop = Range(), asyncio.Event()

    def look(progress: Progress) -> None:
        if progress.accepted > progress.total / 2:
            stop.set()

    truth = await ran(there, speed=5.0, progress=look, stop=stop)
    sent = {shot.release_event_id for shot in truth.shots if shot.release_sent}
    assert 0 < len(sent) < len(truth.shots)
    assert sent == {e for e, said in there.events.items() if said["type"] == "arrow_release"}


async def test_a_run_can_be_stopped_while_the_server_is_away() -> None:
    there, stop = Range({"/event": [away] * 10_000}), asyncio.Event()

    def look(progress: Progress) -> None:
        if progress.buffered > 5:
            stop.set()

    truth = await ran(there, progress=look, stop=stop)
    assert not any(shot.release_sent for shot in truth.shots)


async def test_a_run_that_is_stopped_and_has_patience_has_every_event_answered() -> None:
    there, stop = Range({"/event": [well] * 20 + [away] * 8}), asyncio.Event()

    def look(progress: Progress) -> None:
        if progress.retries:
            stop.set()

    truth = await ran(there, progress=look, stop=stop, patience_s=60.0)
    sent = {shot.release_event_id for shot in truth.shots if shot.release_sent}
    assert not there.moods["/event"]
    assert 0 < len(sent) < len(truth.shots)
    assert sent == {e for e, said in there.events.items() if said["type"] == "arrow_release"}


@pytest.mark.parametrize("path", ["/event", "/reader/heartbeat"])
async def test_a_gateway_that_is_not_let_in_ends_the_run_with_a_sentence(path: str) -> None:
    there = Range({path: [saying(401, "the token was revoked")] * 4})
    with pytest.raises(ApiRefused, match="401, the token was revoked"):
        await ran(there)


async def test_the_gateways_token_ends_with_the_run() -> None:
    there = Range({"/event": [saying(403)]})
    with pytest.raises(ApiRefused):
        await ran(there)
    assert there.calls[-1] == "DELETE /token/gateway"


async def test_a_set_up_that_is_refused_ends_the_run_with_a_sentence() -> None:
    with pytest.raises(ApiRefused, match="POST /session: 403, only an admin may"):
        await ran(Range({"/session": [saying(403, "only an admin may")]}))


async def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(ApiRefused, match="http://quiver does not answer: nobody there"):
        await ran(Range({"/session": [away]}))


async def test_what_answers_otherwise_is_no_quiver() -> None:
    with pytest.raises(ApiRefused, match="answers, but is no Quiver API"):
        await ran(Range({"/session": [lambda: (200, [], {})]}))
