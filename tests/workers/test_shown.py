"""Shots as viewers are told of them: what is written without the model is what the model writes."""

import random
from copy import replace
from uuid import UUID

import asyncpg.pgproto.pgproto
import orjson
import pytest

from core.domain.outcome import emptied
from core.domain.values import SECOND, Shot, ShotFlag, Status
from core.models.correlated_shot import StoredShot
from core.models.instants import FOREVER
from core.schema.review import shot_row
from workers.shown import (
    SEEN_AT_RELEASE,
    shown,
    told,
    told_for_review,
    told_from_its_release,
)

SEEDS = range(40)


def some_id(rng: random.Random) -> UUID:
    """An id, every other one of the kind that comes from the database."""
    key = UUID(int=rng.getrandbits(128))
    return key if rng.random() < 0.5 else asyncpg.pgproto.pgproto.UUID(str(key))


def some_shot(rng: random.Random) -> StoredShot:
    """A shot of which anything may be known or not."""

    def perhaps[T](value: T) -> T | None:
        return value if rng.random() < 0.7 else None

    at = rng.choice([0, 1_790_000_000_123_456, 1_790_000_000_000_000, FOREVER])
    shot = Shot(
        id=some_id(rng),
        slot_id=some_id(rng),
        archer_id=some_id(rng),
        arrow_id=perhaps(some_id(rng)),
        release_event_id=perhaps(some_id(rng)),
        landing_event_id=perhaps(some_id(rng)),
        engaged_at=perhaps(at - 999),
        released_at=at,
        landed_at=perhaps(at + 340_000),
        x=perhaps(rng.choice([0.0, -0.1, rng.gauss(0, 300), 1e-7, 1e9])),
        y=perhaps(rng.gauss(0, 300)),
        status=rng.choice(list(Status)),
        deadline=at + 3_000_000,
        is_settled=rng.random() < 0.5,
        score=perhaps(rng.randint(0, 11)),
        label=perhaps(rng.choice(["X", "10", "M"])),
        is_x=rng.random() < 0.5,
        face_id=perhaps(some_id(rng)),
        spot=perhaps(rng.randint(0, 2)),
        confidence=rng.choice([1.0, 0.95, 0.0, 0.5]),
        flags=tuple(sorted(rng.sample(list(ShotFlag), rng.randint(0, 4)))),
    )
    request_id = perhaps(some_id(rng))
    return StoredShot(shot, some_id(rng), some_id(rng), rng.randint(0, 9), 3, request_id)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_shot_is_told_as_the_model_writes_it(seed: int) -> None:
    known = some_shot(random.Random(seed))
    assert orjson.dumps(told(known)) == shown(known).model_dump_json().encode()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_shot_for_review_is_told_as_the_model_writes_it(seed: int) -> None:
    known = some_shot(random.Random(seed))
    # What the model allows, and with a reason to look at it.
    at, flags = seed * SECOND + 123_456, {*known.shot.flags, ShotFlag.LINE_CALL} - {ShotFlag.RULED}
    listed = replace(known.shot, released_at=at, status=Status.LANDED, flags=tuple(sorted(flags)))
    known = replace(known, shot=listed)
    row = shot_row(shown(known), lane=seed)
    assert orjson.dumps(told_for_review(known, seed)) == row.model_dump_json().encode()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_shot_at_its_release_is_told_as_it_was_then(seed: int) -> None:
    known = some_shot(random.Random(seed))
    begun = replace(
        emptied(known.shot),
        arrow_id=known.shot.arrow_id,
        engaged_at=known.shot.engaged_at,
        confidence=known.shot.confidence,
        status=Status.IN_FLIGHT,
        score=None,
        label=None,
        flags=tuple(flag for flag in known.shot.flags if flag in SEEN_AT_RELEASE),
    )
    if known.shot.status is Status.IN_FLIGHT:
        assert orjson.dumps(told_from_its_release(known)[0]) == orjson.dumps(told(known))
    else:
        as_then = replace(known, shot=begun, version=1)
        assert (
            orjson.dumps(told_from_its_release(known)[0])
            == shown(as_then).model_dump_json().encode()
        )
