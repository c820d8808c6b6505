"""Batches of events that are plainly right, read and checked in one pass: nearly all are.

Whatever is not, be it only written otherwise than readers write it, is nothing here: the models of
`core.schema.event` judge it event by event and say what is wrong. What is read here those would
read as the same.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import compress, product
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from core.schema.event import FURTHER, LARGEST_BATCH, EventKind
from core.schema.inbox import Key
from core.schema.types import EARLIEST, LATEST

WRITTEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")

# What an event may say beyond its time, by its type: arrow, x, y and sigma, each said or not.
_FURTHER = ("arrow_id", "x", "y", "sigma_mm")
_SAYS = {
    kind: {
        said
        for said in product((False, True), repeat=len(_FURTHER))
        if must <= set(compress(_FURTHER, said)) <= must | may
    }
    for kind, (must, may) in FURTHER.items()
}

type _Millimetres = Annotated[float, Meta(ge=-1e5, le=1e5)]
type _Sigma = Annotated[float, Meta(ge=0, le=1e4)]


class Moment(datetime):
    """A time as readers write it: in UTC, with a `Z`."""


class PlainEvent(Struct, frozen=True, forbid_unknown_fields=True):
    """What a reader saw; fields as those of `EventIn`."""

    event_id: Key
    type: EventKind
    ts: Moment
    reader_id: Key | None = None
    sent_at: Moment | None = None
    arrow_id: Key | None = None
    x: _Millimetres | None = None
    y: _Millimetres | None = None
    sigma_mm: _Sigma | None = None

    def __post_init__(self) -> None:
        said = (
            self.arrow_id is not None,
            self.x is not None,
            self.y is not None,
            self.sigma_mm is not None,
        )
        if said not in _SAYS[self.type]:
            raise ValueError("says other things than its type does")


class PlainBatch(Struct, frozen=True, forbid_unknown_fields=True):
    """What a reader or a gateway sends at once; fields as those of `EventBatch`."""

    events: Annotated[Sequence[PlainEvent], Meta(max_length=LARGEST_BATCH)]
    sent_at: Moment | None = None


def _read(kind: type, text: object) -> object:
    if not isinstance(text, str):
        raise ValueError("must be text")
    if kind is Moment:
        return _moment(text)
    # The library would take dashes anywhere.
    if not len(text) == 36 or not text[8] == text[13] == text[18] == text[23] == "-":
        raise ValueError("must be an id with its four dashes")
    return Key(text)


def _moment(text: str) -> Moment:
    if WRITTEN.fullmatch(text) is None:
        raise ValueError("must be written as readers write it")
    at = Moment.fromisoformat(text)
    if not EARLIEST <= at <= LATEST:
        raise ValueError("must lie between the years 1970 and 2200")
    return at


_BATCH = msgspec.json.Decoder(PlainBatch, dec_hook=_read)


def read_plain(body: bytes) -> PlainBatch | None:
    """A batch that is plainly right; None: it may be right all the same."""
    try:
        return _BATCH.decode(body)
    # Also what is no UTF-8, or goes deeper than anything does.
    except (ValueError, RecursionError):
        return None
