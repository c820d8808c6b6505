"""What a worker asks for each drain it finds by keys, however much is stored: a plan is made once
for a connection, while little is."""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from core.postgres import BY_KEYS, Connection

ASKED = (
    "binding_at",
    "correlated_shot",
    "event",
    "known_reader",
    "presence",
    "reader_boot",
    "reader_way",
    "said",
    "shot_write",
    "unmatched_landing",
)
# By an index of few shots; once when a landing is held by another butt.
OTHERS = {"SHOT_SELECT_FORSAKEN", "SHOT_SELECT_HOLDERS"}
GROWING = {"event", "shot", "lesson", "unmatched_landing"}


def statements(module: str) -> dict[str, str]:
    """The statements of one of the models, by name."""
    return {
        name: text
        for name, text in vars(import_module(f"core.models.{module}")).items()
        if isinstance(text, str) and re.match(r"\s*(WITH|SELECT|INSERT|UPDATE|DELETE)\b", text)
    }


def read_whole(plan: dict[str, Any], table: str = "") -> Iterator[str]:
    """The tables that a plan reads without a key."""
    table = plan.get("Relation Name", table)
    kind = plan["Node Type"]
    is_by_key = "Index" in kind and "Index Cond" in plan
    if kind == "Seq Scan" or ("Index" in kind and not is_by_key):
        yield table
    for part in plan.get("Plans", []):
        yield from read_whole(part, table)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(text, id=name)
        for module in ASKED
        for name, text in statements(module).items()
        if name not in OTHERS
    ],
)
async def test_nothing_that_grows_is_read_as_a_whole(conn: Connection, statement: str) -> None:
    for name, value in BY_KEYS.items():
        await conn.execute("SELECT set_config($1, $2, true)", name, value)
    asked = await conn.prepare(statement)
    nothing = ", ".join("NULL" for _ in asked.get_parameters())
    await conn.execute(f"PREPARE asked AS {statement}")
    said = f"({nothing})" if nothing else ""
    told = await conn.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE asked{said}")
    await conn.execute("DEALLOCATE asked")
    assert not GROWING.intersection(read_whole(json.loads(told)[0]["Plan"]))
