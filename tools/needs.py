"""Writes profiles/needs.json: what the packages of the Linux x86-64 sets require, from the METADATA of their wheels on PyPI.

    .venv/bin/python tools/needs.py            # asks for what is not in it yet
    .venv/bin/python tools/needs.py --check    # says what is missing, and asks nobody

pip is the client (``pip install --dry-run --report``); it takes the METADATA alone where the index offers it, and nothing is installed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from packaging.requirements import Requirement

from provisioner.base.names import normalise
from provisioner.catalogue import Catalogue, find_profiles
from provisioner.catalogue.needs import NAME, SCHEMA, Needs, read_needs
from provisioner.host.local import LocalHost

PLATFORM = "linux-x86_64"
# The newest glibc of manylinux tags that PyPI has wheels for.
GLIBC = range(39, 4, -1)
LEGACY = ("manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64")

Pair = tuple[str, str]


def members(catalogue: Catalogue) -> dict[Pair, str]:
    """Return every package of every set, and every spare one (``profiles/spare.json``), with a Python that it is for.

    That is "" for a source distribution, which says nothing before it is run.
    """
    found: dict[Pair, str] = {}
    pythons: set[str] = set()
    for version in catalogue.versions():
        for python, device in catalogue.locks(version, PLATFORM):
            lock = catalogue.lock(version, python, PLATFORM, device)
            for file in lock.files if lock is not None else ():
                found.setdefault((file.name, file.version), "" if file.source else python)
            pythons.add(python)
    for python in sorted(pythons):
        for files in catalogue.pool(python, PLATFORM).values():
            for file in files:
                found.setdefault((file.name, file.version), python)
    return found


def sources(catalogue: Catalogue) -> dict[Pair, tuple[str, ...]]:
    """Return what source distributions require, as the releases say it."""
    found: dict[Pair, tuple[str, ...]] = {}
    for release in catalogue.releases(prereleases=True):
        for build in release.builds:
            for item in build.constraints:
                if item.source:
                    name, _, version = item.requirement.partition("==")
                    found[normalise(name), version] = item.requires
    return found


def rounds(pairs: dict[Pair, str]) -> list[tuple[str, list[Pair]]]:
    """Return groups for one Python each, in which no name is there twice."""
    waiting: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for (name, version), python in sorted(pairs.items()):
        waiting[python][name].append(version)
    found = []
    for python, names in waiting.items():
        while any(names.values()):
            found.append((python, [(name, versions.pop()) for name, versions in names.items() if versions]))
    return found


def ask(python: str, pairs: list[Pair]) -> dict[Pair, tuple[str, ...]]:
    """Ask the index what these require."""
    platforms = [f"manylinux_2_{minor}_x86_64" for minor in GLIBC]
    with tempfile.TemporaryDirectory() as folder:
        argv = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-deps", "--only-binary", ":all:", "--quiet"]
        argv += ["--python-version", python, "--target", folder, "--report", "-"]
        argv += [part for name in (*platforms, *LEGACY) for part in ("--platform", name)]
        done = subprocess.run([*argv, *(f"{name}=={version}" for name, version in pairs)], capture_output=True, text=True, check=True)
    found = {}
    for item in json.loads(done.stdout)["install"]:
        metadata = item["metadata"]
        texts = tuple(text for text in metadata.get("requires_dist", ()) if "extra" not in str(Requirement(text).marker or ""))
        found[normalise(metadata["name"]), metadata["version"]] = texts
    return found


def text_of(known: dict[Pair, tuple[str, ...]]) -> str:
    """Return the text of the file: of each package the versions that require the same together."""
    packages: dict[str, dict[tuple[str, ...], list[str]]] = defaultdict(lambda: defaultdict(list))
    for (name, version), requires in sorted(known.items()):
        packages[name][requires].append(version)
    lines = [
        f"{json.dumps(name)}: ["
        + ",\n  ".join(json.dumps({"versions": versions, "requires": list(requires)}) for requires, versions in groups.items())
        + "]"
        for name, groups in sorted(packages.items())
    ]
    about = json.dumps(["METADATA of the wheels of the Linux x86-64 sets, on PyPI"])
    return f'{{"schema": "{SCHEMA}", "sources": {about}, "packages": {{\n' + ",\n".join(lines) + "\n}}\n"


def main() -> int:
    """Ask for what is missing, or say it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    catalogue = Catalogue.open(LocalHost(), find_profiles())
    path = Path(find_profiles()) / NAME
    before = read_needs(path.read_text(), file=str(path)) if path.exists() else Needs()
    wanted = members(catalogue)
    known = {pair: requires for pair, requires in before.known.items() if pair in wanted}
    known |= {pair: requires for pair, requires in sources(catalogue).items() if pair in wanted}
    missing = {pair: python for pair, python in wanted.items() if pair not in known}
    if check:
        for name, version in sorted(missing):
            print(f"{NAME}: {name} {version} is missing; `.venv/bin/python tools/needs.py` asks for it")
        return 1 if missing or not path.exists() or text_of(known) != path.read_text() else 0
    for python, pairs in rounds(missing):
        known |= ask(python, pairs)
        print(f"Python {python}: {len(pairs)} packages")
    path.write_text(text_of(known))
    return 0


if __name__ == "__main__":
    sys.exit(main())
