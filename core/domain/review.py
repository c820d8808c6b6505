"""Why a judge must look at something, and what they can do about it."""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum

from core.domain.values import ShotFlag, Status


class Reason(StrEnum):
    """Why something is on the review list, the most urgent first."""

    # A shot.
    UNRESOLVED = "unresolved"
    AMBIGUOUS = "ambiguous"
    OUT_OF_END = "out_of_end"
    EXTRA_ARROW = "extra_arrow"
    WRONG_FACE = "wrong_face"
    LINE_CALL = "line_call"
    DUPLICATE_SUSPECT = "duplicate_suspect"
    LATE_LANDING = "late_landing"
    READER_OFFLINE = "reader_offline"
    ENGAGE_MISSING = "engage_missing"
    ARROW_UNKNOWN = "arrow_unknown"
    # A landing that is no shot's.
    NO_RELEASE = "no_release"
    LEFT_OVER = "left_over"
    DOES_NOT_FIT = "does_not_fit"
    OUT_OF_WINDOW = "out_of_window"
    OUTSIDE_END = "outside_end"
    # An event that makes no shot, for want of a place.
    UNBOUND = "unbound"
    OUTSIDE_SESSION = "outside_session"


# These alone do not put a shot on the list: a club without tags or bow sensors would drown in them.
MINOR = frozenset({Reason.ENGAGE_MISSING, Reason.ARROW_UNKNOWN})

URGENCY = {reason: number for number, reason in enumerate(Reason)}

EXPLANATIONS: Mapping[Reason, str] = {
    Reason.UNRESOLVED: "The butt's reader was not there to see whether this arrow landed: look at "
    "the butt and rule its score, or wait for the reader to come back.",
    Reason.AMBIGUOUS: "Another arrow fits this landing nearly as well: ask who shot it, then "
    "confirm the score or give the landing to the other shot.",
    Reason.OUT_OF_END: "The arrow was shot outside an open end and does not count: rule its score, "
    "or put the end's times right.",
    Reason.EXTRA_ARROW: "The archer has more arrows than the end or the spot allows, so that this "
    "one does not count, or has this one of another butt beside all that were counted into ends: "
    "check how many arrows are theirs, and rule its score or void it.",
    Reason.WRONG_FACE: "The arrow hit another archer's face and counts as a miss: check whose "
    "arrow it is.",
    Reason.LINE_CALL: "The hit is nearer to a line than the reader can tell: look at the face, "
    "then confirm the score or rule another.",
    Reason.DUPLICATE_SUSPECT: "One arrow may have been told twice here, or two arrows as one: "
    "check how many arrows are in the butt, and void this shot when it is the same arrow as "
    "another, or rule its score when it is said to have missed and did land.",
    Reason.LATE_LANDING: "The landing came after a miss had been called: check that the score is "
    "right.",
    Reason.READER_OFFLINE: "The butt's reader was away around this shot: check it at the butt.",
    Reason.ENGAGE_MISSING: "The bow was not seen being drawn for this release: check that an arrow "
    "was shot.",
    Reason.ARROW_UNKNOWN: "It is not known which arrow this was: check whose it is when the score "
    "is in doubt.",
    Reason.NO_RELEASE: "Something hit the butt while no arrow was in the air: give it to a shot "
    "whose release was seen, turn it into a shot when a release was not, or dismiss it.",
    Reason.LEFT_OVER: "Something hit the butt, and every arrow then in the air has another "
    "landing: check whether an arrow was shot that no reader saw leave, or dismiss it.",
    Reason.DOES_NOT_FIT: "Something hit the butt that does not fit the arrow then in the air by "
    "its time or its tag: give it to that shot when it is the same arrow, or dismiss it.",
    Reason.OUT_OF_WINDOW: "Something hit the butt longer after the last release than the landing "
    "window allows: give it to that shot when it is the same arrow, or dismiss it.",
    Reason.OUTSIDE_END: "Something hit the butt outside an open end, as when arrows are pulled: "
    "dismiss it, or put the end's times right.",
    Reason.UNBOUND: "Its reader was bound to no place at that time, so it makes no shot: bind the "
    "reader to its place for that time, and it counts.",
    Reason.OUTSIDE_SESSION: "It happened outside the session's start and end, so it makes no shot: "
    "put the session's times right if it should count.",
}


def in_order(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Each reason once, the most urgent first."""
    return tuple(sorted(set(reasons), key=URGENCY.__getitem__))


def reasons_of_shot(status: Status, flags: Collection[ShotFlag]) -> tuple[Reason, ...]:
    """What there is to look at in a shot; nothing once it is voided.

    A ruling on it is no answer to all of that: see `is_listed`.

    Args:
        status: What has become of it.
        flags: What is known of it.
    """
    if status is Status.VOIDED:
        return ()
    unresolved = [Reason.UNRESOLVED] if status is Status.UNRESOLVED else []
    return in_order([*unresolved, *(Reason(flag) for flag in flags if flag is not ShotFlag.RULED)])


def is_listed(status: Status, flags: Collection[ShotFlag], *, is_answered: bool = False) -> bool:
    """Whether a judge must look at a shot.

    Args:
        status: What has become of it.
        flags: What is known of it.
        is_answered: Whether a judge said what it counts. Another ruling, of whose it is or which
            landing is its, leaves the other questions open, and those that come up later.
    """
    reasons = reasons_of_shot(status, flags)
    return not is_answered and any(reason not in MINOR for reason in reasons)


def explanation(reasons: Iterable[Reason]) -> str:
    """A sentence that a judge can act on, about the most urgent of at least one reason."""
    return EXPLANATIONS[in_order(reasons)[0]]
