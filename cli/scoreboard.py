"""What a viewer knows of a session, from the frames it has been sent. No socket and no screen in here."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, ValidationError

SHOTS_KEPT = 200
# Versions remembered, so that a shot sent twice is shown once.
VERSIONS_KEPT = 20_000


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


class _Data(Seen):
    cursor: str | None = None
    session: SeenSession | None = None
    leaderboard: Sequence[SeenRow] = ()
    shots: Sequence[SeenShot] = ()
    shot: SeenShot | None = None


class _Frame(Seen):
    type: str
    data: _Data


class Scoreboard:
    """The session, the leaderboard and the last shots."""

    def __init__(self) -> None:
        self.cursor: str | None = None
        self.session: SeenSession | None = None
        self.is_open = True
        self._rows: dict[str, SeenRow] = {}
        self._shots: dict[str, SeenShot] = {}
        self._versions: dict[str, int] = {}

    @property
    def leaderboard(self) -> list[SeenRow]:
        """All rows that are known, best first."""
        return sorted(self._rows.values(), key=lambda row: (row.rank, row.lane, row.letter))

    @property
    def last_shots(self) -> list[SeenShot]:
        """The last shots that were sent, newest release first."""
        return sorted(self._shots.values(), key=lambda shot: shot.release_time, reverse=True)

    def row_of(self, shot: SeenShot) -> SeenRow | None:
        """The row of whoever shot it, where it is known."""
        return self._rows.get(shot.slot_id)

    def take(self, text: str) -> list[SeenShot]:
        """Learn from a frame.

        Args:
            text: The frame's JSON.

        Returns:
            The shots that it says something new of.

        Raises:
            ValueError: It is no frame.
        """
        try:
            frame = _Frame.model_validate_json(text)
        except ValidationError as error:
            raise ValueError(f"not a frame: {error.error_count()} parts of it are wrong") from error
        data = frame.data
        if frame.type == "snapshot":
            self._begin_anew(data)
        self.cursor = data.cursor or self.cursor
        self._rows |= {row.slot_id: row for row in data.leaderboard}
        shots = [*data.shots, data.shot] if data.shot else data.shots
        if frame.type in ("session.opened", "session.closed"):
            self.is_open = frame.type == "session.opened"
        return [shot for shot in shots if self._is_news(shot)]

    def _begin_anew(self, snapshot: _Data) -> None:
        self.session = snapshot.session
        self.is_open = self.session is None or self.session.end_time is None
        self._rows = {}
        in_the_air = {shot.id for shot in snapshot.shots}
        # Those that came down while nobody watched: what became of them was not sent.
        gone = [
            shot.id
            for shot in self._shots.values()
            if shot.status == "in_flight" and shot.id not in in_the_air
        ]
        for shot_id in gone:
            del self._shots[shot_id]

    def _is_news(self, shot: SeenShot) -> bool:
        if self._versions.get(shot.id, 0) >= shot.version:
            return False
        self._versions[shot.id] = shot.version
        self._shots[shot.id] = shot
        _keep_newest(self._versions, VERSIONS_KEPT)
        _keep_newest(self._shots, SHOTS_KEPT)
        return True


def _keep_newest[T](known: dict[str, T], number: int) -> None:
    while len(known) > number:
        del known[next(iter(known))]
