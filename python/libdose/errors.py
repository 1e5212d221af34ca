"""What libdose raises. The message reads "<what is wrong> [<where>]. <what to do>"."""

from __future__ import annotations

from typing import Any, Tuple


class Error(Exception):
    """Base of all errors of the library.

    Attributes: problem (what is wrong), where (file, tag, beam, ...), advice (what to do).
    """

    def __init__(self, message: str, problem: str = "", where: str = "", advice: str = "") -> None:
        super().__init__(message)
        self.problem = problem or message
        self.where = where
        self.advice = advice

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (str(self), self.problem, self.where, self.advice)


class BadInput(Error, ValueError):
    """A file, value or argument that cannot be used."""


class RefusedPlan(Error, ValueError):
    """A plan element that the engine cannot model."""


class InternalError(Error, RuntimeError):
    """A broken invariant of the library itself."""
