"""Pages from their templates."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.web import words
from core.models.failed_job import COUNTED_AT_MOST

HERE = Path(__file__).parent
STATIC = HERE / "static"
THEME_COOKIE = "quiver_theme"
THEMES = ("light", "dark")


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "count": words.count,
        "up_to": words.up_to,
        "span": words.span,
        "ms": words.milliseconds,
        "size": words.size,
        "since": words.since,
        "full": words.full,
        "offset": words.offset,
        "plural": words.plural,
        "words": words.words,
        "compact": words.compact,
        "pretty": words.pretty,
    }
    # How far failed jobs are counted.
    made.globals["most"] = {"failed": COUNTED_AT_MOST}
    return made


TEMPLATES = _environment()


def render(
    request: Request, template: str, context: Mapping[str, object], status: int = 200
) -> HTMLResponse:
    """A page.

    Args:
        request: Whose theme it is shown in.
        template: Its file.
        context: What it shows.
        status: The HTTP status.
    """
    theme = request.cookies.get(THEME_COOKIE)
    text = TEMPLATES.get_template(template).render(
        now=datetime.now(UTC), theme=theme if theme in THEMES else None, **context
    )
    return HTMLResponse(text, status)


def error_page(request: Request, status: int, sentences: list[str]) -> HTMLResponse:
    """What went wrong, for somebody who looks at a page."""
    context = {"status": status, "sentences": sentences, "page": None}
    return render(request, "error.html", context, status)
