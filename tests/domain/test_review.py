"""What a judge must look at, and what they are told."""

import pytest

from core.domain.review import EXPLANATIONS, MINOR, Reason, explanation, is_listed, reasons_of_shot
from core.domain.values import ShotFlag, Status

LISTED = [flag for flag in ShotFlag if flag is not ShotFlag.RULED and Reason(flag) not in MINOR]


@pytest.mark.parametrize("flag", LISTED)
def test_a_flag_that_may_change_the_score_puts_a_shot_on_the_list(flag: ShotFlag) -> None:
    assert is_listed(Status.LANDED, [flag])


def test_an_unresolved_shot_is_on_the_list_without_any_flag() -> None:
    assert is_listed(Status.UNRESOLVED, [])
    assert reasons_of_shot(Status.UNRESOLVED, []) == (Reason.UNRESOLVED,)


@pytest.mark.parametrize("flag", [ShotFlag.ENGAGE_MISSING, ShotFlag.ARROW_UNKNOWN])
def test_what_is_only_not_known_is_a_reason_that_puts_no_shot_on_the_list(flag: ShotFlag) -> None:
    assert reasons_of_shot(Status.LANDED, [flag]) == (Reason(flag),)
    assert not is_listed(Status.LANDED, [flag])


def test_a_shot_without_a_flag_is_not_on_the_list() -> None:
    assert not is_listed(Status.LANDED, [])


def test_a_judges_score_takes_a_shot_off_the_list() -> None:
    flags = [ShotFlag.AMBIGUOUS, ShotFlag.RULED]
    assert not is_listed(Status.LANDED, flags, is_answered=True)


def test_any_other_ruling_leaves_on_the_list_what_it_does_not_answer() -> None:
    assert is_listed(Status.UNRESOLVED, [ShotFlag.RULED])
    assert is_listed(Status.LANDED, [ShotFlag.EXTRA_ARROW, ShotFlag.RULED])
    assert not is_listed(Status.LANDED, [ShotFlag.RULED])


def test_a_voided_shot_is_not_on_the_list() -> None:
    assert not is_listed(Status.VOIDED, [ShotFlag.AMBIGUOUS])


def test_reasons_come_with_the_most_urgent_first() -> None:
    flags = [ShotFlag.ARROW_UNKNOWN, ShotFlag.LINE_CALL, ShotFlag.READER_OFFLINE]
    assert reasons_of_shot(Status.UNRESOLVED, flags) == (
        Reason.UNRESOLVED,
        Reason.LINE_CALL,
        Reason.READER_OFFLINE,
        Reason.ARROW_UNKNOWN,
    )


def test_the_explanation_is_that_of_the_most_urgent_reason() -> None:
    told = explanation([Reason.ARROW_UNKNOWN, Reason.LINE_CALL])
    assert told == EXPLANATIONS[Reason.LINE_CALL]


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_explained_in_one_sentence(reason: Reason) -> None:
    assert EXPLANATIONS[reason].count(".") == 1
    assert EXPLANATIONS[reason].endswith(".")


def test_every_flag_but_the_ruling_is_a_reason() -> None:
    assert {flag.value for flag in ShotFlag} - {"ruled"} <= {reason.value for reason in Reason}
