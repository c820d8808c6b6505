"""Which rulings stood when another was made, and once it was."""

from uuid import UUID

from core.domain.rulings import Action, Ruling
from tests.domain.fields import micro, named

SHOT = named("shot")


def ruling(name: str, at: float, undone: float | None = None) -> Ruling:
    """A ruling on one shot."""
    action = Action.RESTORE if name == "restore" else Action.VOID
    taken_back = None if undone is None else micro(undone)
    return Ruling(named(name), micro(at), action, SHOT, undone_at=taken_back)


def ids(rulings: list[Ruling]) -> list[UUID]:
    """Which they are."""
    return [each.id for each in rulings]


def test_those_made_before_stood_and_the_ruling_itself_stands_with_them() -> None:
    one, two, three = ruling("one", 1), ruling("two", 2), ruling("three", 3)
    assert ids(two.found([three, two, one])) == ids([one])
    assert ids(two.left([three, two, one])) == ids([one, two])


def test_what_was_taken_back_later_stood_and_what_was_before_did_not() -> None:
    later, before, now = ruling("later", 1, 9), ruling("before", 2, 3), ruling("now", 4)
    assert ids(now.found([later, before, now])) == ids([later])


def test_a_ruling_stood_though_it_was_taken_back_itself() -> None:
    gone = ruling("gone", 1, 2)
    assert ids(gone.left([gone])) == ids([gone])


def test_what_a_restore_takes_back_stood_before_it_and_not_after() -> None:
    one, restore = ruling("one", 1, 5), ruling("restore", 5)
    assert ids(restore.found([one, restore])) == ids([one])
    assert ids(restore.left([one, restore])) == ids([restore])
