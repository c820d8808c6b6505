"""Who stands where: by total, then by what the round counts, then equal."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from msgspec import Struct


class Criterion(StrEnum):
    """A count that parts archers of equal total."""

    ELEVENS = "elevens"
    XS = "xs"
    TENS = "tens"
    NINES = "nines"
    SIXES = "sixes"
    FIVES = "fives"


class Tally(Struct, frozen=True):
    """What a slot has shot.

    Args:
        slot_id: Whose it is.
        total: The sum of the scores; below zero where a rule takes points away.
        arrows: How many were valued, misses included.
        xs: Hits labelled X, whatever they score.
        elevens: Hits that score 11, whatever their label; so are the counts below.
        tens: Every X that scores 10 is one of them.
        nines: Hits that score 9.
        sixes: Hits that score 6.
        fives: Hits that score 5.
    """

    slot_id: UUID
    total: int
    arrows: int
    xs: int
    elevens: int
    tens: int
    nines: int
    sixes: int
    fives: int


class Ranked(Struct, frozen=True):
    """A tally's place, from 1; a place that several share is tied."""

    rank: int
    tally: Tally
    is_tied: bool


def criteria(*, is_indoor: bool, round_code: str | None) -> tuple[Criterion, Criterion]:
    """What parts equal totals in a round: the first count, and where that is equal, too, the other.

    Outdoors 10s (the X included), then Xs, indoors 10s, then 9s (WA Book 3, chapter 14); field 6s,
    then 5s, 3D 11s, then 10s (WA Book 4). A round is 3D or field when "3d" or "field" stands
    anywhere in its code, in capitals or not; with both it is 3D.

    Args:
        is_indoor: The session is indoors; no matter for field and 3D.
        round_code: Free text, such as ``wa_field_24``; None: neither field nor 3D.
    """
    code = (round_code or "").lower()
    if "3d" in code:
        return (Criterion.ELEVENS, Criterion.TENS)
    if "field" in code:
        return (Criterion.SIXES, Criterion.FIVES)
    return (Criterion.TENS, Criterion.NINES if is_indoor else Criterion.XS)


def rank(tallies: Iterable[Tally], order: Sequence[Criterion]) -> list[Ranked]:
    """Best first; equals share a place and the next place counts them all (1, 2, 2, 4).

    Args:
        tallies: In any order, one a slot.
        order: What parts equal totals, as many as the round has.

    Returns:
        Every tally, those that are tied in the order of their slots' ids.
    """
    # A criterion is called as its count.
    standing = attrgetter("total", *order)
    by_slot = sorted(tallies, key=attrgetter("slot_id"))
    ranked: list[Ranked] = []
    for _, group in groupby(sorted(by_slot, key=standing, reverse=True), key=standing):
        equals = list(group)
        place, is_tied = len(ranked) + 1, len(equals) > 1
        ranked += [Ranked(place, tally, is_tied) for tally in equals]
    return ranked
