"""Whether a conda package meets a match spec, as far as that can be said without a solver: name, version, build. Pure.

Rules: conda's models/version.py (``VersionOrder``, ``VersionSpec``) and models/match_spec.py; CEP 29 ("Simplified MatchSpec"). What goes beyond
them (channels, other keys in brackets, conditions), and what conda and rattler read differently, is not judged, so that nothing is called wrong
that a solver may have meant: the answer is then None. The tests hold the rest against rattler.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import zip_longest

from provisioner.conda.pattern import matches
from provisioner.model.record import record

# ``VersionOrder.version_split_re``: runs of digits, of letters, and signs.
_PARTS = re.compile(r"[0-9]+|[^0-9]+")
_OPERATORS = r"==|!=|<=|>=|~=|<|>|="
_VERSION = re.compile(r"([0-9]+!)?[0-9A-Za-z]+([_.-][0-9A-Za-z]+)*(\+[0-9A-Za-z]+([_.-][0-9A-Za-z]+)*)?")
_CONSTRAINT = re.compile(rf"(?P<operator>{_OPERATORS})?(?P<version>[^\s*]*?)(?P<star>\.?\*)?")
_PIECES = re.compile(r"[(),|]|[^(),|]+")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_ITEM = re.compile(r"\s*([a-z0-9_]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s,'\"]+))\s*(?:,|$)")
# ``1.2=build`` and ``=1.2=build`` are older ways of writing ``1.2 build``.
_JOINED = re.compile(r"(={0,2}[^=<>!~,|()]+)=([^=<>!~,|()]+)")

Answer = bool | None
# A number without zeros in front is compared by its length first: as long as a file cares to write it.
Atom = tuple[int, int, str]
_ZERO: Atom = (1, 0, "")


@record
class Parts:
    """What a spec asks for: ``version`` and ``build`` as written, ``more`` where it asks for other things, too."""

    version: str
    build: str
    more: bool


def spec_name(spec: str) -> str:
    """Return the name of the package that a spec is about, "" where it has none."""
    found = re.match(r"(?:[^\s:]+::)?([A-Za-z0-9_.-]+)", spec.strip())
    return found[1].lower() if found else ""


def virtual_name(spec: str) -> str:
    """Return the virtual package (``__glibc``) that a spec is about, or "" where it is about a real one."""
    name = spec_name(spec)
    return name if name.startswith("__") else ""


def least(spec: str) -> str:
    """Return the lowest version that a spec admits (``__glibc >=2.17,<3.0.a0`` -> ``2.17``), or "" where it names none."""
    match = re.search(r"[>~]=\s*([0-9]+(?:\.[0-9]+)*)", spec)
    return match[1] if match else ""


def virtual_meets(spec: str, virtual: Iterable[str]) -> bool:
    """True where a machine's virtual packages (``__cuda=12.4=0``) meet a spec; one that cannot be judged counts as met if the package is there."""
    own = next((item.split("=") for item in virtual if item.split("=")[0] == virtual_name(spec)), None)
    return own is not None and meets(spec, own[1], own[2]) is not False


def meets(spec: str, version: str, build: str) -> Answer:
    """Say whether a package of that version and build meets a spec of its name; None where the spec goes beyond what is judged here."""
    parts = split(spec)
    if parts is None:
        return None
    return _and(_and(version_meets(parts.version, version), matches(parts.build, build)), None if parts.more else True)


def split(spec: str) -> Parts | None:
    """Return the parts of ``channel::name version build[key=value, …]``, or None where it has others; what brackets say counts more."""
    head, bracket, inner = spec.strip().partition("[")
    brackets = _brackets(inner) if bracket else {}
    text = head.partition("::")[2] or head
    name = _NAME.match(text)
    if brackets is None or name is None or name[0].endswith((".conda", ".tar.bz2")) or re.search(r"\s(if|;)\s", text):
        return None
    rest = " ".join(text[name.end() :].split())
    if text[name.end() : name.end() + 1] not in {"", " ", "\t", "=", "<", ">", "!", "~"}:
        return None
    # Blanks around commas, bars and behind operators do not end a version.
    words = re.sub(rf" ?([,|]) ?|({_OPERATORS}) ", r"\1\2", rest).split(" ")
    if len(words) == 1 and (joined := _JOINED.fullmatch(words[0])):
        words = [joined[1], joined[2]]
    own, build, *others = (*words, "*") if len(words) == 1 else words
    if others:
        return None
    # ``=1.2`` is ``1.2.*`` only where no build follows (``_parse_spec_str``).
    if len(words) > 1 and re.fullmatch(r"=[^=,|]+", own):
        own = own[1:]
    more = bool(brackets.keys() - {"version", "build"})
    return Parts(version=brackets.get("version", own or "*"), build=brackets.get("build", build), more=more)


