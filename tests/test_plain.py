"""What is read as plainly right, and that the models read it as the same."""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.schema.event import EVENT_IN, FURTHER, LARGEST_BATCH, EventBatch
from core.schema.plain import PlainBatch, read_plain

ID, OTHER = str(UUID(int=7)), "0A1b2c3D-4e5f-6071-8293-a4b5c6d7e8f9"
AT = "2026-11-27T10:00:00.123Z"
LANDED = {"event_id": ID, "reader_id": OTHER, "type": "arrow_landed", "ts": AT, "x": 1.5, "y": -2}
DEEP = b"[" * 100_000 + b"]" * 100_000
FIELDS = ("event_id", "reader_id", "type", "ts", "sent_at", "arrow_id", "x", "y", "sigma_mm")

times = st.sampled_from(
    [
        AT,
        "2026-11-27T10:00:00Z",
        "2026-11-27T10:00:00.1Z",
        "2026-11-27T10:00:00.123456Z",
        "2026-11-27T10:00:00.1234567Z",
        "2026-11-27T10:00:00,123Z",
        "2026-11-27t10:00:00z",
        "2026-11-27 10:00:00Z",
        "2026-11-27T10:00Z",
        "2026-11-27T10:00:00",
        "2026-11-27T10:00:00+01:00",
        "2026-11-27T23:59:60Z",
        "2026-11-27T24:00:00Z",
        "2026-02-30T10:00:00Z",
        "2026-W48-5T10:00:00.12Z",
        "٢٠٢٦-11-27T10:00:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00Z",
        "2200-01-01T00:00:00Z",
        "2200-01-01T00:00:00.000001Z",
        "2026-11-27T10:00:00Z\n",
        " 2026-11-27T10:00:00Z",
        "1795773600",
        "",
    ]
)
ids = st.one_of(
    st.uuids().map(str),
    st.uuids().map(lambda key: str(key).upper()),
    st.uuids().map(lambda key: key.hex),
    st.uuids().map(lambda key: key.urn),
    st.uuids().map(lambda key: f"{{{key}}}"),
    st.sampled_from(
        ["1-2345678-1234-1234-1234-12345678901", "x" * 36, "", ID + "0", ID[:-1] + "-"]
    ),
)
anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.just([])
)
millimetres = st.one_of(
    st.floats(-1.1e5, 1.1e5), st.integers(-100_001, 100_001), st.sampled_from([-0.0, 5e-324, 1e5])
)
right = st.one_of(
    *(
        st.fixed_dictionaries(
            {"event_id": st.uuids().map(str), "type": st.just(kind), "ts": st.just(AT)}
            | {name: st.just(OTHER) if name == "arrow_id" else st.just(12.5) for name in must},
            optional={"reader_id": st.just(ID), "sent_at": st.just("2026-11-27T10:00:01Z")}
            | {name: st.just(OTHER) if name == "arrow_id" else st.just(0.5) for name in may},
        )
        for kind, (must, may) in FURTHER.items()
    )
)
# Right but for one field, or right all the same.
other = {
    **dict.fromkeys(("event_id", "reader_id", "arrow_id"), ids | st.none()),
    **dict.fromkeys(("ts", "sent_at"), times | st.none()),
    **dict.fromkeys(("x", "y", "sigma_mm"), millimetres | st.none()),
    "type": st.sampled_from([*FURTHER, "arrow_lost"]),
}


def changed(name: str, value: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Events of which one field is something else."""
    return st.tuples(right, value | anything).map(lambda each: each[0] | {name: each[1]})


mutated = st.one_of(*(changed(*each) for each in (other | {"more": anything}).items()))
bodies = st.fixed_dictionaries(
    {"events": st.lists(right | mutated, min_size=1, max_size=2)},
    optional={"sent_at": times | st.none()},
)


def modelled(body: bytes) -> list[dict[str, Any]]:
    """What the models read, each event with the batch's `sent_at`."""
    batch = EventBatch.model_validate_json(body)
    said = [EVENT_IN.validate_python(raw) for raw in batch.events]
    return [{f: getattr(each, f) for f in FIELDS} | {"of": batch.sent_at} for each in said]


def plainly(batch: PlainBatch) -> list[dict[str, Any]]:
    """The same of what is plain."""
    return [{f: getattr(each, f) for f in FIELDS} | {"of": batch.sent_at} for each in batch.events]


@given(bodies)
@example({"events": [LANDED], "sent_at": AT})
@example({"events": [LANDED | {"x": 100_001}]})
@example({"events": [LANDED | {"type": "arrow_release"}]})
def test_what_is_plain_is_what_the_models_read(body: dict[str, Any]) -> None:
    sent = json.dumps(body).encode()
    batch = read_plain(sent)
    if batch is not None:
        assert plainly(batch) == modelled(sent)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"arrow_id": ID},
        {"sigma_mm": 0},
        {"reader_id": None},
        {"sent_at": AT},
        {"type": "arrow_release", "x": None, "y": None},
        {"type": "arrow_engage", "x": None, "y": None, "arrow_id": OTHER},
        {"type": "arrow_identified", "x": None, "y": None, "arrow_id": OTHER},
        {"ts": "2026-11-27T10:00:00Z"},
    ],
    ids=str,
)
def test_what_readers_write_is_plain(said: dict[str, Any]) -> None:
    assert read_plain(json.dumps({"events": [LANDED | said]}).encode()) is not None


@pytest.mark.parametrize(
    "said",
    [
        {"colour": "red"},
        {"type": "arrow_identified", "x": None, "y": None},
        {"type": "arrow_release"},
        {"y": None},
        {"sigma_mm": -1},
        {"event_id": "1-2345678-1234-1234-1234-12345678901"},
        {"event_id": 5},
        {"ts": 5},
        {"ts": "2300-01-01T00:00:00Z"},
    ],
    ids=str,
)
def test_what_is_not_plain_is_left_to_the_models(said: dict[str, Any]) -> None:
    sent = json.dumps({"events": [LANDED | said]}).encode()
    assert read_plain(sent) is None
    with pytest.raises(ValidationError):
        modelled(sent)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"events": 5}', b'{"events": [null]}', b"\xff"]
    + [b'{"events": [{"event_id": "\xe9"}]}', b'{"\xff": 1}']
    + [b'{"events": [{"event_id": %s}]}' % DEEP, b'{"sent_at": %s, "events": []}' % DEEP],
    ids=lambda body: body[:20],
)
def test_what_is_no_batch_is_not_plain(body: bytes) -> None:
    assert read_plain(body) is None


def test_a_batch_that_is_too_large_is_not_plain() -> None:
    assert read_plain(json.dumps({"events": [LANDED] * LARGEST_BATCH}).encode()) is not None
    assert read_plain(json.dumps({"events": [LANDED] * (LARGEST_BATCH + 1)}).encode()) is None
