"""The client of Valkey (or Redis), made with the timeouts that arq's own pool lacks."""

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import BusyLoadingError
from redis.exceptions import ConnectionError as LostConnection
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as SlowAnswer

from core.errors import UnavailableError
from core.packing import PACKING, AttentiveParser
from core.settings import Settings

# What a command raises while Valkey is away or coming back.
LOST = (LostConnection, SlowAnswer, BusyLoadingError, OSError)


def open_connections(settings: Settings, *, size: int = 32) -> BlockingConnectionPool:
    """A pool of connections to `settings.redis_url`: bounded, with timeouts, retry and keepalive.

    Raises:
        UnavailableError: No Redis or Valkey is configured.
    """
    if settings.redis_url is None:
        raise UnavailableError("REDIS_URL is not set: there is no Valkey to use", 30)
    # A Unix socket has no other end that could be gone without a word, and no such option.
    is_socket = settings.redis_url.startswith("unix:")
    pool = BlockingConnectionPool.from_url(
        settings.redis_url,
        max_connections=size,
        timeout=5,
        socket_connect_timeout=3,
        # Longer than any wait at the doorbell. A store that stands still is not asked again:
        # whoever waits is told so, and tries again later.
        socket_timeout=4,
        health_check_interval=15,
        # Everything sent through it may safely be sent twice.
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.02), 3, supported_errors=(LostConnection,)),
        retry_on_error=[LostConnection, BusyLoadingError],
        parser_class=AttentiveParser,
        **({} if is_socket else {"socket_keepalive": True}),
    )
    pool.connection_class = PACKING[pool.connection_class]
    return pool


def open_valkey(settings: Settings, *, size: int = 32) -> "Redis":
    """A client that answers bytes."""
    return Redis.from_pool(open_connections(settings, size=size))


async def send(pipe: Pipeline) -> None:
    """Have the commands in a pipeline done, each whatever becomes of the others.

    Raises:
        ResponseError: What the server said of the first that it refused; the library would put the
            command's words into the text, and what is told to viewers is not for the log.
    """
    for answer in await pipe.execute(raise_on_error=False):
        if isinstance(answer, ResponseError):
            raise answer
