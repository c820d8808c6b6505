"""What a worker remembers of butts: what lies in the database of their latest shooting.

A butt's events, lessons, shots and impacts are written by whoever holds its partition's lock, and
every writer counts the butt's turns. So what was remembered at a turn still is all that there is
when the next turn is that one's successor, and whose readers are bound as they were then.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from core.domain.learning import REMEMBERED, Lesson
from core.domain.opening import Draft
from core.domain.values import SECOND, Event
from core.domain.window import ALWAYS
from core.models.butt import PlacedButt
from core.models.correlated_shot import StoredShot
from core.models.unmatched_landing import UnmatchedLanding

# A butt of which more is remembered is cut to its latest time, or to what its last turn read: all
# of it in its opening, far back where shooting has no gaps or bows are held for long.
MOST_EVENTS, LATEST = 48, 120 * SECOND
# Not again before it is worth it, where so many come all the time; and never to a time before that
# since which all is known.
SLACK = 60 * SECOND
# Of all butts; some 1 200 bytes each, with what came of it, and half as much for a draft.
MOST_EVENTS_OF_ALL = 30_000


@dataclass(slots=True)
class Remembered:
    """All that is stored of a butt since a time.

    Args:
        target_id: The butt.
        turn: How often it was written.
        bindings: Tells which readers were bound there, and when.
        since: Of events, shots and impacts, all from then on, microseconds; of lessons, the latest
            before that besides.
        events: What its readers said.
        lessons: By shot; None: not read yet.
        shots: By id; None: not read yet.
        unmatched: By the landing's event; None: not read yet.
        draft: How the opening was decided.
        needed: Since when what happened was asked for at this turn, microseconds.
    """

    target_id: UUID
    turn: int
    bindings: str
    since: int
    events: list[Event]
    lessons: dict[UUID, Lesson] | None = None
    shots: dict[UUID, StoredShot] | None = None
    unmatched: dict[UUID, UnmatchedLanding] | None = None
    draft: Draft = field(default_factory=Draft)
    needed: int = ALWAYS.end

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left to be read."""
        return None not in (self.lessons, self.shots, self.unmatched)

    def shorten(self) -> None:
        """Forget what is long past, when it is much."""
        if len(self.events) <= MOST_EVENTS:
            return
        since = min(self.needed, max(event.at for event in self.events) - LATEST)
        if self.since > since - SLACK:
            return
        lessons = sorted((self.lessons or {}).values(), key=lambda lesson: lesson.order)
        past = sum(lesson.released_at < since for lesson in lessons)
        self.since = since
        self.events = [event for event in self.events if event.at >= since]
        self.lessons = {each.shot_id: each for each in lessons[max(0, past - REMEMBERED) :]}
        shots = self.shots or {}
        self.shots = {i: known for i, known in shots.items() if known.shot.released_at >= since}
        unmatched = self.unmatched or {}
        self.unmatched = {i: each for i, each in unmatched.items() if each.landed_at >= since}


class Memory:
    """What one process remembers; whatever fails is forgotten, and read anew."""

    def __init__(self) -> None:
        self._of: OrderedDict[UUID, Remembered] = OrderedDict()
        self._events = 0

    def take(self, placed: PlacedButt) -> Remembered | None:
        """What is remembered of a butt, if that is all that there is; the caller's from now on.

        Args:
            placed: The butt, as it is stored now.
        """
        known = self._of.pop(placed.target_id, None)
        if known is None:
            return None
        self._events -= len(known.events)
        holds = (known.turn, known.bindings) == (placed.turn, placed.bindings)
        # Rulings move shots between butts.
        return known if holds and not placed.has_rulings else None

    def forget(self) -> None:
        """Forget all of it."""
        self._of.clear()
        self._events = 0

    def keep(self, known: Iterable[Remembered]) -> None:
        """Remember these, once they are committed."""
        for each in known:
            each.shorten()
            before = self._of.pop(each.target_id, None)
            self._events -= 0 if before is None else len(before.events)
            self._of[each.target_id] = each
            self._events += len(each.events)
        while self._events > MOST_EVENTS_OF_ALL and self._of:
            _, oldest = self._of.popitem(last=False)
            self._events -= len(oldest.events)
