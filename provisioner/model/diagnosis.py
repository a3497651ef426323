"""What ``doctor`` and ``explain`` answer: the checks with their results, and the findings, root cause first."""

from __future__ import annotations

from typing import Literal

from provisioner.model.finding import Finding
from provisioner.model.record import record

Result = Literal["healthy", "info", "warning", "error", "could not tell", "crashed", "skipped"]


@record
class Examined:
    """One check of ``doctor``: ``result`` is the gravest of what it found; ``crashed`` means the check itself, not TensorFlow.

    ``causes`` are the codes of its findings; ``detail`` says in words what was looked at or why nothing can be said; ``seconds`` it took.
    """

    name: str
    title: str
    result: Result
    detail: str = ""
    seconds: float = 0.0
    causes: tuple[str, ...] = ()


@record
class Examination:
    """The outcome of ``doctor``: ``env`` is "" where an interpreter without an environment was examined.

    ``machine`` is a line for a person; ``python_version`` and ``tensorflow`` are "" where they could not be told. ``taken`` says why this was
    examined (named, or active). With ``static`` nothing of the environment was started, so ``python_version`` is not what its Python says, but
    the minor version that its files tell of.
    """

    env: str
    python: str
    python_version: str
    cwd: str
    tensorflow: str
    machine: str
    checks: tuple[Examined, ...]
    findings: tuple[Finding, ...]
    taken: str = ""
    static: bool = False

    @property
    def healthy(self) -> bool:
        """True when nothing of severity error or warning was found."""
        return all(finding.severity == "info" for finding in self.findings)


@record
class Difference:
    """A finding or a check that is not as it was: ``before`` and ``after`` say how it was and is, "" where it was or is not there."""

    name: str
    title: str
    before: str
    after: str


@record
class Changes:
    """What differs between two examinations: findings that are new, gone or changed, and checks with another result."""

    new: tuple[Difference, ...]
    gone: tuple[Difference, ...]
    changed: tuple[Difference, ...]
    checks: tuple[Difference, ...]


@record
class Explanation:
    """The outcome of ``explain`` on a log: ``lines`` were read, ``known`` of them recognised; ``send`` says what would tell more.

    ``notices`` are about the input: context keys that were ignored, a part that was left out.
    """

    source: str
    lines: int
    known: int
    context: dict[str, str]
    findings: tuple[Finding, ...]
    notices: tuple[str, ...] = ()
    send: tuple[str, ...] = ()
