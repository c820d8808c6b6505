"""The review list's query holds to the words of its index."""

import pytest

from core.models.review import REVIEW_SELECT_PAGE
from core.postgres import Connection
from core.schema.page import START
from tests.butts import set_up


@pytest.mark.parametrize("reason", [None, "ambiguous"])
async def test_flagged_shots_are_read_from_an_index_of_their_own(
    conn: Connection, reason: str | None
) -> None:
    butts = await set_up(conn)
    # On a table this small, any plan that is possible is as cheap as another.
    await conn.execute("SET LOCAL enable_seqscan = off")
    await conn.execute("SET LOCAL enable_sort = off")
    rows = await conn.fetch(
        f"EXPLAIN {REVIEW_SELECT_PAGE}",
        *(butts.session_id, START.at, START.id, 101, None, None, reason),
    )
    assert any("using shot_review on shot" in row[0] for row in rows)
