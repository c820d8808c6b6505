"""The migrations on a database of their own: up, down to nothing, and up again."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from core import migrate
from core.postgres import Connection
from core.settings import Settings
from tests.butts import add_shot, set_standing, set_up
from tests.conftest import DATABASE_DROP, Stores, execute

COLUMNS_SELECT = """
SELECT table_name, array_agg(column_name::text) AS columns
FROM information_schema.columns
WHERE table_schema = 'public' AND table_name <> 'schema_migrations'
GROUP BY table_name
"""
CASCADES_COUNT = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND confdeltype = 'c'"
SHOT_MAKE = "UPDATE shot SET release_event_id = NULL, flags = '{ruled}' WHERE id = $1"
SHOT_RULE = """
UPDATE shot SET status = 'landed', score = 9, label = '9', flags = '{ruled}' WHERE id = $1
"""
SHOT_RULE_OUTSIDE = "UPDATE shot SET flags = '{out_of_end,ruled}' WHERE id = ANY ($1)"
RULING_INSERT = """
INSERT INTO ruling (
    id, session_id, target_id, action, shot_id, score, label, is_x, begins, ends, reason, made_by,
    made_at, before
)
SELECT gen_random_uuid(), session_id, target_id, 'score', id, 9, '9', false, release_time,
    release_time, 'seen', 'line 3', now(), '[]'
