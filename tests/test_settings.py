"""That `.env.example` tells the whole truth about the settings."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from core.settings import Settings

EXAMPLE = Path(__file__).parent.parent / ".env.example"
# As they are declared, whatever the environment of this run says.
DEFAULTS = {
    name: said.get("default") for name, said in Settings.model_json_schema()["properties"].items()
}


def _offered() -> dict[str, str]:
    """The settings that the example names, and the default that it gives for each."""
    return dict(re.findall(r"^#([A-Z_]+)=(.*)$", EXAMPLE.read_text(), re.MULTILINE))


def test_the_example_lists_every_setting_and_no_other() -> None:
    assert set(_offered()) == {name.upper() for name in DEFAULTS}


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_the_example_gives_the_default(name: str) -> None:
    default = DEFAULTS[name]
    assert _offered()[name.upper()] == ("" if default is None else str(default))


def test_the_example_changes_nothing_as_it_stands(tmp_path: Path) -> None:
    copied = tmp_path / ".env"
    copied.write_text(EXAMPLE.read_text())
    assert Settings(_env_file=copied) == Settings()


def test_a_variable_of_the_environment_sets_the_setting_of_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("QUIVER_PARTITIONS", "3")
    assert Settings().quiver_partitions == 3


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(Settings(), "quiver_partitions", 3)


def test_a_setting_that_makes_no_sense_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUIVER_PARTITIONS", "0")
    with pytest.raises(ValidationError, match="quiver_partitions"):
        Settings()


@pytest.mark.parametrize("said", ["127.0.0.1", "10.0.0.0/8,::1", "10.0.0.1, fd00::/8", "*"])
def test_proxies_are_named_by_their_addresses(said: str) -> None:
    assert Settings(quiver_trusted_proxies=said).quiver_trusted_proxies == said


@pytest.mark.parametrize("said", ["", "proxy.example.org", "*,10.0.0.1", "10.0.0.1,,"])
def test_what_is_no_list_of_addresses_is_refused(said: str) -> None:
    with pytest.raises(ValidationError, match="quiver_trusted_proxies"):
        Settings(quiver_trusted_proxies=said)
