"""Work that is done once for several who want it."""

import asyncio

import pytest

from core.tasks import Shared


class Slow:
    """Work that takes until it is told to go on."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.go_on = asyncio.Event()

    async def work(self, key: str) -> int:
        """How often it was begun by then."""
        self.begun.append(key)
        number = len(self.begun)
        await self.go_on.wait()
        if key == "cursed":
            raise ZeroDivisionError
        return number


async def turns() -> None:
    """Let everybody run who can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_nobody_gets_what_was_begun_before_they_asked() -> None:
    slow = Slow()
    shared = Shared(slow.work)
    first = asyncio.create_task(shared.get("a"))
    await turns()
    later = [asyncio.create_task(shared.get("a")) for _ in range(100)]
    await turns()
    slow.go_on.set()
    assert await first == 1
    assert set(await asyncio.gather(*later)) == {2}
    assert await shared.get("a") == 3


async def test_different_things_do_not_wait_for_each_other() -> None:
    slow = Slow()
    shared = Shared(slow.work)
    both = [asyncio.create_task(shared.get(key)) for key in "ab"]
    await turns()
    assert slow.begun == ["a", "b"]
    slow.go_on.set()
    await asyncio.gather(*both)


async def test_a_failure_is_everybodys_who_asked_and_the_next_is_tried_anew() -> None:
    slow = Slow()
    shared = Shared(slow.work)
    asked = [asyncio.create_task(shared.get("cursed")) for _ in range(3)]
    await turns()
    slow.go_on.set()
    assert [type(e) for e in await asyncio.gather(*asked, return_exceptions=True)] == [
        ZeroDivisionError
    ] * 3
    with pytest.raises(ZeroDivisionError):
        await shared.get("cursed")
    assert len(slow.begun) == 2


async def test_who_leaves_does_not_take_it_from_the_others() -> None:
    slow = Slow()
    shared = Shared(slow.work)
    leaving, staying = (asyncio.create_task(shared.get("a")) for _ in range(2))
    await turns()
    leaving.cancel()
    await turns()
    slow.go_on.set()
    assert await staying == 1
