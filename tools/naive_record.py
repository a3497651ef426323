"""What a plain ``pip install tensorflow==X`` came to: the record in profiles/naive.json, its order, and errors cut down to one line."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from provisioner.base.versions import minor_of, version_key
from provisioner.errors import InputError
from provisioner.model import codec
from provisioner.model.record import record

SCHEMA = "tfsetup/naive/1"
# What naive_probe.py puts before its answers.
MARK = "tfsetup-naive "
LONGEST_ERROR = 240

Outcome = Literal[
    "works", "trains, does not load what it saved", "imports, does not train", "does not import", "crashes", "cannot be installed"
]
# The order in which the document counts them.
OUTCOMES: tuple[Outcome, ...] = (
    "works",
    "trains, does not load what it saved",
    "imports, does not train",
    "does not import",
    "crashes",
    "cannot be installed",
)
# How far a set came when the probe stopped at a stage.
_STOPPED: dict[str, Outcome] = {
    "import": "does not import",
    "train": "imports, does not train",
    "save": "trains, does not load what it saved",
    "done": "works",
}
_EXCEPTION = re.compile(r"(?:\w+\.)*\w*(?:Error|Exception|Warning|Interrupt|Exit)\b: ?\S.*")
_ADDRESS = re.compile(r"(?:https?|file)://\S+")
_PATH = re.compile(r"(?<![\w.])(?:/[^\s/'\"`:,)]+){2,}/?")
# What uv draws before its lines; the last but one is a multiplication sign.
_TREE = "│├╰─▶\u00d7 "


@record
class Naive:
    """One plain install: ``resolver`` is who chose the versions (``uv 0.13.8``, ``pip 23.0.1``), ``date`` ISO, ``versions`` what it chose."""

    release: str
    python: str
    outcome: Outcome
    resolver: str
    date: str
    error: str
    versions: dict[str, str]


@record
class Naives:
    """The whole of naive.json."""

    results: tuple[Naive, ...]


def key(result: Naive) -> tuple[str, str, str]:
    """Return what a result is about: release, Python and the program that resolved, of whatever version."""
    return result.release, result.python, result.resolver.split(" ", maxsplit=1)[0]


def read(path: Path) -> dict[tuple[str, str, str], Naive]:
    """Return the recorded results by ``key``; none where the file is not there. Raises ``InputError``."""
    if not path.exists():
        return {}
    data = codec.parse_json(path.read_text(encoding="utf-8"), file=path.name)
    results = codec.from_data(Naives, data, file=path.name, schema=SCHEMA).results
    found = {key(result): result for result in results}
    if len(found) != len(results):
        raise InputError("cannot be read", place=path.name, faults=("results: one is there twice",))
    return found


def text(results: Iterable[Naive]) -> str:
    """Return the file's text: one result a line, by release, Python and resolver."""
    ordered = sorted(results, key=lambda item: (version_key(item.release), python_key(item.python), item.resolver))
    lines = ",\n".join("  " + json.dumps(codec.to_data(item), ensure_ascii=False) for item in ordered)
    return f'{{"schema": "{SCHEMA}", "results": [\n{lines}\n]}}\n'


def python_key(python: str) -> tuple[int, ...]:
    """Return a key that sorts ``3.9`` before ``3.10``."""
    return tuple(int(part) for part in python.split("."))


def order(pairs: Mapping[str, Sequence[str]]) -> tuple[tuple[str, str], ...]:
    """Return (release, Python) of ``pairs`` so that a part of the run tells most.

    First the newest patch of every minor on its newest Python, then on its other Pythons, then the older patches.
    """
    newest: dict[str, str] = {}
    for version in sorted(pairs, key=version_key):
        newest[minor_of(version)] = version
    first, second, rest = [], [], []
    for version in sorted(pairs, key=version_key, reverse=True):
        pythons = sorted(pairs[version], key=python_key, reverse=True)
        if newest[minor_of(version)] != version:
            rest += [(version, python) for python in pythons]
            continue
        first += [(version, python) for python in pythons[:1]]
        second += [(version, python) for python in pythons[1:]]
    return (*first, *second, *rest)


def judge(output: str, errors: str, status: int) -> tuple[Outcome, str]:
    """Return outcome and error line of a probe from what it printed and how it ended (a negative status is the signal that ended it)."""
    said = [json.loads(line[len(MARK) :]) for line in output.splitlines() if line.startswith(MARK)]
    if not said:
        return "does not import", last_error(errors)
    last = said[-1]
    if last["error"]:
        return _STOPPED[last["stage"]], last_error(last["error"])
    if last["stage"] == "done":
        return "works", ""
    if status < 0:
        name = signal.Signals(-status).name
        return "crashes", f"{name} in {last['stage']}" + (f": {fatal}" if (fatal := last_error(errors, fatal_only=True)) else "")
    return _STOPPED[last["stage"]], last_error(errors)


def last_error(text: str, *, fatal_only: bool = False) -> str:
    """Return the line of an exception's text or a traceback that says most, without paths and addresses.

    That is the first line of the last exception that is named in it, or else the first line; with ``fatal_only`` a line of a
    failed check of TensorFlow's C++, or nothing.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if fatal_only:
        return short(next((line for line in reversed(lines) if " F " in line or "terminate called" in line), ""))
    named = [match[0] for line in lines if (match := _EXCEPTION.match(line))]
    return short(named[-1] if named else next(iter(lines), ""))


def install_error(text: str) -> str:
    """Return in one line why uv or pip could not install: what failed, and the last error that it quotes."""
    lines = [line.strip(_TREE).strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith(("WARNING", "[notice]", "hint:"))]
    failed = next((line for line in lines if line.startswith(("Failed to", "No solution", "ERROR: "))), "")
    named = [match[0] for line in lines if (match := _EXCEPTION.match(line))]
    if failed.startswith("No solution"):
        return short(" ".join(lines[lines.index(failed) :]))
    if failed and named and named[-1] not in failed:
        return short(f"{failed}: {named[-1]}")
    return short(failed or (named or lines or [""])[-1])


def short(line: str) -> str:
    """Return ``line`` without addresses, with paths cut to their last part, at most LONGEST_ERROR characters."""
    line = _ADDRESS.sub("(address)", line)
    line = _PATH.sub(lambda match: match[0].rstrip("/").rsplit("/", 1)[-1], line)
    line = " ".join(line.split())
    return line if len(line) <= LONGEST_ERROR else line[: LONGEST_ERROR - 1] + "…"
