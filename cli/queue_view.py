"""The queue on a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

COUNTS = ("inbox", "queued", "running", "deferred", "retrying", "failed")


def show_status(
    console: Console, state: Mapping[str, Any], groups: Sequence[Mapping[str, Any]]
) -> None:
    """How the work stands, whether it is held, who works, and what failed."""
    if state["pause"]["paused_at"] is not None:
        console.print(_pause(state["pause"]), markup=False, highlight=False, style="bold yellow")
    counts = "  ".join(f"{name} {state[name]}" for name in COUNTS)
    console.print(f"{counts}  oldest {state['oldest_age_ms'] / 1000:.1f} s", highlight=False)
    workers = Table("worker", "host", "pid", "version", "running", "done", "failed", box=None)
    for each in state["workers"]:
        workers.add_row(
            each["id"][:8],
            escape(each["host"]),
            str(each["pid"]),
            each["version"],
            str(each["running"]),
            str(each["done"]),
            str(each["failed"]),
        )
    console.print(workers if state["workers"] else "no worker is alive")
    for group in groups:
        line = f"{group['count']} × {group['function']} {group['fingerprint']}: {group['error']}"
        console.print(line, markup=False, highlight=False)


def _pause(pause: Mapping[str, Any]) -> str:
    reason = f": {pause['reason']}" if pause["reason"] else ""
    return f"paused since {pause['paused_at']} by {pause['paused_by']}{reason}"


def show_jobs(console: Console, jobs: Sequence[Mapping[str, Any]]) -> None:
    """Jobs, a line each."""
    table = Table("id", "state", "function", "tries", "when", "error", box=None)
    for job in jobs:
        when = job["due_at"] or job["updated_at"] or ""
        error = (job["error"] or "").partition("\n")[0]
        shown = (job["id"], job["state"], job["function"], str(job["tries"]), when, error)
        table.add_row(*map(escape, shown))
    console.print(table if jobs else "none")


def show_job(console: Console, job: Mapping[str, Any]) -> None:
    """A job with every attempt."""
    for name in ("id", "state", "function", "arguments", "request_id", "target_id", "session_id"):
        console.print(f"{name:>10}  {job[name]}", markup=False, highlight=False)
    for number, tried in enumerate(job["attempts"], 1):
        head = f"attempt {number}, {tried['started_at']}, {tried['duration_ms']} ms"
        console.print(f"\n{head}\n{tried['traceback']}", markup=False, highlight=False)
