"""Numbers and times as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from api.web import words

NOW = datetime(2026, 5, 1, 10, tzinfo=UTC)
COUNTS: dict[float, str] = {
    0: "0",
    7.0: "7",
    0.44: "0.4",
    999.6: "1\u202f000",
    1204: "1\u202f204",
    3_000_000: "3\u202f000\u202f000",
}
MILLISECONDS: dict[float, str] = {
    0: "0 ms",
    2.44: "2.4 ms",
    38.2: "38 ms",
    999: "999 ms",
    8_120: "8.1 s",
    61_000: "1 min 1 s",
}
SPANS: dict[float, str] = {
    0.2: "200 ms",
    5: "5.0 s",
    59: "59 s",
    60: "1 min",
    3_660: "1 h 1 min",
    90_000: "1 d 1 h",
}
SIZES: dict[float, str] = {
    0: "0 B",
    1023: "1023 B",
    2048: "2.0 KiB",
    48_300_000: "46 MiB",
    2**50: "1024 TiB",
    2**60: "1048576 TiB",
}
SINCE: dict[float, str] = {
    0.4: "now",
    3: "3 s ago",
    -3: "in 3 s",
    200: "3 min ago",
    -7_300: "in 2 h 1 min",
}


@pytest.mark.parametrize("value", COUNTS)
def test_thousands_are_set_apart(value: float) -> None:
    assert words.count(value) == COUNTS[value]


@pytest.mark.parametrize(
    ("value", "said"), [(None, "–"), (0, "0"), (10_000, "10\u202f000"), (10_001, "10\u202f000+")]
)
def test_what_was_counted_up_to_a_bound_says_so(value: int | None, said: str) -> None:
    assert words.up_to(value, 10_000) == said


def test_what_has_no_bound_is_said_as_it_is() -> None:
    assert words.up_to(10_001, None) == "10\u202f001"


@pytest.mark.parametrize("value", MILLISECONDS)
def test_how_long_is_said_in_the_unit_that_fits(value: float) -> None:
    assert words.milliseconds(value) == MILLISECONDS[value]


@pytest.mark.parametrize("value", SPANS)
def test_a_span_has_two_units_at_most(value: float) -> None:
    assert words.span(value) == SPANS[value]


@pytest.mark.parametrize("value", SIZES)
def test_bytes_are_said_in_the_unit_that_fits(value: float) -> None:
    assert words.size(value) == SIZES[value]


@pytest.mark.parametrize("seconds", SINCE)
def test_a_time_is_said_as_how_long_ago(seconds: float) -> None:
    assert words.since(NOW - timedelta(seconds=seconds), NOW) == SINCE[seconds]


@pytest.mark.parametrize(("value", "said"), [(None, "–"), (-20.3, "−20 ms"), (1500, "+1.5 s")])
def test_an_offset_has_its_sign(value: float | None, said: str) -> None:
    assert words.offset(value) == said


def test_what_is_not_known_is_a_dash() -> None:
    said = [words.count(None), words.span(None), words.milliseconds(None), words.size(None)]
    assert [*said, words.since(None, NOW)] == ["–"] * 5


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"arguments": ["a", 3]}, '"a", 3'),
        ({"target_id": "a", "n": 1}, '"target_id": "a", "n": 1'),
        ({}, ""),
        ("é", '"é"'),
    ],
)
def test_arguments_are_said_in_one_line(value: object, said: str) -> None:
    assert words.compact(value) == said


@pytest.mark.parametrize(("number", "said"), [(0, "0 jobs"), (1, "1 job"), (2, "2 jobs")])
def test_one_is_not_many(number: int, said: str) -> None:
    assert words.plural(number, "job") == said
