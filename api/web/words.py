"""Numbers and times as people read them."""

import json
from datetime import datetime

MINUTE, HOUR, DAY = 60, 3600, 86_400
NONE = "–"
KIB = 1024.0


def count(value: float | None) -> str:
    """A number with its thousands set apart; a rate has one decimal below ten."""
    if value is None:
        return NONE
    if isinstance(value, float) and value < 10 and value != int(value):
        return f"{value:.1f}"
    return f"{round(value):,}".replace(",", "\u202f")


def up_to(value: float | None, most: int | None) -> str:
    """A number that was counted up to a bound: what lies above is that and more. None: no bound."""
    is_more = value is not None and most is not None and value > most
    return f"{count(most)}+" if is_more else count(value)


def span(seconds: float | None) -> str:
    """How long: the two largest units at most."""
    if seconds is None:
        return NONE
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < MINUTE:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    whole = round(seconds)
    for length, unit, smaller, name in (
        (DAY, "d", HOUR, "h"),
        (HOUR, "h", MINUTE, "min"),
        (MINUTE, "min", 1, "s"),
    ):
        if whole >= length:
            rest = whole % length // smaller
            return (
                f"{whole // length} {unit} {rest} {name}" if rest else f"{whole // length} {unit}"
            )
    return f"{whole} s"


def milliseconds(value: float | None) -> str:
    """How long, given in milliseconds."""
    if value is None:
        return NONE
    if 0 < value < 10:
        return f"{value:.1f} ms"
    return f"{value:.0f} ms" if value < 1000 else span(value / 1000)


def size(value: float | None) -> str:
    """Bytes."""
    if value is None:
        return NONE
    unit = "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < KIB:
            break
        value, unit = value / KIB, larger
    return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"


def since(at: datetime | None, now: datetime) -> str:
    """How long ago, or in how long."""
    if at is None:
        return NONE
    seconds = (now - at).total_seconds()
    if abs(seconds) < 1:
        return "now"
    passed = abs(seconds)
    said = span(passed // MINUTE * MINUTE) if passed >= MINUTE else f"{passed:.0f} s"
    return f"{said} ago" if seconds > 0 else f"in {said}"


def full(at: datetime) -> str:
    """A time in full, UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def plural(number: int, one: str, many: str | None = None) -> str:
    """`1 worker`, `2 workers`."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def words(name: str) -> str:
    """A name of the code for people."""
    return name.replace("_", " ")


def offset(milliseconds_off: float | None) -> str:
    """How far a clock is off, with its sign."""
    if milliseconds_off is None:
        return NONE
    sign = "−" if milliseconds_off < 0 else "+"
    return sign + milliseconds(abs(milliseconds_off))


def compact(value: object) -> str:
    """JSON in one line, without what is around it."""
    if isinstance(value, dict) and list(value) == ["arguments"]:
        value = value["arguments"]
    said = json.dumps(value, ensure_ascii=False, default=str, separators=(", ", ": "))
    return said[1:-1] if said.startswith(("{", "[")) else said


def pretty(value: object) -> str:
    """JSON over several lines."""
    if isinstance(value, dict) and list(value) == ["arguments"]:
        value = value["arguments"]
    return json.dumps(value, ensure_ascii=False, default=str, indent=2)
