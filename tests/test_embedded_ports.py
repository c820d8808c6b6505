"""What an embedded server does when others have been there before it."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.embedded import StoreFailed, server
from core.embedded.postgres import PostgresServer
from core.embedded.process import free_port, is_alive
from core.embedded.server import Server
from core.embedded.valkey import ValkeyServer

KINDS = [PostgresServer, ValkeyServer]


@pytest.fixture(name="taken")
def _taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def made(kind: type[Server], folder: Path) -> Server:
    """A server that is not started yet."""
    return kind(folder / "data", folder / "log", "secret")


@pytest.mark.parametrize("kind", KINDS)
def test_a_port_that_was_taken_meanwhile_is_given_up_for_another(
    kind: type[Server], tmp_path: Path, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = iter([taken, free := free_port()])
    monkeypatch.setattr(server, "free_port", lambda: next(ports))
    store = made(kind, tmp_path)
    store.start()
    store.stop()
    assert store.port == free


@pytest.mark.parametrize("kind", KINDS)
def test_a_busy_port_is_named_in_the_error(
    kind: type[Server], tmp_path: Path, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "free_port", lambda: taken)
    monkeypatch.setattr(server, "BETWEEN_TRIES_S", 0.01)
    with pytest.raises(StoreFailed, match=f"does not start on port {taken} .*in use"):
        made(kind, tmp_path).start()


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_an_earlier_run_left_behind_is_ended(kind: type[Server], tmp_path: Path) -> None:
    earlier, later = made(kind, tmp_path), made(kind, tmp_path)
    earlier.start()
    left_behind = earlier.pid or 0
    later.start()
    ended = not is_alive(left_behind)
    later.stop()
    earlier.stop()
    assert ended


@pytest.mark.parametrize("kind", KINDS)
def test_a_directory_with_a_long_path_and_blanks_will_do(
    kind: type[Server], tmp_path: Path
) -> None:
    folder = tmp_path / ("a long name " * 12)
    folder.mkdir()
    store = made(kind, folder)
    store.start()
    store.stop()
    assert store.port > 0
