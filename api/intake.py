"""Events judged one by one before they are taken: a bad one is named and does not hold up the
others. Where none is bad, as nearly always, nothing of that is needed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import ValidationError

from api.doorkeeper import Doorkeeper
from api.errors import sentence, within
from core.models.event import TYPES
from core.models.instants import microseconds, optional_microseconds
from core.models.reader_lookup import KnownReader
from core.models.token import Principal
from core.schema.event import EVENT_IN, SPEAKER, EventBatch, EventIn, Rejected
from core.schema.inbox import AcceptedEvent
from core.schema.plain import PlainBatch, PlainEvent
from core.schema.token import Role
from core.settings import Settings

FOREIGN = "reader_id: this token belongs to another reader"


@dataclass(frozen=True, slots=True)
class Judged:
    """An event of a batch, or what is wrong with it.

    Args:
        index: Its place in the batch.
        said: The event; None when its fields alone were wrong already.
        event_id: As it was sent.
        error: What is wrong; None: nothing so far.
    """

    index: int
    said: EventIn | None
    event_id: str | None
    error: str | None = None

    def refused(self, error: str) -> "Judged":
        """The same event, refused."""
        return Judged(self.index, self.said, self.event_id, error)

    def rejected(self) -> Rejected:
        """As the answer names it."""
        return Rejected(index=self.index, event_id=self.event_id, error=self.error or "")


@dataclass(frozen=True, slots=True)
class Intake:
    """What is needed to judge events.

    Args:
        caller: Whose token it is.
        settings: The bounds of a believable time.
        received_at: When the batch came.
        sent_at: When it left, by its sender's clock, if it says so.
    """

    caller: Principal
    settings: Settings
    received_at: datetime
    sent_at: datetime | None = None

    def read(self, events: Sequence[object]) -> list[Judged]:
        """Judge each event's own fields."""
        return [self._read(index, raw) for index, raw in enumerate(events)]

    def _read(self, index: int, raw: object) -> Judged:
        sent_id = raw.get("event_id") if isinstance(raw, dict) else None
        event_id = sent_id[:200] if isinstance(sent_id, str) else None
        try:
            said = EVENT_IN.validate_python(raw)
        except ValidationError as error:
            return Judged(index, None, event_id, "; ".join(map(sentence, error.errors())))
        return Judged(index, said, event_id, self._unbelievable(said) or self._foreign(said))

    def _unbelievable(self, said: EventIn | PlainEvent) -> str | None:
        # A clock that says when it sends may be as wrong as it likes: only what it says happened
        # long before, or after, is not believed.
        sent_at = said.sent_at or self.sent_at
        age = (sent_at or self.received_at) - said.ts
        if age > timedelta(days=self.settings.quiver_event_max_age_days):
            days = self.settings.quiver_event_max_age_days
            since = "back" if sent_at is None else "before sent_at"
            return f"ts: lies more than {days:g} days {since}; is the reader's clock right?"
        if age < -timedelta(seconds=self.settings.quiver_event_max_ahead_s):
            future = "in the future" if sent_at is None else "after sent_at"
            return f"ts: lies {future}; is the reader's clock right?"
        return None

    def _foreign(self, said: EventIn | PlainEvent) -> str | None:
        if self.caller.role is not Role.READER:
            return "reader_id: is missing" if said.reader_id is None else None
        if said.reader_id not in (None, self.caller.reader_id):
            return FOREIGN
        return None

    def reader_of(self, said: EventIn | PlainEvent) -> UUID | None:
        """Who says it."""
        return said.reader_id or self.caller.reader_id

    def place(self, judged: Iterable[Judged], readers: Mapping[UUID, KnownReader]) -> list[Judged]:
        """Judge what is left by who says it."""
        return [self._place(each, readers) for each in judged]

    def _place(self, judged: Judged, readers: Mapping[UUID, KnownReader]) -> Judged:
        if judged.error is not None or judged.said is None:
            return judged
        reader_id = self.reader_of(judged.said)
        reader = None if reader_id is None else readers.get(reader_id)
        if reader is None:
            return judged.refused(f"reader_id: no reader {reader_id}")
        speaker = SPEAKER[judged.said.type]
        if reader.kind != speaker:
            reason = (
                f"type: {judged.said.type} comes from a reader of kind {speaker}, not {reader.kind}"
            )
            return judged.refused(reason)
        return judged

    def is_plain(self, said: PlainEvent, readers: Mapping[UUID, KnownReader]) -> bool:
        """Whether nothing is wrong with it by who says it and when."""
        reader_id = self.reader_of(said)
        reader = None if reader_id is None else readers.get(reader_id)
        return (
            reader is not None
            and reader.kind == SPEAKER[said.type]
            and self._foreign(said) is None
            and self._unbelievable(said) is None
        )

    def accept(self, said: EventIn | PlainEvent, request_id: UUID) -> AcceptedEvent:
        """An event as it goes into the inbox."""
        reader_id = self.reader_of(said)
        assert reader_id is not None
        sent_at = said.sent_at or self.sent_at
        is_own = said.sent_at is not None or self.caller.role is Role.READER
        return AcceptedEvent(
            event_id=said.event_id,
            reader_id=reader_id,
            type=TYPES[said.type],
            ts=microseconds(said.ts),
            sent_at=optional_microseconds(sent_at),
            received_at=microseconds(self.received_at),
            arrow_id=said.arrow_id,
            x=said.x,
            y=said.y,
            sigma_mm=said.sigma_mm,
            request_id=request_id,
            by_gateway=sent_at is not None and not is_own,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to become of a batch.

    Args:
        accepted: What goes into the inbox.
        rejected: What is wrong with the others.
    """

    accepted: Sequence[AcceptedEvent]
    rejected: Sequence[Rejected]

    @property
    def errors(self) -> list[str]:
        """What is wrong, as sentences that name the field."""
        return [within(f"body.events.{each.index}", each.error) for each in self.rejected]

    @property
    def is_all_foreign(self) -> bool:
        """Whether nothing was taken because it is all of readers that the token does not belong
        to."""
        return all(FOREIGN in each.error for each in self.rejected)


async def judge(
    doorkeeper: Doorkeeper, intake: Intake, batch: EventBatch, request_id: UUID
) -> tuple[Verdict, Mapping[UUID, KnownReader]]:
    """Judge a batch; the verdict, and the readers that its events are of."""
    judged = intake.read(batch.events)
    speakers = {intake.reader_of(each.said) for each in judged if each.said is not None}
    known = {reader for reader in speakers if reader is not None}
    readers = await doorkeeper.readers(known, intake.received_at)
    judged = intake.place(judged, readers)
    accepted = [
        intake.accept(each.said, request_id)
        for each in judged
        if each.error is None and each.said is not None
    ]
    rejected = [each.rejected() for each in judged if each.error is not None]
    return Verdict(accepted, rejected), readers


async def judge_plain(
    doorkeeper: Doorkeeper, intake: Intake, batch: PlainBatch, request_id: UUID
) -> tuple[Sequence[AcceptedEvent], Mapping[UUID, KnownReader]] | None:
    """A batch and the readers that its events are of, if nothing is wrong with it; else None, and
    `judge` says what."""
    speakers = {intake.reader_of(said) for said in batch.events}
    readers = await doorkeeper.readers(
        {reader for reader in speakers if reader is not None}, intake.received_at
    )
    if not all(intake.is_plain(said, readers) for said in batch.events):
        return None
    return [intake.accept(said, request_id) for said in batch.events], readers
