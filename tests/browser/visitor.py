"""Somebody at a browser: what they do, what they see, and what their browser complains of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
from playwright.async_api import ConsoleMessage, Error, Locator, Page, Route, expect

from core.schema.envelope import wrap

WITHIN_MS = 15_000
expect.set_options(timeout=WITHIN_MS)


@dataclass
class Visitor:
    """Somebody at a browser.

    Args:
        page: What they look at.
        url: Where the pages are.
        complaints: What their browser said was wrong.
        calls: The changes that their page asked for, where `answering` is at it: paths and bodies.
    """

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    calls: list[tuple[str, object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(WITHIN_MS)
        self.page.on("console", self._hear)
        self.page.on("pageerror", self._note)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _note(self, error: Error) -> None:
        self.complaints.append(str(error))

    def forgive(self, what: str) -> None:
        """Let a complaint be, which there must have been."""
        forgiven = [said for said in self.complaints if what in said]
        assert forgiven, self.complaints
        self.complaints = [said for said in self.complaints if what not in said]

    async def log_in(self, token: str) -> None:
        """Show a token, and be at the overview."""
        await self.page.goto(f"{self.url}/admin/login")
        await self.page.get_by_label("Token").fill(token)
        await self.page.keyboard.press("Enter")
        await self.is_live()

    async def go(self, path: str) -> None:
        """Open a page, and wait until it is live."""
        await self.page.goto(f"{self.url}{path}")
        await self.is_live()

    async def is_live(self) -> None:
        """Wait until the page says that what it shows is so now."""
        await expect(self.page.locator("#live")).to_have_attribute("data-state", "live")

    def button(self, name: str) -> Locator:
        """A button of what is looked at, not of a question that is closed."""
        return self.page.get_by_role("button", name=name, exact=True)

    async def sees(self, text: str) -> None:
        """Wait until a text is to be seen."""
        await expect(self.page.get_by_text(text).first).to_be_visible()

    async def answering(self, answers: Mapping[str, object]) -> None:
        """Answer the page's changes by ourselves, and note them.

        Args:
            answers: What to say, by the path's end.
        """

        async def answer(route: Route) -> None:
            path = route.request.url.removeprefix(f"{self.url}/api/v0/admin/")
            body = route.request.post_data_buffer
            self.calls.append((path, None if body is None else orjson.loads(body)))
            said = next(said for end, said in answers.items() if path.endswith(end))
            text = orjson.dumps(wrap(said).model_dump(mode="json"))
            await route.fulfill(body=text, content_type="application/json")

        await self.page.route(
            lambda url: url.startswith(f"{self.url}/api/v0/admin/"),
            lambda route: answer(route) if route.request.method == "POST" else route.fallback(),
        )
