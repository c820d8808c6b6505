"""What `quiver up` says to do next."""

import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import token
from cli.banner import following
from cli.main import app
from cli.where import DEFAULT_DATA_DIR
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
