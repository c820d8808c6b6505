"""Calls of a script that leave together, each with its own answer."""

import asyncio

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as LostConnection
from redis.exceptions import ResponseError

from core.convoy import CALLS_AT_ONCE, Convoy

# Keeps a word, and says how many were kept; refuses one.
KEEP = """
if ARGV[1] == 'bad' then
    return redis.error_reply('it is bad')
end
return redis.call('RPUSH', KEYS[1], ARGV[1])
"""


async def messages(valkey: Redis) -> int:
    """How often the store has been read from."""
    return int((await valkey.info("stats"))["total_reads_processed"])


async def test_each_call_has_its_own_answer_in_the_order_of_asking(valkey: Redis) -> None:
    convoy = Convoy(valkey, KEEP)
    words = [str(n) for n in range(3 * CALLS_AT_ONCE)]
    answers = await asyncio.gather(*(convoy.call(["kept"], [word]) for word in words))
    assert answers == [n + 1 for n in range(len(words))]
    assert await convoy.call(["kept"], ["last"]) == len(words) + 1


async def test_what_is_asked_for_at_once_goes_together(valkey: Redis) -> None:
    convoy = Convoy(valkey, KEEP)
    await convoy.call(["kept"], ["first"])
    before = await messages(valkey)
    await asyncio.gather(*(convoy.call(["kept"], ["more"]) for _ in range(2 * CALLS_AT_ONCE)))
    # Two messages, and the questions about it.
    assert await messages(valkey) - before <= 4


async def test_a_call_that_fails_fails_alone(valkey: Redis) -> None:
    convoy = Convoy(valkey, KEEP)
    said = await asyncio.gather(
        *(convoy.call(["kept"], [word]) for word in ("good", "bad", "fine")), return_exceptions=True
    )
    assert [said[0], said[2]] == [1, 2]
    assert isinstance(said[1], ResponseError)


async def test_a_store_that_has_forgotten_the_script_is_told_it_again(valkey: Redis) -> None:
    convoy = Convoy(valkey, KEEP)
    await convoy.call(["kept"], ["first"])
    await valkey.script_flush()
    answers = await asyncio.gather(*(convoy.call(["kept"], ["more"]) for _ in range(5)))
    assert answers == [2, 3, 4, 5, 6]


async def test_all_are_told_that_the_store_is_away_and_the_next_is_sent(
    valkey: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    convoy = Convoy(valkey, KEEP)

    def away(**_: object) -> None:
        raise LostConnection("away")

    with monkeypatch.context() as patch:
        patch.setattr(valkey, "pipeline", away)
        said = await asyncio.gather(
            *(convoy.call(["kept"], ["lost"]) for _ in range(3)), return_exceptions=True
        )
    assert [type(each) for each in said] == [LostConnection] * 3
    assert await convoy.call(["kept"], ["kept"]) == 1


async def test_who_does_not_wait_for_the_answer_holds_up_nobody(valkey: Redis) -> None:
    convoy = Convoy(valkey, KEEP)
    gone = asyncio.create_task(convoy.call(["kept"], ["gone"]))
    stays = asyncio.create_task(convoy.call(["kept"], ["stays"]))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == 2
    assert gone.cancelled()
