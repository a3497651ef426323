"""What clashes with what, and by whose metadata: read out of a resolver's explanation, which is a chain of sentences. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from provisioner.base.names import normalise
from provisioner.engines.resolving import PROJECT

# uv (0.9 to 0.13): "tensorflow-cpu==2.5.0 depends on numpy>=1.19.2,<1.20.dev0 and you require numpy==1.20.3, we can conclude ...".
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}(?:\[[A-Za-z0-9._,-]{0,100}\])?"
_SPEC = r"[=<>!~]=?[A-Za-z0-9.*+<>=!~,]{1,100}"
_MARKER = r"(?:\{[^{}]{1,200}\})?"
_NEEDS = re.compile(rf"(?<![\w.-])({_NAME}?){_MARKER}({_SPEC})? depends? on ({_NAME}?){_MARKER}({_SPEC})")
# Of a long chain two or three sentences are read.
MOST = 3


def reasons(said: str, known: Mapping[str, str]) -> tuple[str, ...]:
    """Return who needs what of the packages that two sides disagree about, as ``TensorFlow 2.5.0 needs numpy>=1.19.2,<1.20``.

    ``known`` are packages that have a name of their own for people (the set's TensorFlow).
    """
    found: dict[str, list[str]] = {}
    for name, spec, needed, limits in _NEEDS.findall(" ".join(said.split())):
        if name == PROJECT:
            # What the team itself asks for is in the row that these words go with.
            continue
        who = known.get(normalise(name)) or _named(name, spec)
        limit = re.sub(r"\.dev0(?=,|$)", "", limits.rstrip(",."))
        found.setdefault(normalise(needed.partition("[")[0]), []).append(f"{who} needs {needed}{limit}")
    sides = [list(dict.fromkeys(texts)) for texts in found.values()]
    best = max(sides, key=lambda texts: min(len(texts), 2), default=[])
    return tuple(best[:MOST])


def absent(said: str, name: str) -> tuple[str, ...]:
    """Return which versions of a package there are at all, or that those asked for have no wheel for this Python, where that is the reason."""
    words = " ".join(said.split())
    own = re.escape(name)
    only = re.search(rf"only ({own}{_SPEC}) is available", words) or re.search(rf"there (?:is|are) no versions? of ({own}{_SPEC})", words)
    if only is not None:
        return (f"the index has {'only' if 'only' in only[0] else 'no'} {only[1]}",)
    found = re.search(rf"(?<![\w.-])({own}(?:{_SPEC})?) has no wheels with a matching Python", words)
    return (f"{_named(name, found[1][len(name) :])} has no wheel for this Python",) if found else ()


def _named(name: str, spec: str) -> str:
    exact = re.fullmatch(r"==([A-Za-z0-9.+]+)", spec or "")
    return f"{name} {exact[1]}" if exact else f"{name}{spec.rstrip(',') if spec else ''}"
