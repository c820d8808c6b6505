"""Who takes what happens now, and who stands by."""

from redis.asyncio import Redis

from core.seats import Seating, Seats, seats_of_machine

SEATED, RELIEVED = Seating(True, False), Seating(True, True)
STANDS_BY = Seating(False, True)


async def test_a_worker_alone_has_a_seat_and_keeps_it(valkey: Redis) -> None:
    seats = Seats(valkey, "range", 1)
    assert [await seats.take("a") for _ in range(3)] == [SEATED] * 3


async def test_who_comes_second_stands_by_and_the_first_knows(valkey: Redis) -> None:
    seats = Seats(valkey, "range", 1)
    assert await seats.take("a") == SEATED
    assert await seats.take("b") == STANDS_BY
    assert await seats.take("a") == RELIEVED
    assert await seats.take("b") == STANDS_BY


async def test_there_are_as_many_as_the_machine_has_seats(valkey: Redis) -> None:
    seats = Seats(valkey, "range", 2)
    assert [(await seats.take(each)).is_seated for each in "abc"] == [True, True, False]


async def test_each_machine_has_its_own(valkey: Redis) -> None:
    assert await Seats(valkey, "one", 1).take("a") == SEATED
    assert await Seats(valkey, "other", 1).take("b") == SEATED


async def test_who_leaves_is_followed_by_whoever_stood_by(valkey: Redis) -> None:
    seats = Seats(valkey, "range", 1)
    await seats.take("a")
    await seats.take("b")
    await seats.leave("b")
    assert await seats.take("a") == SEATED
    await seats.take("b")
    await seats.leave("a")
    # Nobody stands by any more.
    assert await seats.take("b") == SEATED


async def test_a_seat_is_left_by_who_says_nothing(valkey: Redis) -> None:
    seats = Seats(valkey, "range", 1)
    await seats.take("a")
    assert 0 < await valkey.pttl("quiver:seat:range:0") <= 1_500
    assert await seats.take("b") == STANDS_BY
    assert 0 < await valkey.pttl("quiver:seat:range:by") <= 1_500
    await valkey.delete("quiver:seat:range:0")
    assert await seats.take("b") == SEATED
    assert await seats.take("a") == STANDS_BY


def test_a_machine_has_one_at_least() -> None:
    assert seats_of_machine() >= 1
