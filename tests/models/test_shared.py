"""Ids that are kept once."""

from uuid import UUID, uuid4

from core.models.shared import shared, shared_if_any


def test_equal_ids_are_one_object() -> None:
    first = uuid4()
    again = UUID(bytes=first.bytes)
    assert again is not first
    assert shared(first) is shared(again) is shared_if_any(again)
    assert shared(first) == again


def test_other_ids_stay_apart_and_none_stays_none() -> None:
    first, second = uuid4(), uuid4()
    assert (shared(first), shared(second)) == (first, second)
    assert shared_if_any(None) is None
