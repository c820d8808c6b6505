"""By which rules a session is shot."""

from typing import Annotated, Literal

from pydantic import Field

from core.schema.types import Boundary

LONGEST_WINDOW_MS = 600_000
LONGEST_LANDING_WINDOW_MS = 60_000
LONGEST_DEBOUNCE_MS = 10_000

type Milliseconds = Annotated[int, Field(strict=True, ge=0, le=LONGEST_WINDOW_MS)]
type LandingWindow = Annotated[int, Field(strict=True, ge=100, le=LONGEST_LANDING_WINDOW_MS)]
type Debounce = Annotated[int, Field(strict=True, ge=0, le=LONGEST_DEBOUNCE_MS)]
type ArrowsPerEnd = Annotated[int, Field(strict=True, ge=1, le=100)]
type Ends = Annotated[int, Field(strict=True, ge=1, le=1000)]


class Rules(Boundary):
    """A session's rules, each with the usual value."""

    association_window_ms: Milliseconds = Field(
        1000, description="An arrow seen at most this long before an engage is the one nocked"
    )
    hold_max_ms: Milliseconds = Field(
        60_000, description="An engage counts for a release at most this long after it"
    )
    landing_window_ms: LandingWindow = Field(
        3000, description="An arrow lands at most this long after its release"
    )
    late_grace_ms: Milliseconds = Field(
        500, description="How much later than the landing window a miss is called"
    )
    debounce_ms: Debounce = Field(
        150, description="A release this soon after another is the same one"
    )
    line_rule: Literal["inclusive", "must_cut"] = Field(
        "inclusive", description="Whether touching a line is enough"
    )
    arrows_per_end: ArrowsPerEnd | None = Field(
        None, description="Without it no rule about ends applies"
    )
    ends: Ends | None = None
    end_control: Literal["auto", "manual"] = "auto"


class RulesUpdate(Boundary):
    """Rules to change; what is left out stays."""

    association_window_ms: Milliseconds = 0
    hold_max_ms: Milliseconds = 0
    landing_window_ms: LandingWindow = 100
    late_grace_ms: Milliseconds = 0
    debounce_ms: Debounce = 0
    line_rule: Literal["inclusive", "must_cut"] = "inclusive"
    arrows_per_end: ArrowsPerEnd | None = None
    ends: Ends | None = None
    end_control: Literal["auto", "manual"] = "auto"
