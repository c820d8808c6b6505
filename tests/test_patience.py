"""Waiting for a store, but only so long."""

import asyncio

import pytest

from core.patience import Patience


async def said(word: str, after: asyncio.Event | None = None) -> str:
    """Answer, at once or when something happened."""
    if after is not None:
        await after.wait()
    return word


async def fail(after: asyncio.Event | None = None) -> None:
    """Fail, at once or when something happened."""
    if after is not None:
        await after.wait()
    raise ConnectionResetError("gone")


async def test_what_is_answered_in_time_is_told() -> None:
    assert await Patience(5).ask(said("well")) == "well"


async def test_what_a_question_fails_with_is_told() -> None:
    with pytest.raises(ConnectionResetError):
        await Patience(5).ask(fail())


async def test_a_silent_store_is_not_asked_again_until_it_speaks() -> None:
    patience, speaks = Patience(0.01), asyncio.Event()
    with pytest.raises(TimeoutError, match="within 0.01 s"):
        await patience.ask(said("late", speaks))
    with pytest.raises(TimeoutError, match="still is"):
        await patience.ask(said("never asked"))
    speaks.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await patience.ask(said("well")) == "well"


async def test_a_question_that_fails_late_is_an_end_of_the_silence_too() -> None:
    patience, speaks = Patience(0.01), asyncio.Event()
    with pytest.raises(TimeoutError):
        await patience.ask(fail(speaks))
    speaks.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await patience.ask(said("well")) == "well"


async def test_who_goes_away_meanwhile_makes_nobody_call_it_silent() -> None:
    patience, speaks = Patience(5), asyncio.Event()
    asking = asyncio.create_task(patience.ask(said("late", speaks)))
    await asyncio.sleep(0)
    asking.cancel()
    assert await patience.ask(said("well")) == "well"
    speaks.set()
