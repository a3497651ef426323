"""Every error a person can meet: one root, one leaf per exit code, each with its place and a hint."""

from __future__ import annotations

from typing import ClassVar

AT_WORK = "another tfsetup is at work on this environment"


class TfsetupError(Exception):
    """Root of all expected errors.

    ``message`` says what is wrong; ``place`` where (file, field, line); ``hint`` what to do next.
    ``exit_code`` is the process exit code of the contract. ``cause`` is a stable code of the cause table, where one fits. ``faults`` are all that is
    wrong, where that is more than one sentence says.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, place: str = "", hint: str = "", cause: str = "", faults: tuple[str, ...] = ()) -> None:
        """Keep the parts apart so that text and JSON can each show them."""
        super().__init__(message)
        self.message = message
        self.place = place
        self.hint = hint
        self.cause = cause
        self.faults = faults

    def __str__(self) -> str:
        """One sentence, the place first."""
        return f"{self.place}: {self.message}" if self.place else self.message


class OperationError(TfsetupError):
    """The operation failed (code 1); the message says what state the environment is in."""

    exit_code = 1


class AtWorkError(OperationError):
    """Another run is at work on the environment at ``root`` (code 1)."""

    def __init__(self, root: str, *, hint: str = "wait until it has finished") -> None:
        """Say so in the same words everywhere."""
        super().__init__(AT_WORK, place=root, hint=hint)


class InTheWayError(OperationError):
    """What came into an environment since is in the way of undoing (code 1): ``faults`` names each; nothing was changed."""


class HalfwayError(OperationError):
    """Taking a change back failed, too (code 1): the message says what a look at the environment shows, the hint what goes on from there."""


class UnforeseenError(Exception):
    """An error that nobody foresaw (its cause), with the ``standing`` of the environment as a look showed it."""

    def __init__(self, standing: str) -> None:
        """Keep what was seen."""
        super().__init__(standing)
        self.standing = standing


class UsageError(TfsetupError):
    """A wrong option or argument (code 2)."""

    exit_code = 2


class InputError(TfsetupError):
    """Input that cannot be read (code 2): all ``faults`` of one file at once, each ``place: what was expected``."""

    exit_code = 2


class NoProfileError(TfsetupError):
    """No known-good profile fits (code 12); ``refusals`` lists every candidate's, ``nearest`` the requests that can be met."""

    exit_code = 12

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        cause: str = "",
        refusals: tuple[str, ...] = (),
        nearest: tuple[str, ...] = (),
    ) -> None:
        """Keep refusals and nearest requests for the report."""
        super().__init__(message, hint=hint, cause=cause)
        self.refusals = refusals
        self.nearest = nearest


class StalePlanError(TfsetupError):
    """The saved plan is stale, altered, or made for another machine (code 13); ``faults`` are what differs."""

    exit_code = 13


class VerificationError(TfsetupError):
    """Verification failed (code 14)."""

    exit_code = 14


class ConsentError(TfsetupError):
    """Consent was refused, or is needed and there is no terminal (code 15)."""

    exit_code = 15


class DeclinedError(ConsentError):
    """A person was asked and said no: that is no fault of anybody."""


class InterruptedRunError(TfsetupError):
    """A person or the system ended the run (code 130, which shells give to Ctrl-C)."""

    exit_code = 130


class CouldNotTellError(TfsetupError):
    """The question could not be answered (code 16)."""

    exit_code = 16
