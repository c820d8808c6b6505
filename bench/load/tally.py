"""What the load generator answers; it crosses as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from bench.usage import Usage


@dataclass(frozen=True, slots=True)
class Sample:
    """The processes at a moment, seconds after the begin."""

    at_s: float
    usage: Mapping[str, Usage]


@dataclass(slots=True)
class Tally:
    """What a load generator counted.

    Args:
        latencies: By phase: when the landing was due, in seconds after the begin, and the
            milliseconds from then to its frame.
        answers_ms: How long requests of the backlog took.
        lag_ms: How much later than due the requests were sent: the generator's own fault.
        sent: Events that were accepted.
        refused: Answers other than 202, or requests that failed.
        sent_away: Requests that were to be sent again later, and were.
        unseen: Landings of which no frame came.
        unseen_live: Of these the live ones, by phase.
        live_s: From the begin to the last event of the live shooting.
        backlog_sent: Events of the backlog that were sent.
        backlog_cut: Whether its time was up before its end.
        backlog_sent_s: From the backlog's begin to the last answer.
        backlog_seen_s: From the backlog's begin to its last shot's frame.
        backlog_load_cores: What the load generator itself took of its one core meanwhile.
        crowd_latencies: As `latencies`, of the crowd's few who tell.
        frames: That the crowd was sent.
        frames_least: Of an arrow that leaves or lands, of the viewer who was sent least of them, of
            those who read.
        frames_due: Of these, that each viewer was to be sent.
        frames_s: The time in which they were due, from the first shot on; or until the last came,
            when that was later.
        viewer_kb: What each viewer costs the API, but for the first few.
        steps_ms: How long each round of the floor took, by step.
        samples: The processes, at the begin, the end, and in between when asked.
    """

    latencies: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    answers_ms: list[float] = field(default_factory=list)
    lag_ms: list[float] = field(default_factory=list)
    sent: int = 0
    refused: list[str] = field(default_factory=list)
    sent_away: int = 0
    unseen: int = 0
    unseen_live: dict[str, int] = field(default_factory=dict)
    live_s: float = 0.0
    backlog_sent: int = 0
    backlog_cut: bool = False
    backlog_sent_s: float = 0.0
    backlog_seen_s: float = 0.0
    backlog_load_cores: float = 0.0
    crowd_latencies: dict[str, list[float]] = field(default_factory=dict)
    frames: int = 0
    frames_least: int = 0
    frames_due: int = 0
    frames_s: float = 0.0
    viewer_kb: float = 0.0
    steps_ms: dict[str, list[float]] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)


TALLY: TypeAdapter[Tally] = TypeAdapter(Tally)
