"""The document that describes the API."""

import re
from typing import Any

from httpx import AsyncClient

REFERENCE = re.compile(r'"\$ref":\s*"([^"]+)"')


def resolved(document: Any, reference: str) -> Any:
    """What a reference leads to; None: to nothing."""
    found = document
    for name in reference.removeprefix("#/").split("/"):
        found = found.get(name) if isinstance(found, dict) else None
    return found


async def test_every_reference_leads_somewhere(anonymous: AsyncClient) -> None:
    answer = await anonymous.get("/api/openapi.json")
    references = set(REFERENCE.findall(answer.text))
    assert [each for each in references if resolved(answer.json(), each) is None] == []


async def test_events_are_described(anonymous: AsyncClient) -> None:
    document = (await anonymous.get("/api/openapi.json")).json()
    events = resolved(document, "#/components/schemas/EventBatch")["properties"]["events"]
    assert (events["type"], events["maxItems"]) == ("array", 1000)
    event = resolved(document, events["items"]["$ref"])
    assert set(event["required"]) == {"event_id", "type", "ts"}


async def test_the_document_can_be_looked_at(anonymous: AsyncClient) -> None:
    answer = await anonymous.get("/api/docs")
    assert answer.status_code == 200
    assert "/api/openapi.json" in answer.text
