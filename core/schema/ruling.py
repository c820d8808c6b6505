"""What judges rule, as it is asked for and as it is kept."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, JsonValue, StringConstraints, model_validator

from core.domain.rulings import Action
from core.schema.types import Boundary, Flag, Instant, storable

type Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    AfterValidator(storable),
    Field(description="Why; kept with the ruling"),
]
type Points = Annotated[int, Field(strict=True, ge=-100, le=100)]
type Label = Annotated[str, Field(min_length=1, max_length=3)]


class RulingWish(Boundary):
    """What a judge says; which fields there must be depends on the action."""

    reason: Reason

    def check_fields(self, action: str, needed: Sequence[str], allowed: Sequence[str] = ()) -> None:
        """Refuse what the action lacks, and what it has no use for.

        Raises:
            ValueError: It lacks a field, or has one that is another action's.
        """
        for name in needed:
            if name not in self.model_fields_set:
                raise ValueError(f"{name}: is missing for the action {action}")
        for name in self.model_fields_set - {"action", "reason", *needed, *allowed}:
            raise ValueError(f"{name}: is not a field of the action {action}")


class ShotRulingWish(RulingWish):
    """What a judge says of a shot."""

    action: Literal["score", "assign_landing", "void", "restore", "move"]
    score: Points = Field(0, description="`score`: one that the butt's faces have, or 0 for a miss")
    label: Label | None = Field(
        None, description="`score`: as on a scorecard; null: what goes with the score, not an X"
    )
    is_x: Flag | None = Field(None, description="`score`: null: as the label says")
    landing_event_id: UUID | None = Field(
        None, description="`assign_landing`: the shot's landing; null: it has none, so it is a miss"
    )
    slot_id: UUID | None = Field(None, description="`move`: whose the shot is")

    @model_validator(mode="after")
    def _has_the_fields_of_its_action(self) -> Self:
        needed = {"score": ["score"], "assign_landing": ["landing_event_id"], "move": ["slot_id"]}
        allowed = ["label", "is_x"] if self.action == "score" else []
        self.check_fields(self.action, needed.get(self.action, []), allowed)
        if self.action == "move" and self.slot_id is None:
            raise ValueError("slot_id: must be a UUID")
        return self


class LandingRulingWish(RulingWish):
    """What a judge says of something that hit a butt."""

    action: Literal["give", "shot", "dismiss"]
    shot_id: UUID | None = Field(None, description="`give`: whose landing it is")
    slot_id: UUID | None = Field(None, description="`shot`: who shot the arrow")

    @model_validator(mode="after")
    def _has_the_fields_of_its_action(self) -> Self:
        needed = {"give": "shot_id", "shot": "slot_id"}.get(self.action)
        self.check_fields(self.action, [needed] if needed else [])
        if needed and getattr(self, needed) is None:
            raise ValueError(f"{needed}: must be a UUID")
        return self


class SessionRulingWish(RulingWish):
    """What a judge says of a session: two archers at one butt have each other's places."""

    action: Literal["swap"]
    slot_ids: Annotated[Sequence[UUID], Field(min_length=2, max_length=2)]
    since: Instant | None = Field(
        None, description="Shots released from then on; null: from the beginning"
    )
    until: Instant | None = Field(None, description="Shots released before; null: to the end")

    @model_validator(mode="after")
    def _swaps_something(self) -> Self:
        if self.slot_ids[0] == self.slot_ids[1]:
            raise ValueError("slot_ids: must be two different slots")
        if self.since is not None and self.until is not None and self.until <= self.since:
            raise ValueError("until: must lie after since")
        return self


class UndoWish(Boundary):
    """Why a ruling is taken back."""

    reason: Reason


class Judge(Boundary):
    """Who ruled."""

    token_id: UUID | None = Field(description="Null: the administrator of the environment")
    name: str = Field(description="The token's")


class Undone(Boundary):
    """That a ruling was taken back."""

    by: Judge
    at: Instant
    reason: str
    restore_id: UUID | None = Field(description="The `restore` that took it back, if one did")


class Ruling(Boundary):
    """What a judge said. It is never deleted; what it does to shots ends when it is taken back."""

    id: UUID
    session_id: UUID
    target_id: UUID = Field(description="The butt that it is about")
    action: Action = Field(description="A landing that was given to a shot is `assign_landing`")
    shot_id: UUID | None
    landing_event_id: UUID | None
    slot_id: UUID | None = Field(description="`move` and `shot`: whose the shot is")
    slot_ids: Sequence[UUID] | None = Field(description="`swap`: the two places")
    score: int | None
    label: str | None
    is_x: bool | None
    since: Instant | None = Field(description="`swap`: null: from the beginning")
    until: Instant | None = Field(description="`swap`: null: to the end")
    reason: str
    made_by: Judge
    made_at: Instant
    request_id: UUID | None
    before: Sequence[Mapping[str, JsonValue]] = Field(
        description="The shots that it touches, as they were without it, given the rulings that "
        "stood when it was made; as viewers saw them then while it was not applied yet"
    )
    after: Sequence[Mapping[str, JsonValue]] | None = Field(
        description="The same shots with it, given those rulings; null: it was not applied yet. A "
        "ruling that was taken back at once was never shown, but has its `after` all the same"
    )
    undone: Undone | None = Field(description="Null: it stands")
