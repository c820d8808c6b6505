"""What the rules cannot decide, each error a sentence for whoever can put it right."""


class DomainError(Exception):
    """The root of what the pure rules raise."""


class UnknownFaceType(DomainError):
    """A face whose rings are not in the catalogue, so that nothing on it can be valued.

    Args:
        code: The face type as it was written.
    """

    def __init__(self, code: str) -> None:
        super().__init__(f"face_type {code!r}: not in the catalogue of faces")
        self.code = code


class NoFace(DomainError):
    """A butt without any face: its landings have no value yet."""

    def __init__(self) -> None:
        super().__init__("no face hangs on the butt")
