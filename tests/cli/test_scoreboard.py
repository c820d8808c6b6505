"""What a viewer makes of the frames it is sent."""

import json
from collections.abc import Mapping, Sequence

import pytest
from rich.console import Console

from cli.scoreboard import SHOTS_KEPT, Scoreboard
from cli.scoreboard_view import draw, shot_line
from cli.viewer_socket import ViewerSocket

SESSION = {"name": "Club evening", "location": "range A", "end_time": None, "distance": 18.0}


def frame(kind: str, **data: object) -> str:
    """A frame as the API sends it."""
    return json.dumps(
        {"type": kind, "ts": "2026-05-01T10:00:05.000Z", "request_id": None, "data": data}
    )


def shot(number: int = 1, /, **changes: object) -> Mapping[str, object]:
    """A shot in the air, or as the changes say; its release is `number` seconds into the minute."""
    return {
        "id": f"shot-{number}",
        "session_id": "s",
        "slot_id": "slot-1",
        "status": "in_flight",
        "score": None,
        "label": None,
        "release_time": f"2026-05-01T10:{number // 60:02}:{number % 60:02}.000Z",
        "x": None,
        "y": None,
        "flags": [],
        "end_number": 1,
        "version": 1,
    } | changes


def row(slot: int, rank: int, total: int, *, is_tied: bool = False) -> Mapping[str, object]:
    """A row of the leaderboard."""
    return {
        "rank": rank,
        "is_tied": is_tied,
        "slot_id": f"slot-{slot}",
        "lane": slot,
        "letter": "A",
        "given_name": "Ana",
        "family_name": f"Ruiz{slot}",
        "total": total,
        "arrows": 3,
        "tens": 1,
        "xs": 0,
    }


def snapshot(
    *, rows: Sequence[Mapping[str, object]] = (), shots: Sequence[Mapping[str, object]] = ()
) -> str:
    """The frame that a viewer begins with."""
    return frame("snapshot", session=SESSION, leaderboard=rows, shots=shots, cursor="5-0")


def drawn(
    board: Scoreboard, *, is_connected: bool = True, width: int = 120, height: int = 24
) -> str:
    """The scoreboard as text."""
    console = Console(width=width)
    with console.capture() as capture:
        console.print(draw(board, width, height, is_connected=is_connected))
    return capture.get()


def test_a_snapshot_sets_session_leaderboard_and_cursor() -> None:
    board = Scoreboard()
    board.take(snapshot(rows=[row(1, 1, 30)]))
    assert board.session is not None and board.session.name == "Club evening"
    assert [each.total for each in board.leaderboard] == [30]
    assert board.cursor == "5-0"


def test_a_snapshot_tells_of_the_shots_in_the_air() -> None:
    news = Scoreboard().take(snapshot(shots=[shot()]))
    assert [(each.id, each.status) for each in news] == [("shot-1", "in_flight")]


def test_every_frame_moves_the_cursor() -> None:
    board = Scoreboard()
    board.take(frame("shot.created", cursor="7-1", shot=shot()))
    assert board.cursor == "7-1"


def test_a_heartbeat_leaves_the_cursor_where_it_was() -> None:
    board = Scoreboard()
    board.take(snapshot())
    board.take(frame("heartbeat"))
    assert board.cursor == "5-0"


def test_a_shot_sent_twice_is_news_once() -> None:
    board = Scoreboard()
    text = frame("shot.created", cursor="7-1", shot=shot())
    assert len(board.take(text)) == 1
    assert not board.take(text)


def test_a_later_version_replaces_the_shot() -> None:
    board = Scoreboard()
    board.take(frame("shot.created", cursor="7-1", shot=shot()))
    landed = shot(version=2, status="landed", score=9, label="9", x=1.0, y=2.0)
    assert len(board.take(frame("shot.landed", cursor="8-1", shot=landed))) == 1
    assert [each.label for each in board.last_shots] == ["9"]


def test_an_earlier_version_that_comes_late_changes_nothing() -> None:
    board = Scoreboard()
    board.take(frame("shot.missed", cursor="7-1", shot=shot(version=3, status="missed", label="M")))
    assert not board.take(frame("shot.created", cursor="8-1", shot=shot(version=1)))
    assert [each.status for each in board.last_shots] == ["missed"]


def test_rows_that_changed_are_merged_by_slot() -> None:
    board = Scoreboard()
    board.take(snapshot(rows=[row(1, 1, 30), row(2, 2, 20)]))
    changed = [row(2, 1, 40), row(1, 2, 30)]
    board.take(frame("leaderboard.updated", cursor="9-0", leaderboard=changed[:1]))
    board.take(frame("leaderboard.updated", cursor="9-1", leaderboard=changed[1:]))
    assert [(each.slot_id, each.total) for each in board.leaderboard] == [
        ("slot-2", 40),
        ("slot-1", 30),
    ]


