"""The kinds of value that cross a boundary, each refusing what a store could not take."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
)

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
# Pydantic would also read a number in a text, as seconds since the epoch.
DATE_AND_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")


class Boundary(BaseModel):
    """What every request and answer has in common: frozen, and nothing unknown in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def rfc3339(at: datetime) -> str:
    """UTC with milliseconds and a Z."""
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return f"{utc.isoformat(timespec='milliseconds')[:-6]}Z"


def storable(text: str) -> str:
    """Refuse what no text column can hold."""
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("must not hold a NUL or half of a surrogate pair")
    return text


def _written_as_text(value: object) -> object:
    is_written = isinstance(value, str) and DATE_AND_TIME.match(value) is not None
    if not is_written and not isinstance(value, datetime):
        raise ValueError("must be an RFC 3339 time with a zone, as text")
    return value


def _within_centuries(at: datetime) -> datetime:
    if not EARLIEST <= at <= LATEST:
        raise ValueError("must lie between the years 1970 and 2200")
    return at.astimezone(UTC)


def _nearest(at: datetime) -> datetime:
    return min(max(at, EARLIEST), LATEST).astimezone(UTC)


type Text = Annotated[str, Field(max_length=500), AfterValidator(storable)]
type Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(storable)]
type Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_written_as_text),
    AfterValidator(_within_centuries),
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
]
# What somebody else wrote down, and no answer may fail for: of a time that we would refuse the
# nearest that we would not.
type Told = Annotated[
    AwareDatetime,
    BeforeValidator(_written_as_text),
    AfterValidator(_nearest),
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
]
type Number = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-1e9, le=1e9)]
type Positive = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, le=1e9)]
# Metres; nobody shoots at a butt that is further away.
type Distance = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, le=1_000)]
type Count = Annotated[int, Field(strict=True, ge=0, le=2_000_000_000)]
type Ordinal = Annotated[int, Field(strict=True, ge=1, le=2_000_000_000)]
type Flag = StrictBool
type Letter = Annotated[str, Field(pattern=r"^[A-Z]$", description="A to Z: whose place it is")]
