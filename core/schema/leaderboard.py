"""Who stands where, with names."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import Field

from core.domain.ranking import Criterion, Ranked, Tally, rank
from core.schema.types import Boundary


@dataclass(frozen=True, slots=True)
class Standing:
    """A slot and what it has shot, not ranked yet.

    Args:
        tally: The slot's sums; all zero before its first shot.
        lane: Its target's number.
        letter: Its place there.
        archer_id: Who stands there.
        given_name: The archer's.
        family_name: The archer's.
        club: The archer's, where it is known.
        country: The archer's, where it is known.
        bowstyle: What is shot with.
    """

    tally: Tally
    lane: int
    letter: str
    archer_id: UUID
    given_name: str
    family_name: str
    club: str | None
    country: str | None
    bowstyle: str


class LeaderboardRow(Boundary):
    """A slot's place."""

    rank: int = Field(description="From 1; equals share it")
    is_tied: bool = Field(description="Others share the rank")
    slot_id: UUID
    lane: int
    letter: str
    archer_id: UUID
    given_name: str
    family_name: str
    club: str | None
    country: str | None
    bowstyle: str
    total: int
    arrows: int = Field(description="Arrows valued, misses included")
    elevens: int
    tens: int = Field(description="Every X that scores 10 is one of them")
    xs: int
    nines: int
    sixes: int
    fives: int


def leaderboard_of(
    standings: Iterable[Standing], order: Sequence[Criterion]
) -> list[LeaderboardRow]:
    """The rows, best first; equals in the order of lane and letter.

    Args:
        standings: All slots of a session.
        order: What parts equal totals in its round.
    """
    by_slot = {standing.tally.slot_id: standing for standing in standings}
    ranked = rank((standing.tally for standing in by_slot.values()), order)
    rows = [_row(place, by_slot[place.tally.slot_id]) for place in ranked]
    return sorted(rows, key=lambda row: (row.rank, row.lane, row.letter))


def _row(place: Ranked, standing: Standing) -> LeaderboardRow:
    tally = place.tally
    return LeaderboardRow(
        rank=place.rank,
        is_tied=place.is_tied,
        slot_id=tally.slot_id,
        lane=standing.lane,
        letter=standing.letter,
        archer_id=standing.archer_id,
        given_name=standing.given_name,
        family_name=standing.family_name,
        club=standing.club,
        country=standing.country,
        bowstyle=standing.bowstyle,
        total=tally.total,
        arrows=tally.arrows,
        elevens=tally.elevens,
        tens=tally.tens,
        xs=tally.xs,
        nines=tally.nines,
        sixes=tally.sixes,
        fives=tally.fives,
    )
