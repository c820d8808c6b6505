"""The scripts that a newcomer runs, as far as they can be tried without a network."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COMMANDS = ("demo", "test", "lint")
NEEDED = ("mkdir", "rm", "sh")


def _run(
    script: Path, path: str, *, cwd: Path, home: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(script), "--from-a-test"],
        check=False,
        capture_output=True,
        text=True,
        cwd=cwd,
        env={"PATH": path, "HOME": str(home), **variables},
    )


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Path:
    """A project with nothing but its scripts, beside an empty home."""
    made = tmp_path / "project"
    shutil.copytree(ROOT / "scripts", made / "scripts")
    return made


@pytest.fixture(name="programs")
def _programs(tmp_path: Path) -> Path:
    """A folder for the PATH with the few programs that every system has."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in NEEDED:
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return folder


def _program(folder: Path, name: str, text: str) -> None:
    """Put a program on the PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize("name", [*COMMANDS, "bootstrap"])
def test_a_script_is_posix_shell(name: str) -> None:
    subprocess.run(["sh", "-n", str(ROOT / "scripts" / name)], check=True)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_script_can_be_run_and_stops_at_the_first_failure(name: str) -> None:
    script = ROOT / "scripts" / name
    assert os.access(script, os.X_OK)
    assert "\nset -eu\n" in script.read_text()


def test_the_ci_script_is_bash() -> None:
    subprocess.run(["bash", "-n", str(ROOT / ".ci" / "run")], check=True)


@pytest.mark.parametrize("name", COMMANDS)
def test_with_nothing_on_the_path_it_says_in_one_sentence_what_is_missing(
    name: str, project: Path, tmp_path: Path
) -> None:
    done = _run(project / "scripts" / name, "/nonexistent", cwd=tmp_path, home=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        "quiver: uv is not installed and there is no python3 to install it with: "
        "install uv (https://docs.astral.sh/uv) or python3.\n"
    )


def test_when_uv_cannot_be_installed_the_last_line_says_so(
    project: Path, programs: Path, tmp_path: Path
) -> None:
    _program(programs, "python3", "exit 1")
    done = _run(project / "scripts" / "test", str(programs), cwd=tmp_path, home=tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("quiver: uv could not be installed (see ")


def test_when_there_is_no_python_3_13_one_sentence_says_so(
    project: Path, programs: Path, tmp_path: Path
) -> None:
    _program(programs, "uv", '[ "$1" = --version ]')
    done = _run(project / "scripts" / "test", str(programs), cwd=tmp_path, home=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        "quiver: Python 3.13 is missing and uv could not download it: "
        "install python3.13, or check the network.\n"
    )


def test_uv_is_told_which_python_was_found_on_the_path(
    project: Path, programs: Path, tmp_path: Path
) -> None:
    _program(programs, "uv", 'echo "$UV_PYTHON $*"')
    _program(programs, "python3.13", "exit 0")
    done = _run(project / "scripts" / "test", str(programs), cwd=tmp_path, home=tmp_path)
    assert done.stdout == "python3.13 run pytest -n 3 --dist worksteal --from-a-test\n"


def test_a_python_of_pyenv_is_found(project: Path, programs: Path, tmp_path: Path) -> None:
    _program(programs, "uv", 'echo "$UV_PYTHON"')
    versions = tmp_path / ".pyenv" / "versions"
    _program(versions / "3.13.5" / "bin", "python3.13", "exit 0")
    done = _run(project / "scripts" / "test", str(programs), cwd=tmp_path, home=tmp_path)
    assert done.stdout == f"{versions}/3.13.5/bin/python3.13\n"


def test_a_python_that_the_user_names_is_used(
    project: Path, programs: Path, tmp_path: Path
) -> None:
    _program(programs, "uv", 'echo "$UV_PYTHON"')
    script = project / "scripts" / "test"
    done = _run(script, str(programs), cwd=tmp_path, home=tmp_path, UV_PYTHON="mine")
    assert done.stdout == "mine\n"


def test_uv_in_the_project_s_own_folder_is_found(
    project: Path, programs: Path, tmp_path: Path
) -> None:
    _program(project / ".tools" / "uv" / "bin", "uv", 'echo "$*"')
    _program(programs, "python3.13", "exit 0")
    done = _run(project / "scripts" / "demo", str(programs), cwd=tmp_path, home=tmp_path)
    assert done.stdout == "run quiver up --demo --from-a-test\n"


def test_a_script_works_in_the_project_s_folder_from_wherever_it_is_called(
    project: Path, programs: Path, tmp_path: Path
) -> None:
    _program(programs, "uv", "pwd")
    _program(programs, "python3.13", "exit 0")
    done = _run(project / "scripts" / "test", str(programs), cwd=tmp_path, home=tmp_path)
    assert done.stdout == f"{project}\n"


def test_lint_runs_every_linter_and_names_those_that_complained(
    project: Path, programs: Path, tmp_path: Path
) -> None:
    _program(programs, "uv", 'echo "$2"; [ "$2" != mypy ] && [ "$2" != deptry ]')
    _program(programs, "python3.13", "exit 0")
    done = _run(project / "scripts" / "lint", str(programs), cwd=tmp_path, home=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "quiver: not clean: mypy deptry.\n"
    linters = [line for line in done.stdout.splitlines() if line and not line.startswith(">")]
    assert linters == ["black", "isort", "mypy", "pylint", "lint-imports", "deptry"]
