"""What is to be paired on a butt: releases and landings, which of them could belong together, and
how likely each pair is."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from uuid import UUID

from core.domain.assignment import Candidate, Option, clusters
from core.domain.flight import CLOCK_TOLERANCE, shortest
from core.domain.learning import Clocks, Learned, clocks_of
from core.domain.odds import together
from core.domain.outcome import measure
from core.domain.scoring import Score
from core.domain.timeline import Release
from core.domain.values import Butt, Event

# What an arrow's own word weighs against any flight time: it decides.
SAME_ARROW = 1e20
SAME_ARCHER = 1e10
# How probable a hit on a face is, by whose face it is: a prior, not a proof.
OWN_FACE = 0.9
OTHERS_FACE = 0.1

# No release of a field has more landings to choose from than this: four archers' arrows of three
# seconds. Only a burst that is replayed at one instant has.
MOST_LANDINGS = 16

type Group = Mapping[int, Sequence[int]]


class Contest:
    """Releases and landings of one butt, numbered in their order.

    Args:
        shot: The releases, in their order.
        landed: The impacts, in their order.
        butt: Where.
        doubtful: Reports of impacts that were reported more than once, in their order: any of them
            may have been another arrow.
    """

    def __init__(
        self,
        shot: Sequence[Release],
        landed: Sequence[Event],
        butt: Butt,
        doubtful: Sequence[Event] = (),
    ) -> None:
        self.shot, self.landed, self.butt = shot, landed, butt
        self._doubtful = doubtful
        # Asked for with every pair.
        self._released_at = [release.event.at for release in shot]
        self._landed_at = [landing.at for landing in landed]
        self._shortest = shortest(butt.distance_m)
        self._has_own = any(face.letter is not None for face in butt.faces)
        self._scores: dict[tuple[int, UUID], Score | None] = {}

    def groups(self) -> list[Group]:
        """What has to be decided together: the landings that each release could have, in the order
        of the groups' first releases."""
        found: list[Group] = [*clusters(self._candidates())]
        contested = {release for group in found for release in group}
        alone = [{number: ()} for number in range(len(self.shot)) if number not in contested]
        return sorted([*found, *alone], key=min)

    def _candidates(self) -> Iterator[Candidate]:
        least = max(0, self._shortest - CLOCK_TOLERANCE)
        window, released_at = self.butt.rules.landing_window, self._released_at
        begin = 0
        for number, landing in enumerate(self.landed):
            while begin < len(released_at) and released_at[begin] < landing.at - window:
                begin += 1
            for release in range(begin, len(released_at)):
                if landing.at - released_at[release] < least:
                    break
                if self._weight(self.shot[release], landing) > 0:
                    yield Candidate(release, number)

    def fits_doubtful(self, release: int, learned: Learned) -> bool:
        """Whether a report that was taken for a repeated one would be a release's landing, if it
        were an arrow of its own: that is at least as likely as that the release has none."""
        begin = self.shot[release].event.at
        end = begin + self.butt.rules.landing_window
        first = bisect_left(self._doubtful, begin, key=_at)
        last = bisect_right(self._doubtful, end, key=_at)
        return any(
            self._fit(release, self._doubtful[number], learned) >= 1.0
            for number in range(first, last)
        )

    def _fit(self, release: int, report: Event, learned: Learned) -> float:
        slot = self.butt.slots[self.shot[release].slot_id]
        odds = self._odds(release, report, learned)
        if odds > 0 and self._has_own:
            odds *= _prior(measure(report.x, report.y, slot, self.butt))
        return odds

    def clocks(self, release: int, landing: int) -> Clocks:
        """Between which readers' clocks the flight is measured."""
        return self._clocks(release, self.landed[landing])

    def _clocks(self, release: int, landing: Event) -> Clocks:
        return clocks_of(self.shot[release].event.reader_id, landing.reader_id)

    def flight(self, release: int, landing: int) -> int:
        """The time between both, microseconds."""
        return self._landed_at[landing] - self._released_at[release]

    def options(self, release: int, landings: Sequence[int], learned: Learned) -> list[Option]:
        """How likely a release's pairs are, with landings that it could have; those that are
        impossible are left out."""
        found: list[Option] = []
        for number in self._likely(release, landings, learned):
            odds = self._odds(release, self.landed[number], learned)
            if self._has_own:
                odds *= _prior(self.score(number, self.shot[release].slot_id))
            if odds > 0:
                found.append(Option(number, odds))
        return found

    def _likely(self, release: int, landings: Sequence[int], learned: Learned) -> Sequence[int]:
        """All landings that a release could have; of a burst's hundreds those that name its arrow,
        and the nearest to when it is expected."""
        if len(landings) <= MOST_LANDINGS:
            return landings
        mean = learned.expect(self.shot[release].slot_id, self.clocks(release, landings[0])).mean
        due = self._released_at[release] + mean
        place = bisect_left(landings, due, key=self._landed_at.__getitem__)
        begin = max(0, min(place - MOST_LANDINGS // 2, len(landings) - MOST_LANDINGS))
        near = landings[begin : begin + MOST_LANDINGS]
        named = [n for n in landings if self.landed[n].arrow_id is not None and n not in near]
        return sorted([*near, *named])

    def _odds(self, release: int, landing: Event, learned: Learned) -> float:
        shot = self.shot[release]
        slot, flight = shot.slot_id, landing.at - shot.event.at
        if flight < self._shortest and not learned.knows(slot):
            return 0.0
        expected = learned.expect(slot, self._clocks(release, landing))
        by_time = together(flight, expected, learned.guess(slot), learned.rates(slot))
        return by_time * self._weight(shot, landing)

    def _weight(self, release: Release, landing: Event) -> float:
        """What the arrow's own word weighs; 0: it speaks against the pair."""
        if landing.arrow_id is None:
            return 1.0
        if landing.arrow_id == release.arrow_id:
            return SAME_ARROW
        owner = self.butt.arrow_owners.get(landing.arrow_id)
        if owner == self.butt.slots[release.slot_id].archer_id:
            return SAME_ARCHER if release.arrow_id is None else 1.0
        if owner in {slot.archer_id for slot in self.butt.slots.values()}:
            return 0.0
        return 1.0 if release.arrow_id is None else 0.0

    def score(self, landing: int, slot_id: UUID) -> Score | None:
        """What a landing is worth for an archer; asked for again and again, and measured once."""
        key = (landing, slot_id)
        if key not in self._scores:
            event = self.landed[landing]
            self._scores[key] = measure(event.x, event.y, self.butt.slots[slot_id], self.butt)
        return self._scores[key]

    def strays_after(self, release: int, spoken_for: Collection[int]) -> int:
        """How many landings that are nobody's came after a release and before the next, within the
        landing window.

        Args:
            release: The release's number.
            spoken_for: Landings that are somebody's, or may still be.
        """
        begin = self._released_at[release]
        end = begin + self.butt.rules.landing_window
        if release + 1 < len(self._released_at):
            end = min(end, self._released_at[release + 1])
        first = bisect_left(self._landed_at, begin)
        within = range(first, bisect_left(self._landed_at, end, first))
        return len([number for number in within if number not in spoken_for])


def _at(landing: Event) -> int:
    return landing.at


def _prior(score: Score | None) -> float:
    """How probable it is that an archer hits there, by what that is worth for them."""
    return OTHERS_FACE if score is not None and score.is_wrong_face else OWN_FACE
