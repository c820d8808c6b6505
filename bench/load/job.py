"""What the load generator is asked for, and what it answers; both cross as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from bench.usage import Usage


@dataclass(frozen=True, slots=True)
class Butt:
    """A butt's readers.

    Args:
        target_reader: Says where arrows land.
        bow_readers: One for each archer.
    """

    target_reader: str
    bow_readers: Sequence[str]


@dataclass(frozen=True, slots=True)
class Field:
    """A session's butts."""

    session_id: str
    butts: Sequence[Butt]

    @property
    def archers(self) -> int:
        """How many shoot."""
        return sum(len(butt.bow_readers) for butt in self.butts)


@dataclass(frozen=True, slots=True)
class Phase:
    """Shooting at one pace.

    Args:
        name: What its figures are called.
        events_per_s: Engages, releases and landings together.
        seconds: How long.
    """

    name: str
    events_per_s: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Live:
    """Archers that shoot now: each event is sent by itself when it happens.

    Args:
        field: Where.
        phases: The paces, one after the other; those named `warm-up` are not counted.
    """

    field: Field
    phases: Sequence[Phase]


@dataclass(frozen=True, slots=True)
class Backlog:
    """Events that happened before, and are sent now.

    Args:
        field: Where.
        events: How many.
        batch: Events of a request.
        connections: Requests under way at once.
        after_s: When it begins, after the live shooting.
        events_per_s: The pace, whatever the server does; None: as fast as it answers.
        seconds: Stop sending after so long; None: send all.
    """

    field: Field
    events: int
    batch: int
    connections: int
    after_s: float = 0.0
    events_per_s: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Crowd:
    """Viewers of the live shooting.

    Args:
        viewers: How many.
        is_one_stalled: Whether one of them reads nothing after the first frame.
    """

    viewers: int
    is_one_stalled: bool


@dataclass(frozen=True, slots=True)
class Job:
    """A load.

    Args:
        url: The API's.
        token: A gateway's.
        redis_url: Where the feed is, to see when a backlog is published.
        servers: The processes whose cost is watched, by name: the first of each family.
        live: What is shot now.
        backlog: What is sent late.
        crowd: Who watches, beside the one viewer who tells latencies.
        sample_s: How often memory is looked at; None: at the begin and the end.
        patience_s: How long the last frame is waited for.
    """

    url: str
    token: str
    redis_url: str
    servers: Mapping[str, int]
    live: Live | None = None
    backlog: Backlog | None = None
    crowd: Crowd | None = None
    sample_s: float | None = None
    patience_s: float = 60.0


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
        unseen: Landings of which no frame came.
        backlog_sent: Events of the backlog that were sent.
        backlog_cut: Whether its time was up before its end.
        backlog_sent_s: From the backlog's begin to the last answer.
        backlog_seen_s: From the backlog's begin to its last shot's frame.
        crowd_latencies: As `latencies`, of the crowd's few who tell.
        frames: That the crowd was sent.
        frames_least: Of the viewer who was sent least, of those who read.
        frames_s: From the begin to the last frame.
        viewer_kb: What a viewer costs the API.
        samples: The processes, at the begin, the end, and in between when asked.
    """

    latencies: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    answers_ms: list[float] = field(default_factory=list)
    lag_ms: list[float] = field(default_factory=list)
    sent: int = 0
    refused: list[str] = field(default_factory=list)
    unseen: int = 0
    backlog_sent: int = 0
    backlog_cut: bool = False
    backlog_sent_s: float = 0.0
    backlog_seen_s: float = 0.0
    crowd_latencies: dict[str, list[float]] = field(default_factory=dict)
    frames: int = 0
    frames_least: int = 0
    frames_s: float = 0.0
    viewer_kb: float = 0.0
    samples: list[Sample] = field(default_factory=list)


JOB: TypeAdapter[Job] = TypeAdapter(Job)
TALLY: TypeAdapter[Tally] = TypeAdapter(Tally)
