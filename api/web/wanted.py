"""Which jobs a page is to show, as its address says it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from pydantic import Field, ValidationError

from core.errors import InvalidInputError
from core.schema.admin import JobState
from core.schema.types import Boundary, Instant, Text

WITHIN = {
    "10m": timedelta(minutes=10),
    "1h": timedelta(hours=1),
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
}


class Wanted(Boundary):
    """Which jobs; what is left out matters not."""

    state: JobState = JobState.FAILED
    function: Text | None = None
    session_id: UUID | None = None
    target_id: UUID | None = None
    fingerprint: Text | None = None
    q: Text | None = None
    within: Literal["10m", "1h", "24h", "7d"] | None = Field(None, description="Of the last …")
    since: Instant | None = None
    until: Instant | None = None

    def since_when(self, now: datetime) -> datetime | None:
        """From when on."""
        return self.since if self.within is None else now - WITHIN[self.within]

    def in_address(self, **others: str | None) -> dict[str, str]:
        """What makes this of an address again, but for what is given otherwise."""
        said: dict[str, str | None] = {**self.model_dump(mode="json"), **others}
        return {name: value for name, value in said.items() if value}

    @property
    def narrows(self) -> bool:
        """Whether anything but the state is asked for."""
        return bool(set(self.in_address()) - {"state"})


# What else an address says, such as where a page begins, is not for this.
FIELDS = frozenset(Wanted.model_fields.keys())


def wanted_of(query: Mapping[str, str]) -> Wanted:
    """What an address asks for; a field of a form that was left empty asks for nothing.

    Raises:
        InvalidInputError: It is not understood.
    """
    said = {name: text.strip() for name, text in query.items() if name in FIELDS and text.strip()}
    try:
        return Wanted.model_validate_strings(said)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidInputError(str(first["loc"][0]), str(first["msg"])) from error
