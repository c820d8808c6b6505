"""Events as readers send them and as the API shows them."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, SkipValidation, TypeAdapter, model_validator

from core.schema.types import Boundary, Count, Instant, Text

LARGEST_BATCH = 1000

type EventKind = Literal["arrow_identified", "arrow_engage", "arrow_release", "arrow_landed"]
type Millimetres = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-1e5, le=1e5)]

# What an event says beyond its time, by its type: what it must say and what it may.
FURTHER: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "arrow_identified": (frozenset({"arrow_id"}), frozenset()),
    "arrow_engage": (frozenset(), frozenset({"arrow_id"})),
    "arrow_release": (frozenset(), frozenset()),
    "arrow_landed": (frozenset({"x", "y"}), frozenset({"arrow_id", "sigma_mm"})),
}
# Which kind of reader says what.
SPEAKER = {
    "arrow_identified": "arrow",
    "arrow_engage": "bow",
    "arrow_release": "bow",
    "arrow_landed": "target",
}


class EventIn(Boundary):
    """What a reader saw."""

    event_id: UUID = Field(description="The idempotency key: sent again, it changes nothing")
    reader_id: UUID | None = Field(None, description="May be left out with a reader's own token")
    type: EventKind
    ts: Instant = Field(description="When it happened, by the reader's clock")
    sent_at: Instant | None = Field(
        None, description="When it left the reader, by the reader's clock, where a gateway relays"
    )
    arrow_id: UUID | None = None
    x: Millimetres | None = Field(None, description="Millimetres right of the butt's centre")
    y: Millimetres | None = Field(None, description="Millimetres above the butt's centre")
    sigma_mm: Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=1e4)] | None = (
        Field(None, description="The reader's uncertainty of x and y")
    )

    @model_validator(mode="after")
    def _says_what_its_type_says(self) -> Self:
        must, may = FURTHER[self.type]
        said = {
            name for name in ("arrow_id", "x", "y", "sigma_mm") if getattr(self, name) is not None
        }
        for name in sorted(must - said):
            raise ValueError(f"{name}: is missing, and {self.type} needs it")
        for name in sorted(said - must - may):
            raise ValueError(f"{name}: is not a field of {self.type}")
        return self


EVENT_IN: TypeAdapter[EventIn] = TypeAdapter(EventIn)


class EventBatch(Boundary):
    """What a reader or a gateway sends at once; each event is judged on its own."""

    sent_at: Instant | None = Field(
        None, description="The sender's clock as the batch left: it tells that clock's offset"
    )
    # Anything at all, described as what each is then held against.
    events: Annotated[Sequence[SkipValidation[EventIn]], Field(max_length=LARGEST_BATCH)]


class Rejected(Boundary):
    """An event that was not taken."""

    index: int = Field(description="Its place in the batch, from 0")
    event_id: str | None = Field(description="As it was sent")
    error: str = Field(description="What is wrong, naming the field")


class Acceptance(Boundary):
    """What became of a batch: the accepted events are on disk."""

    accepted: int
    rejected: Sequence[Rejected]


class Beat(Boundary):
    """A reader's sign of life."""

    reader_id: UUID | None = Field(None, description="May be left out with a reader's own token")
    started_at: Instant | None = Field(
        None, description="When the reader was switched on, by its own clock"
    )
    buffered: Count | None = Field(None, description="Events that it still has to send")
    battery_pct: Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=100)] | None = (
        None
    )
    firmware: Text | None = None


class Heartbeat(Boundary):
    """Signs of life of one reader, or of all that a gateway relays."""

    sent_at: Instant | None = Field(None, description="The sender's clock as it left")
    readers: Annotated[Sequence[Beat], Field(min_length=1, max_length=10_000)]


class HeartbeatAccepted(Boundary):
    """How many signs of life were taken."""

    accepted: int


class StoredEvent(Boundary):
    """An event as it is kept, and where it belongs."""

    event_id: UUID
    reader_id: UUID
    type: EventKind
    ts: Instant
    sent_at: Instant | None
    received_at: Instant
    offset_ms: float = Field(description="Added to `ts` for the reader's clock")
    occurred_at: Instant = Field(description="When it happened, by the server's clock")
    arrow_id: UUID | None
    x: float | None
    y: float | None
    sigma_mm: float | None
    request_id: UUID | None
    place: Literal["placed", "unbound", "outside_session"] = Field(
        description="Only what is placed makes a shot"
    )
    session_id: UUID | None
    target_id: UUID | None
    slot_id: UUID | None
