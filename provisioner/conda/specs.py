"""Whether a conda package meets a match spec, as far as that can be said without a solver: name, version, build. Pure.

Rules: conda's models/version.py (``VersionOrder``, ``VersionSpec``) and models/match_spec.py; CEP 29 ("Simplified MatchSpec"). What goes beyond
them (regular expressions, channels, keys in brackets) is not judged, so that nothing is called wrong that a solver may have meant.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from itertools import zip_longest

# ``VersionOrder.version_split_re``: runs of digits, of letters, and signs.
_PARTS = re.compile(r"[0-9]+|[*]+|[^0-9*]+")
_OPERATORS = r"==|!=|<=|>=|~=|<|>|="
_VERSION = re.compile(r"[0-9a-zA-Z_.+!-]+(\.?\*)?")
_CONSTRAINT = re.compile(rf"(?P<operator>{_OPERATORS})?\s*(?P<version>\S+)")

Atom = tuple[int, int, str]
_ZERO: Atom = (1, 0, "")


def spec_name(spec: str) -> str:
    """Return the name of the package that a spec is about."""
    found = re.match(r"(?:[^\s:]+::)?([A-Za-z0-9_.-]+)", spec.strip())
    return found[1].lower() if found else ""


def meets(spec: str, version: str, build: str) -> bool | None:
    """Say whether a package of that version and build meets a spec of its name; None where the spec goes beyond what is judged here."""
    text = spec.strip().partition("::")[2] or spec.strip()
    if "[" in text or re.search(r"\s(if|;)\s", text):
        return None
    # ``name=1.2=build`` is an older way of writing ``name 1.2.* build``.
    words = re.sub(r"^([A-Za-z0-9_.-]+)\s*(?=[=<>!~])", r"\1 ", text).split()
    # Blanks behind commas and operators do not end a version.
    rest = re.sub(rf"(,|\||{_OPERATORS})\s+", r"\1", " ".join(words[1:])).split()
    if not rest:
        return True
    if len(rest) > 2 or (len(rest) == 1 and re.fullmatch(r"=[^=]+=[^=]+", rest[0])):  # noqa: PLR2004 - version and build
        return None
    if len(rest) == 2 and (rest[1].startswith("^") or not fnmatch.fnmatchcase(build, rest[1])):  # noqa: PLR2004 - as above
        return None if rest[1].startswith("^") else False
    return version_meets(rest[0], version)


def version_meets(text: str, version: str) -> bool | None:
    """Say whether a version meets ``>=1.2,<2|3.*``: commas bind closer than bars."""
    if text.startswith("^") or "(" in text:
        return None
    answers = [_all(part, version) for part in text.split("|")]
    if any(answer is True for answer in answers):
        return True
    return None if any(answer is None for answer in answers) else False


def _all(text: str, version: str) -> bool | None:
    answers = [_one(part.strip(), version) for part in text.split(",") if part.strip()]
    if any(answer is False for answer in answers):
        return False
    return None if any(answer is None for answer in answers) else True


def _one(text: str, version: str) -> bool | None:
    found = _CONSTRAINT.fullmatch(text)
    if found is None:
        return None
    operator, wanted = found["operator"] or "", found["version"]
    if wanted == "*":
        return True
    if _VERSION.fullmatch(wanted) is None or _VERSION.fullmatch(version) is None:
        return None
    # ``1.2.*``, ``1.2*`` and ``=1.2`` mean every version that begins so.
    bare = re.sub(r"\.?\*$", "", wanted)
    if operator in {"", "="} and (operator or bare != wanted):
        return _begins(bare, version)
    if operator == "!=" and bare != wanted:
        return not _begins(bare, version)
    if operator == "~=":
        return compare(version, wanted) >= 0 and _begins(wanted.rpartition(".")[0], version)
    return _COMPARE[operator](compare(version, bare))


_COMPARE: dict[str, Callable[[int], bool]] = {
    "": lambda order: order == 0,
    "==": lambda order: order == 0,
    "!=": lambda order: order != 0,
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


def _begins(start: str, version: str) -> bool:
    """Whether a version begins with another, part for part; what it lacks at its end is 0."""
    have, want = (re.sub("[-_]", ".", text.lower()) for text in (version, start))
    if have.startswith(want) and have != want:
        following = have[len(want)]
        return following == "." or not (following.isdigit() or want[-1:].isalpha())
    return have == want or compare(version, start) == 0


def compare(left: str, right: str) -> int:
    """Return -1, 0 or 1: whether a version is older than, the same as, or newer than another (``VersionOrder``).

    Epoch first, then the version itself, then what follows a plus sign. What one has and the other has not is compared with 0.
    """
    for ours, theirs in zip(_parts(left), _parts(right), strict=True):
        for one, other in zip_longest(ours, theirs, fillvalue=(_ZERO,)):
            for mine, yours in zip_longest(one, other, fillvalue=_ZERO):
                if mine != yours:
                    return -1 if mine < yours else 1
    return 0


def _parts(version: str) -> tuple[list[tuple[Atom, ...]], ...]:
    epoch, _, rest = version.lower().rpartition("!")
    main, _, local = rest.partition("+")
    return tuple([_atoms(part) for part in re.split(r"[._-]", text)] for text in (epoch or "0", main, local))


def _atoms(part: str) -> tuple[Atom, ...]:
    """Numbers come after words; ``dev`` before all words, ``post`` after all numbers; a part that begins with letters has a 0 before them."""
    atoms: list[Atom] = []
    for piece in _PARTS.findall(part):
        if piece.isdigit():
            atoms.append((1, int(piece[:18]), ""))
        elif piece == "post":
            atoms.append((2, 0, ""))
        else:
            atoms.append((0, 0 if piece == "dev" else 1, piece))
    return (_ZERO, *atoms) if atoms and atoms[0][0] == 0 else tuple(atoms)
