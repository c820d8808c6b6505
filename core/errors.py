"""What can go wrong with a request, in the words of the project; `api.errors` gives each its HTTP
status."""


class QuiverError(Exception):
    """The root of all errors that a caller can act on; its text is a sentence for them."""


class InvalidInputError(QuiverError):
    """A value that cannot be taken.

    Args:
        field: Where it stands, such as ``body.faces.0.face_type``.
        reason: What is wrong with it.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field


class UnauthenticatedError(QuiverError):
    """No token, or one that is unknown or revoked."""


class ForbiddenError(QuiverError):
    """A valid token whose role may not do this."""


class NotFoundError(QuiverError):
    """Nothing of that kind has this id.

    Args:
        resource: The kind, in the singular.
        identifier: The id that was asked for.
    """

    def __init__(self, resource: str, identifier: object) -> None:
        super().__init__(f"{resource} {identifier}: not found")


class ConflictError(QuiverError):
    """The state of things does not allow it, or something unique exists already."""


class TooLargeError(QuiverError):
    """A request body over its limit."""


class TooManyRequestsError(QuiverError):
    """One sender wants more than its share.

    Args:
        reason: Of what.
        retry_after_s: Seconds after which it is worth another try.
    """

    def __init__(self, reason: str, retry_after_s: int) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class UnavailableError(QuiverError):
    """The queue or a store cannot take it now.

    Args:
        reason: What is full or away.
        retry_after_s: Seconds after which it is worth another try.
    """

    def __init__(self, reason: str, retry_after_s: int) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s
