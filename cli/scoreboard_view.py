"""The scoreboard as a terminal shows it."""

from datetime import datetime

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from cli.frames import SeenRow, SeenShot
from cli.scoreboard import Scoreboard

# Letters from which on both tables fit beside each other.
SIDE_BY_SIDE = 110
NAME_WIDTH = 20
# Lines that the title takes, and a table's own title, headings and borders.
TITLE_HEIGHT = 2
FRAME_HEIGHT = 3
IN_THE_AIR = "in the air"
STYLES = {"in_flight": "cyan", "missed": "red", "unresolved": "yellow", "voided": "dim"}


def outcome(shot: SeenShot) -> str:
    """What became of a shot, in a word."""
    words = {"in_flight": IN_THE_AIR, "unresolved": "not known", "voided": "void"}
    if shot.status in words:
        return words[shot.status]
    return shot.label or "not scored"


def shot_line(board: Scoreboard, shot: SeenShot) -> str:
    """A shot as one line of plain text."""
    row = board.row_of(shot)
    place, name = (row.place, row.name) if row else ("?", shot.slot_id)
    flags = f"  [{', '.join(shot.flags)}]" if shot.flags else ""
    return f"{_clock(shot.release_time)}  {place:>4}  {name:<24}  {outcome(shot)}{flags}"


def draw(board: Scoreboard, width: int, height: int, *, is_connected: bool) -> Table:
    """The leaderboard and the last shots: side by side, or one above the other where that fits.

    Args:
        board: What is known.
        width: Letters in a line of the terminal.
        height: Lines of the terminal.
        is_connected: Whether the server can be heard.
    """
    screen = Table.grid(padding=(0, 2))
    screen.title = _title(board, is_connected)
    screen.title_justify = "left"
    if width >= SIDE_BY_SIDE:
        lines = max(3, height - TITLE_HEIGHT - FRAME_HEIGHT)
        screen.add_row(_leaderboard(board.leaderboard, lines), _last_shots(board, lines))
    else:
        lines = max(3, (height - TITLE_HEIGHT) // 2 - FRAME_HEIGHT)
        screen.add_row(_leaderboard(board.leaderboard, lines))
        screen.add_row(_last_shots(board, lines))
    return screen


def _title(board: Scoreboard, is_connected: bool) -> Text:
    if board.session is None:
        return Text("connecting …" if not is_connected else "waiting for the session …", "bold")
    name = board.session.name or board.session.location
    if not is_connected:
        return Text(f"{name}: connection lost, connecting again …", "bold yellow")
    return Text(name if board.is_open else f"{name} (closed)", "bold")


def _leaderboard(rows: list[SeenRow], lines: int) -> Table:
    table = _table("Leaderboard")
    table.add_column("", min_width=4)
    table.add_column("place", min_width=5)
    table.add_column("archer", no_wrap=True, max_width=NAME_WIDTH)
    for heading in ("arrows", "10s", "Xs", "total"):
        table.add_column(heading, justify="right", min_width=len(heading))
    for row in rows[:lines]:
        rank = f"{row.rank}{'=' if row.is_tied else ''}"
        counts = (row.arrows, row.tens, row.xs, row.total)
        table.add_row(rank, row.place, Text(row.name), *map(str, counts))
    return table


def _last_shots(board: Scoreboard, lines: int) -> Table:
    table = _table("Last shots")
    table.add_column("released", min_width=8)
    table.add_column("place", min_width=5)
    table.add_column("archer", no_wrap=True, max_width=NAME_WIDTH)
    table.add_column("result", min_width=len(IN_THE_AIR))
    table.add_column("x, y mm", min_width=10)
    for shot in board.last_shots[:lines]:
        row = board.row_of(shot)
        hit = "" if shot.x is None or shot.y is None else f"{shot.x:.0f}, {shot.y:.0f}"
        table.add_row(
            _clock(shot.release_time),
            row.place if row else "?",
            Text(row.name if row else shot.slot_id),
            Text(outcome(shot), STYLES.get(shot.status, "green")),
            hit,
        )
    return table


def _table(title: str) -> Table:
    return Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0)
    )


def _clock(at: datetime) -> str:
    return f"{at.astimezone():%H:%M:%S}"
