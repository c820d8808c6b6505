"""What of a long text has room on a page."""

import pytest
from markupsafe import escape

from api.web.excerpt import Cut


@pytest.mark.parametrize("most", [0, 1, 5, 100])
@pytest.mark.parametrize("text", ["", "a" * 50, "<" * 50, "🏹" * 50, "a<🏹" * 20])
def test_a_cut_text_takes_no_more_room_and_loses_no_count(text: str, most: int) -> None:
    for cut in (Cut.head(text, most), Cut.tail(text, most)):
        assert len(escape(cut.text).encode()) <= most
        assert len(cut.text) + cut.left_out == len(text)


def test_what_has_room_is_left_as_it_is() -> None:
    assert Cut.head("a<b", 6) == Cut.tail("a<b", 6) == Cut("a<b", 0)


def test_of_a_traceback_the_end_stays() -> None:
    assert Cut.tail("File x\nValueError: no", 14) == Cut("ValueError: no", 7)
    assert Cut.head("a long story", 6) == Cut("a long", 6)
