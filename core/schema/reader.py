"""Readers: what is on bows, in arrows and behind targets."""

from typing import Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from core.schema.types import Boundary, Instant, Name

type ReaderKind = Literal["arrow", "bow", "target"]


class ReaderCreate(Boundary):
    """A new reader, bound to a slot, to a target, or to nothing yet."""

    kind: ReaderKind
    name: Name
    slot_id: UUID | None = Field(None, description="For a bow reader, or an arrow reader")
    target_id: UUID | None = Field(None, description="For a target reader, or an arrow reader")
    bound_from: Instant | None = Field(
        None, description="Since when it is there; its session's start when left out"
    )

    @model_validator(mode="after")
    def _is_bound_to_what_its_kind_serves(self) -> Self:
        check_place(self.kind, self.slot_id, self.target_id)
        return self


class ReaderUpdate(Boundary):
    """What is to change of a reader; what is left out stays.

    Another `slot_id` or `target_id` moves it from `bound_from` on, null for both takes it away. Without
    `bound_from`: now, or, when it is bound to nothing in an open session, as early as makes sense.
    """

    name: Name = ""
    slot_id: UUID | None = None
    target_id: UUID | None = None
    bound_from: Instant | None = None


class Reader(Boundary):
    """A reader, where it is, and how it fares."""

    id: UUID
    kind: ReaderKind
    name: str
    slot_id: UUID | None
    target_id: UUID | None = Field(description="Its butt; for a slot's reader, the slot's")
    bound_from: Instant | None
    is_online: bool
    last_heard_at: Instant | None
    battery_pct: float | None
    firmware: str | None
    buffered: int | None
    created_at: Instant
    updated_at: Instant


class ReaderCreated(Reader):
    """A new reader: the only answer that ever shows its token."""

    token: str


class ReaderToken(Boundary):
    """A reader's new token; the old ones are revoked."""

    reader_id: UUID
    token: str


def check_place(kind: str, slot_id: UUID | None, target_id: UUID | None) -> None:
    """Whether a reader of a kind can serve this place.

    Raises:
        ValueError: It cannot.
    """
    if slot_id is not None and target_id is not None:
        raise ValueError("slot_id and target_id: a reader is bound to one of them")
    if kind == "target" and slot_id is not None:
        raise ValueError("slot_id: a target reader is bound to a target")
    if kind == "bow" and target_id is not None:
        raise ValueError("target_id: a bow reader is bound to a slot")
