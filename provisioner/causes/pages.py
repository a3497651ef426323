"""The words of the causes and their order, read from ``profiles/causes/``: one file a cause, so that explaining one reads one."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, get_args

from provisioner.catalogue.yaml_text import parse_yaml
from provisioner.errors import InputError
from provisioner.host import Reader
from provisioner.model.cause import Cause, Measure, Order, Question, Trait
from provisioner.model.codec import from_data
from provisioner.model.record import record

CAUSE_SCHEMA = "tfsetup/cause/1"
ORDER_SCHEMA = "tfsetup/causes-order/1"
ORDER = "order.yaml"

_CODE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
# A name in braces that is no shell variable; only these two are filled in.
_PLACEHOLDER = re.compile(r"(?<!\$)\{([a-z_]+)\}")
_NEEDED = ("title", "summary", "looks_like", "why", "prove", "by_hand", "with_tool", "remedy", "undo", "not_this", "references")
_PLACEHOLDERS = frozenset({"env", "python"})


@record
class Place:
    """The environment that a text is about: paths as they are written into command lines."""

    env: str = "tf-env"
    python: str = "tf-env/bin/python"
    python_windows: str = r"tf-env\Scripts\python.exe"

    def fill(self, command: str, *, on: str = "") -> str:
        """Return a command line for this environment; what needs quotes in a shell gets them."""
        python = self.python_windows if on == "Windows" else shlex.quote(self.python)
        return command.replace("{env}", shlex.quote(self.env)).replace("{python}", python)


class Causes(Mapping[str, Cause]):
    """The causes by code; a file is read when its cause is asked for, once."""

    def __init__(self, host: Reader, folder: str) -> None:
        """``folder`` is the absolute path of ``profiles/causes``."""
        self._host, self._folder = host, folder
        self._read: dict[str, Cause] = {}

    def __getitem__(self, code: str) -> Cause:
        """Return the cause; raises ``KeyError`` for a code without a file, ``InputError`` where the file is at fault."""
        if code not in self._read:
            if _CODE.fullmatch(code) is None or not self._host.exists(f"{self._folder}/{code}.yaml"):
                raise KeyError(code)
            self._read[code] = load_cause(self._host, self._folder, code)
        return self._read[code]

    def __iter__(self) -> Iterator[str]:
        return iter(codes(self._host, self._folder))

    def __len__(self) -> int:
        return len(codes(self._host, self._folder))


def codes(host: Reader, folder: str) -> tuple[str, ...]:
    """Return the codes that have a file, sorted; no file is read."""
    names = (posixpath.basename(entry.path) for entry in host.list(folder))
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml") and name != ORDER))


def load_cause(host: Reader, folder: str, code: str) -> Cause:
    """Return one cause, reading only its file.

    Raises ``InputError``: for a code that there is not, with those that are spelt alike; for a file that cannot be read, with all its faults.
    """
    path = f"{folder}/{code}.yaml"
    if _CODE.fullmatch(code) is None or f"{code}.yaml" == ORDER or not host.exists(path):
        raise InputError(f"`{code}` is not the code of a cause", hint=_near(code, codes(host, folder)))
    return read_cause(parse_yaml(_text(host, path), file=path), code=code, file=path)


def load_causes(host: Reader, folder: str) -> dict[str, Cause]:
    """Return all causes; raises ``InputError`` that lists the faults of all files, each with its file."""
    found: dict[str, Cause] = {}
    faults: list[str] = []
    known = codes(host, folder)
    for code in known:
        try:
            found[code] = load_cause(host, folder, code)
        except InputError as error:
            faults += [f"{code}.yaml: {fault}" for fault in error.faults or (error.message,)]
            continue
        faults += [f"{code}.yaml: not_this.{other}: there is no such cause" for other in found[code].not_this if other not in known]
    if faults:
        raise InputError("cannot be read", place=folder, faults=tuple(faults))
    return found


def load_order(host: Reader, folder: str, causes: Mapping[str, Cause] | None = None) -> Order:
    """Return ``order.yaml``, with ``causes`` also what those say for the tool: their traits and results of CUDA.

    Raises ``InputError`` where it is at fault or speaks of other codes than there are files, or where two causes name the same result.
    """
    path = f"{folder}/{ORDER}"
    order = read_order(parse_yaml(_text(host, path), file=path), known=codes(host, folder), file=path)
    if causes is None:
        return order
    results: dict[str, str] = {}
    faults = []
    for code, cause in causes.items():
        for number in cause.cuda_results:
            if number in results:
                faults.append(f"{code}.yaml: cuda_results: {number} is in {results[number]}.yaml, too")
            results[number] = code
    _refuse(faults, folder)
    traits = {trait: tuple(code for code, cause in causes.items() if trait in cause.traits) for trait in get_args(Trait)}
    return replace(order, traits=traits, cuda_results=results)


def read_cause(data: Any, *, code: str, file: str) -> Cause:
    """Return a cause from the parsed YAML, whose fields are those of ``Cause``; raises ``InputError`` that lists every fault.

    A field or a trait that there is not is a fault.
    """
    cause = from_data(Cause, data, file=file, schema=CAUSE_SCHEMA)
    faults = [] if cause.code == code else [f"code: expected {code}, as the file is called, found {cause.code}"]
    faults += [f"{name}: expected something, found nothing" for name in _NEEDED if not getattr(cause, name)]
    faults += [f"looks_like[{number}]: expected lines and who says them" for number, item in enumerate(cause.looks_like) if _is_empty(item)]
    faults += [f"prove[{number}]: expected commands and what they tell" for number, item in enumerate(cause.prove) if _is_empty(item)]
    faults += [
        f"cuda_results: expected a whole number, found {item}" for item in cause.cuda_results if not re.fullmatch("[1-9][0-9]*", item)
    ]
    if cause.title.endswith(".") or cause.remedy.endswith("."):
        faults.append("title, remedy: expected no full stop at the end")
    if cause.code in cause.not_this:
        faults.append(f"not_this.{cause.code}: is the cause itself")
    faults += _command_faults(cause)
    _refuse(faults, file)
    return cause


def read_order(data: Any, *, known: Iterable[str], file: str) -> Order:
    """Return the order from the parsed YAML.

    Raises ``InputError`` that lists every fault: a code of ``known`` that is not in the ranking or in a group, one that is there twice or
    unknown, and a symptom that stands before the cause that it can follow from.
    """
    order = from_data(Order, data, file=file, schema=ORDER_SCHEMA)
    faults = _once("ranking", order.ranking, known) + _once("groups", [code for group in order.groups for code in group.codes], known)
    faults += [f"{name}: stands in the causes' own files" for name in ("traits", "cuda_results") if getattr(order, name)]
    listed = set(order.ranking)
    for symptom, roots in order.follows.items():
        if symptom not in listed:
            faults.append(f"follows.{symptom}: there is no such cause")
        for root, reason in roots.items():
            if root not in listed:
                faults.append(f"follows.{symptom}.{root}: there is no such cause")
            elif symptom in listed and order.rank(root) >= order.rank(symptom):
                faults.append(f"follows.{symptom}.{root}: expected {root} before {symptom} in the ranking")
            if not reason:
                faults.append(f"follows.{symptom}.{root}: expected a reason, found nothing")
    _refuse(faults, file)
    return order


def _is_empty(item: Any) -> bool:
    return not (item.run and item.means) if isinstance(item, Question) else not (item.text and item.says)


def _command_faults(cause: Cause) -> list[str]:
    lines = [(f"steps[{number}]", line) for number, line in enumerate(cause.steps)]
    measures: dict[str, tuple[Question | Measure, ...]] = {name: getattr(cause, name) for name in ("prove", "by_hand", "with_tool", "undo")}
    for name, items in measures.items():
        for number, item in enumerate(items):
            lines += [(f"{name}[{number}].run", line) for line in item.run]
            if isinstance(item, Measure) and not item.do:
                lines.append((f"{name}[{number}].do", ""))
    faults = [f"{place}: expected something, found nothing" for place, line in lines if not line]
    for place, line in lines:
        unknown = sorted(set(_PLACEHOLDER.findall(line)) - _PLACEHOLDERS)
        faults += [f"{place}: {{{name}}} is not known; known are {{env}} and {{python}}" for name in unknown]
    return faults


def _once(place: str, listed: Iterable[str], known: Iterable[str]) -> list[str]:
    count = Counter(listed)
    faults = [f"{place}: {code} is there {times} times" for code, times in count.items() if times > 1]
    faults += [f"{place}: {code} is missing" for code in known if code not in count]
    return faults + [f"{place}: there is no file for {code}" for code in count if code not in set(known)]


def _near(code: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only for a misspelt code

    near = get_close_matches(code, list(known), n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else "docs/causes/README.md lists all codes"


def _text(host: Reader, path: str) -> str:
    try:
        return host.read_text(path)
    except OSError as error:
        raise InputError(f"cannot be read: {error}", place=path) from None


def _refuse(faults: list[str], file: str) -> None:
    if faults:
        raise InputError("cannot be read", place=file, faults=tuple(faults))
