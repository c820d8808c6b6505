"""`quiver queue`: the queue as an operator handles it, on the command line."""

import asyncio
from collections.abc import Callable, Coroutine
from json import dumps
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console

from cli.failing import told
from cli.queue_view import show_job, show_jobs, show_status
from core.errors import InvalidInputError, UnavailableError
from core.settings import Settings
from simulators.api import Api, ApiRefused, open_api

Url = Annotated[str | None, typer.Option(help="The API; else QUIVER_API_URL")]
Token = Annotated[str | None, typer.Option(help="An admin's; else QUIVER_TOKEN")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, not tables")]
Ids = Annotated[list[UUID] | None, typer.Argument(help="Which jobs", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="All that the options let pass")]
Function = Annotated[str | None, typer.Option(help="Only of this task")]
Fingerprint = Annotated[str | None, typer.Option(help="Only failures of this kind and place")]
Session = Annotated[UUID | None, typer.Option(help="Only of this session")]
Target = Annotated[UUID | None, typer.Option(help="Only of this target")]
Words = Annotated[str | None, typer.Option("--text", help="In the arguments or the error")]

CHANGED = {"retry": "being retried", "discard": "discarded", "restore": "restored"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    commands = typer.Typer(help="What waits, what failed, and putting it right")
    commands.callback(no_args_is_help=True)(_about)
    commands.command("status")(status)
    commands.command("jobs")(jobs)
    commands.command("show")(show)
    for change in CHANGED:
        commands.command(change)(_changing(change))
    commands.command("pause")(pause)
    commands.command("resume")(resume)
    app.add_typer(commands, name="queue")


def _about() -> None:
    """What waits, what failed, and putting it right: by the API, so from anywhere."""


def status(url: Url = None, token: Token = None, json: AsJson = False) -> None:
    """How the work stands, whether it is held, who works, and what failed."""

    async def ask(api: Api) -> tuple[Any, Any]:
        return await api.call("GET", "/admin/queue"), await api.call("GET", "/admin/job_group")

    state, groups = _called(url, token, ask)
    if json:
        typer.echo(dumps({**state, "failures": groups}))
    else:
        show_status(Console(), state, groups)


def jobs(
    *,
    url: Url = None,
    token: Token = None,
    json: AsJson = False,
    state: Annotated[str, typer.Option(help="failed, queued, running, deferred …")] = "failed",
    function: Function = None,
    fingerprint: Fingerprint = None,
    session: Session = None,
    target: Target = None,
    text: Words = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many")] = 50,
) -> None:
    """Jobs of one state; of failures the one that changed last first."""
    wanted = _filter(function, fingerprint, session, target, text)
    query: dict[str, str | int] = {"state": state, "limit": limit, **wanted}
    page = _called(url, token, lambda api: api.call("GET", "/admin/job", query=query))
    if json:
        typer.echo(dumps(page["items"]))
    else:
        show_jobs(Console(), page["items"])


def show(
    job_id: Annotated[str, typer.Argument(help="Which job")],
    url: Url = None,
    token: Token = None,
    json: AsJson = False,
) -> None:
    """A job with every attempt and its traceback."""
    job = _called(url, token, lambda api: api.call("GET", f"/admin/job/{job_id}"))
    if json:
        typer.echo(dumps(job))
    else:
        show_job(Console(), job)


def pause(
    reason: Annotated[str | None, typer.Option(help="Why, for the other operators")] = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Begin no more jobs; events are still taken, and nothing is lost."""
    body = {"reason": reason}
    said = _called(url, token, lambda api: api.call("POST", "/admin/queue/pause", body))
    typer.echo(f"paused since {said['paused_at']} by {said['paused_by']}")


def resume(url: Url = None, token: Token = None) -> None:
    """Go on."""
    _called(url, token, lambda api: api.call("POST", "/admin/queue/resume"))
    typer.echo("jobs are begun")


def _changing(change: str) -> Callable[..., None]:
    """The command that does this to failed jobs."""

    def run(
        ids: Ids = None,
        *,
        every: All = False,
        url: Url = None,
        token: Token = None,
        function: Function = None,
        fingerprint: Fingerprint = None,
        session: Session = None,
        target: Target = None,
        text: Words = None,
    ) -> None:
        wanted = _filter(function, fingerprint, session, target, text)
        body = _choice(ids, every, wanted)
        said = _called(url, token, lambda api: api.call("POST", f"/admin/job/{change}", body))
        typer.echo(f"{said['changed']} {CHANGED[change]}")

    run.__doc__ = f"{change.capitalize()} jobs: those given, or with --all those of the options."
    return run


def _filter(
    function: str | None,
    fingerprint: str | None,
    session: UUID | None,
    target: UUID | None,
    text: str | None,
) -> dict[str, str]:
    said = {
        "function": function,
        "fingerprint": fingerprint,
        "session_id": None if session is None else str(session),
        "target_id": None if target is None else str(target),
        "q": text,
    }
    return {name: value for name, value in said.items() if value is not None}


def _choice(ids: list[UUID] | None, every: bool, wanted: dict[str, str]) -> dict[str, Any]:
    if bool(ids) == every:
        with told():
            raise InvalidInputError("IDS", "say either which jobs, or --all")
    if ids and wanted:
        with told():
            raise InvalidInputError("IDS", "options choose among all jobs: say --all")
    return {"ids": [str(each) for each in ids]} if ids else {"filter": wanted}


def _called[T](
    url: str | None, token: str | None, ask: Callable[[Api], Coroutine[Any, Any, T]]
) -> T:
    """What the API answers; a refusal ends the command with a sentence."""
    settings = Settings()

    async def call() -> T:
        shown = token or settings.quiver_token
        async with open_api(url or settings.quiver_api_url, shown) as client:
            return await ask(Api(client))

    with told():
        try:
            return asyncio.run(call())
        except ApiRefused as error:
            raise UnavailableError(str(error), 1) from error
