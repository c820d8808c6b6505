"""The shots of a butt decided group after group in the order of time, each by the lessons of those
before it."""

from collections.abc import Collection
from uuid import UUID

from core.domain.contest import Contest
from core.domain.course import Course, Decided, Made
from core.domain.learning import Learned, Lesson
from core.domain.opening import Draft, decide_opening


def decide(
    contest: Contest,
    lessons: Collection[Lesson],
    suspects: Collection[UUID],
    as_of: int,
    draft: Draft,
) -> Decided:
    """Decide all groups of a contest.

    Args:
        contest: What is to be paired.
        lessons: What the shots before it taught; none: it is the beginning.
        suspects: Releases and landings that may be another one reported again.
        as_of: Now, microseconds.
        draft: How the beginning was decided the last time.
    """
    butt = contest.butt
    learned = Learned(butt.slots, butt.distance_m, butt.rules.landing_window, lessons)
    groups = contest.groups()
    begun = 0
    if lessons:
        course = Course(contest, groups, suspects, as_of, Made())
    else:
        draft.reread(contest, groups, suspects)
        course = Course(contest, groups, suspects, as_of, draft.made)
        begun = decide_opening(course, groups, learned, draft)
    for group in groups[begun:]:
        course.take(group, course.pairings(group, learned), learned)
        learned.add(course.lessons(group))
    return course.decided()
