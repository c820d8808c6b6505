"""Stretches of time derived anew from the rows: long enough that nothing outside changes them, nor
they what lies outside."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import replace
from uuid import UUID

from msgspec import Struct

from core.domain.correlation import Correlation, correlate
from core.domain.learning import OPENING, Lesson
from core.domain.values import SECOND, Butt, Event, EventType
from core.domain.window import ALWAYS, Span, cut, is_whole, reading
from core.models.butt import PlacedButt, select_arrow_owners
from core.models.lesson import delete_lessons
from workers.recall import Recall

# Room at first on either side of a window; four times as much with each further try.
FIRST_MARGIN = 8 * SECOND


# Now, microseconds, for what happens at a target: something else may wait for each of them.
type AsOf = Callable[[UUID], int]


class Window(Struct, frozen=True):
    """A target's time and what its events come to.

    Args:
        placed: The target.
        butt: The butt as it was correlated.
        span: When its releases lie; no arrow is in the air at either end.
        events: What was read, more than the span.
        found: What they came to.
        known: The lessons of the span that are kept.
        taught: Those from before it.
    """

    placed: PlacedButt
    butt: Butt
    span: Span
    events: Sequence[Event]
    found: Correlation
    known: Sequence[Lesson]
    taught: Sequence[Lesson]

    @property
    def target_id(self) -> UUID:
        """The target."""
        return self.placed.target_id

    @property
    def has_taught(self) -> bool:
        """Whether its shots teach something else than before."""
        return _by_shot(self.known) != _by_shot(self.found.lessons)


def _by_shot(lessons: Iterable[Lesson]) -> dict[UUID, Lesson]:
    return {lesson.shot_id: lesson for lesson in lessons}


async def derived_windows(
    recall: Recall, butts: Mapping[UUID, PlacedButt], spans: Mapping[UUID, Span], as_of: AsOf
) -> list[Window]:
    """Derive the shots of some targets.

    What the shots of a window teach concerns those that follow. So where they teach something else
    than before, everything after them is derived, too.

    Args:
        recall: What is stored of the targets.
        butts: The targets, with what judges ruled.
        spans: When the releases lie whose shots may differ, by target.
        as_of: Now.
    """
    whole: dict[UUID, Window] = {}
    wanted = {target: span for target, span in spans.items() if target in butts}
    while wanted:
        derived = await _derived(recall, butts, wanted, as_of)
        whole |= derived
        changed = [(w, _last_release(w.placed)) for w in derived.values() if w.has_taught]
        wanted = {
            window.target_id: Span(window.span.begin, last)
            for window, last in changed
            if last > window.span.end
        }
    return list(whole.values())


async def new_lessons(recall: Recall, windows: Collection[Window]) -> list[tuple[UUID, Lesson]]:
    """Forget what the shots of these windows teach no more; what they teach otherwise than before,
    each with its target, to be kept with the shots."""
    gone: list[UUID] = []
    new: list[tuple[UUID, Lesson]] = []
    for window in windows:
        known, found = _by_shot(window.known), _by_shot(window.found.lessons)
        lost = known.keys() - found.keys()
        other = [lesson for shot_id, lesson in found.items() if known.get(shot_id) != lesson]
        recall.note_lessons(window.target_id, lost, other)
        gone += lost
        new += [(window.target_id, lesson) for lesson in other]
    if gone:
        await delete_lessons(recall.conn, gone)
    return new


class _Read(Struct, frozen=True):
    span: Span
    events: Sequence[Event]


async def _derived(
    recall: Recall, butts: Mapping[UUID, PlacedButt], spans: Mapping[UUID, Span], as_of: AsOf
) -> dict[UUID, Window]:
    reads = await _read(recall, butts, spans)
    lessons = await recall.lessons({target: read.span for target, read in reads.items()})
    opening = _opening(butts, reads, lessons)
    if opening:
        reads |= await _read(recall, butts, opening)
        lessons |= await recall.lessons({target: reads[target].span for target in opening})
    arrows = {e.arrow_id for read in reads.values() for e in read.events if e.arrow_id is not None}
    owners = await select_arrow_owners(recall.conn, arrows)
    return {
        target: _window(recall, butts[target], read, lessons[target], owners, as_of(target))
        for target, read in reads.items()
    }


def _window(
    recall: Recall,
    placed: PlacedButt,
    read: _Read,
    lessons: Sequence[Lesson],
    owners: Mapping[UUID, UUID],
    as_of: int,
) -> Window:
    butt = replace(placed.butt, arrow_owners=owners)
    before = _before(read, lessons)
    known = [lesson for lesson in lessons if lesson.released_at >= read.span.begin]
    found = correlate(
        read.events,
        butt,
        as_of,
        span=read.span,
        lessons=before,
        ruled=placed.verdicts,
        draft=recall.draft(placed.target_id, before),
    )
    return Window(placed, butt, read.span, read.events, found, known, before)


def _opening(
    butts: Mapping[UUID, PlacedButt],
    reads: Mapping[UUID, _Read],
    lessons: Mapping[UUID, Sequence[Lesson]],
) -> dict[UUID, Span]:
    """The targets of which more must be derived, since the shots of a butt's opening are decided
    together, and how much."""
    before = {target: len(_before(read, lessons[target])) for target, read in reads.items()}
    new = [target for target, count in before.items() if count < OPENING]
    ends = {target: max(reads[target].span.end, _last_release(butts[target])) for target in new}
    return {
        target: Span(ALWAYS.begin, end)
        for target, end in ends.items()
        if before[target] or end > reads[target].span.end
    }


def _last_release(placed: PlacedButt) -> int:
    """When the latest of a butt's shots was released, as far as it was stored before."""
    return ALWAYS.begin if placed.last_release is None else placed.last_release


def _before(read: _Read, lessons: Sequence[Lesson]) -> list[Lesson]:
    return [lesson for lesson in lessons if lesson.released_at < read.span.begin]


async def _read(
    recall: Recall, butts: Mapping[UUID, PlacedButt], spans: Mapping[UUID, Span]
) -> dict[UUID, _Read]:
    """What has to be read for each target, widened until nothing outside can matter."""
    whole: dict[UUID, _Read] = {}
    margin, open_targets = FIRST_MARGIN, set(spans)
    while open_targets:
        rules = {target: butts[target].butt.rules for target in open_targets}
        reads = {t: reading(spans[t], rules[t], margin) for t in sorted(open_targets)}
        for target, events in (await recall.events(reads)).items():
            released = sorted(e.at for e in events if e.type is EventType.RELEASE)
            span = cut(spans[target], released, rules[target])
            if is_whole(span, reads[target].span, rules[target]):
                whole[target] = _Read(span, events)
                open_targets.remove(target)
        margin *= 4
    return whole
