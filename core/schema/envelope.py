"""The wrapper that every answer with a body has."""

from collections.abc import Sequence

from pydantic import Field

from core.schema.types import Boundary


class Envelope[T](Boundary):
    """A success: `code` repeats the HTTP status, `errors` is empty."""

    code: int = Field(200, description="The HTTP status")
    data: T = Field(description="What was asked for")
    errors: Sequence[str] = Field((), description="Sentences a person can act on; none on success")


class Failure(Boundary):
    """A failure: `data` is null and `errors` says what to do."""

    code: int = Field(description="The HTTP status")
    data: None = None
    errors: Sequence[str] = Field(
        description="Sentences a person can act on, each naming the field where there is one"
    )


def wrap[T](data: T, code: int = 200) -> Envelope[T]:
    """The data in the wrapper of a success."""
    return Envelope(code=code, data=data)
