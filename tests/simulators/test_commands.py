"""`quiver simulate` and `quiver evaluate` as somebody types them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from typer.testing import CliRunner

from cli import evaluate, evaluating, simulate
from simulators.truth import TrueShot, Truth

TRUTH = Truth("http://quiver", "session", [TrueShot("slot", "arrow", "release", "landing", 1.0, 9)])
RIGHT = {
    "release_event_id": "release",
    "landing_event_id": "landing",
    "slot_id": "slot",
    "status": "landed",
    "score": 9,
}
IDLE = {"inbox": 0, "queued": 0, "running": 0}


def typed(*words: str) -> tuple[int, str]:
    """The exit status, and what was said."""
    app = typer.Typer(pretty_exceptions_enable=False)
    simulate.register(app)
    evaluate.register(app)
    said = CliRunner().invoke(app, list(words))
    return said.exit_code, " ".join(said.output.split())


@pytest.fixture(name="truth")
def _truth(tmp_path: Path) -> str:
    TRUTH.write(tmp_path / "truth.json")
    return str(tmp_path / "truth.json")


@pytest.fixture(name="showing")
def _showing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has the API show these shots, and its queue like this."""

    def show(shots: list[dict[str, Any]], queue: dict[str, int] | None = None) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("/admin/queue"):
                return httpx.Response(200, json={"data": queue or IDLE})
            status = request.url.params.get("status")
            items = [shot for shot in shots if status in (None, shot["status"])]
            return httpx.Response(200, json={"data": {"items": items, "next_cursor": None}})

        def connect(url: str, _: str | None) -> httpx.AsyncClient:
            return httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url=url)

        monkeypatch.setattr(evaluating, "open_api", connect)

    return show


def test_a_truth_that_the_api_tells_ends_well(truth: str, showing: Callable[..., None]) -> None:
    showing([RIGHT])
    status, said = typed("evaluate", "--truth", truth)
    assert status == 0
    assert "right │ 1 │ 100.00" in said


def test_a_shot_that_is_wrong_is_named_and_ends_badly(
    truth: str, showing: Callable[..., None]
) -> None:
    showing([RIGHT | {"score": 8}])
    status, said = typed("evaluate", "--truth", truth)
    assert status == 1
    assert "release release: wrong score" in said


def test_less_than_everything_may_be_enough(truth: str, showing: Callable[..., None]) -> None:
    showing([RIGHT, RIGHT | {"release_event_id": "another"}])
    assert typed("evaluate", "--truth", truth, "--at-least", "50")[0] == 0
    assert typed("evaluate", "--truth", truth, "--at-least", "51")[0] == 1


@pytest.mark.parametrize(
    ("shot", "queue", "sentence"),
    [
        (RIGHT, {"inbox": 7, "queued": 0, "running": 1}, "still 7 inbox, 1 running"),
        (RIGHT | {"status": "in_flight"}, IDLE, "still shots in flight"),
    ],
)
def test_a_server_that_is_not_done_in_time_is_said_so(
    truth: str,
    showing: Callable[..., None],
    shot: dict[str, Any],
    queue: dict[str, int],
    sentence: str,
) -> None:
    showing([shot], queue)
    assert f"after 0 s {sentence}" in typed("evaluate", "--truth", truth, "--wait", "0")[1]


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["evaluate", "--truth", "/nowhere/truth.json"], 2, "No such file or directory"),
        (["simulate", "tournament", "--token", "t", "--url", "http://[::1"], 1, "no address"),
        (
            ["simulate", "tournament", "--token", "t", "--url", "http://127.0.0.1:1"],
            1,
            "http://127.0.0.1:1 does not answer",
        ),
        (
            ["simulate", "tournament", "--token", "t", "--truth", "/nowhere/truth.json"],
            1,
            "there is no folder /nowhere",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    words: list[str], status: int, sentence: str
) -> None:
    ended, said = typed(*words)
    assert ended == status
    assert sentence in said
    assert "Traceback" not in said


def test_without_a_token_nothing_is_shot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QUIVER_TOKEN", raising=False)
    status, said = typed("simulate", "tournament")
    assert status == 1
    assert "an admin token is needed" in said
