"""A worker's clients, and a worker that works while a test lasts."""

import asyncio
import json
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import contextmanager
from copy import replace
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest

from core.domain.learning import Lesson
from core.domain.window import Reading, Span
from core.feed import Feed, Message
from core.gate import Haste, Incoming, Watermarks
from core.inbox import Inbox
from core.models.correlated_shot import StoredShot, select_known_shots, stored
from core.models.event import select_events_of_targets
from core.models.lesson import select_lessons
from core.models.unmatched_landing import select_unmatched
from core.schema.inbox import Accepted, encode
from core.settings import Settings
from tests.fields import Field, put_up, target_of
from workers.deps import Deps
from workers.derivation import Causes, Derivation, Look, derive
from workers.drain import drain
from workers.main import build_worker, close_deps, open_deps
from workers.recall import Recall
from workers.windows import AsOf

WITHIN_S = 15.0


@pytest.fixture(autouse=True)
def _truthful(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is recalled of a butt is what is stored of it, in every test.

    Said at the end: a batch that fails on the way is done in another way.
    """
    events, lessons, shots, unmatched = (
        getattr(Recall, name) for name in ("events", "lessons", "shots", "unmatched")
    )
    wrong: list[str] = []

    def hold(what: str, said: object, kept: object) -> None:
        if said != kept:
            wrong.append(f"{what}: {said} instead of {kept}")

    async def same_events(recall: Recall, readings: Mapping[UUID, Reading]) -> object:
        said = await events(recall, readings)
        kept = await select_events_of_targets(recall.conn, readings)
        hold("events", {t: set(e) for t, e in said.items()}, {t: set(e) for t, e in kept.items()})
        hold("events", {t: len(e) for t, e in said.items()}, {t: len(e) for t, e in kept.items()})
        return said

    async def same_lessons(recall: Recall, spans: Mapping[UUID, Span]) -> object:
        said = await lessons(recall, spans)
        kept = await select_lessons(recall.conn, spans)
        hold("lessons", _in_order(said), _in_order(kept))
        return said

    async def same_shots(
        recall: Recall, spans: Mapping[UUID, Span], ids: Mapping[UUID, Collection[UUID]]
    ) -> object:
        said = await shots(recall, spans, ids)
        hold("shots", said, await select_known_shots(recall.conn, spans, _all(ids)))
        return said

    async def same_unmatched(
        recall: Recall, spans: Mapping[UUID, Span], ids: Mapping[UUID, Collection[UUID]]
    ) -> object:
        said = await unmatched(recall, spans, ids)
        hold("unmatched", said, await select_unmatched(recall.conn, spans, _all(ids)))
        return said

    monkeypatch.setattr(Recall, "events", same_events)
    monkeypatch.setattr(Recall, "lessons", same_lessons)
    monkeypatch.setattr(Recall, "shots", same_shots)
    monkeypatch.setattr(Recall, "unmatched", same_unmatched)
    yield
    assert not wrong


def _in_order(lessons: Mapping[UUID, Iterable[Lesson]]) -> dict[UUID, list[Lesson]]:
    return {target: sorted(each, key=lambda one: one.order) for target, each in lessons.items()}


def _all(ids: Mapping[UUID, Collection[UUID]]) -> set[UUID]:
    return {each for some in ids.values() for each in some}


@pytest.fixture(name="deps")
async def _deps(settings: Settings) -> AsyncIterator[Deps]:
    """The clients that tasks use."""
    fast = settings.model_copy(update={"quiver_job_backoff_s": 0.01, "quiver_job_tries": 2})
    made = await open_deps(fast)
    yield made
    await close_deps(made)


@pytest.fixture(name="field")
async def _field(deps: Deps) -> Field:
    """A butt with one archer."""
    async with deps.pool.acquire() as conn:
        return await put_up(conn)


@pytest.fixture(name="working")
async def _working(deps: Deps) -> AsyncIterator[None]:
    """A worker that does what is enqueued."""
    worker = build_worker(deps, handle_signals=False)
    task = asyncio.create_task(worker.async_run())
    yield
    await worker.finish()
    await asyncio.gather(task, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class Range:
    """A field and the workers' clients, to say things at and look at what came of them."""

    deps: Deps
    field: Field

    async def put(self, *said: Accepted, haste: Haste = Haste.NOW) -> list[int]:
        """Put into the inbox, as the API does; the partitions to wake."""
        inbox = self.deps.inbox
        entries = [
            Incoming(inbox.partition_of(target_of(self.field, each)), encode(each), haste)
            for each in said
        ]
        return await inbox.append(entries)

    async def say(self, *said: Accepted, with_overdue: bool = False) -> None:
        """Put into the inbox, and have every partition drained at once."""
        await self.put(*said)
        for partition in range(self.deps.inbox.partitions):
            await drain(self.deps, partition, with_overdue=with_overdue)

    async def forget(self) -> None:
        """Have nothing said or shot yet, nor anything remembered of it; what is known of readers
        stays."""
        async with self.deps.pool.acquire() as conn:
            await conn.execute(
                "TRUNCATE ruling, standing, lesson, unmatched_landing, shot, event CASCADE"
            )
        self.deps.memory.forget()

    async def shots(self) -> list[StoredShot]:
        """All shots, by their release."""
        async with self.deps.pool.acquire() as conn:
            rows = await conn.fetch("SELECT * FROM shot ORDER BY release_time, id")
        return [stored(row) for row in rows]

    async def frames(self) -> Sequence[Message]:
        """All that viewers were told."""
        return await self.deps.feed.since(self.field.session_id, "0-0")

    async def told(self) -> list[str]:
        """What kinds of things those were."""
        return [json.loads(frame.text)["type"] for frame in await self.frames()]


async def in_one_partition(
    deps: Deps, lanes: int = 1, since: timedelta = timedelta(hours=1)
) -> Range:
    """Butts with an archer each, all of one partition, that have stood for so long."""
    inbox = Inbox(deps.valkey, partitions=1, marks=Watermarks(1_000))
    async with deps.pool.acquire() as conn:
        return Range(replace(deps, inbox=inbox), await put_up(conn, lanes=lanes, since=since))


@pytest.fixture(name="line")
def _line(deps: Deps, field: Field) -> Range:
    """The butt with one archer, to shoot at."""
    return Range(deps, field)


@contextmanager
def dying_before_it_tells(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is committed meanwhile no viewer is told of."""

    def die(*_: object) -> None:
        raise ConnectionError("the worker died after its commit")

    with monkeypatch.context() as patched, pytest.raises(ConnectionError):
        patched.setattr(Feed, "publish_with", die)
        yield


def cursed(target_id: UUID) -> Callable[..., Awaitable[Derivation]]:
    """A derivation that fails for good wherever this target is in it."""

    async def derive_or_fail(
        recall: Recall, spans: Mapping[UUID, Span], as_of: AsOf, causes: Causes, look: Look
    ) -> Derivation:
        if target_id in spans:
            raise ZeroDivisionError("this target is cursed")
        return await derive(recall, spans, as_of, causes, look)

    return derive_or_fail


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition, and fail when it does not come."""
    async with asyncio.timeout(WITHIN_S):
        while not await condition():
            await asyncio.sleep(0.01)
