"""What lies in the inbox, read again."""

from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from core.domain.values import EventType
from core.schema.inbox import (
    Accepted,
    AcceptedBeat,
    AcceptedEvent,
    Start,
    decode,
    encode,
)

AT = 1_700_000_000_000_000


def event(reader_id: UUID) -> AcceptedEvent:
    """A release."""
    return AcceptedEvent(
        event_id=uuid4(),
        reader_id=reader_id,
        type=EventType.RELEASE,
        ts=AT,
        sent_at=AT + 1,
        received_at=AT + 2,
        arrow_id=None,
        x=None,
        y=None,
        sigma_mm=None,
        request_id=uuid4(),
        by_gateway=True,
    )


def test_what_was_accepted_is_read_as_it_was_written() -> None:
    reader_id = uuid4()
    beat = AcceptedBeat(reader_id, AT, None, AT - 5, 3, 80.0, "1.2", None)
    start = Start(AT - 5, AT + 3, AT + 2)
    said: list[Accepted] = [event(reader_id), event(reader_id), beat]
    said += [event(reader_id).corrected(7, start), beat.corrected(7, AT - 9)]
    read = [decode(encode(each)) for each in said]
    assert read == said


def test_an_offset_changes_nothing_else() -> None:
    said = event(uuid4())
    assert said.corrected(7).offset == 7
    assert said.corrected(7).corrected(0).corrected(0) == event_with(said, offset=0)
    beat = AcceptedBeat(uuid4(), AT, None, None, None, None, None, None)
    assert (beat.corrected(7).offset, beat.corrected(7).reader_id) == (7, beat.reader_id)


def event_with(said: AcceptedEvent, **changed: Any) -> Any:
    """The event as it would be read with something else in it."""
    return decode(orjson.dumps(orjson.loads(encode(said)) | changed))


@pytest.mark.parametrize("field", ["event_id", "reader_id"])
@pytest.mark.parametrize("value", [None, 1, [], {}, "no id", ["a"]])
def test_what_is_no_id_is_unreadable_and_nothing_worse(field: str, value: object) -> None:
    with pytest.raises(ValueError):
        event_with(event(uuid4()), **{field: value})


def test_what_only_names_an_event_is_a_heartbeat() -> None:
    beat = AcceptedBeat(uuid4(), AT, None, None, None, None, 'event_id "event_id":', None)
    assert decode(encode(beat)) == beat
