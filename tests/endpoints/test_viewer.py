"""A viewer's queue."""

import asyncio
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from api.viewer import Viewer, ViewerEnded
from core.feed import Message, cursor_order

SESSION, TARGET, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)


def viewer(*, cursor: str = "0-0", target_id: UUID | None = None, queue_length: int = 3) -> Viewer:
    """A viewer of the session."""
    return Viewer(SESSION, target_id, cursor, queue_length=queue_length)


def offer(to: Viewer, *numbers: int, target_id: UUID | None = None) -> None:
    """Messages 1-0, 2-0 and so on."""
    for number in numbers:
        about = None if target_id is None else str(target_id)
        message = Message(str(SESSION), about, f"{number}-0", f"text {number}")
        to.offer(message, cursor_order(message.cursor))


async def one(asked: Viewer) -> str:
    """What is sent next."""
    (text,) = await asked.next()
    return text


async def test_messages_come_out_as_they_went_in() -> None:
    asked = viewer()
    offer(asked, 1, 2, 3)
    assert [await one(asked) for _ in range(3)] == ["text 1", "text 2", "text 3"]


async def test_what_waits_comes_out_at_once_but_not_more_than_is_asked_for() -> None:
    asked = viewer(queue_length=5)
    offer(asked, 1, 2, 3)
    assert await asked.next(2) == ["text 1", "text 2"]
    assert await asked.next(2) == ["text 3"]


async def test_whoever_waits_gets_the_next_message() -> None:
    asked = viewer()
    answer = asyncio.create_task(one(asked))
    await asyncio.sleep(0)
    offer(asked, 1)
    assert await answer == "text 1"


async def test_what_came_before_the_cursor_is_left_out() -> None:
    asked = viewer(cursor="2-0")
    offer(asked, 1, 2, 3)
    assert await one(asked) == "text 3"


async def test_a_repeat_is_left_out() -> None:
    asked = viewer()
    offer(asked, 1, 2, 1, 2, 3)
    assert [await one(asked) for _ in range(3)] == ["text 1", "text 2", "text 3"]


async def test_cursors_are_ordered_as_numbers_and_not_as_text() -> None:
    asked = viewer(cursor="9-0")
    offer(asked, 10)
    assert await one(asked) == "text 10"


async def test_other_targets_are_left_out() -> None:
    asked = viewer(target_id=TARGET)
    offer(asked, 1, target_id=OTHER)
    offer(asked, 2, target_id=TARGET)
    assert await one(asked) == "text 2"


async def test_what_concerns_all_targets_is_kept() -> None:
    asked = viewer(target_id=TARGET)
    offer(asked, 1)
    assert await one(asked) == "text 1"


async def test_a_full_queue_loses_its_oldest() -> None:
    asked = viewer(queue_length=3)
    offer(asked, 1, 2, 3, 4, 5)
    assert [await one(asked) for _ in range(3)] == ["text 3", "text 4", "text 5"]


async def test_a_spell_of_loss_is_warned_of_once() -> None:
    asked = viewer(queue_length=3)
    asked.go_live("0-0")
    with capture_logs() as logs:
        offer(asked, *range(1, 20))
    assert [log["log_level"] for log in logs] == ["warning"]


async def test_a_spell_ends_when_the_queue_has_drained() -> None:
    asked = viewer(queue_length=3)
    asked.go_live("0-0")
    with capture_logs() as logs:
        offer(asked, 1, 2, 3, 4)
        for _ in range(3):
            await one(asked)
        offer(asked, 5, 6, 7, 8)
    assert [log["log_level"] for log in logs] == ["warning", "info", "warning"]
    assert logs[1]["frames_lost"] == 1


async def test_a_spell_goes_on_while_the_queue_has_not_drained() -> None:
    asked = viewer(queue_length=3)
    asked.go_live("0-0")
    with capture_logs() as logs:
        offer(asked, 1, 2, 3, 4)
        await one(asked)
        offer(asked, 5, 6)
    assert len(logs) == 1


async def test_going_live_leaves_out_what_the_buffer_gave() -> None:
    asked = viewer()
    offer(asked, 1, 2, 3)
    asked.go_live("2-0")
    assert await one(asked) == "text 3"


async def test_what_the_buffer_gave_is_not_taken_again() -> None:
    asked = viewer()
    asked.go_live("2-0")
    offer(asked, 2, 3)
    assert await one(asked) == "text 3"


async def test_what_the_queue_lost_and_the_buffer_gave_is_no_loss() -> None:
    asked = viewer(queue_length=2)
    with capture_logs() as logs:
        offer(asked, 1, 2, 3, 4)
        asked.go_live("2-0")
    assert not logs
    assert [await one(asked) for _ in range(2)] == ["text 3", "text 4"]


async def test_what_neither_the_queue_nor_the_buffer_gave_is_warned_of() -> None:
    asked = viewer(queue_length=2)
    with capture_logs() as logs:
        offer(asked, 1, 2, 3, 4)
        asked.go_live("1-0")
    assert [log["log_level"] for log in logs] == ["warning"]


async def test_a_heartbeat_overtakes_the_queue() -> None:
    asked = viewer()
    offer(asked, 1)
    assert asked.beat("beat")
    assert [await one(asked), await one(asked)] == ["beat", "text 1"]


async def test_a_heartbeat_that_was_not_taken_is_told_of() -> None:
    asked = viewer()
    asked.beat("beat 1")
    assert not asked.beat("beat 2")
    assert await one(asked) == "beat 2"


async def test_an_ended_viewer_gets_the_first_code_and_no_more_messages() -> None:
    asked = viewer()
    offer(asked, 1)
    asked.end(1001)
    asked.end(1012)
    with pytest.raises(ViewerEnded) as ended:
        await one(asked)
    assert ended.value.code == 1001


async def test_whoever_waits_learns_of_the_end() -> None:
    asked = viewer()
    answer = asyncio.create_task(one(asked))
    await asyncio.sleep(0)
    asked.end(1001)
    with pytest.raises(ViewerEnded):
        await answer
