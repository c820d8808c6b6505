"""What viewers are told of a change."""

from collections.abc import Iterable, Sequence

import orjson

from core.domain.values import Status
from core.feed import Frame
from core.models.correlated_shot import StoredShot
from core.models.presence import ReaderPlace
from workers.derivation import Change
from workers.shown import told, told_from_its_release

OUTCOMES = {
    Status.LANDED: "shot.landed",
    Status.MISSED: "shot.missed",
    Status.VOIDED: "shot.voided",
}


def shot_frames(changes: Iterable[Change]) -> list[Frame]:
    """A frame for each new version of a shot, in the order of the changes."""
    return [frame for change in changes if change.is_visible for frame in _frames(change)]


def _frames(change: Change) -> list[Frame]:
    after = change.after
    if change.before is None:
        released, now = told_from_its_release(after)
        begun = _frame("shot.created", after, released)
        return [begun] if after.shot.status is Status.IN_FLIGHT else [begun, _outcome(after, now)]
    if change.before.shot.status is after.shot.status:
        return [_frame("shot.updated", after, told(after))]
    return [_outcome(after, told(after))]


def overlooked_frames(untold: Sequence[StoredShot]) -> list[Frame]:
    """Frames for shots of whose last change viewers may not have been told, nor that they began:
    whoever was knows them by id and version."""
    frames: list[Frame] = []
    for known in untold:
        released, now = told_from_its_release(known)
        frames.append(_frame("shot.created", known, released))
        if known.shot.status is not Status.IN_FLIGHT or known.version > 1:
            frames.append(_outcome(known, now))
    return frames


def _outcome(known: StoredShot, shot: orjson.Fragment) -> Frame:
    return _frame(OUTCOMES.get(known.shot.status, "shot.updated"), known, shot)


def _frame(kind: str, known: StoredShot, shot: orjson.Fragment) -> Frame:
    return Frame(known.session_id, kind, {"shot": shot}, known.target_id, known.request_id)


def reader_frames(kind: str, places: Iterable[ReaderPlace]) -> list[Frame]:
    """Frames that tell the viewers of the readers' sessions: `reader.online` or
    `reader.offline`."""
    return [
        Frame(
            place.session_id,
            kind,
            {
                "reader_id": str(place.reader_id),
                "kind": place.kind,
                "target_id": str(place.target_id),
                "slot_id": None if place.slot_id is None else str(place.slot_id),
            },
            place.target_id,
        )
        for place in places
    ]
