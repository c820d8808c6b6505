"""What is stored of butts, for one derivation: remembered where a worker knows it, else read."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from uuid import UUID

from core.domain.learning import REMEMBERED, Lesson
from core.domain.opening import Draft
from core.domain.values import Event
from core.domain.window import ALWAYS, Reading, Span
from core.models.butt import PlacedButt
from core.models.correlated_shot import StoredShot, select_known_shots
from core.models.event import select_events_of_targets
from core.models.lesson import select_lessons
from core.models.unmatched_landing import UnmatchedLanding, select_unmatched
from core.postgres import Connection
from workers.memory import Memory, Remembered

EVER_SINCE = ALWAYS.end
# When what is kept of a butt happened, microseconds.
_SHOT_AT: Callable[[StoredShot], int] = attrgetter("shot.released_at")
_LANDING_AT: Callable[[UnmatchedLanding], int] = attrgetter("landed_at")


@dataclass(slots=True)
class Recall:
    """What is stored of some butts.

    Args:
        conn: In the transaction that takes the butts' next turn.
        butts: As they were before it.
        memory: What is remembered of them, which nobody else has until `learned` is kept.
        came: Events that this transaction stored, by target.
    """

    conn: Connection
    butts: Mapping[UUID, PlacedButt]
    memory: Memory
    came: Mapping[UUID, Sequence[Event]] = field(default_factory=dict)
    _known: dict[UUID, Remembered] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for target, placed in self.butts.items():
            known = self.memory.take(placed)
            if known is not None:
                known.events += self.came.get(target, ())
                known.needed = EVER_SINCE
                self._known[target] = known

    async def events(self, readings: Mapping[UUID, Reading]) -> dict[UUID, list[Event]]:
        """What is to be read of what the butts' readers said, by target."""
        for target, reading in readings.items():
            known = self._known.get(target)
            if known is not None and reading.span.begin < known.since:
                del self._known[target]
        unknown = {t: self._wide(t, r) for t, r in readings.items() if t not in self._known}
        read = await select_events_of_targets(self.conn, unknown) if unknown else {}
        for target, events in read.items():
            if unknown[target] is not readings[target]:
                self._begin(target, unknown[target].span.begin, events)
        for target in readings.keys() & self._known.keys():
            known = self._known[target]
            known.needed = min(known.needed, readings[target].span.begin)
        said = {t: self._known[t].events if t in self._known else read[t] for t in readings}
        return {t: readings[t].of(events) for t, events in said.items()}

    def _wide(self, target_id: UUID, wanted: Reading) -> Reading:
        """A reading that may be remembered: all since its begin, when most of it is wanted."""
        placed = self.butts[target_id]
        last = placed.last_release
        if placed.has_rulings or (last is not None and last > wanted.span.end):
            return wanted
        return Reading(Span(wanted.span.begin, EVER_SINCE), wanted.span.begin)

    def _begin(self, target_id: UUID, since: int, events: list[Event]) -> None:
        placed = self.butts[target_id]
        self._known[target_id] = Remembered(target_id, placed.turn, placed.bindings, since, events)

    async def lessons(self, spans: Mapping[UUID, Span]) -> dict[UUID, list[Lesson]]:
        """As `select_lessons`."""
        known = self._reaching(spans)
        unread = [t for t in spans if t not in known or known[t].lessons is None]
        read = await select_lessons(self.conn, self._asked(spans, known, unread)) if unread else {}
        for target in unread:
            if target in known:
                known[target].lessons = {each.shot_id: each for each in read[target]}
        return {t: _lessons(known[t], span) if t in known else read[t] for t, span in spans.items()}

    def draft(self, target_id: UUID, taught: Sequence[Lesson]) -> Draft:
        """How a butt's opening was decided the last time; past it, that is forgotten.

        Args:
            target_id: The butt.
            taught: What the shots before those that are to be decided taught.
        """
        known = self._known.get(target_id)
        if known is None:
            return Draft()
        if taught:
            known.draft = Draft()
        return known.draft

    async def shots(
        self, spans: Mapping[UUID, Span], ids: Mapping[UUID, Collection[UUID]]
    ) -> dict[UUID, StoredShot]:
        """The shots released within a span of each target, and those with some ids.

        Args:
            spans: By target.
            ids: By target, too.
        """
        known = self._reaching(spans)
        unread = [t for t in spans if t not in known or known[t].shots is None]
        asked = self._asked(spans, known, unread)
        read = await select_known_shots(self.conn, asked, _named(ids, unread)) if unread else {}
        for target in known.keys() & set(unread):
            known[target].shots = _picked(read, target, asked[target], ids, _SHOT_AT)
        kept = {t: (known[t].shots or {}) if t in known else read for t in spans}
        return _all_picked(kept, spans, ids, _SHOT_AT)

    async def unmatched(
        self, spans: Mapping[UUID, Span], ids: Mapping[UUID, Collection[UUID]]
    ) -> dict[UUID, UnmatchedLanding]:
        """The impacts within a span of each target that are nobody's, and some landings'.

        Args:
            spans: By target.
            ids: By target, too.
        """
        known = self._reaching(spans)
        unread = [t for t in spans if t not in known or known[t].unmatched is None]
        asked = self._asked(spans, known, unread)
        read = await select_unmatched(self.conn, asked, _named(ids, unread)) if unread else {}
        for target in known.keys() & set(unread):
            known[target].unmatched = _picked(read, target, asked[target], ids, _LANDING_AT)
        kept = {t: (known[t].unmatched or {}) if t in known else read for t in spans}
        return _all_picked(kept, spans, ids, _LANDING_AT)

    def _reaching(self, spans: Mapping[UUID, Span]) -> dict[UUID, Remembered]:
        """What is known of those targets of which it reaches far enough back."""
        return {
            target: self._known[target]
            for target, span in spans.items()
            if target in self._known and self._known[target].since <= span.begin
        }

    @staticmethod
    def _asked(
        spans: Mapping[UUID, Span], known: Mapping[UUID, Remembered], unread: Iterable[UUID]
    ) -> dict[UUID, Span]:
        """What is to be read of these: of those to be remembered, all."""
        return {t: Span(known[t].since, EVER_SINCE) if t in known else spans[t] for t in unread}

    def note_lessons(
        self, target_id: UUID, gone: Iterable[UUID], written: Iterable[Lesson]
    ) -> None:
        """Lessons of a butt were written."""
        known = self._known.get(target_id)
        if known is not None and known.lessons is not None:
            for shot_id in gone:
                known.lessons.pop(shot_id, None)
            known.lessons |= {each.shot_id: each for each in written}

    def note_shots(self, written: Iterable[StoredShot]) -> None:
        """Shots were written."""
        by_id = {each.shot.id: each for each in written}
        of_target: dict[UUID, list[StoredShot]] = {}
        for each in by_id.values():
            of_target.setdefault(each.target_id, []).append(each)
        for target, known in self._known.items():
            if known.shots is not None:
                # Also those that are another butt's now.
                known.shots |= {i: by_id[i] for i in by_id.keys() & known.shots.keys()}
                own = of_target.get(target, ())
                known.shots |= {e.shot.id: e for e in own if e.shot.released_at >= known.since}

    def note_unmatched(self, gone: Iterable[UUID], written: Iterable[UnmatchedLanding]) -> None:
        """Impacts that are nobody's were written, and some are somebody's."""
        dropped, new = set(gone), list(written)
        for target, known in self._known.items():
            if known.unmatched is not None:
                for landing_id in dropped & known.unmatched.keys():
                    del known.unmatched[landing_id]
                known.unmatched |= {
                    each.landing_event_id: each
                    for each in new
                    if each.landing_event_id in known.unmatched
                    or (each.target_id == target and each.landed_at >= known.since)
                }

    def learned(self) -> list[Remembered]:
        """What is to be remembered once this turn is committed."""
        whole = [known for known in self._known.values() if known.is_whole]
        for known in whole:
            known.turn = self.butts[known.target_id].turn + 1
        return whole


