"""What a fault is, and the list of all of them: functions that break an environment, with what the tool must make of it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from tests.faults.bases import BASES
from tests.faults.place import Place

# ``tool``: ``fix --yes`` mends it. ``hand``: what is wrong lies outside of what the tool may change (a variable of the shell, the processor),
# so ``fix`` says what to do, changes nothing and does not end with 0.
Mend = Literal["tool", "hand"]


@dataclass(frozen=True)
class Fault:
    """One fault.

    ``cause`` is the code that must come first, or one of ``also`` where two names for it are right. ``shown_by`` is a program that shows the
    fault in the environment's interpreter, and ``symptom`` a regular expression that its output (or ``died by signal N``) must match.
    ``base`` is "" where the fault makes its environment itself. ``needs`` are programs without which it cannot be made here.
    """

    name: str
    subject: str
    words: str
    base: str
    cause: str
    also: tuple[str, ...]
    shown_by: str
    symptom: str
    mend: Mend
    needs: tuple[str, ...]
    breaks: Callable[[Place], None]


# About a minute each.
SLICE = 3

# What stands in the place of a cause where nothing is wrong.
HEALTHY = "healthy"

FAULTS: dict[str, Fault] = {}


def fault(
    base: str,
    cause: str,
    *also: str,
    symptom: str,
    shown_by: str = "import tensorflow",
    mend: Mend = "tool",
    needs: tuple[str, ...] = (),
) -> Callable[[Callable[[Place], None]], Callable[[Place], None]]:
    """Register a function as a fault: its name is the fault's, its docstring says how people come to it."""

    def register(breaks: Callable[[Place], None]) -> Callable[[Place], None]:
        name = breaks.__name__.replace("_", "-")
        if name in FAULTS:
            raise ValueError(f"two faults are called {name}")
        FAULTS[name] = Fault(
            name=name,
            subject=breaks.__module__.rpartition(".")[2],
            words=(breaks.__doc__ or "").strip(),
            base=base,
            cause=cause,
            also=also,
            shown_by=shown_by,
            symptom=symptom,
            mend=mend,
            needs=needs,
            breaks=breaks,
        )
        return breaks

    return register


def healthy(base: str) -> Callable[[Callable[[Place], None]], Callable[[Place], None]]:
    """Register a function as a change after which nothing is wrong: ``doctor`` must end with 0, without an error or a warning."""
    return fault(base, HEALTHY, symptom=r"^exit 0\Z")


def all_faults() -> dict[str, Fault]:
    """Return every fault by its name, read from the modules of ``tests.faults.cases``."""
    package = importlib.import_module("tests.faults.cases")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"tests.faults.cases.{module.name}")
    return FAULTS


def chosen(faults: dict[str, Fault], words: Sequence[str]) -> list[Fault]:
    """Return the faults that a name, subject, base or cause selects; all of them without any."""
    known = {word for fault in faults.values() for word in (fault.name, fault.subject, fault.cause, fault.base)}
    wrong = [word for word in words if word not in known]
    if wrong:
        raise SystemExit(f"no fault, subject, base or cause is called {', '.join(wrong)}")
    return [fault for fault in faults.values() if not words or {fault.name, fault.subject, fault.cause, fault.base} & set(words)]


def slice_of(faults: dict[str, Fault], day: int) -> list[Fault]:
    """Return three faults of one base, so that one base is enough: other ones every day. Most sets for the GPU are too large for this."""
    groups = {
        base: [fault for fault in faults.values() if fault.base == base and fault.cause != HEALTHY]
        for base in sorted(BASES)
        if BASES[base].device == "cpu" or BASES[base].kind == "conda"
    }
    full = [group for group in groups.values() if group]
    turn, group = divmod(day, len(full))
    return [full[group][(turn * SLICE + number) % len(full[group])] for number in range(min(SLICE, len(full[group])))]
