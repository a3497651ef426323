"""What is known of a cause, in words: what it looks like, why, how to prove it, how to mend it, how to take that back; and their order."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from provisioner.model.record import record

# Where a line holds; "" is everywhere.
Where = Literal["", "Linux", "macOS", "Windows", "Linux and macOS"]
# What must change so that it works again: "nothing" is for what is no fault, or what only the program itself can mend.
Mends = Literal["environment", "machine", "user", "nothing"]
# What the tool does with a cause beyond showing it:
# by-command: a person takes it out of an install's way with a command or an installer; the others belong to the machine.
# in-packages: it lies in what is installed, so the known-good set may mend it where a finding brings no repair of its own.
# seen-from-outside: files and versions show it; where those are right, the words of an import that failed speak of a symptom.
# told-to-tensorflow: the driver may answer the tool, and tell this to TensorFlow's own process alone.
Trait = Literal["by-command", "in-packages", "seen-from-outside", "told-to-tensorflow"]


@record
class Sign:
    """Lines as a program prints them, shortened; ``says`` is the program and its versions, for a person.

    ``told`` is what has to be known beside the lines for them to say this cause, as ``explain --context`` takes it.
    """

    text: str
    says: str
    told: dict[str, str] = field(default_factory=dict)


@record
class Question:
    """Commands that show whether it is this cause; ``means`` says what each answer tells."""

    run: tuple[str, ...]
    means: str
    on: Where = ""


@record
class Measure:
    """One thing to do: ``do`` in words, ``run`` the command lines for it, in their order."""

    do: str
    run: tuple[str, ...] = ()
    on: Where = ""


@record
class Cause:
    """One cause of the table (``profiles/causes/<code>.yaml``).

    ``title``, ``remedy`` and ``steps`` are the short form that a finding shows; the rest is its page and what ``explain CODE`` prints. In
    command lines ``{env}`` stands for the environment and ``{python}`` for its interpreter. ``not_this`` says, by code, how to tell the cause
    from those that look alike. ``mends`` is what has to change. ``cuda_results`` are the results of CUDA's driver API (``CUresult`` of cuda.h,
    decimal) that say this cause.
    """

    code: str
    title: str
    summary: str
    looks_like: tuple[Sign, ...]
    why: str
    prove: tuple[Question, ...]
    by_hand: tuple[Measure, ...]
    with_tool: tuple[Measure, ...]
    remedy: str
    undo: tuple[Measure, ...]
    not_this: dict[str, str]
    mends: Mends
    references: tuple[str, ...]
    steps: tuple[str, ...] = ()
    traits: tuple[Trait, ...] = ()
    cuda_results: tuple[str, ...] = ()


@record
class Listed:
    """A cause by its code, with its one line."""

    code: str
    title: str


@record
class ListedGroup:
    """Causes that belong together."""

    title: str
    causes: tuple[Listed, ...]


@record
class CauseList:
    """What ``explain --list`` lists."""

    groups: tuple[ListedGroup, ...]


@record
class Group:
    """Codes that belong together, for a table of contents."""

    title: str
    codes: tuple[str, ...]


@record
class Order:
    """How the causes stand to one another (``profiles/causes/order.yaml``), and what the causes' own files say of each for the tool.

    ``ranking`` has every code once, a cause before what it brings about. ``follows`` says for a code which others it can be a mere symptom
    of, each with the reason. ``traits`` are the codes by trait, ``cuda_results`` the codes by the result's number in decimal.
    """

    groups: tuple[Group, ...]
    ranking: tuple[str, ...]
    follows: dict[str, dict[str, str]]
    traits: dict[str, tuple[str, ...]] = field(default_factory=dict)
    cuda_results: dict[str, str] = field(default_factory=dict)

    def rank(self, code: str) -> int:
        """The place of a cause in the ranking: a root cause is lower; a code that is not in it comes last."""
        return self.ranking.index(code) if code in self.ranking else len(self.ranking)

    def has(self, code: str, trait: Trait) -> bool:
        """Whether the file of a cause names a trait; raises ``KeyError`` where the order was read without those files."""
        return code in self.traits[trait]

    def of_cuda_result(self, number: int) -> str:
        """The cause that a result of CUDA's driver API says, "" for a number that no cause's file names."""
        return self.cuda_results.get(str(number), "")

    def is_symptom(self, code: str, of: str) -> bool:
        """Whether a finding of ``code`` may be folded under one of ``of`` beside it."""
        return of in self.follows.get(code, {})

    def effects(self, code: str) -> tuple[str, ...]:
        """The codes that can be a symptom of this one, in the order of the ranking."""
        return tuple(sorted((other for other, roots in self.follows.items() if code in roots), key=self.rank))
