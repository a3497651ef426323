"""Conda's environment file: what it says, and which half of it is a wheel's, which the channel's, and which TensorFlow's release brings. Pure.

Sources: conda's documentation, "Creating an environment file manually" and "Exporting an environment file across platforms" (an export names each
package with its build, whoever asked for it).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from provisioner.base.names import is_rival, normalise
from provisioner.base.text import mask
from provisioner.base.versions import readable
from provisioner.catalogue.conda_names import CondaNames
from provisioner.catalogue.yaml_text import parse_yaml
from provisioner.choose.obstacles import listed
from provisioner.conda.compare import TOOLS
from provisioner.conda.specs import spec_name, split
from provisioner.declared.keys import channel_fault, conda_fault
from provisioner.engines.rattler import bare
from provisioner.model.record import record
from provisioner.model.request import Kind

# Anaconda's own channels, by the names that conda has for them, and what says that they are not asked.
_ANACONDA = frozenset({"defaults", "anaconda", "main", "free", "r", "msys2", "pkgs/main", "pkgs/free", "pkgs/r", "pkgs/msys2"})
_NONE = "nodefaults"
_CLAUSE = re.compile(r"(==|!=|<=|>=|~=|<|>|=)?\s*([0-9][0-9A-Za-z.]*?)(\.?\*)?")
# `nunpy` for `numpy`.
SLIP = 0.8
_GPU_BUILD = re.compile(r"gpu|cuda")
# What an export has, and nobody asks for by name.
_EXPORTED = {"ca-certificates", "openssl"}


@record
class Entry:
    """A conda package that the file names: ``version`` and ``build`` in conda's words, "*" for any; ``text`` as it is written."""

    name: str
    text: str
    version: str = "*"
    build: str = "*"

    @property
    def spec(self) -> str:
        """The match spec without a build, which belongs to one platform."""
        space = "" if self.version[:1] in "=<>!~*" else "=" if self.build != "*" else " "
        return self.name if self.version == "*" else f"{self.name}{space}{self.version}"


@record
class EnvironmentFile:
    """What an environment file says: Python (a specifier), TensorFlow (requirements), ``entries`` for all else of conda's, and what pip installs.

    ``channels`` are in their order, with those that stand before a package. ``gpu`` is true where its TensorFlow is one for GPUs, ``exported`` where
    it names whatever was installed. ``files`` are requirements files, ``options`` the other lines for pip.
    """

    name: str
    python: str = ""
    tensorflow: tuple[str, ...] = ()
    gpu: bool = False
    exported: bool = False
    entries: tuple[Entry, ...] = ()
    channels: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@record
class Divided:
    """What becomes of it for one kind of environment: requirements for wheels, match specs for the channel, and what is neither (``lacking``).

    ``cuda`` is what TensorFlow's release decides about; ``left`` what an export names beside what somebody asked for; ``proven`` what the
    known-good set has in versions of its own; ``unsaid`` are versions that no requirement can say.
    """

    requirements: tuple[str, ...] = ()
    conda: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    cuda: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    proven: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()


def read_environment_file(text: str, name: str) -> EnvironmentFile:
    """Read one; raises ``InputError`` for what is no YAML. What is no package is told under ``left_out``."""
    data = parse_yaml(text, file=name)
    data = data if isinstance(data, dict) else {}
    listed_here = data.get("dependencies")
    written = listed_here if isinstance(listed_here, list) else []
    left_out: list[str] = []
    entries = [entry for item in written if isinstance(item, str) and (entry := _entry(item, name, left_out))]
    lines = [line.strip() for item in written if isinstance(item, dict) for line in _texts(item.get("pip"))]
    others = [key for item in written if isinstance(item, dict) for key in item if key != "pip"]
    left_out += [f"{name}: `{mask(str(key))}` under `dependencies` is not taken over" for key in others]
    left_out += [f"{name}: `variables` are not taken over: set them where the environment is used"] if data.get("variables") else []
    files = [found[1] for line in lines if (found := re.fullmatch(r"(?:-r|--requirement)[\s=]*(\S+)", line))]
    own = [entry for entry in entries if entry.name != "python" and not is_rival(normalise(entry.name))]
    rivals = [entry for entry in entries if is_rival(normalise(entry.name))]
    prefixes = [item.partition("::")[0].split("/linux-")[0] for item in written if isinstance(item, str) and "::" in item]
    return EnvironmentFile(
        name=name,
        python=next((_minor(entry.version) for entry in entries if entry.name == "python"), ""),
        tensorflow=tuple(f"{normalise(entry.name)}{pep_440(entry) or ''}" for entry in rivals),
        gpu=any("gpu" in entry.name or _GPU_BUILD.search(entry.build) for entry in rivals),
        exported=any(entry.build != "*" or entry.name.startswith("_") for entry in entries)
        or {entry.name for entry in entries} >= _EXPORTED,
        entries=tuple(own),
        channels=tuple(dict.fromkeys([*_texts(data.get("channels")), *prefixes])),
        pip=tuple(line for line in lines if not line.startswith("-") or re.match(r"(-e|--editable)\b", line)),
        files=tuple(dict.fromkeys(posixpath.normpath(file) for file in files)),
        options=tuple(line for line in lines if line.startswith("-") and not re.match(r"-e\b|--editable\b|-r|--requirement\b", line)),
        left_out=tuple(left_out),
    )


