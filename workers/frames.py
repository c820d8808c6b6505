"""What viewers are told of a change."""

from collections.abc import Iterable, Sequence

import orjson

from core.domain.values import Status
from core.feed import Frame
from core.models.correlated_shot import StoredShot
from core.models.presence import ReaderPlace
from workers.derivation import Change
from workers.shown import told, told_at_release

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
        begun = _frame("shot.created", after, told_at_release(after))
        return [begun] if after.shot.status is Status.IN_FLIGHT else [begun, _outcome(after)]
    if change.before.shot.status is after.shot.status:
        return [_frame("shot.updated", after, told(after))]
    return [_outcome(after)]


def overlooked_frames(untold: Sequence[StoredShot]) -> list[Frame]:
    """Frames for shots of whose last change viewers may not have been told, nor that they began:
    whoever was knows them by id and version."""
    frames: list[Frame] = []
    for known in untold:
        frames.append(_frame("shot.created", known, told_at_release(known)))
        if known.shot.status is not Status.IN_FLIGHT or known.version > 1:
            frames.append(_outcome(known))
    return frames


def _outcome(known: StoredShot) -> Frame:
    return _frame(OUTCOMES.get(known.shot.status, "shot.updated"), known, told(known))


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