def _brackets(text: str) -> dict[str, str] | None:
    """Return the keys of what follows the bracket, ``version='>=1', build="a*"]``; None where that is not how it reads."""
    if not text.endswith("]"):
        return None
    found: dict[str, str] = {}
    at, end = 0, len(text) - 1
    while at < end:
        item = _ITEM.match(text, at, end)
        if item is None:
            return None
        found[item[1]] = item[2] or item[3] or item[4] or ""
        at = item.end()
    return found


def version_meets(text: str, version: str) -> Answer:
    """Say whether a version meets ``>=1.2,<2|(3.*,!=3.1)``: commas bind closer than bars, parentheses closer than both."""
    some: Answer = False
    every: Answer = True
    outer: list[tuple[Answer, Answer]] = []
    wanted = True
    for piece in _PIECES.findall(" ".join(text.split())):
        if wanted == (piece in {")", ",", "|"}):
            return None
        if piece == "(":
            outer.append((some, every))
            some, every = False, True
        elif piece == ")":
            if not outer:
                return None
            inside = _or(some, every)
            some, every = outer.pop()
            every = _and(every, inside)
        elif piece == "|":
            some, every, wanted = _or(some, every), True, True
        elif piece == ",":
            wanted = True
        else:
            every, wanted = _and(every, _one(piece.strip(), version)), False
    return None if wanted or outer else _or(some, every)


def _and(one: Answer, other: Answer) -> Answer:
    return False if one is False or other is False else None if one is None or other is None else True


def _or(one: Answer, other: Answer) -> Answer:
    return True if one is True or other is True else None if one is None or other is None else False


def _one(text: str, version: str) -> Answer:
    """Judge one constraint, as ``>=1.2`` or ``1.2.*``."""
    found = _CONSTRAINT.fullmatch(text)
    if found is None:
        return None
    operator, wanted, star = found["operator"] or "", found["version"], bool(found["star"])
    if star and not wanted:
        return True if operator in {"", "=", "==", ">="} else None
    if _VERSION.fullmatch(wanted) is None or _VERSION.fullmatch(version) is None:
        return None
    if operator == "~=":
        return _compatible(wanted, version)
    # ``1.2.*``, ``1.2*`` and ``=1.2`` mean every version that begins so; of ``==1.2.*`` and ``>1.2.*`` conda and rattler think differently.
    if star and operator in {"==", ">"}:
        return None
    if operator == "=" or (star and operator in {"", "!="}):
        return _begins(wanted, version) != (operator == "!=")
    return _COMPARE[operator](compare(version, wanted))


_COMPARE: dict[str, Callable[[int], bool]] = {
    "": lambda order: order == 0,
    "==": lambda order: order == 0,
    "!=": lambda order: order != 0,
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


def _compatible(wanted: str, version: str) -> Answer:
    """``~=2.17.1`` is ``>=2.17.1,2.17.*``; what it means with one part (``~=2``) or a local version nobody says."""
    if compare(version, wanted) < 0:
        return False
    start = re.match(r"(.+)[._-][0-9A-Za-z]+$", wanted)
    return _begins(start[1], version) if start and "+" not in wanted else None


def _begins(start: str, version: str) -> bool:
    """Whether a version begins with another (``VersionOrder.startswith``), part for part; what it lacks at its end is 0."""
    (epoch, main, local), (own_epoch, own_main, own_local) = _parts(start), _parts(version)
    if _order(epoch, own_epoch) or ("+" in start and _order(main, own_main)):
        return False
    want, have = (local, own_local) if "+" in start else (main, own_main)
    last = len(want) - 1
    atoms = have[last] if last < len(have) else (_ZERO,)
    return not _order(want[:last], have[:last]) and not _order([want[last]], [atoms[: len(want[last])]])


def compare(left: str, right: str) -> int:
    """Return -1, 0 or 1: whether a version is older than, the same as, or newer than another (``VersionOrder``).

    Epoch first, then the version itself, then what follows a plus sign. What one has and the other has not is compared with 0.
    """
    return next((order for order in map(_order, _parts(left), _parts(right)) if order), 0)


def _order(ours: list[tuple[Atom, ...]], theirs: list[tuple[Atom, ...]]) -> int:
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
            digits = piece.lstrip("0")
            atoms.append((1, len(digits), digits))
        elif piece == "post":
            atoms.append((2, 0, ""))
        else:
            atoms.append((0, 0 if piece == "dev" else 1, piece))
    return tuple(atoms) if part[:1].isdigit() or not part else (_ZERO, *atoms)
