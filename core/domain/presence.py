"""Whether a butt's reader was there to see a landing: no archer gets a zero because a sensor was
away."""

from collections.abc import Sequence
from enum import Enum, auto

from core.domain.values import Boot, Watch


class Sight(Enum):
    """What is known of the reader's presence during a shot's landing window."""

    PROVEN = auto()
    PRESUMED = auto()
    ABSENT = auto()


def sight(
    watches: Sequence[Watch], begins: int, ends: int, as_of: int, offline_after: int
) -> Sight:
    """Whether any of the butt's readers was there for the whole of a landing window.

    Proven: it was heard from since the window ended, ran before the window began as far as it says
    when it started, and has nothing left to send as far as it says. Presumed: all that, but it has
    not been heard from since and still counts as online.

    Args:
        watches: The butt's readers.
        begins: The release.
        ends: The end of the landing window.
        as_of: Now.
        offline_after: Microseconds of silence after which a reader is offline.
    """
    there = [w for w in watches if w.bound_from <= begins and ends <= w.bound_to]
    if any(_proven(watch, begins, ends) for watch in there):
        return Sight.PROVEN
    if any(_presumed(watch, begins, as_of, offline_after) for watch in there):
        return Sight.PRESUMED
    return Sight.ABSENT


def _proven(watch: Watch, begins: int, ends: int) -> bool:
    return any(
        _ran_before(boot, begins) and (_said(boot, ends) or _was_heard(watch, boot, begins, ends))
        for boot in watch.boots
    )


def _ran_before(boot: Boot, begins: int) -> bool:
    return boot.started_at is None or boot.started_at <= begins


def _said(boot: Boot, ends: int) -> bool:
    # What it says without naming its start may have been said after another start.
    return boot.started_at is not None and boot.clear_at is not None and boot.clear_at >= ends


def _was_heard(watch: Watch, boot: Boot, begins: int, ends: int) -> bool:
    heard = [at for at in (boot.event_clear_at, boot.clear_at) if at is not None and at >= ends]
    return any(not _restarted(watch, begins, at) for at in heard)


def _restarted(watch: Watch, after: int, until: int) -> bool:
    starts = (boot.started_at for boot in watch.boots)
    return any(start is not None and after < start <= until for start in starts)


def _presumed(watch: Watch, begins: int, as_of: int, offline_after: int) -> bool:
    if watch.last_heard_at is None or as_of - watch.last_heard_at > offline_after:
        return False
    return not watch.buffered and not _restarted(watch, begins, as_of)
