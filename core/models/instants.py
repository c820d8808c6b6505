"""Times as the database keeps them and as the rules take them."""

import time
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

# Far enough for any rule, near enough for any type.
FOREVER = 2**62
LAST = datetime(9999, 1, 1, tzinfo=UTC)
FIRST = datetime(1, 1, 2, tzinfo=UTC)
_FIRST_AT = (FIRST - EPOCH) // MICROSECOND
_LAST_AT = (LAST - timedelta(days=366) - EPOCH) // MICROSECOND
_HELD_LAST = (LAST - EPOCH) // MICROSECOND


def now() -> int:
    """Microseconds since the epoch, by this machine's clock."""
    return time.time_ns() // 1_000


def microseconds(at: datetime) -> int:
    """Microseconds since the epoch; PostgreSQL's infinities are ±`FOREVER`."""
    if at.year >= LAST.year:
        return FOREVER
    if at.year <= 1:
        return -FOREVER
    return (at - EPOCH) // MICROSECOND


def instant(at: int) -> datetime:
    """The time of so many microseconds since the epoch, held to what a database can keep."""
    if at >= _LAST_AT:
        return LAST
    if at <= _FIRST_AT:
        return FIRST
    return EPOCH + at * MICROSECOND


def held(at: int) -> int:
    """So many microseconds since the epoch, held as `instant` holds them."""
    return _HELD_LAST if at >= _LAST_AT else max(at, _FIRST_AT)


def optional_held(at: int | None) -> int | None:
    """As `held`; None stays None."""
    return None if at is None else held(at)


def optional_microseconds(at: datetime | None) -> int | None:
    """As `microseconds`; None stays None."""
    return None if at is None else microseconds(at)


def optional_instant(at: int | None) -> datetime | None:
    """As `instant`; None stays None."""
    return None if at is None else instant(at)
