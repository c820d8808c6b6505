"""The limit: an assignment that is told what no server can know.

It knows each archer's true mean flight time, how far their shots and the clocks scatter, how often
an arrow misses and an event is lost, and every clock's offset, and pairs a butt's releases and
landings at the least total cost. What it gets wrong nobody can get right from these events but by
luck.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from simulators.faults import Sending
from simulators.flight import SHOT_SPREAD
from simulators.shooting import MISS_SHARE
from simulators.tournament import Archer
from simulators.wire import WireEvent

LONGEST_S = 3.2
# How often an archer of a dense field shoots, on average.
SHOTS_PER_S = 1 / 20
# Never nothing: logarithms are taken.
LEAST = 1e-5


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the oracle is told besides the archers.

    Args:
        noise_s: How far each event's time is off, one sigma.
        loss: The share of events that never arrive.
    """

    noise_s: float
    loss: float


def foretold(
    sent: Sequence[Sending], field: Sequence[Archer], secrets: Secrets
) -> dict[str, str | None]:
    """The landing of each release, as the oracle has it; events are named by their ids.

    Args:
        sent: What left the readers; their clocks' offsets are seen through.
        field: The archers.
        secrets: What else it is told.
    """
    found: dict[str, str | None] = {}
    by_reader = {archer.bow_reader: archer for archer in field}
    lanes = {archer.target_reader: archer.lane for archer in field}
    lanes |= {archer.bow_reader: archer.lane for archer in field}
    of_lane: dict[int, list[Sending]] = {}
    for sending in sent:
        if sending.event.type in ("arrow_release", "arrow_landed"):
            of_lane.setdefault(lanes[sending.event.reader_id], []).append(sending)
    for said in of_lane.values():
        found |= _of_butt(said, by_reader, secrets)
    return found


def _of_butt(
    said: Sequence[Sending], by_reader: Mapping[str, Archer], secrets: Secrets
) -> dict[str, str | None]:
    events = {s.event.event_id: s.event for s in said}.values()
    releases = [event for event in events if event.type == "arrow_release"]
    landings = [event for event in events if event.type == "arrow_landed"]
    if not releases or not landings:
        return {release.event_id: None for release in releases}
    gain = _gain(releases, landings, by_reader, secrets)
    rows, columns = linear_sum_assignment(-np.maximum(gain, 0.0))
    chosen = {
        row: column for row, column in zip(rows, columns, strict=True) if gain[row, column] > 0
    }
    return {
        release.event_id: landings[chosen[row]].event_id if row in chosen else None
        for row, release in enumerate(releases)
    }


def _gain(
    releases: Sequence[WireEvent],
    landings: Sequence[WireEvent],
    by_reader: Mapping[str, Archer],
    secrets: Secrets,
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """How much likelier, as a logarithm, each pair is than that neither has a partner."""
    mean = np.array([by_reader[release.reader_id].bow.mean_s for release in releases])[:, None]
    sigma = np.maximum(np.hypot(SHOT_SPREAD * mean, secrets.noise_s * math.sqrt(2)), LEAST)
    released = np.array([release.at for release in releases])[:, None]
    flight = np.array([landing.at for landing in landings])[None, :] - released
    missing = max(LEAST, MISS_SHARE + (1 - MISS_SHARE) * secrets.loss)
    archers = len({release.reader_id for release in releases})
    strays = max(LEAST, archers * SHOTS_PER_S * secrets.loss * (1 - missing))
    peak = np.log((1 - missing) / (missing * strays * sigma * math.sqrt(2 * math.pi)))
    gain = peak - ((flight - mean) / sigma) ** 2 / 2
    return np.where((flight > 0) & (flight <= LONGEST_S), gain, 0.0)
