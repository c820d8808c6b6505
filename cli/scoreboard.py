"""What a viewer knows of a session, from the frames it has been sent: no socket, no screen."""

from cli.frames import SeenData, SeenRow, SeenSession, SeenShot, read_frame

SHOTS_KEPT = 200
# Versions remembered, so that a shot sent twice is shown once.
VERSIONS_KEPT = 20_000


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
        frame = read_frame(text)
        data = frame.data
        if frame.type == "snapshot":
            self._begin_anew(data)
        self.cursor = data.cursor or self.cursor
        self._rows |= {row.slot_id: row for row in data.leaderboard}
        shots = [*data.shots, data.shot] if data.shot else data.shots
        if frame.type in ("session.opened", "session.closed"):
            self.is_open = frame.type == "session.opened"
        return [shot for shot in shots if self._is_news(shot)]

    def _begin_anew(self, snapshot: SeenData) -> None:
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
