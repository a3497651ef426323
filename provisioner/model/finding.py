"""What is wrong, and how sure that is."""

from __future__ import annotations

from typing import Literal

from provisioner.errors import AT_WORK
from provisioner.model.record import record

Severity = Literal["error", "warning", "info"]
Confidence = Literal["certain", "likely", "possible"]
CheckStatus = Literal["passed", "failed", "skipped", "not proven", "crashed", "timed out", "could not tell"]


@record
class Evidence:
    """What was seen, and where."""

    seen: str
    where: str


@record
class Way:
    """Another thing to do: words, command lines to run in order, and what it costs ("" where that is next to nothing)."""

    words: str
    steps: tuple[str, ...] = ()
    cost: str = ""


@record
class Remedy:
    """Words for a person and, where there are any, command lines to run in order: the smallest change that does it.

    ``why`` is a sentence on why it helps, ``cost`` what it costs, ``others`` what else does it or comes next, in their order.
    """

    words: str
    steps: tuple[str, ...] = ()
    why: str = ""
    cost: str = ""
    others: tuple[Way, ...] = ()


RepairKind = Literal["restore", "remove", "link", "move away", "write", "interpreter", "rebuild", "relink", "unlink"]


@record
class Repair:
    """One change that would mend something; ``reason`` is a sentence for a person.

    ``restore``: install the profile's version of the distribution ``name``, whatever of it is there. ``remove``: take the distribution ``name``
    (of ``version``, where several are there) out. ``link``: a symbolic link at ``path`` to ``target``. ``move away``: take the entry ``path``
    out of the way. ``write``: replace the text of the file ``path`` by ``target``. ``interpreter``: let the environment use the Python at
    ``target``. ``rebuild``: make the environment anew. ``relink``: link the conda package ``name`` (name, version and build) anew; ``unlink``: take
    it out, but for the files that something else has recorded. Paths are absolute. ``own`` is true for a file of the user's own, which is only ever
    moved, and only with consent.
    """

    kind: RepairKind
    reason: str
    name: str = ""
    version: str = ""
    path: str = ""
    target: str = ""
    own: bool = False


@record
class Symptom:
    """A finding that follows from another one: mending that mends it. ``repairs`` are those of it that its root, having none, took over."""

    cause: str
    title: str
    evidence: tuple[Evidence, ...]
    repairs: tuple[Repair, ...] = ()


@record
class Finding:
    """One cause: ``cause`` is a code of the cause table (docs: contract, ``findings``).

    ``symptoms`` are folded under it because they follow from it. ``repairs`` are what a program could do about it, in order; where there are
    none, no change of the environment mends it, and ``remedy`` says what a person can do. ``wants`` are requirements (PEP 508) that are met where
    it is mended, as far as a package is at fault. ``explains`` are causes whose findings follow from this one here: they are its symptoms.
    """

    cause: str
    severity: Severity
    confidence: Confidence
    title: str
    evidence: tuple[Evidence, ...]
    remedy: Remedy
    symptoms: tuple[Symptom, ...] = ()
    repairs: tuple[Repair, ...] = ()
    wants: tuple[str, ...] = ()
    explains: tuple[str, ...] = ()

    @property
    def interrupted(self) -> bool:
        """True for what a run has begun or left where the environment is whole: harmless, and told all the same, with the undo that takes it away."""
        begun = self.title == AT_WORK or any(step.startswith("tfsetup undo ") for step in self.remedy.steps)
        return self.severity == "info" and begun


@record
class Check:
    """The result of one check of ``verify``; ``seconds`` is how long it took."""

    name: str
    status: CheckStatus
    detail: str = ""
    seconds: float = 0.0
    device: str = ""


@record
class LoadedLibrary:
    """A shared library that TensorFlow asks for: ``path`` is empty when the loader did not find it.

    ``inside`` is true when it comes from the environment; ``required`` when TensorFlow uses no GPU without it.
    """

    soname: str
    path: str
    version: str
    inside: bool
    required: bool


@record
class Verification:
    """The outcome of ``verify`` on one environment."""

    env: str
    python: str
    tensorflow: str
    device: str
    checks: tuple[Check, ...]
    libraries: tuple[LoadedLibrary, ...]
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """True when nothing of severity error was found and no check failed."""
        bad = {"failed", "crashed", "timed out"}
        return not any(check.status in bad for check in self.checks) and not any(finding.severity == "error" for finding in self.findings)
