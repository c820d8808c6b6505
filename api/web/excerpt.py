"""Of a job what has room on a page: it is small whatever the job was given and however it failed.

The JSON beside the page has all of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Self

from markupsafe import escape

from api.web.words import pretty
from core.schema.admin import AdminAction, JobAttempt, JobDetail, TouchedEvent, TouchedShot

# Bytes of a page, and rows of its lists.
OF_ARGUMENTS = 5_000
OF_TRACEBACKS = 9_000
OF_A_LINE = 300
ATTEMPTS, ROWS, ACTIONS = 8, 15, 8


@dataclass(frozen=True, slots=True)
class Cut:
    """A text, or a part of it.

    Args:
        text: What is shown.
        left_out: How many characters are not.
    """

    text: str
    left_out: int

    @classmethod
    def head(cls, text: str, most: int) -> Self:
        """As much of its begin as takes so many bytes in a page."""
        size = _room(text, most)
        return cls(text[:size], len(text) - size)

    @classmethod
    def tail(cls, text: str, most: int) -> Self:
        """As much of its end, where a traceback says what went wrong."""
        left_out = len(text) - _room(text[: -most - 1 : -1], most)
        return cls(text[left_out:], left_out)


@dataclass(frozen=True, slots=True)
class ShownAttempt:
    """A try.

    Args:
        number: Which, from 1.
        tried: What is known of it.
        error: Its error.
        traceback: Where.
    """

    number: int
    tried: JobAttempt
    error: str
    traceback: Cut


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What a page shows of a job beside its facts.

    Args:
        arguments: What it takes.
        attempts: Its latest tries, the last one first.
        events: The latest events that it was about.
        shots: The latest shots that it was about.
        actions: What operators did with it last.
    """

    arguments: Cut
    attempts: Sequence[ShownAttempt]
    events: Sequence[TouchedEvent]
    shots: Sequence[TouchedShot]
    actions: Sequence[AdminAction]


def excerpt_of(job: JobDetail) -> Excerpt:
    """What of a job has room."""
    return Excerpt(
        arguments=Cut.head(pretty(job.arguments), OF_ARGUMENTS),
        attempts=_latest(job.attempts),
        events=job.events[:ROWS],
        shots=job.shots[:ROWS],
        actions=job.actions[:ACTIONS],
    )


def _latest(attempts: Sequence[JobAttempt]) -> list[ShownAttempt]:
    """The latest tries; the later one was, the more of its traceback."""
    room = OF_TRACEBACKS
    shown: list[ShownAttempt] = []
    for number in range(len(attempts), max(len(attempts) - ATTEMPTS, 0), -1):
        tried = attempts[number - 1]
        where = Cut.tail(tried.traceback or tried.error, room)
        room -= _bytes(where.text)
        shown.append(ShownAttempt(number, tried, Cut.head(tried.error, OF_A_LINE).text, where))
    return shown


def _bytes(text: str) -> int:
    """What a text takes in a page."""
    return len(escape(text).encode(errors="replace"))


def _room(letters: str, most: int) -> int:
    """How many letters take so many bytes in a page at most."""
    sizes: Iterable[int] = accumulate(map(_bytes, letters[:most]))
    return sum(size <= most for size in sizes)
