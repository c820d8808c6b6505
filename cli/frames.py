"""Frames as the API sends them, as far as a viewer in the terminal shows them."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, ValidationError


class Seen(BaseModel):
    """A part of a frame; a newer server may say more than this viewer knows of."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class SeenShot(Seen):
    """A shot, as far as it is shown."""

    id: str
    version: int
    slot_id: str
    status: str
    score: int | None
    label: str | None
    release_time: datetime
    x: float | None
    y: float | None
    flags: Sequence[str]
    end_number: int


class SeenRow(Seen):
    """A slot's place on the leaderboard."""

    rank: int
    is_tied: bool
    slot_id: str
    lane: int
    letter: str
    given_name: str
    family_name: str
    total: int
    arrows: int
    tens: int
    xs: int

    @property
    def place(self) -> str:
        """Target number and letter, as archers say it."""
        return f"{self.lane}{self.letter}"

    @property
    def name(self) -> str:
        """The archer's."""
        return f"{self.given_name} {self.family_name}"


class SeenSession(Seen):
    """The session that is watched."""

    name: str | None = None
    location: str
    end_time: datetime | None = None


class SeenData(Seen):
    """What a frame says, of whatever type it is."""

    cursor: str | None = None
    session: SeenSession | None = None
    leaderboard: Sequence[SeenRow] = ()
    shots: Sequence[SeenShot] = ()
    shot: SeenShot | None = None


class SeenFrame(Seen):
    """A frame."""

    type: str
    data: SeenData


def read_frame(text: str) -> SeenFrame:
    """The frame that a text is.

    Raises:
        ValueError: It is none.
    """
    try:
        return SeenFrame.model_validate_json(text)
    except ValidationError as error:
        raise ValueError(f"not a frame: {error.error_count()} parts of it are wrong") from error
