"""What a fault on Windows is, and the list of all of them: as ``tests.faults.fault`` has it, with sets for Windows as bases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.faults.windows.place import Place

# As in ``tests.faults.fault``; ``named``: what is wrong is only told to be so, and is not tried to be mended.
Mend = Literal["tool", "hand", "named"]


@dataclass(frozen=True)
class Base:
    """A set that environments are made with, small, as TensorFlow goes."""

    release: str
    python: str
    device: str = "cpu"


BASES = {"2.10": Base("2.10.1", "3.10"), "2.21": Base("2.21.0", "3.13"), "cuda": Base("2.10.1", "3.10", "cuda")}


@dataclass(frozen=True)
class Fault:
    """``cause`` must come first, or one of ``also``; ``symptom`` is a regular expression that what ``doctor`` has seen of it must match."""

    name: str
    words: str
    base: str
    cause: str
    also: tuple[str, ...]
    symptom: str
    mend: Mend
    breaks: Callable[[Place], None]


FAULTS: dict[str, Fault] = {}


def fault(
    cause: str, *also: str, symptom: str, base: str = "2.10", mend: Mend = "tool"
) -> Callable[[Callable[[Place], None]], Callable[[Place], None]]:
    """Register a function as a fault: its name is the fault's, its docstring says how people come to it."""

    def register(breaks: Callable[[Place], None]) -> Callable[[Place], None]:
        name = breaks.__name__.replace("_", "-")
        if name in FAULTS:
            raise ValueError(f"two faults are called {name}")
        words = (breaks.__doc__ or "").strip()
        FAULTS[name] = Fault(name=name, words=words, base=base, cause=cause, also=also, symptom=symptom, mend=mend, breaks=breaks)
        return breaks

    return register
