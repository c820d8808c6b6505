"""Bytes and texts that no column of PostgreSQL can hold, kept so that people can read them and
nothing of them is lost."""

import base64
from collections.abc import Mapping

import orjson

# Where what was changed for people stands as it was.
AS_IT_WAS = "base64"


def readable(text: str) -> str:
    """A text that a column can hold: a NUL and half of a surrogate pair as they are escaped."""
    whole = text.encode("utf-8", "backslashreplace").decode()
    return whole.replace("\x00", "\\u0000")


def kept_bytes(payload: bytes) -> dict[str, object]:
    """Bytes as arguments of a failed job: as text, and in base64 too where that says less."""
    text = readable(payload.decode(errors="backslashreplace"))
    kept: dict[str, object] = {"payload": text}
    if text.encode() != payload:
        kept[AS_IT_WAS] = base64.b64encode(payload).decode()
    return kept


def original_bytes(arguments: Mapping[str, object]) -> bytes:
    """The bytes that `kept_bytes` kept.

    Raises:
        ValueError: They are not there.
    """
    encoded, text = arguments.get(AS_IT_WAS), arguments.get("payload")
    if isinstance(encoded, str):
        return base64.b64decode(encoded, validate=True)
    if isinstance(text, str):
        return text.encode()
    raise ValueError("there is no payload to be read")


def storable_arguments(arguments: Mapping[str, object]) -> dict[str, object]:
    """Arguments that a column can hold; those that differ are kept in base64 too."""
    kept = {name: _storable(value) for name, value in arguments.items()}
    if kept == arguments:
        return kept
    return {**kept, AS_IT_WAS: base64.b64encode(orjson.dumps(arguments)).decode()}


def original_arguments(arguments: Mapping[str, object]) -> dict[str, object]:
    """The arguments that `storable_arguments` made storable."""
    encoded = arguments.get(AS_IT_WAS)
    if not isinstance(encoded, str) or "payload" in arguments:
        return dict(arguments)
    found: dict[str, object] = orjson.loads(base64.b64decode(encoded, validate=True))
    return found


def _storable(value: object) -> object:
    match value:
        case str():
            return readable(value)
        case Mapping():
            return {readable(str(name)): _storable(part) for name, part in value.items()}
        case list() | tuple():
            return [_storable(part) for part in value]
        case _:
            return value