FROM shot WHERE id = $1
"""
EXTENSIONS_SELECT = "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'"

STAMPS = {"created_at", "updated_at"}
# What each migration makes, in their order.
MADE: dict[str, dict[str, set[str]]] = {
    "202611230100": {
        "archer": {"id", "given_name", "family_name", "club", "country"} | STAMPS,
        "bow": {"id", "archer_id", "bowstyle", "name", "draw_weight_lb"} | STAMPS,
        "arrow": {"id", "archer_id", "identifier", "shaft_diameter_mm", "length_mm"}
        | {"mass_grain", "spine"}
        | STAMPS,
    },
    "202611230200": {
        "session": {"id", "name", "location", "kind", "is_indoor", "distance", "round_code"}
        | {"results_public", "rules", "start_time", "end_time"}
        | STAMPS,
        "target": {"id", "session_id", "lane", "distance", "width_mm", "height_mm"} | STAMPS,
        "face": {"id", "target_id", "position", "face_type", "x", "y", "letter"},
        "slot": {"id", "session_id", "target_id", "letter", "archer_id", "bow_id", "bowstyle"}
        | {"shaft_diameter_mm"}
        | STAMPS,
    },
    "202611230300": {
        "reader": {"id", "kind", "name", "retired_at"} | STAMPS,
        "reader_binding": {"id", "reader_id", "slot_id", "target_id", "valid_from", "valid_to"},
        "reader_status": {"reader_id", "last_heard_at", "is_online", "battery_pct", "firmware"}
        | {"buffered", "buffered_said_at"},
        "reader_boot": {"reader_id", "said_started_at", "started_at", "clear_at", "event_clear_at"}
        | {"told_on"},
        "token": {"id", "role", "name", "hash", "reader_id", "created_at", "revoked_at"},
    },
    "202611230400": {
        "event": {"event_id", "reader_id", "type", "ts", "sent_at", "received_at", "offset_ms"}
        | {"occurred_at", "arrow_id", "x", "y", "sigma_mm", "request_id"},
        "shot": {"id", "session_id", "target_id", "slot_id", "archer_id", "arrow_id"}
        | {"release_event_id", "landing_event_id", "engage_time", "release_time", "landing_time"}
        | {"deadline", "x", "y", "status", "score", "is_x", "label", "face_id", "spot"}
        | {"confidence", "flags", "end_number", "is_settled", "version", "request_id"}
        | STAMPS,
        "standing": {"slot_id", "session_id", "total", "arrows", "xs", "elevens", "tens"}
        | {"nines", "sixes", "fives", "rank", "is_tied", "changed_at", "ranked_at"},
    },
    "202611230500": {
        "recompute": {"id", "target_id", "partition_key", "barrier_keys", "since", "until"}
        | {"request_id", "created_at"},
        "failed_job": {"id", "job_id", "function", "arguments", "attempts", "error"}
        | {"fingerprint", "state", "request_id", "target_id", "session_id", "retries"}
        | {"enqueued_at"}
        | STAMPS,
    },
    "202611230550": {
        "lesson": {"shot_id", "target_id", "slot_id", "released_at", "flight_us"}
        | {"bow_reader_id", "target_reader_id", "is_missing", "strays"},
    },
    "202611230600": {
        "reader_clock": {"reader_id", "source", "offset_ms", "measured_at", "suspect", "jumped_at"}
        | {"state"},
    },
    "202611230700": {
        "shooting_end": {"id", "session_id", "target_id", "number", "control", "opened_at"}
        | {"closed_at", "opened_by", "closed_by", "changed_by", "changed_at"}
        | {"is_opening_told", "is_closing_told"}
        | STAMPS,
    },
    "202611230800": {
        "ruling": {"id", "session_id", "target_id", "action", "shot_id", "landing_event_id"}
        | {"slot_id", "other_slot_id", "score", "label", "is_x", "begins", "ends", "reason"}
        | {"token_id", "made_by", "made_at", "request_id", "before", "after", "undone_at"}
        | {"undone_by", "undone_token_id", "undo_reason", "undo_request_id", "restore_id"}
        | {"is_pending"},
    },
    "202611230900": {
        "unmatched_landing": {"landing_event_id", "session_id", "target_id", "landed_at", "x", "y"}
        | {"arrow_id", "sigma_mm", "reason", "nearest_shot_id", "duplicates", "deadline"}
        | {"is_published"}
        | STAMPS,
    },
    "202611231000": {
        "admin_action": {"id", "at", "token_id", "by", "action", "subject", "count"}
        | {"failed_job_ids", "request_id"},
    },
    "202611231020": {
        "signing_key": {"purpose", "secret", "created_at"},
    },
    "202611231030": {},
    "202611240100": {},
    "202611260800": {},
    "202611260900": {},
    "202611261000": {"butt_turn": {"target_id", "turn"}},
    "202611261900": {},
    "202611270900": {},
    "202611270910": {"untold": {"id", "shot_ids", "written_at"}},
    "202611270920": {},
    "202611271600": {"reader_way": {"reader_id", "partition_key", "left_at"}},
    "202611272030": {},
    "202611272300": {},
    "202611282000": {},
}


@pytest.fixture(name="here")
def _here(empty_database_url: str) -> Settings:
    """Settings that lead to an empty database."""
    return Settings(database_url=empty_database_url)


@pytest.fixture(name="conn")
async def _conn(here: Settings) -> AsyncIterator[Connection]:
    """A connection to that database."""
    opened = await asyncpg.connect(here.database_url)
    yield opened
    await opened.close()


async def _tables(conn: Connection) -> dict[str, set[str]]:
    """Every table of ours with its columns."""
    rows = await conn.fetch(COLUMNS_SELECT)
    return {row["table_name"]: set(row["columns"]) for row in rows}


def test_every_migration_is_listed_here() -> None:
    assert migrate.known() == list(MADE)


@pytest.mark.parametrize("version", MADE)
async def test_a_migration_makes_its_tables_and_columns(
    version: str, here: Settings, conn: Connection
) -> None:
    migrate.up(here)
    tables = await _tables(conn)
    assert {name: tables.get(name) for name in MADE[version]} == MADE[version]


async def test_up_makes_these_tables_and_no_others(here: Settings, conn: Connection) -> None:
    migrate.up(here)
    assert set(await _tables(conn)) == {name for made in MADE.values() for name in made}


async def test_down_takes_the_newest_migration_back(here: Settings, conn: Connection) -> None:
    migrate.up(here)
    migrate.down(here)
    *kept, _ = MADE.values()
    assert set(await _tables(conn)) == {name for made in kept for name in made}


async def test_down_to_nothing_leaves_no_table_and_no_extension(
    here: Settings, conn: Connection
) -> None:
    migrate.up(here)
    migrate.down_to_nothing(here)
    assert await _tables(conn) == {}
    assert await conn.fetch(EXTENSIONS_SELECT) == []


async def test_down_takes_back_what_only_a_judge_said(here: Settings, conn: Connection) -> None:
    migrate.up(here)
    butts = await set_up(conn)
    made, ruled = await add_shot(conn, butts, 0, 10, score=9), await add_shot(conn, butts, 0, 20)
    await conn.execute(SHOT_MAKE, made)
    await conn.execute(SHOT_RULE, ruled)
    while "202611230800" not in await migrate.pending(conn):
        migrate.down(here)
    rows = await conn.fetch("SELECT id, status, score, label FROM shot")
    assert [tuple(row) for row in rows] == [(ruled, "unresolved", None, None)]
    with pytest.raises(asyncpg.CheckViolationError):
        await conn.execute(SHOT_RULE, ruled)


async def test_of_what_was_shot_out_of_every_end_only_a_score_that_was_ruled_counts_after_up(
    here: Settings, conn: Connection
) -> None:
    migrate.up(here)
    while "202611260800" not in await migrate.pending(conn):
        migrate.down(here)
    butts = await set_up(conn)
    shots = [await add_shot(conn, butts, 0, second, score=9) for second in (10, 20)]
    await conn.execute(SHOT_RULE_OUTSIDE, shots)
    await conn.execute(RULING_INSERT, shots[0])
    await set_standing(conn, butts.slot_ids[0], total=18, arrows=2)
    migrate.up(here)
    flags = {row["id"]: row["flags"] for row in await conn.fetch("SELECT id, flags FROM shot")}
    assert flags == {shots[0]: ["ruled"], shots[1]: ["out_of_end", "ruled"]}
    assert tuple(await conn.fetchrow("SELECT total, arrows FROM standing") or ()) == (9, 1)


async def test_what_viewers_were_not_told_of_is_known_after_up_and_after_down(
    here: Settings, conn: Connection
) -> None:
    migrate.up(here)
    while "202611270910" not in await migrate.pending(conn):
        migrate.down(here)
    butts = await set_up(conn)
    told, untold = [await add_shot(conn, butts, 0, second, score=9) for second in (10, 20)]
    await conn.execute("UPDATE shot SET published_version = version WHERE id = $1", told)
    await conn.execute("UPDATE shot SET published_version = 0 WHERE id = $1", untold)
    migrate.up(here)
    assert await conn.fetchval("SELECT shot_ids FROM untold") == [untold]
    while "202611270910" not in await migrate.pending(conn):
        migrate.down(here)
    rows = await conn.fetch("SELECT id FROM shot WHERE published_version < version")
    assert [row["id"] for row in rows] == [untold]


async def test_up_after_down_to_nothing_makes_the_same(here: Settings, conn: Connection) -> None:
    migrate.up(here)
    before = await _tables(conn)
    migrate.down_to_nothing(here)
    migrate.up(here)
    assert await _tables(conn) == before


async def test_up_twice_changes_nothing(here: Settings, conn: Connection) -> None:
    migrate.up(here)
    before = await _tables(conn)
    migrate.up(here)
    assert await _tables(conn) == before


async def test_on_an_empty_database_all_migrations_are_pending(conn: Connection) -> None:
    assert await migrate.pending(conn) == list(MADE)


async def test_after_up_no_migration_is_pending(here: Settings, conn: Connection) -> None:
    migrate.up(here)
    assert await migrate.pending(conn) == []


async def test_after_down_the_newest_is_pending(here: Settings, conn: Connection) -> None:
    migrate.up(here)
    migrate.down(here)
    assert await migrate.pending(conn) == [list(MADE)[-1]]


def test_status_names_every_migration(here: Settings) -> None:
    migrate.up(here)
    said = migrate.status(here)
    assert [version for version in MADE if f"[X] {version}" in said] == list(MADE)


async def test_nothing_erases_what_refers_to_it(here: Settings, conn: Connection) -> None:
    migrate.up(here)
    assert await conn.fetchval(CASCADES_COUNT) == 0


def test_down_on_an_empty_database_says_why_it_cannot(here: Settings) -> None:
    with pytest.raises(migrate.MigrationFailed, match=r"^dbmate down: "):
        migrate.down(here)


async def test_up_makes_a_database_that_is_not_there(here: Settings, stores: Stores) -> None:
    name = urlsplit(here.database_url or "").path.removeprefix("/")
    await execute(stores.database_url, DATABASE_DROP, name)
    migrate.up(here)
    conn = await asyncpg.connect(here.database_url)
    try:
        assert await migrate.pending(conn) == []
    finally:
        await conn.close()


def test_a_database_that_cannot_be_reached_is_an_error_that_says_so() -> None:
    nowhere = Settings(database_url="postgresql://quiver:secret@127.0.0.1:1/quiver")
    with pytest.raises(migrate.MigrationFailed, match="refused") as caught:
        migrate.down(nowhere)
    assert "secret" not in str(caught.value)
