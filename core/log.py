"""Logs: one JSON object a line, useful to an operator, silent about people."""

import logging
import sys
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager

import structlog
from structlog.contextvars import bind_contextvars, bound_contextvars, get_contextvars
from structlog.stdlib import BoundLogger
from structlog.typing import EventDict, Processor, WrappedLogger

LONGEST = 500
# A stack is worth more than any other value, but not without end.
LONGEST_STACK = 8_000
# What a person or a secret could be known by never reaches a log.
PERSONAL = frozenset(
    {"given_name", "family_name", "club", "country", "token", "authorization", "password", "hash"}
)
# These tell every job and request: worth reading only when something is wrong.
NOISY = ("arq", "asyncio", "httpcore", "httpx")


def _fit(value: object, longest: int = LONGEST) -> object:
    """A value without personal parts, at whatever depth, and with long texts cut."""
    match value:
        case str() if len(value) > longest:
            return f"{value[:longest]}… ({len(value)} characters)"
        case Mapping():
            return {key: _fit(part) for key, part in value.items() if key not in PERSONAL}
        case list() | tuple() | set() | frozenset():
            return [_fit(part) for part in value]
        case _:
            return value


def _presentable(
    _: WrappedLogger, __: str, event: MutableMapping[str, object]
) -> Mapping[str, object]:
    return {
        key: _fit(value, LONGEST_STACK if key == "exception" else LONGEST)
        for key, value in event.items()
        if key not in PERSONAL
    }


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


def _gathering() -> Sequence[Processor]:
    """What collects a line's fields, whether it is ours or a library's."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _rendering() -> Sequence[Processor]:
    return [
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        _presentable,
        _arranged,
        structlog.processors.JSONRenderer(default=str),
    ]


def configure(level: str) -> None:
    """Send all logs, the libraries' too, to standard output as JSON.

    Args:
        level: The least severe that is written, such as `INFO`.
    """
    gathering = _gathering()
    structlog.configure(
        processors=[*gathering, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=gathering, processors=_rendering())
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in NOISY:
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))


def get_logger(module: str) -> BoundLogger:
    """A logger that names its module."""
    logger: BoundLogger = structlog.stdlib.get_logger(module)
    return logger


@contextmanager
def bind_request(*, request_id: str | None, principal: str | None = None) -> Iterator[None]:
    """Have every line within say which request it belongs to, and whose."""
    said = {} if principal is None else {"principal": principal}
    with bound_contextvars(request_id=request_id, **said):
        yield


def bound_request() -> str | None:
    """The request that lines say they belong to here; None: to none."""
    request_id: str | None = get_contextvars().get("request_id")
    return request_id


def name_principal(principal: str) -> None:
    """Have every further line of this request say who asked: a role and a token's id, no person."""
    bind_contextvars(principal=principal)
