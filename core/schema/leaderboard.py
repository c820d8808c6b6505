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


@dataclass(frozen=True, slots=True)
class Place:
    """A slot's place, not written out yet: of hundreds, most are only compared."""

    ranked: Ranked
    standing: Standing

    @property
    def slot_id(self) -> UUID:
        """The slot."""
        return self.standing.tally.slot_id

    @property
    def order(self) -> tuple[int, int, str]:
        """What places are sorted by: equals by lane and letter."""
        return self.ranked.rank, self.standing.lane, self.standing.letter


def places(standings: Iterable[Standing], order: Sequence[Criterion]) -> list[Place]:
    """The places of all slots, best first.

    Args:
        standings: All slots of a session.
        order: What parts equal totals in its round.
    """
    by_slot = {standing.tally.slot_id: standing for standing in standings}
    ranked = rank((standing.tally for standing in by_slot.values()), order)
    found = [Place(each, by_slot[each.tally.slot_id]) for each in ranked]
    return sorted(found, key=lambda place: place.order)


def leaderboard_of(
    standings: Iterable[Standing], order: Sequence[Criterion]
) -> list[LeaderboardRow]:
    """As `places`, all of them written out."""
    return [row_of(place) for place in places(standings, order)]


def row_of(place: Place) -> LeaderboardRow:
    """A place as viewers see it."""
    ranked, standing = place.ranked, place.standing
    tally = ranked.tally
    return LeaderboardRow(
        rank=ranked.rank,
        is_tied=ranked.is_tied,
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
