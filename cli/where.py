"""Where the stores are: as the environment says, else as `quiver up` left in its data directory."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from core.embedded import EmbeddedStores
from core.settings import Settings, settings_given

DEFAULT_DATA_DIR = Path(".quiver")

DataDir = Annotated[
    Path,
    typer.Option(
        "--data-dir", envvar="QUIVER_DATA_DIR", help="Where the embedded stores keep everything"
    ),
]


def _note(data_dir: Path) -> Path:
    return data_dir / "urls.json"


def with_stores(settings: Settings, stores: EmbeddedStores) -> Settings:
    """The settings with the embedded stores' addresses, which are left there for other commands."""
    found = settings.model_copy(
        update={
            "database_url": stores.postgres.url if stores.postgres else settings.database_url,
            "redis_url": stores.valkey.url if stores.valkey else settings.redis_url,
        }
    )
    note = _note(stores.directory)
    note.touch(mode=0o600)
    urls = {"database_url": found.database_url, "redis_url": found.redis_url}
    note.write_bytes(orjson.dumps(urls))
    return found


def settings_here(data_dir: Path) -> Settings:
    """The environment's settings; what they leave out is taken from a running `quiver up`.

    Raises:
        InvalidInputError: One of them makes no sense.
    """
    settings = settings_given()
    note = _note(data_dir)
    if (settings.database_url and settings.redis_url) or not note.exists():
        return settings
    left: dict[str, str] = orjson.loads(note.read_bytes())
    return settings.model_copy(
        update={name: getattr(settings, name) or url for name, url in left.items()}
    )
