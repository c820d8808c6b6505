"""What a judge must look at, as a viewer of the session hears of it."""

from tests.fields import as_if_received_then
from tests.serving import receive, serving, viewing
from tests.workers.conftest import Range


async def test_a_viewer_hears_of_a_landing_that_is_nobodys(line: Range) -> None:
    landing = as_if_received_then(line.field.landed(10, x=12))
    async with (
        serving(line.deps.settings) as served,
        viewing(served.url, line.field.session_id) as viewer,
    ):
        assert (await receive(viewer))["type"] == "snapshot"
        await line.say(landing)
        frame = await receive(viewer)
    assert frame["type"] == "review.created"
    assert list(frame["data"]) == ["cursor", "review"]
    row = frame["data"]["review"]
    assert (row["id"], row["kind"], row["reasons"], row["lane"]) == (
        str(landing.event_id),
        "landing",
        ["no_release"],
        1,
    )
