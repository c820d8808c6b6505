"""The logs: one JSON object a line, the same fields in each, and nobody's name in any."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from core import log

FIRST = ["ts", "level", "module", "msg", "request_id", "resource", "latency_ms"]

type Line = dict[str, Any]


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """A test's logs go nowhere else, and later ones where they went before."""
    root = logging.getLogger()
    handlers, level, known = root.handlers, root.level, structlog.get_config()
    yield
    root.handlers, root.level = handlers, level
    structlog.configure(**known)


def last(capsys: pytest.CaptureFixture[str]) -> Line:
    """The last line that was written."""
    line: Line = json.loads(capsys.readouterr().out.splitlines()[-1])
    return line


def write(capsys: pytest.CaptureFixture[str], **fields: object) -> Line:
    """A line with these fields, as it comes out."""
    log.configure("INFO")
    log.get_logger("a.module").info("something happened", **fields)
    return last(capsys)


def test_every_line_begins_with_the_same_fields(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(write(capsys, other=1)) == [*FIRST, "other"]


def test_a_line_says_who_says_it_and_how_bad_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    line = write(capsys)
    assert (line["level"], line["module"], line["msg"]) == (
        "info",
        "a.module",
        "something happened",
    )


def test_times_are_utc(capsys: pytest.CaptureFixture[str]) -> None:
    assert write(capsys)["ts"].endswith("Z")


def test_a_line_names_its_request_and_whose_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with log.bind_request(request_id="an id", principal="a token's id"):
        within = write(capsys)
    assert (within["request_id"], within["principal"]) == ("an id", "a token's id")


def test_a_line_after_a_request_no_longer_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    with log.bind_request(request_id="an id", principal="a token's id"):
        pass
    after = write(capsys)
    assert (after["request_id"], "principal" in after) == (None, False)


@pytest.mark.parametrize("name", sorted(log.PERSONAL))
def test_what_a_person_could_be_known_by_is_left_out(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "Ana" not in json.dumps(write(capsys, **{name: "Ana"}))


def test_personal_parts_are_left_out_at_any_depth(capsys: pytest.CaptureFixture[str]) -> None:
    line = write(capsys, body={"entries": [{"lane": 1, "given_name": "Ana"}]})
    assert line["body"] == {"entries": [{"lane": 1}]}


def test_a_long_value_is_cut_and_says_how_long_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    line = write(capsys, body={"text": "x" * 501})
    assert line["body"]["text"] == f"{'x' * 500}… (501 characters)"


def test_a_stack_is_kept_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO")
    try:
        raise ValueError("a reason")
    except ValueError:
        log.get_logger("a.module").exception("it failed")
    line = last(capsys)
    assert (line["level"], line["exception"].splitlines()[-1]) == ("error", "ValueError: a reason")


def test_a_library_s_line_looks_like_ours(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO")
    with log.bind_request(request_id="an id"):
        logging.getLogger("uvicorn.error").warning("port %d", 8000)
    line = last(capsys)
    assert list(line) == FIRST
    assert (line["module"], line["msg"], line["request_id"]) == (
        "uvicorn.error",
        "port 8000",
        "an id",
    )


def test_a_library_that_tells_every_job_is_heard_only_when_something_is_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.configure("INFO")
    logging.getLogger("arq.worker").info("a job is done")
    assert capsys.readouterr().out == ""


def test_less_than_the_configured_level_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("WARNING")
    log.get_logger("a.module").info("not worth it")
    assert capsys.readouterr().out == ""
