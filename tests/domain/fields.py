"""A small butt with archers, and the events that a test says happened there."""

from collections.abc import Iterable
from uuid import UUID, uuid5

from core.domain.correlation import Correlation, correlate
from core.domain.scoring import Face
from core.domain.values import Boot, Butt, Event, EventType, Rules, Shot, Slot, Watch

NAMES = UUID("00000000-0000-4000-8000-000000000000")
AGES = 2**62
# Long after everything that a test lets happen.
LATER = 100_000_000_000


def named(name: str) -> UUID:
    """The same id for the same name."""
    return uuid5(NAMES, name)


def micro(seconds: float) -> int:
    """Seconds as microseconds."""
    return round(seconds * 1_000_000)


def slot(letter: str, bowstyle: str = "recurve", shaft: float = 5.5) -> Slot:
    """The archer `letter`'s place."""
    return Slot(named(f"slot {letter}"), named(f"archer {letter}"), letter, bowstyle, shaft)


def watch(*boots: Boot, heard: float | None = None, buffered: int | None = None) -> Watch:
    """A target reader that was always at the butt."""
    last = None if heard is None else micro(heard)
    return Watch(-AGES, AGES, last, buffered, boots)


ATTENTIVE = watch(Boot(None, LATER), heard=LATER / 1_000_000)


def butt(
    *slots: Slot,
    distance: float = 18,
    rules: Rules | None = None,
    faces: Iterable[Face] | None = None,
    watches: tuple[Watch, ...] = (ATTENTIVE,),
    opens: float = 0,
    closes: float | None = None,
    arrows: Iterable[str] = (),
) -> Butt:
    """A butt with one face for everyone; an arrow is called `A1`: archer A's first."""
    everyone = Face(named("face"), "wa_122_full", 0, 0, None)
    return Butt(
        distance_m=distance,
        faces=(everyone,) if faces is None else tuple(faces),
        slots={place.id: place for place in (slots or (slot("A"),))},
        arrow_owners={named(f"arrow {arrow}"): named(f"archer {arrow[0]}") for arrow in arrows},
        watches=watches,
        opens_at=micro(opens),
        closes_at=None if closes is None else micro(closes),
        rules=rules or Rules(),
        offline_after=micro(30),
    )


def said(
    name: str,
    kind: EventType,
    at: float,
    *,
    letter: str | None = "A",
    arrow: str | None = None,
    x: float = 0,
    y: float = 0,
    received: float | None = None,
) -> Event:
    """An event; `letter` is whose reader said it, None: the butt's."""
    return Event(
        id=named(name),
        type=kind,
        at=micro(at),
        received_at=micro(at if received is None else received),
        slot_id=None if letter is None else named(f"slot {letter}"),
        arrow_id=None if arrow is None else named(f"arrow {arrow}"),
        x=x,
        y=y,
    )


def identified(at: float, arrow: str, letter: str | None = "A") -> Event:
    """An arrow was seen."""
    return said(f"i{at}{letter}", EventType.IDENTIFIED, at, letter=letter, arrow=arrow)


def engage(at: float, letter: str = "A", arrow: str | None = None) -> Event:
    """A bow was drawn."""
    return said(f"e{at}{letter}", EventType.ENGAGE, at, letter=letter, arrow=arrow)


def release(at: float, letter: str = "A", received: float | None = None) -> Event:
    """An arrow left."""
    return said(f"r{at}{letter}", EventType.RELEASE, at, letter=letter, received=received)


def landed(
    at: float, x: float = 0, y: float = 0, arrow: str | None = None, received: float | None = None
) -> Event:
    """Something hit the butt."""
    name = f"l{at}"
    return said(name, EventType.LANDED, at, letter=None, arrow=arrow, x=x, y=y, received=received)


def derived(events: Iterable[Event], where: Butt, as_of: float | None = None) -> Correlation:
    """What correlation makes of it."""
    return correlate(events, where, LATER if as_of is None else micro(as_of))


def only_shot(events: Iterable[Event], where: Butt, as_of: float | None = None) -> Shot:
    """The one shot that there is."""
    (shot,) = derived(events, where, as_of).shots
    return shot
