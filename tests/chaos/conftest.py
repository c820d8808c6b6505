"""One whole Quiver for all that is done to it."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chaos.whole import Whole, whole
from tests.conftest import in_memory


@pytest.fixture(name="everything")
async def _everything(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Whole]:
    """Stores, API and two workers, each a process."""
    # What is killed on purpose is not taken for what cannot live.
    monkeypatch.setattr("cli.processes.QUICK_DEATHS_AT_MOST", 1_000)
    with tempfile.TemporaryDirectory(prefix="quiver-chaos-", dir=in_memory()) as folder:
        async with whole(Path(folder)) as made:
            yield made
