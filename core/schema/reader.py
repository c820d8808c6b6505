"""Readers: what is on bows, in arrows and behind targets."""

from dataclasses import dataclass
from typing import Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from core.errors import InvalidInputError
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
        wrong = misfit(self.kind, self.slot_id, self.target_id)
        if wrong is not None:
            raise ValueError(": ".join(wrong))
        if self.bound_from is not None and self.slot_id is None and self.target_id is None:
            raise ValueError("bound_from: there is no slot_id or target_id to be bound to")
        return self


class ReaderUpdate(Boundary):
    """What is to change of a reader; what is left out stays.

    Another `slot_id` or `target_id` moves it from `bound_from` on, and null takes it away.
    `bound_from` in the past writes its history anew from there on.
    """

    name: Name = ""
    slot_id: UUID | None = None
    target_id: UUID | None = None
    bound_from: Instant | None = Field(
        None,
        description=(
            "Left out: now; for a reader that is bound to nothing, or whose session is over, the "
            "end of that, or the new session's start when it is later"
        ),
    )


class ClockShown(Boundary):
    """A reader's clock, as measured from `sent_at`."""

    offset_ms: float = Field(description="Added to its times: how far it is behind the server's")
    measured_at: Instant
    suspect: Literal["implausible", "jumped"] | None = Field(
        description=(
            "implausible: far off; jumped: it was set less than ten minutes before it was last "
            "heard. Its times are corrected all the same"
        )
    )
    jumped_at: Instant | None = Field(
        description="When it was last found to have been set, since it was switched on"
    )


class Reader(Boundary):
    """A reader, where it is, and how it fares."""

    id: UUID
    kind: ReaderKind
    name: str
    slot_id: UUID | None
    target_id: UUID | None = Field(description="Its butt; for a slot's reader, the slot's")
    bound_from: Instant | None = Field(description="Since when it is there")
    is_online: bool
    last_heard_at: Instant | None
    battery_pct: float | None
    firmware: str | None
    buffered: int | None
    clock: ClockShown | None = Field(description="null: it never said `sent_at`")
    created_at: Instant
    updated_at: Instant


class ReaderCreated(Reader):
    """A new reader: the only answer that ever shows its token."""

    token: str


class ReaderToken(Boundary):
    """A reader's new token; the old ones are revoked."""

    reader_id: UUID
    token: str


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a reader shall be: at a slot, at a target, or nowhere.

    Args:
        slot_id: The slot.
        target_id: The target, when it is bound to all of it.
    """

    slot_id: UUID | None = None
    target_id: UUID | None = None


def misfit(
    kind: ReaderKind, slot_id: UUID | None, target_id: UUID | None
) -> tuple[str, str] | None:
    """The field and the reason that keep a reader of a kind from a place; None: nothing does."""
    if slot_id is not None and target_id is not None:
        return "target_id", "a reader is bound to a slot or to a target, not to both"
    if kind == "target" and slot_id is not None:
        return "slot_id", "a target reader is bound to a target"
    if kind == "bow" and target_id is not None:
        return "target_id", "a bow reader is bound to a slot"
    return None


def changed_whereabouts(before: Reader, wish: ReaderUpdate) -> Whereabouts | None:
    """Where a change puts a reader; None: it stays where it is, and was.

    Raises:
        InvalidInputError: It cannot serve that place, or a time is given without one.
    """
    wrong = misfit(before.kind, wish.slot_id, wish.target_id)
    if wrong is not None:
        raise InvalidInputError(f"body.{wrong[0]}", wrong[1])
    now = Whereabouts(before.slot_id, before.target_id if before.slot_id is None else None)
    wanted = Whereabouts(wish.slot_id, wish.target_id)
    nulled = wish.model_fields_set & {"slot_id", "target_id"}
    if wanted == Whereabouts() and not any(getattr(before, name) is not None for name in nulled):
        wanted = now
    if wish.bound_from is None:
        return None if wanted == now else wanted
    if wanted == Whereabouts() and not nulled:
        raise InvalidInputError("body.bound_from", "say what it is bound to: slot_id or target_id")
    return wanted