def test_a_new_snapshot_forgets_rows_that_are_gone() -> None:
    board = Scoreboard()
    board.take(snapshot(rows=[row(1, 1, 30), row(2, 2, 20)]))
    board.take(snapshot(rows=[row(1, 1, 30)]))
    assert [each.slot_id for each in board.leaderboard] == ["slot-1"]


def test_a_new_snapshot_forgets_arrows_that_came_down_unseen() -> None:
    board = Scoreboard()
    board.take(snapshot(shots=[shot(1), shot(2)]))
    board.take(snapshot(shots=[shot(2)]))
    assert [each.id for each in board.last_shots] == ["shot-2"]


def test_the_newest_release_stands_first() -> None:
    board = Scoreboard()
    for number in (2, 3, 1):
        board.take(frame("shot.created", cursor=f"{number}-0", shot=shot(number)))
    assert [each.id for each in board.last_shots] == ["shot-3", "shot-2", "shot-1"]


def test_only_the_last_shots_are_kept() -> None:
    board = Scoreboard()
    for number in range(1, SHOTS_KEPT + 11):
        board.take(frame("shot.created", cursor=f"{number}-0", shot=shot(number)))
    assert len(board.last_shots) == SHOTS_KEPT
    assert board.last_shots[0].id == f"shot-{SHOTS_KEPT + 10}"


def test_a_session_is_open_until_it_is_closed() -> None:
    board = Scoreboard()
    board.take(snapshot())
    assert board.is_open
    board.take(frame("session.closed", cursor="6-0"))
    assert not board.is_open


def test_what_a_newer_server_adds_is_left_out() -> None:
    board = Scoreboard()
    news = board.take(frame("shot.created", cursor="7-1", wind=3, shot=shot(1, spin=5)))
    assert [each.id for each in news] == ["shot-1"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"type": 3, "data": {}}'])
def test_what_is_no_frame_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a frame"):
        Scoreboard().take(text)


def test_a_shot_is_told_with_place_name_and_result() -> None:
    board = Scoreboard()
    landed = shot(status="landed", score=10, label="X", flags=["line_call"])
    board.take(snapshot(rows=[row(1, 1, 30)]))
    (news,) = board.take(frame("shot.landed", cursor="7-1", shot=landed))
    line = shot_line(board, news)
    assert line.split()[1:] == ["1A", "Ana", "Ruiz1", "X", "[line_call]"]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"status": "in_flight"}, "in the air"),
        ({"status": "missed", "label": "M", "score": 0}, "M"),
        ({"status": "unresolved"}, "not known"),
        ({"status": "voided"}, "void"),
        ({"status": "landed", "label": "9", "score": 9}, "9"),
        ({"status": "landed"}, "not scored"),
    ],
)
def test_each_outcome_has_its_word(changes: Mapping[str, object], word: str) -> None:
    board = Scoreboard()
    (news,) = board.take(frame("shot.updated", cursor="7-1", shot=shot(**changes)))
    assert shot_line(board, news).endswith(f"  {word}")


def test_the_table_shows_the_leaderboard_and_the_last_shots() -> None:
    board = Scoreboard()
    board.take(snapshot(rows=[row(1, 1, 30, is_tied=True)], shots=[shot()]))
    text = drawn(board)
    assert "Club evening" in text
    assert "1=" in text and "Ana Ruiz1" in text and "in the air" in text


def test_the_table_says_when_the_connection_is_lost() -> None:
    board = Scoreboard()
    board.take(snapshot())
    assert "connection lost" in drawn(board, is_connected=False)


@pytest.mark.parametrize(("width", "height"), [(120, 20), (110, 24), (80, 24), (80, 40)])
def test_the_table_fits_the_terminal(width: int, height: int) -> None:
    board = Scoreboard()
    board.take(snapshot(rows=[row(number, number, 0) for number in range(1, 100)]))
    for number in range(1, 100):
        landed = shot(number, status="landed", label="10", score=10, x=-123.4, y=-567.8)
        board.take(frame("shot.landed", cursor=f"{number}-0", shot=landed))
    lines = drawn(board, width=width, height=height).splitlines()
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    assert "-123, -568" in "".join(lines)
    assert "…" not in "".join(lines)


def test_the_first_address_asks_for_a_snapshot() -> None:
    socket = ViewerSocket("http://127.0.0.1:8000/", None, "abc", None)
    assert socket.address() == "ws://127.0.0.1:8000/api/v0/ws/session/abc"


def test_later_addresses_say_where_to_go_on() -> None:
    socket = ViewerSocket("https://range.example/quiver", None, "abc", "t1")
    socket.board.take(snapshot())
    assert (
        socket.address()
        == "wss://range.example/quiver/api/v0/ws/session/abc?target_id=t1&since=5-0"
    )
