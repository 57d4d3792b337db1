"""The package's error and warning."""

from __future__ import annotations


class Error(Exception):
    """The program failed; the message is its own sentence: what was wrong, where, and the way out.

    ``code`` is the program's exit code: 1 failed while running, 2 wrong usage or config.
    """

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message, code)
        self.code = code

    def __str__(self) -> str:
        return str(self.args[0])


class DescentWarning(UserWarning):
    """A warning that the program wrote to its log."""
