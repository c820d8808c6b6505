"""Sessions: when and where is shot, and by which rules."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from core.errors import InvalidInputError
from core.schema.types import EARLIEST, Boundary, Flag, Instant, Name, Positive, Text

type Milliseconds = Annotated[int, Field(strict=True, ge=0, le=600_000)]


class Rules(Boundary):
    """A session's rules, each with the usual value."""

    association_window_ms: Milliseconds = Field(
        1000, description="An arrow seen at most this long before an engage is the one nocked"
    )
    hold_max_ms: Milliseconds = Field(
        60_000, description="An engage counts for a release at most this long after it"
    )
    landing_window_ms: Annotated[int, Field(strict=True, ge=100, le=60_000)] = Field(
        3000, description="An arrow lands at most this long after its release"
    )
    late_grace_ms: Milliseconds = Field(
        500, description="How much later than the landing window a miss is called"
    )
    debounce_ms: Annotated[int, Field(strict=True, ge=0, le=10_000)] = Field(
        150, description="A release this soon after another is the same one"
    )
    line_rule: Literal["inclusive", "must_cut"] = Field(
        "inclusive", description="Whether touching a line is enough"
    )
    arrows_per_end: Annotated[int, Field(strict=True, ge=1, le=100)] | None = Field(
        None, description="Without it no rule about ends applies"
    )
    ends: Annotated[int, Field(strict=True, ge=1, le=1000)] | None = None
    end_control: Literal["auto", "manual"] = "auto"


class SessionCreate(Boundary):
    """A new session."""

    is_opened: Flag
    start_time: Instant
    end_time: Instant | None = None
    location: Name
    is_indoor: Flag
    distance: Positive = Field(description="Metres")
    name: Text | None = None
    kind: Literal["practice", "tournament"] = "practice"
    round_code: Text | None = None
    results_public: Flag = Field(True, description="Whether anyone may read the results")
    rules: Rules = Rules()

    @model_validator(mode="after")
    def _is_open_exactly_without_an_end(self) -> Self:
        if self.is_opened and self.end_time is not None:
            raise ValueError("is_opened must be false when there is an end_time")
        if not self.is_opened and self.end_time is None:
            raise ValueError("end_time is missing: a session that is not opened has ended")
        if self.end_time is not None and self.end_time < self.start_time:
            raise ValueError("end_time must not lie before start_time")
        return self


class RulesUpdate(Boundary):
    """Rules to change; what is left out stays."""

    association_window_ms: Milliseconds = 0
    hold_max_ms: Milliseconds = 0
    landing_window_ms: Annotated[int, Field(strict=True, ge=100, le=60_000)] = 100
    late_grace_ms: Milliseconds = 0
    debounce_ms: Annotated[int, Field(strict=True, ge=0, le=10_000)] = 0
    line_rule: Literal["inclusive", "must_cut"] = "inclusive"
    arrows_per_end: Annotated[int, Field(strict=True, ge=1, le=100)] | None = None
    ends: Annotated[int, Field(strict=True, ge=1, le=1000)] | None = None
    end_control: Literal["auto", "manual"] = "auto"


class SessionUpdate(Boundary):
    """What is to change of a session; what is left out stays.

    `is_opened: false` without an `end_time` ends the session now; `is_opened: true` opens it again.
    """

    is_opened: Flag = True
    start_time: Instant = EARLIEST
    end_time: Instant | None = None
    location: Name = ""
    is_indoor: Flag = False
    distance: Positive = 1.0
    name: Text | None = None
    kind: Literal["practice", "tournament"] = "practice"
    round_code: Text | None = None
    results_public: Flag = True
    rules: RulesUpdate = RulesUpdate()


class Session(Boundary):
    """A session."""

    id: UUID
    is_opened: bool = Field(description="Open exactly when there is no end")
    name: str | None
    location: str
    kind: Literal["practice", "tournament"]
    start_time: Instant
    end_time: Instant | None
    is_indoor: bool
    distance: float
    round_code: str | None
    results_public: bool
    rules: Rules
    created_at: Instant
    updated_at: Instant


def changed_session(before: Session, wish: SessionUpdate, now: datetime) -> dict[str, object]:
    """A session's fields after a change.

    Args:
        before: As it is.
        wish: What is to change.
        now: When it ends, if it is to end and nobody says when.

    Raises:
        InvalidInputError: The outcome would contradict itself.
    """
    given = wish.model_dump(exclude_unset=True)
    if given.get("is_opened") is True:
        if given.get("end_time") is not None:
            raise InvalidInputError("body.is_opened", "must be false when there is an end_time")
        given["end_time"] = None
    if given.get("is_opened") is False and given.get("end_time", before.end_time) is None:
        if "end_time" in given:
            raise InvalidInputError("body.end_time", "must not be null when is_opened is false")
        given["end_time"] = max(now, before.start_time)
    rules = before.rules.model_dump() | given.pop("rules", {})
    values = before.model_dump() | given | {"rules": Rules.model_validate(rules).model_dump()}
    start_time, end_time = values["start_time"], values["end_time"]
    if end_time is not None and end_time < start_time:
        raise InvalidInputError("body.end_time", "must not lie before start_time")
    return values
