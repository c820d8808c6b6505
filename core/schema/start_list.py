"""Start lists: a whole field set up at once."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from core.schema.arrow import Identifier
from core.schema.bow import Bowstyle
from core.schema.target import Faces
from core.schema.types import Boundary, Distance, Letter, Name, Ordinal, Positive, Text


class EntryArrow(Boundary):
    """An arrow of an entry."""

    id: UUID | None = Field(None, description="The tag's UUID; made by the server when absent")
    identifier: Identifier


class Entry(Boundary):
    """An archer and their place."""

    lane: Ordinal
    letter: Letter
    given_name: Name
    family_name: Name
    club: Text | None = None
    country: Text | None = None
    bowstyle: Bowstyle
    shaft_diameter_mm: Positive
    arrows: Annotated[Sequence[EntryArrow], Field(max_length=100)] = ()


class LaneWish(Boundary):
    """What is different on one lane."""

    lane: Ordinal
    distance: Distance | None = Field(None, description="Metres, at most 1000; null: the session's")
    faces: Faces | None = Field(None, description="Null: those of all")


class StartList(Boundary):
    """A whole field: archer, bow, arrows, slot and readers an entry, and a target a lane."""

    width_mm: Positive = 1300.0
    height_mm: Positive = 1300.0
    faces: Faces = ()
    lanes: Annotated[Sequence[LaneWish], Field(max_length=2_000)] = ()
    entries: Annotated[Sequence[Entry], Field(min_length=1, max_length=10_000)]

    @model_validator(mode="after")
    def _names_everything_once(self) -> Self:
        _once((f"entries.{n}", (e.lane, e.letter)) for n, e in enumerate(self.entries))
        _once((f"lanes.{n}.lane", lane.lane) for n, lane in enumerate(self.lanes))
        _once(
            (f"entries.{n}.arrows.{m}.id", arrow.id)
            for n, entry in enumerate(self.entries)
            for m, arrow in enumerate(entry.arrows)
            if arrow.id is not None
        )
        for number, entry in enumerate(self.entries):
            names = [arrow.identifier for arrow in entry.arrows]
            _once((f"entries.{number}.arrows.{m}.identifier", name) for m, name in enumerate(names))
        self._overrides_lanes_in_use()
        return self

    def _overrides_lanes_in_use(self) -> None:
        used = {entry.lane for entry in self.entries}
        for number, lane in enumerate(self.lanes):
            if lane.lane not in used:
                raise ValueError(f"lanes.{number}.lane: no entry is on lane {lane.lane}")

    def by_lane(self) -> Mapping[int, LaneWish]:
        """What holds on each lane, in their order."""
        wishes = {lane.lane: lane for lane in self.lanes}
        usual = {lane: LaneWish(lane=lane) for lane in sorted({e.lane for e in self.entries})}
        return {
            number: (
                wish if wish.faces is not None else wish.model_copy(update={"faces": self.faces})
            )
            for number, wish in (usual | wishes).items()
        }


def _once(named: Iterable[tuple[str, object]]) -> None:
    pairs = list(named)
    counts = Counter(value for _, value in pairs)
    for field, value in pairs:
        if counts[value] > 1:
            shown = "".join(map(str, value)) if isinstance(value, tuple) else value
            raise ValueError(f"{field}: {shown} is given more than once")


class TargetMade(Boundary):
    """A target of a start list."""

    id: UUID
    lane: int
    reader_id: UUID


class SlotMade(Boundary):
    """A slot of a start list."""

    id: UUID
    lane: int
    letter: str
    archer_id: UUID
    arrow_reader_id: UUID
    bow_reader_id: UUID
    arrow_ids: Sequence[UUID]


class StartListMade(Boundary):
    """What a start list made; the only answer that ever shows the readers' tokens."""

    targets: Sequence[TargetMade]
    slots: Sequence[SlotMade]
    tokens: Mapping[UUID, str] = Field(description="By reader id")