def _named(ids: Mapping[UUID, Collection[UUID]], targets: Iterable[UUID]) -> set[UUID]:
    """What is asked for by its id at some targets."""
    return {each for target in targets for each in ids.get(target, ())}


def _picked[T: (StoredShot, UnmatchedLanding)](
    rows: Mapping[UUID, T],
    target_id: UUID,
    span: Span,
    ids: Mapping[UUID, Collection[UUID]],
    at: Callable[[T], int],
) -> dict[UUID, T]:
    """Those of the rows that are a target's within a span, and those that are asked for by id."""
    named = ids.get(target_id, ())
    return {
        i: row
        for i, row in rows.items()
        if i in named or (row.target_id == target_id and span.begin <= at(row) <= span.end)
    }


def _all_picked[T: (StoredShot, UnmatchedLanding)](
    kept: Mapping[UUID, Mapping[UUID, T]],
    spans: Mapping[UUID, Span],
    ids: Mapping[UUID, Collection[UUID]],
    at: Callable[[T], int],
) -> dict[UUID, T]:
    """As `_picked`, of all targets."""
    found: dict[UUID, T] = {}
    for target, span in spans.items():
        found |= _picked(kept[target], target, span, ids, at)
    return found


def _lessons(known: Remembered, span: Span) -> list[Lesson]:
    lessons = (known.lessons or {}).values()
    before = [lesson for lesson in lessons if lesson.released_at < span.begin]
    if len(before) > REMEMBERED:
        before = sorted(before, key=lambda lesson: lesson.order)[-REMEMBERED:]
    return before + [each for each in lessons if span.begin <= each.released_at <= span.end]
