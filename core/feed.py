"""What viewers are told: a stream a session, which is also the buffer that a reconnect resumes
from.

One call appends a message and publishes it, so the order of the stream is the order on the wire,
and a message's id in the stream is its cursor.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

import orjson
from msgspec import Struct
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from core.schema.types import Boundary, rfc3339
from core.valkey import send

CHANNEL = "quiver:feed"
KEEP_FOR_S = 48 * 3600
# So long who came before the first message can go on from there, while the buffer holds it.
FIRST_KNOWN_FOR_S = 90 * 24 * 3600
# Where a session stands before anything was ever published of it.
BEFORE_THE_FIRST = "0-0"

# The streams, and for each where it is kept which message was its first.
APPEND = """
local length, keep_for, known_for, channel = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local count, begun = #KEYS / 2, {}
for i = 1, count do
    begun[i] = redis.call('EXISTS', KEYS[i]) == 1
end
for i = 5, #ARGV, 4 do
    local n, route, head, tail = tonumber(ARGV[i]), ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
    local id = redis.call('XADD', KEYS[n], 'MAXLEN', '~', length, '*', 'r', route, 'h', head, 't', tail)
    if not begun[n] then
        begun[n] = true
        redis.call('SET', KEYS[count + n], id, 'NX', 'EX', known_for)
    end
    redis.call('PUBLISH', channel, route .. ' ' .. id .. ' ' .. head .. '"' .. id .. '"' .. tail)
end
for i = 1, count do
    redis.call('EXPIRE', KEYS[i], keep_for)
end
"""


def written(model: Boundary) -> orjson.Fragment:
    """A model as a part of a frame's data: its JSON text, which nobody reads on the way."""
    return orjson.Fragment(model.model_dump_json())


class Frame(Struct, frozen=True):
    """A message to a session's viewers.

    Args:
        session_id: Whose viewers.
        type: Such as `shot.landed`.
        data: What the frame says, models `written`; its `cursor` is added on the way.
        target_id: The target it is about; None: it concerns all.
        request_id: The request that caused it.
    """

    session_id: UUID
    type: str
    data: Mapping[str, object]
    target_id: UUID | None = None
    request_id: UUID | None = None

    @property
    def route(self) -> str:
        """Session and target, for whoever passes the message on without reading it."""
        return f"{self.session_id} {self.target_id or '-'}"

    def split(self, at: str) -> tuple[bytes, bytes]:
        """The JSON text before and after its cursor.

        Args:
            at: When it is told, RFC 3339.
        """
        request_id = None if self.request_id is None else str(self.request_id)
        head = orjson.dumps({"type": self.type, "ts": at, "request_id": request_id})
        body = orjson.dumps(self.data)
        rest = b"," + body[1:] if len(body) > 2 else b"}"
        return head[:-1] + b',"data":{"cursor":', rest + b"}"


class Message(Struct, frozen=True):
    """A frame as it goes to viewers.

    Args:
        session_id: Whose viewers.
        target_id: The target it is about; None: it concerns all.
        cursor: Its place in the session's feed.
        text: The JSON text.
    """

    session_id: str
    target_id: str | None
    cursor: str
    text: str


def stream_key(session_id: UUID | str) -> str:
    """Where a session's messages are."""
    return f"quiver:feed:{session_id}"


def first_key(session_id: UUID | str) -> str:
    """Which of a session's messages was the first, also when it has left the buffer."""
    return f"quiver:feed:first:{session_id}"


def cursor_order(cursor: str) -> tuple[int, int]:
    """What orders two cursors of one session.

    Raises:
        ValueError: The text is no cursor.
    """
    milliseconds, _, sequence = cursor.partition("-")
    return int(milliseconds), int(sequence)


def parse(published: bytes) -> Message:
    """A message as the channel carries it."""
    session_id, target_id, cursor, text = published.decode().split(" ", 3)
    return Message(session_id, None if target_id == "-" else target_id, cursor, text)


class Feed:
    """The sessions' streams.

    Args:
        valkey: A client that answers bytes.
        length: Messages kept for each session, about.
    """

    def __init__(self, valkey: Redis, *, length: int) -> None:
        self._valkey = valkey
        self._length = length

    async def publish(self, frames: Sequence[Frame]) -> None:
        """Append the frames to their sessions' streams and tell all API processes, in this
        order."""
        async with self._valkey.pipeline(transaction=False) as pipe:
            self.publish_with(pipe, frames)
            await send(pipe)

    def publish_with(self, pipe: Pipeline, frames: Sequence[Frame]) -> None:
        """As `publish`, when what is in the pipeline is sent."""
        if not frames:
            return
        now = rfc3339(datetime.now(UTC))
        streams = {
            session: number for number, session in enumerate({f.session_id for f in frames}, 1)
        }
        said: list[bytes | int | str] = [self._length, KEEP_FOR_S, FIRST_KNOWN_FOR_S, CHANNEL]
        for frame in frames:
            said += [streams[frame.session_id], frame.route, *frame.split(now)]
        # The text and not its hash, which a pipeline would first ask the server about.
        keys = [*map(stream_key, streams), *map(first_key, streams)]
        pipe.execute_command("EVAL", APPEND, len(keys), *keys, *said)

    async def cursor(self, session_id: UUID) -> str:
        """The newest message's cursor; `BEFORE_THE_FIRST` before there is one."""
        newest = await self._valkey.xrevrange(stream_key(session_id), count=1)
        return newest[0][0].decode() if newest else BEFORE_THE_FIRST

    async def holds(self, session_id: UUID, cursor: str) -> bool:
        """Whether everything after the cursor is still in the buffer."""
        # Both at one moment: a first message may come any time.
        async with self._valkey.pipeline(transaction=True) as pipe:
            pipe.xrange(stream_key(session_id), count=1)
            pipe.get(first_key(session_id))
            oldest, begun = await pipe.execute()
        first = oldest[0][0].decode() if oldest else None
        if cursor == BEFORE_THE_FIRST:
            return first == (None if begun is None else begun.decode())
        if first is None:
            return False
        newest = await self.cursor(session_id)
        return cursor_order(first) <= cursor_order(cursor) <= cursor_order(newest)

    async def since(self, session_id: UUID, cursor: str, count: int = 1000) -> list[Message]:
        """Messages after the cursor, oldest first, at most `count`."""
        found = await self._valkey.xrange(stream_key(session_id), min=f"({cursor}", count=count)
        return [_stored(entry_id.decode(), fields) for entry_id, fields in found]


def _stored(cursor: str, fields: Mapping[bytes, bytes]) -> Message:
    text = fields[b"h"] + b'"' + cursor.encode() + b'"' + fields[b"t"]
    session_id, target_id = fields[b"r"].decode().split(" ")
    return Message(session_id, None if target_id == "-" else target_id, cursor, text.decode())
