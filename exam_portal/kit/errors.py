"""How a service refuses."""

from django.utils.functional import Promise


class Refused(Exception):
    """A service could not do what was asked, and nothing was changed.

    Attributes:
        code: stable, for programs and tests.
        message: for the person who asked, in their language.
    """

    code = "refused"

    def __init__(self, message: str | Promise, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code:
            self.code = code

    def __str__(self) -> str:
        return str(self.message)
