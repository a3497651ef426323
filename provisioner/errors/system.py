"""What an operating system refuses with, in words, and what to do about it."""

from __future__ import annotations

import errno

from provisioner.errors import OperationError, TfsetupError

_REFUSALS = {
    errno.ENOSPC: ("no space is left on the disk", "free some space, then run the same command again", "disk-full"),
    errno.EDQUOT: ("the quota of this user is used up", "free some space, then run the same command again", "disk-full"),
    errno.EACCES: ("this user may not do that", "check who owns it", "permission-denied"),
    errno.EPERM: ("this user may not do that", "check who owns it", "permission-denied"),
    # Of Windows (``host.windows``), whose words name the program.
    errno.EBUSY: ("", "close it (of a notebook, shut down the kernel), then run the same command again", "permission-denied"),
    errno.EROFS: ("the file system cannot be written", "choose another place", "permission-denied"),
}


def refused(error: OSError, state: str = "") -> OperationError:
    """Say what the operating system refused, and in which ``state`` that left the environment, where somebody has looked."""
    words, hint, cause = _REFUSALS.get(error.errno or 0, ("", "", ""))
    words = words or error.strerror or str(error)
    return OperationError(f"{words}; {state}" if state else words, place=str(error.filename or ""), hint=hint, cause=cause)


def words_of(error: BaseException) -> str:
    """Say in one sentence what an error of any kind says."""
    if isinstance(error, OSError):
        return str(refused(error))
    if isinstance(error, TfsetupError):
        return str(error)
    return "interrupted" if isinstance(error, KeyboardInterrupt) else f"{type(error).__name__}: {error}"


def cause_of(error: BaseException) -> str:
    """Return the code of the cause table that fits, or ""."""
    if isinstance(error, OSError):
        return refused(error).cause
    return error.cause if isinstance(error, TfsetupError) else ""
