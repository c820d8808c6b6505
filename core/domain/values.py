"""What correlation takes and gives. Times are whole microseconds since the Unix epoch, in UTC."""

from collections.abc import Mapping
from enum import StrEnum
from operator import attrgetter
from uuid import UUID

from msgspec import Struct

from core.domain.scoring import Face, LineRule

MILLISECOND = 1_000
SECOND = 1_000_000


class EventType(StrEnum):
    """What a reader says happened."""

    IDENTIFIED = "arrow_identified"
    ENGAGE = "arrow_engage"
    RELEASE = "arrow_release"
    LANDED = "arrow_landed"


class Status(StrEnum):
    """What has become of a shot."""

    IN_FLIGHT = "in_flight"
    LANDED = "landed"
    MISSED = "missed"
    UNRESOLVED = "unresolved"
    VOIDED = "voided"


class ShotFlag(StrEnum):
    """What a judge should know of a shot."""

    AMBIGUOUS = "ambiguous"
    LATE_LANDING = "late_landing"
    ENGAGE_MISSING = "engage_missing"
    ARROW_UNKNOWN = "arrow_unknown"
    LINE_CALL = "line_call"
    WRONG_FACE = "wrong_face"
    EXTRA_ARROW = "extra_arrow"
    OUT_OF_END = "out_of_end"
    READER_OFFLINE = "reader_offline"
    DUPLICATE_SUSPECT = "duplicate_suspect"
    RULED = "ruled"


# Of one instant: an arrow is named before it is nocked, and nocked before it is shot.
ORDER = {kind: number for number, kind in enumerate(EventType)}


class Event(Struct, frozen=True, gc=False):
    """What a reader said, on the server's clock.

    Args:
        id: Its idempotency key.
        type: What happened.
        at: When, corrected for the reader's clock.
        received_at: When the server first had it.
        slot_id: The slot that the reader was bound to then; None: it was bound to the target.
        arrow_id: The arrow, where the reader knows it.
        x: Millimetres to the right of the butt's centre; 0 unless it landed.
        y: Millimetres above the butt's centre; 0 unless it landed.
        sigma_mm: The reader's uncertainty of x and y, when it says so.
        reader_id: Who said it.
    """

    id: UUID
    type: EventType
    at: int
    received_at: int
    slot_id: UUID | None = None
    arrow_id: UUID | None = None
    x: float = 0.0
    y: float = 0.0
    sigma_mm: float | None = None
    reader_id: UUID | None = None

    @property
    def order(self) -> tuple[int, int, UUID]:
        """What events are sorted by: nothing depends on the order in which they came."""
        return self.at, ORDER[self.type], self.id


# Of many events at once: a lambda takes a third longer.
BY_ORDER = attrgetter("order")


class Rules(Struct, frozen=True):
    """A session's windows, in microseconds, and its line rule.

    Args:
        association_window: An arrow seen at most this long before an engage is the one nocked.
        hold_max: An engage counts for a release at most this long after it.
        landing_window: An arrow lands at most this long after its release.
        late_grace: How much later than that a miss is called.
        debounce: A release this soon after another is the same one.
        line_rule: Whether touching a line is enough.
    """

    association_window: int = SECOND
    hold_max: int = 60 * SECOND
    landing_window: int = 3 * SECOND
    late_grace: int = 500 * MILLISECOND
    debounce: int = 150 * MILLISECOND
    line_rule: LineRule = LineRule.INCLUSIVE


class Slot(Struct, frozen=True):
    """An archer's place at a butt.

    Args:
        id: The slot.
        archer_id: Who shoots there.
        letter: Their letter on the butt.
        bowstyle: Such as `recurve`.
        shaft_diameter_mm: Of their arrows.
    """

    id: UUID
    archer_id: UUID
    letter: str
    bowstyle: str
    shaft_diameter_mm: float


class Boot(Struct, frozen=True):
    """One time a target reader was switched on.

    Args:
        started_at: When; None: it does not say.
        clear_at: When it last said, naming this start, that nothing was left to send.
        event_clear_at: When an event of it last came while nothing was said to be left.
    """

    started_at: int | None
    clear_at: int | None = None
    event_clear_at: int | None = None


class Watch(Struct, frozen=True):
    """A target reader's time at a butt, and what is known of its presence.

    Args:
        bound_from: From when on it was bound to the butt.
        bound_to: Until when.
        last_heard_at: When anything of it was last received; None: never.
        buffered: Events that it last said it had still to send; None: it does not say.
        boots: Each time it was switched on.
    """

    bound_from: int
    bound_to: int
    last_heard_at: int | None = None
    buffered: int | None = None
    boots: tuple[Boot, ...] = ()


class Butt(Struct, frozen=True):
    """A butt and who shoots at it: all that correlation needs to know besides the events.

    Args:
        distance_m: From the shooting line, in metres.
        faces: What hangs on it.
        slots: Who shoots at it, by slot id.
        arrow_owners: The archer of each arrow that events name; one not in it is not registered.
        watches: Its target readers.
        opens_at: The session's start.
        closes_at: The session's end; None: it is open.
        rules: The session's.
        offline_after: Microseconds of silence after which a reader is offline.
        unsure: Of these releases, by their events' ids, that a reader still counts as online does
            not say that it was there: what it saw may be on its way.
    """

    distance_m: float
    faces: tuple[Face, ...]
    slots: Mapping[UUID, Slot]
    arrow_owners: Mapping[UUID, UUID]
    watches: tuple[Watch, ...]
    opens_at: int
    closes_at: int | None
    rules: Rules
    offline_after: int
    unsure: frozenset[UUID] = frozenset()


class Shot(Struct, frozen=True, gc=False):
    """One release and what became of it.

    Args:
        id: Derived from the release's event, so that the same events give the same id.
        slot_id: Whose place.
        archer_id: Who shot.
        arrow_id: The arrow, when it is known and registered.
        release_event_id: The release; None: a judge made the shot of a landing.
        landing_event_id: The landing, once there is one.
        engaged_at: When the bow was drawn, when that was seen.
        released_at: When the arrow left.
        landed_at: When it landed.
        x: Where it landed, millimetres right of the butt's centre.
        y: Where it landed, millimetres above the butt's centre.
        status: What has become of it.
        deadline: When it is called a miss unless a landing is known.
        is_settled: Nothing but a landing or a judge can change it any more.
        score: Its points; None: not decided, or not scorable yet.
        label: `X`, `10` … `1`, `M`; None as for the score.
        is_x: Whether it is an X.
        face_id: The face that was hit.
        spot: The spot of that face, counted from 0.
        confidence: How probable it is that the landing is this release's, 0 to 1.
        flags: What a judge should know, sorted.
    """

    id: UUID
    slot_id: UUID
    archer_id: UUID
    arrow_id: UUID | None
    release_event_id: UUID | None
    landing_event_id: UUID | None
    engaged_at: int | None
    released_at: int
    landed_at: int | None
    x: float | None
    y: float | None
    status: Status
    deadline: int
    is_settled: bool
    score: int | None
    label: str | None
    is_x: bool
    face_id: UUID | None
    spot: int | None
    confidence: float
    flags: tuple[ShotFlag, ...]

    @property
    def is_unscored(self) -> bool:
        """It landed, and there was no face to score it by."""
        return self.status is Status.LANDED and self.score is None