def _texts(value: Any) -> list[str]:
    value = [value] if isinstance(value, str) else value
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _entry(text: str, name: str, left_out: list[str]) -> Entry | None:
    package = spec_name(text)
    parts = split(text) if package else None
    if parts is None:
        left_out.append(f"{name}: `{mask(text)}` is not taken over: it is no package with a version")
        return None
    return Entry(name=package, text=" ".join(text.rpartition("::")[2].split()), version=parts.version, build=parts.build)


def _minor(version: str) -> str:
    """Return a Python as a specifier; ``3.10`` and ``=3.10`` mean its newest patch release alike."""
    found = re.fullmatch(r"={0,2}(3\.\d+)(\.\d+|\.?\*)*", version)
    return f"=={found[1]}.*" if found else _clauses(version, exact=False) or ""


def pep_440(entry: Entry) -> str | None:
    """Return an entry's version as the specifier of a requirement, None where it has no such form (``>=1|<0.5``)."""
    return "" if entry.version == "*" else _clauses(entry.version, exact=entry.build != "*")


def _clauses(version: str, *, exact: bool) -> str | None:
    found = []
    for clause in version.split(","):
        parts = _CLAUSE.fullmatch(clause.strip())
        if parts is None:
            return None
        operator, number, star = parts[1] or "==", parts[2], bool(parts[3])
        # ``=1.22`` is what begins so, but for an export, which means that very version.
        begins = (operator == "=" and not exact) or (star and operator in {"==", "=", "!="})
        found.append(f"{'==' if operator == '=' else operator}{number}{'.*' if begins else ''}")
    text = ",".join(found)
    return text if readable(text) else None


def divided(found: EnvironmentFile, names: CondaNames, kind: Kind, proven: Collection[str] = ()) -> Divided:
    """Say what becomes of each conda package; ``proven`` are the packages of the known-good set, which an export pins whoever asked for them.

    What PyPI has, comes from there, in a conda environment, too: the wheels of a set were run with wheels.
    """
    taken: dict[str, list[str]] = {key: [] for key in Divided.__dataclass_fields__}
    for entry in found.entries:
        key, text = _place(entry, names, kind, exported=found.exported, proven=proven)
        if key:
            taken[key].append(text)
        if key == "requirements" and pep_440(entry) is None:
            taken["unsaid"].append(entry.text)
    return Divided(**{key: tuple(dict.fromkeys(texts)) for key, texts in taken.items()})


def _place(entry: Entry, names: CondaNames, kind: Kind, *, exported: bool, proven: Collection[str]) -> tuple[str, str]:
    """Return which of the lists of ``Divided`` an entry goes to, and as what; "" for none."""
    distribution = names.distribution(entry.name)
    if names.is_cuda(entry.name):
        return "cuda", entry.text
    if names.is_part(entry.name) or normalise(entry.name) in TOOLS:
        return "", ""
    if exported and not distribution and names.is_library(entry.name):
        return "left", entry.name
    if exported and distribution in proven:
        return "proven", distribution
    if distribution:
        return "requirements", f"{distribution}{pep_440(entry) or ''}"
    return ("conda", entry.spec) if kind == "conda" and not conda_fault(entry.spec) else ("lacking", entry.text)


def channels(written: Iterable[str], known: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the channels that a declaration names, none where they are the ``known`` ones anyway, and what is not taken over.

    Where Anaconda's own are left out, the known ones stand last: what is known of CUDA's packages is from these.
    """
    found: list[str] = []
    gone: list[str] = []
    for channel in written:
        name = next((name for name in known if channel.rstrip("/").endswith(f"/{name}")), channel)
        if name in _ANACONDA or re.search(r"/pkgs/(main|free|r|msys2)/?$", name):
            gone.append(bare(name))
        elif name != _NONE and (channel_fault(name) or bare(name) != name or mask(name) != name):
            gone.append(bare(mask(name)))
        elif name != _NONE:
            found.append(name)
    own = tuple(dict.fromkeys([*found, *(name for name in known if name not in found)])) if found else ()
    return (() if own == tuple(known) else own), tuple(dict.fromkeys(gone))


def told(found: EnvironmentFile, parts: Divided, names: CondaNames, kind: Kind, gone: Sequence[str], known: Sequence[str]) -> Iterator[str]:
    """Say what became of the file, a sentence for each thing that somebody may miss."""
    if parts.cuda:
        yield f"{found.name}: {listed(list(parts.cuda))}: TensorFlow's release decides which CUDA it is"
    if parts.requirements and kind == "conda":
        yield f"{found.name}: as wheels of PyPI, which the known-good set was run with: {listed([spec_name(text) for text in parts.requirements])}"
    if parts.lacking and kind == "conda":
        yield f"{found.name}: {listed(list(parts.lacking))}: no channel can be asked for that; write a name with versions under `conda`"
    elif parts.lacking:
        yield f"{found.name}: nothing that is known to be on PyPI: {listed(list(parts.lacking))}; if it is, name it under `requirements`"
    for name in map(spec_name, (*parts.conda, *parts.lacking)):
        for close in get_close_matches(name, names.same, n=1, cutoff=SLIP):
            yield f"{found.name}: {name}: did you mean {close}?"
    if parts.proven:
        yield f"{found.name}: the known-good set has its own versions of {listed(list(parts.proven))}"
    if parts.left:
        yield f"{found.name} is an export: {len(parts.left)} libraries that it names for others are left to them ({', '.join(parts.left)})"
    if parts.unsaid:
        yield f"{found.name}: {listed(list(parts.unsaid))}: taken in any version, for no requirement can say that"
    if gone and kind == "conda":
        yield f"{found.name}: the channel {listed(list(gone))} is not asked, but {listed(list(known))}; `channels:` says otherwise"
