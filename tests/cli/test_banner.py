"""What `quiver up` says to do next."""

import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import token
from cli.banner import banner, following
from cli.main import app
from cli.processes import Child
from cli.where import DEFAULT_DATA_DIR
from core.embedded import EmbeddedStores
from core.embedded.postgres import PostgresServer
from core.embedded.valkey import ValkeyServer
from core.schema.token import Role
from core.settings import Settings

URL = "http://127.0.0.1:8000"


def hint(data_dir: Path) -> list[str]:
    """The words of the command that makes a token, without its comment."""
    (line,) = [line for line in following(URL, "…", data_dir) if "token create" in line]
    words = shlex.split(line, comments=True)
    return words[words.index("token") :]


def test_a_token_is_made_without_more_where_everything_is_kept_at_the_usual_place() -> None:
    assert hint(DEFAULT_DATA_DIR.resolve()) == "token create --role judge --name Ana".split()


@pytest.mark.parametrize("name", ["club", "club of the north"])
def test_the_command_that_makes_a_token_finds_stores_that_are_kept_elsewhere(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | None] = []

    async def create(settings: Settings, _role: Role, _name: str) -> str:
        asked.append(settings.database_url)
        return "secret"

    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(token, "create", create)
    data_dir = tmp_path / name
    data_dir.mkdir()
    url = "postgresql://quiver@127.0.0.1:5433/quiver"
    (data_dir / "urls.json").write_text(f'{{"database_url": "{url}", "redis_url": null}}')
    made = CliRunner().invoke(app, hint(data_dir))
    assert (made.exit_code, made.output.strip(), asked) == (0, "secret", [url])


def places(settings: Settings, stores: EmbeddedStores) -> list[str]:
    """Where the banner says that PostgreSQL and Valkey are."""
    said = banner(URL, settings, stores, [Child("api", [], {}, None)], None)
    lines = [line.split(maxsplit=1) for line in said.splitlines()]
    return [line[1] for line in lines if line and line[0] in ("PostgreSQL", "Valkey")]


def test_of_embedded_stores_the_ports_are_shown_also_when_they_are_reached_over_sockets(
    tmp_path: Path,
) -> None:
    stores = EmbeddedStores(tmp_path)
    stores.postgres = PostgresServer(tmp_path, tmp_path, "secret")
    stores.valkey = ValkeyServer(tmp_path, tmp_path, "secret")
    for port, server in enumerate((stores.postgres, stores.valkey), 5001):
        server.port, server.socket = port, tmp_path / "socket"
    settings = Settings(database_url=stores.postgres.url, redis_url=stores.valkey.url)
    assert places(settings, stores) == [
        "127.0.0.1:5001/quiver (embedded, process None)",
        "127.0.0.1:5002/0 (embedded, process None)",
    ]


@pytest.mark.parametrize(
    ("database_url", "redis_url", "shown"),
    [
        (
            *("postgresql://me:secret@db.example.org:5432/quiver", "redis://:secret@example.org/1"),
            ["db.example.org:5432/quiver", "example.org/1"],
        ),
        (
            *(
                "postgresql://me:secret@/quiver?host=/run/pg",
                "unix://:secret@/run/valkey.sock?db=1",
            ),
            ["/run/pg/quiver", "/run/valkey.sock"],
        ),
    ],
)
def test_other_stores_are_shown_without_their_passwords(
    database_url: str, redis_url: str, shown: list[str], tmp_path: Path
) -> None:
    settings = Settings(database_url=database_url, redis_url=redis_url)
    assert places(settings, EmbeddedStores(tmp_path)) == [f"{place} (external)" for place in shown]
