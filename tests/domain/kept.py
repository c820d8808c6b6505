"""What a worker keeps of a butt between batches, derived window by window."""

from functools import reduce
from uuid import UUID

from core.domain.correlation import correlate
from core.domain.learning import OPENING, REMEMBERED, Lesson
from core.domain.rulings import NO_VERDICTS, Verdicts
from core.domain.strays import Stray, explained
from core.domain.values import Butt, Event, EventType, Shot
from core.domain.window import ALWAYS, Span, cut, is_whole, reading, touched
from tests.domain.fields import LATER, micro

FIRST_MARGIN = micro(1)


def window_of(known: list[Event], span: Span, where: Butt) -> tuple[Span, list[Event]]:
    """As a worker reads it: no more than a span needs."""
    margin = FIRST_MARGIN
    while True:
        read = reading(span, where.rules, margin)
        events = read.of(known)
        released = sorted(e.at for e in events if e.type is EventType.RELEASE)
        whole = cut(span, released, where.rules)
        if is_whole(whole, read.span, where.rules):
            return whole, events
        margin *= 4


class Kept:
    """Shots, lessons and strays as they are kept between batches."""

    def __init__(self, where: Butt, ruled: Verdicts = NO_VERDICTS) -> None:
        self.where = where
        self.ruled = ruled
        self.known: list[Event] = []
        self.shots: dict[UUID, Shot] = {}
        self.lessons: dict[UUID, Lesson] = {}
        self.strays: dict[UUID, Stray] = {}

    def take(self, new: list[Event]) -> None:
        """Derive what new events touch, and what follows from what that teaches."""
        self.known += new
        spans = [touched(event.type, event.at, self.where.rules) for event in new]
        wanted: Span | None = reduce(Span.joined, spans)
        while wanted is not None:
            wanted = self._derive(wanted)

    def _derive(self, wanted: Span) -> Span | None:
        span, events = window_of(self.known, wanted, self.where)
        before = [e for e in self.lessons.values() if e.released_at < span.begin]
        last = max((shot.released_at for shot in self.shots.values()), default=span.end)
        if len(before) < OPENING and (before or last > span.end):
            # The shots of the opening are decided together.
            return self._derive(Span(ALWAYS.begin, max(last, span.end)))
        latest = sorted(before, key=lambda lesson: lesson.order)[-REMEMBERED:]
        found = correlate(events, self.where, LATER, span=span, lessons=latest, ruled=self.ruled)
        inside = {e for e in self.lessons.values() if span.begin <= e.released_at <= span.end}
        for shot in [s for s in self.shots.values() if span.begin <= s.released_at <= span.end]:
            del self.shots[shot.id]
            self.lessons.pop(shot.id, None)
        self.shots |= {shot.id: shot for shot in found.shots}
        self.lessons |= {lesson.shot_id: lesson for lesson in found.lessons}
        for stray in [s for s in self.strays.values() if span.begin <= s.landing.at <= span.end]:
            del self.strays[stray.landing.id]
        strays = explained(found, events, self.where)
        self.strays |= {stray.landing.id: stray for stray in strays}
        last = max((shot.released_at for shot in self.shots.values()), default=span.end)
        has_taught = inside != set(found.lessons)
        return Span(span.begin, last) if has_taught and last > span.end else None
