"""Measurements for Prometheus."""

import httpx

from api.main import create_app
from core.settings import Settings
from tests.conftest import ADMIN_TOKEN
from tests.serving import serving


async def test_requests_are_counted_by_route_and_work_by_state(settings: Settings) -> None:
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    async with (
        serving(settings, create_app(settings)) as served,
        httpx.AsyncClient(base_url=served.url) as client,
    ):
        await client.get("/api/v0/archer", headers=headers)
        await client.get("/nowhere")
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'method="GET",route="/api/v0/archer",status="200"} 1.0' in answer.text
    assert 'route="none",status="404"} 1.0' in answer.text
    assert 'quiver_work{state="inbox"} 0.0' in answer.text
    assert 'quiver_suspect_clocks{reason="jumped"} 0.0' in answer.text
