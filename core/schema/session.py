"""Sessions: when and where is shot, and by which rules."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from core.errors import InvalidInputError
from core.schema.rules import Rules, RulesUpdate
from core.schema.types import EARLIEST, Boundary, Distance, Flag, Instant, Name, Text


class SessionCreate(Boundary):
    """A new session."""

    is_opened: Flag
    start_time: Instant
    end_time: Instant | None = None
    location: Name
    is_indoor: Flag
    distance: Distance = Field(description="Metres, at most 1000")
    name: Text | None = None
    kind: Literal["practice", "tournament"] = "practice"
    round_code: Text | None = None
    results_public: Flag = Field(True, description="Whether anyone may read the results")
    rules: Rules = Rules()

    @model_validator(mode="after")
    def _is_open_exactly_without_an_end(self) -> Self:
        if self.is_opened and self.end_time is not None:
            raise ValueError("is_opened: must be false when there is an end_time")
        if not self.is_opened and self.end_time is None:
            raise ValueError("end_time: is missing, and a session that is not opened has ended")
        if self.end_time is not None and self.end_time < self.start_time:
            raise ValueError("end_time: must not lie before start_time")
        return self


class SessionUpdate(Boundary):
    """What is to change of a session; what is left out stays.

    `is_opened: false` without an `end_time` ends the session now; `is_opened: true` opens it again.
    """

    is_opened: Flag = True
    start_time: Instant = EARLIEST
    end_time: Instant | None = None
    location: Name = ""
    is_indoor: Flag = False
    distance: Distance = 1.0
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
        if "end_time" in given:
            raise InvalidInputError("body.end_time", "must not lie before start_time")
        raise InvalidInputError("body.start_time", "must not lie after end_time")
    return values
