"""What the load generator is asked for; it crosses as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter

# To connect and to make what is sent, and for each viewer to join.
LONGEST_BEFORE_S, LONGEST_JOIN_S = 120.0, 0.5
HANGS_BELOW_EVENTS_PER_S = 100.0


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
        is_beating: Whether readers send heartbeats meanwhile.
        ends_with_backlog: Whether no more shots begin once the backlog beside it is published.
    """

    field: Field
    phases: Sequence[Phase]
    is_beating: bool = True
    ends_with_backlog: bool = False

    @property
    def seconds(self) -> float:
        """How long it lasts at most."""
        return sum(phase.seconds for phase in self.phases)


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

    @property
    def longest_s(self) -> float:
        """Whoever takes longer hangs, and is not only slow: seconds."""
        live_s = 0.0 if self.live is None else self.live.seconds
        late_s = 0.0 if self.backlog is None else self.backlog.events / HANGS_BELOW_EVENTS_PER_S
        viewers = 0 if self.crowd is None else self.crowd.viewers
        before_s = LONGEST_BEFORE_S + LONGEST_JOIN_S * viewers
        return before_s + live_s + late_s + 2 * self.patience_s


JOB: TypeAdapter[Job] = TypeAdapter(Job)
