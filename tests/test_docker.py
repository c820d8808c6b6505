"""What the container files promise, read without a container engine."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.settings import Settings

ROOT = Path(__file__).parent.parent
DEFAULTS = {
    name.upper(): str(said.get("default"))
    for name, said in Settings.model_json_schema()["properties"].items()
}
SERVICES = ("postgres", "valkey", "migrate", "api", "worker")


def _dockerfile() -> str:
    return (ROOT / "docker" / "Dockerfile").read_text()


def _stage(name: str) -> str:
    """The instructions of one stage."""
    found = re.search(rf"^FROM \S+ AS {name}\n(.*?)(?=^FROM |\Z)", _dockerfile(), re.M | re.S)
    assert found is not None, f"there is no stage {name}"
    return found[1]


def _services() -> dict[str, dict[str, Any]]:
    text = (ROOT / "docker" / "docker-compose.yaml").read_text()
    services: dict[str, dict[str, Any]] = yaml.safe_load(text)["services"]
    return services


@pytest.mark.parametrize("target", ["api", "worker"])
def test_a_target_is_made_from_the_stage_that_is_not_root(target: str) -> None:
    assert f"FROM runtime AS {target}\n" in _dockerfile()
    assert "USER" not in _stage(target)


def test_the_runtime_is_not_root() -> None:
    assert re.findall(r"^USER (.*)$", _stage("runtime"), re.M) == ["quiver"]


@pytest.mark.parametrize("target", ["api", "worker"])
def test_a_target_has_a_health_check(target: str) -> None:
    assert "HEALTHCHECK" in _stage(target)


@pytest.mark.parametrize("target", ["api", "worker"])
def test_a_target_runs_its_command_without_a_shell_in_between(target: str) -> None:
    # Otherwise the shell would get the SIGTERM.
    assert f'CMD ["quiver", "{target}"' in _stage(target)


def test_the_image_is_built_from_the_lock_file() -> None:
    assert _stage("build").count("uv sync --locked") == 2


@pytest.mark.parametrize("package", ["api", "cli", "core", "migrations", "simulators", "workers"])
def test_the_image_gets_every_package(package: str) -> None:
    assert f"!{package}" in (ROOT / ".dockerignore").read_text().splitlines()


@pytest.mark.parametrize("secret", [".env", ".quiver", ".git"])
def test_the_image_gets_nothing_that_is_not_named(secret: str) -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    assert f"!{secret}" not in lines


def test_the_composition_has_these_services() -> None:
    assert set(_services()) == set(SERVICES)


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_a_service_comes_back(name: str) -> None:
    assert _services()[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("store", ["postgres", "valkey"])
def test_a_store_has_a_health_check_and_keeps_its_data(store: str) -> None:
    service = _services()[store]
    assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert service["volumes"][0].startswith(f"{store}:/")


@pytest.mark.parametrize(
    ("option", "value"),
    [("appendonly", "yes"), ("appendfsync", "always"), ("maxmemory-policy", "noeviction")],
)
def test_valkey_loses_nothing_that_it_acknowledged(option: str, value: str) -> None:
    command = _services()["valkey"]["command"]
    assert command[command.index(f"--{option}") + 1] == value


@pytest.mark.parametrize("name", ["api", "worker"])
def test_a_process_starts_when_the_stores_are_up_and_migrated(name: str) -> None:
    waits = {other: how["condition"] for other, how in _services()[name]["depends_on"].items()}
    assert waits == {
        "postgres": "service_healthy",
        "valkey": "service_healthy",
        "migrate": "service_completed_successfully",
    }


@pytest.mark.parametrize("name", ["migrate", "api", "worker"])
def test_a_service_is_built_from_a_target_that_exists(name: str) -> None:
    assert _stage(_services()[name]["build"]["target"])


@pytest.mark.parametrize("name", ["migrate", "api", "worker"])
def test_every_variable_that_is_passed_is_a_setting(name: str) -> None:
    assert set(_services()[name]["environment"]) <= set(DEFAULTS)


@pytest.mark.parametrize("name", ["api", "worker"])
def test_a_default_is_that_of_the_settings(name: str) -> None:
    given = _services()[name]["environment"]
    matches = {key: re.fullmatch(rf"\$\{{{key}:-(.*)\}}", value) for key, value in given.items()}
    said = {key: found[1] for key, found in matches.items() if found is not None}
    assert said == {key: DEFAULTS[key] for key in said}


def test_the_api_is_not_open_to_the_network_unless_told_so() -> None:
    assert _services()["api"]["ports"] == ["${QUIVER_LISTEN:-127.0.0.1}:${QUIVER_PORT:-8000}:8000"]


@pytest.mark.parametrize("store", ["postgres", "valkey"])
def test_a_store_has_no_port_outside(store: str) -> None:
    assert "ports" not in _services()[store]
