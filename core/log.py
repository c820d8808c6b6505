"""Logs: one JSON object a line, useful to an operator, silent about people."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from structlog.contextvars import bound_contextvars
from structlog.types import EventDict, FilteringBoundLogger, WrappedLogger

LONGEST = 500
# What a person or a secret could be known by never reaches a log.
PERSONAL = frozenset(
    {"given_name", "family_name", "club", "country", "token", "authorization", "password", "hash"}
)


def _impersonal(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {key: value for key, value in event.items() if key not in PERSONAL}


def _cut(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for key, value in event.items():
        if isinstance(value, str) and len(value) > LONGEST and key != "exception":
            event[key] = f"{value[:LONGEST]}… ({len(value)} characters)"
    return event


def _arranged(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The fields that every line has, first and always."""
    first = {
        "ts": event.pop("timestamp", None),
        "level": event.pop("level", "info"),
        "module": event.pop("logger", None),
        "msg": event.pop("event", ""),
        "request_id": event.pop("request_id", None),
        "resource": event.pop("resource", None),
        "latency_ms": event.pop("latency_ms", None),
    }
    return {**first, **event}


def configure(level: str) -> None:
    """Send all logs, the libraries' too, to standard output as JSON.

    Args:
        level: The least severe that is written, such as `INFO`.
    """
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendered = [
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        _impersonal,
        _cut,
        _arranged,
        structlog.processors.JSONRenderer(default=str),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=rendered)
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in ("arq", "httpx", "httpcore", "asyncio"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))


def get_logger(module: str) -> FilteringBoundLogger:
    """A logger that names its module."""
    logger: FilteringBoundLogger = structlog.stdlib.get_logger(module)
    return logger


@contextmanager
def bind_request(*, request_id: str | None, principal: str | None = None) -> Iterator[None]:
    """Have every line within say which request it belongs to, and whose."""
    said = {} if principal is None else {"principal": principal}
    with bound_contextvars(request_id=request_id, **said):
        yield
