"""A check that shares no code with the tool: every hash of every RECORD, every requirement of every distribution, every name that must be there."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from email.parser import HeaderParser
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# By design (docs/verify.md): byte code, the record itself, additions to a list of certificates, and what packages drop beside themselves.
LEFT_OUT = re.compile(r"\.pyc$|\.dist-info/RECORD(\.jws)?$")
BESIDE = re.compile(
    r"(tests?|testing|docs?|examples?|samples?|benchmarks?)/|[^/]+\.(md|rst|txt)$|(LICEN[CS]E|NOTICE|AUTHORS|CHANGE(S|LOG))[^/]*$",
    re.IGNORECASE,
)
BUILDS = ("tensorflow", "tensorflow-cpu")


def check(env: Path, python: str, *, expected: Iterable[str] = (), published: Iterable[tuple[str, str, str]] = ()) -> list[str]:
    """Return all that is wrong, in words; ``python`` is the full version, ``expected`` names what must be installed."""
    (site,) = env.glob("lib/python3*/site-packages")
    known, wrong = set(published), []
    claims: dict[Path, list[tuple[str, str, str, int]]] = {}
    there: dict[str, tuple[str, list[str]]] = {}
    folders = sorted(site.glob("*.dist-info"))
    for folder in folders:
        try:
            message = HeaderParser().parsestr((folder / "METADATA").read_text(encoding="utf-8", errors="replace"))
            rows = list(csv.reader(io.StringIO((folder / "RECORD").read_text(encoding="utf-8"))))
        except OSError as error:
            wrong.append(f"{folder.name}: {error}")
            continue
        if not message["Name"] or not message["Version"]:
            wrong.append(f"{folder.name}: no metadata")
            continue
        name = canonicalize_name(message["Name"])
        there[name] = (message["Version"], message.get_all("Requires-Dist") or [])
        for path, digest, size in (row for row in rows if len(row) == 3):
            if digest.startswith("sha256=") and not LEFT_OUT.search(path):
                claims.setdefault((site / path), []).append((name, path, digest.removeprefix("sha256="), int(size or 0)))
    names = Counter(canonicalize_name(folder.name.partition("-")[0]) for folder in folders)
    wrong += [f"{name} is there {count} times" for name, count in names.items() if count > 1]
    for path, owners in claims.items():
        found = _digest(path)
        for name, inner, digest, size in owners:
            shared = len({owner for owner, *_ in owners}) > 1 and BESIDE.match(inner)
            added = inner.endswith("/cacert.pem") and found and _read(path, size) == digest
            labelled = inner.endswith("/METADATA") and _with_label(path) == digest
            if found != digest and not shared and not added and not labelled and (inner, digest, found) not in known:
                wrong.append(f"{path}: not as {name} has recorded it")
    wrong += _unmet(there, {**default_environment(), **_markers(python)})
    wrong += [f"{name} is not installed" for name in expected if name not in there]
    return wrong


def _with_label(path: Path) -> str:
    """The hash of PyTorch's metadata as it was before PyPI got it: with the label of its build."""
    text = path.read_bytes() if path.exists() else b""
    before, _, after = text.partition(b"\nVersion: ")
    version, end, rest = after.partition(b"\n")
    labelled = before + b"\nVersion: " + version + b"+cu102" + end + rest
    return base64.urlsafe_b64encode(hashlib.sha256(labelled).digest()).rstrip(b"=").decode()


HASHED: dict[tuple[str, int, int, int], str] = {}


def _digest(path: Path) -> str:
    """The file's hash; one that has not changed since is not read again."""
    try:
        status = path.stat()
        key = (str(path), status.st_ino, status.st_size, status.st_ctime_ns)
        return HASHED[key] if key in HASHED else HASHED.setdefault(key, _read(path))
    except OSError:
        return ""


def _read(path: Path, size: int = -1) -> str:
    """The hash of a file, or of what it begins with."""
    with path.open("rb") as file:
        return base64.urlsafe_b64encode(hashlib.sha256(file.read(size)).digest()).rstrip(b"=").decode()


def _markers(python: str) -> dict[str, str]:
    return {
        "python_version": ".".join(python.split(".")[:2]), "python_full_version": python, "implementation_version": python,
        "implementation_name": "cpython", "platform_python_implementation": "CPython", "extra": "",
    }  # fmt: skip


def _unmet(there: Mapping[str, tuple[str, list[str]]], environment: Mapping[str, str]) -> list[str]:
    wrong = []
    for name, (version, requires) in there.items():
        for text in requires:
            requirement = Requirement(text)
            if requirement.marker is not None and not requirement.marker.evaluate(dict(environment)):
                continue
            wanted = canonicalize_name(requirement.name)
            # The builds of TensorFlow stand for one another.
            found = [there[item][0] for item in (BUILDS if wanted in BUILDS else (wanted,)) if item in there]
            if not any(requirement.specifier.contains(item, prereleases=True) for item in found):
                wrong.append(f"{name} {version} requires {text}")
    return wrong
