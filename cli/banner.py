"""What `quiver up` says once everything runs: what is where, and what to do next."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cli.processes import Child
from cli.where import DEFAULT_DATA_DIR
from core.embedded import EmbeddedStores
from core.embedded.server import Server
from core.settings import Settings


def banner(
    url: str,
    settings: Settings,
    stores: EmbeddedStores,
    children: Sequence[Child],
    first_token: str | None,
) -> str:
    """The text.

    Args:
        url: Where the API listens.
        settings: Where the stores are.
        stores: Those of them that are embedded.
        children: The API, then the workers.
        first_token: The admin token that was just made, which is said only now.
    """
    api, *workers = children
    lines = [
        "",
        f"Quiver is up at {url}",
        "",
        f"  operators    {url}/admin",
        f"  API docs     {url}/api/docs",
        f"  PostgreSQL   {_store(settings.database_url, stores.postgres)}",
        f"  Valkey       {_store(settings.redis_url, stores.valkey)}",
        f"  API          {_processes([api])}",
        f"  workers      {_processes(workers)}",
        f"  data         {stores.directory}",
    ]
    if api.log is not None:
        lines.append(f"  logs         {api.log.parent} (tail -F {api.log.parent / '*.log'})")
    lines += [] if first_token is None else ["", *_token(url, first_token)]
    return "\n".join(
        [*lines, "", *following(url, first_token or "…", stores.directory), ""]
        + ["Ctrl-C ends everything.", ""]
    )


def _store(url: str | None, server: Server | None) -> str:
    """Where a store is, without its password; an embedded one's port, which any program can use."""
    parts = urlsplit((url if server is None else server.tcp_url) or "")
    # Without a host it is a Unix socket, whose directory a PostgreSQL's URL has among its options.
    host = parts.hostname or "".join(parse_qs(parts.query).get("host", []))
    where = f"{host}:{parts.port}" if parts.port else host
    kind = "external" if server is None else f"embedded, process {server.pid}"
    return f"{where}{parts.path} ({kind})"


def _processes(children: Sequence[Child]) -> str:
    pids = ", ".join(str(child.process.pid) for child in children if child.process is not None)
    return f"{len(children)} ({'process' if len(children) == 1 else 'processes'} {pids})"


def _token(url: str, token: str) -> Sequence[str]:
    return [
        f"  Admin token  {token}",
        f"  It is shown this once: only its hash is kept. Log in with it at {url}/admin",
    ]


def following(url: str, token: str, data_dir: Path) -> Sequence[str]:
    """The commands that a newcomer tries; they work as they are printed.

    Args:
        url: Where the API listens.
        token: An admin token, or what stands for it.
        data_dir: Where the embedded stores keep everything.
    """
    quiver = "uv run quiver" if "UV_RUN_RECURSION_DEPTH" in os.environ else "quiver"
    tries = [
        ("simulate tournament --butts 4", "a small tournament, shot by simulated archers"),
        ("watch --session ID", "its shots and leaderboard as they happen"),
        (f"token create --role judge --name Ana{_found(data_dir)}", "a token for somebody else"),
    ]
    return [
        "Next, in another terminal:",
        f"  export QUIVER_API_URL={url} QUIVER_TOKEN={token}",
        *(f"  {quiver} {command:<38}# {what}" for command, what in tries),
    ]


def _found(data_dir: Path) -> str:
    """How a command that needs the stores finds them."""
    if data_dir.resolve() == DEFAULT_DATA_DIR.resolve():
        return ""
    return f" --data-dir {shlex.quote(str(data_dir))} "
