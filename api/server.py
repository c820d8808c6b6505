"""The server that API processes run in."""

import socket

import uvicorn
from fastapi import FastAPI

from api.wire import Protocol
from core.settings import Settings


class Server(uvicorn.Server):
    """Ends the operators' streams before it waits for all answers to end: they would not."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what was asked, then end."""
        await self.lifespan.state["broadcast"].end()
        await super().shutdown(sockets)


def config_of(app: FastAPI, settings: Settings, host: str, port: int) -> uvicorn.Config:
    """How the server runs.

    Args:
        app: What it serves.
        settings: Which proxies are believed.
        host: Where it listens.
        port: Where it listens.
    """
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http="httptools",
        loop="uvloop",
        ws=Protocol,
        log_config=None,
        access_log=False,
        server_header=False,
        # By itself uvicorn would believe whoever is on this machine.
        proxy_headers=settings.quiver_trusted_proxies is not None,
        forwarded_allow_ips=settings.quiver_trusted_proxies or "",
        # Compression costs each viewer some 300 KB and every frame a turn of the processor.
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=2,
    )
