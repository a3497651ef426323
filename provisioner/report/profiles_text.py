"""The catalogue as a table, as one release in full, and as a document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provisioner.base.text import size_words
from provisioner.base.versions import is_prerelease, minor_of
from provisioner.catalogue import Catalogue
from provisioner.choose.platforms import meant_platforms
from provisioner.errors import UsageError
from provisioner.model import codec
from provisioner.model.catalogue import NO_ADDON, Build, KnownBad, Lock, Proof, ProofLevel, Release, computes_on
from provisioner.model.record import record

SCHEMA = "tfsetup/profiles/1"
FIRST = "linux-x86_64"
# A set by its device, in a column and in full: a person asks for cpu or cuda, and where CUDA's libraries come from follows from the kind of
# environment.
_SHORT = {"cpu": "cpu", "cuda": "cuda", "cuda-conda": "conda"}
_MARKS: dict[ProofLevel, str] = {"run": "{}", "emulated": "[{}]", "resolved": "({})"}
_IN_FULL = {"cpu": "cpu", "cuda": "cuda", "cuda-conda": "cuda (libraries from conda)"}


@record
class Entry:
    """One set: ``device`` is ``cpu``, ``cuda`` or ``cuda-conda`` (without CUDA's libraries, which conda brings).

    ``proof`` is ``run``, ``emulated`` (under ``emulator``) or ``resolved``, ``proven`` its date, ``machine`` where that was, ``fault`` how it failed
    there; sizes in bytes.
    """

    version: str
    released: str
    python: str
    platform: str
    device: str
    packages: int
    download: int
    disk: int
    glibc: str
    proof: ProofLevel
    proven: str
    lock: str
    machine: str = ""
    emulator: str = ""
    fault: str = ""


@record
class Profiles:
    """The document of ``profiles --json``; ``releases`` holds in full what was asked for by its version."""

    profiles: tuple[Entry, ...]
    releases: tuple[Release, ...] = ()


def select(catalogue: Catalogue, *, release: str, python: str, device: str, platform: str = "") -> tuple[Entry, ...]:
    """Return the sets that fit, newest release first; ``cuda`` admits those whose libraries conda brings. Raises ``UsageError`` when none fits."""
    entries = tuple(
        _entry(known, lock, place, catalogue.proof(lock))
        for known, place in _builds(catalogue, release, platform)
        for lock_python, lock_device in catalogue.locks(known.version, place)
        if python in {"", lock_python} and device in {"", lock_device, computes_on(lock_device)}
        if (lock := catalogue.lock(known.version, lock_python, place, lock_device)) is not None
    )
    if not entries:
        parts = (
            release and f"of TensorFlow {release}",
            python and f"for Python {python}",
            device and f"for {device}",
            platform and f"on {platform}",
        )
        wanted = " ".join(part for part in parts if part)
        raise UsageError(f"there is no known-good set {wanted}", hint=_offered(catalogue, release=release, python=python))
    return entries


def _builds(catalogue: Catalogue, release: str, platform: str) -> Iterator[tuple[Release, str]]:
    """Yield the releases that begin with ``release``, each with the platforms asked for."""
    places = meant_platforms(platform, catalogue.platforms()) if platform else catalogue.platforms()
    for version in catalogue.versions():
        known = catalogue.release(version) if not release or version == release or version.startswith(f"{release}.") else None
        if known is not None:
            yield from ((known, place) for place in places)


def _entry(release: Release, lock: Lock, platform: str, proof: Proof) -> Entry:
    return Entry(
        version=release.version,
        released=release.released,
        python=lock.python,
        platform=platform,
        device=lock.device,
        packages=len(lock.files),
        download=sum(file.size for file in lock.files),
        disk=sum(file.unpacked for file in lock.files),
        glibc=lock.glibc,
        proof=proof.level,
        proven=proof.date,
        lock=lock.digest,
        machine=proof.machine,
        emulator=proof.emulator,
        fault=proof.fault,
    )


def _offered(catalogue: Catalogue, *, release: str, python: str) -> str:
    """Say what could be asked for instead."""
    hint = f"devices are cpu and cuda, platforms {', '.join(catalogue.platforms())}"
    return f"{hint}; `tfsetup profiles` lists all releases" if release or python else hint


def profiles_document(catalogue: Catalogue, entries: tuple[Entry, ...], *, in_full: bool) -> dict[str, Any]:
    """Return the document of ``profiles --json``, with ``in_full`` all that is known of the releases."""
    versions = dict.fromkeys(entry.version for entry in entries) if in_full else ()
    releases = tuple(release for version in versions if (release := catalogue.release(version)))
    return codec.document(SCHEMA, Profiles(profiles=entries, releases=releases))


def profiles_text(entries: tuple[Entry, ...]) -> str:
    """Return a table for each platform: a line for each release, a column for each Python; a cell says what was proven for which device."""
    lines: list[str] = []
    # What was run comes first, then the platforms by name.
    platforms = sorted({entry.platform for entry in entries}, key=lambda name: (name != FIRST, name))
    for platform in platforms:
        heading = [platform] if len(platforms) > 1 else []
        lines += [*heading, *_table(tuple(entry for entry in entries if entry.platform == platform)), ""]
    lines += [
        *_legend(entries),
        "One in full: tfsetup profiles RELEASE; one platform: tfsetup profiles --platform NAME",
    ]
    return "\n".join(lines)


def newest(entries: tuple[Entry, ...], platform: str) -> tuple[Entry, ...]:
    """Return the sets of one platform, of each minor release the newest that is none before the release; all of them where there are none."""
    here = [entry for entry in entries if entry.platform == platform and not is_prerelease(entry.version)]
    first: dict[str, str] = {}
    for entry in here:
        first.setdefault(minor_of(entry.version), entry.version)
    return tuple(entry for entry in here if first[minor_of(entry.version)] == entry.version) or entries


def brief_text(entries: tuple[Entry, ...]) -> str:
    """Return a line for each release: the Pythons that have the same sets together."""
    lines = [f"TensorFlow for {' and '.join(dict.fromkeys(entry.platform for entry in entries))}, the newest of each minor release"]
    for version in dict.fromkeys(entry.version for entry in entries):
        mine = [entry for entry in entries if entry.version == version]
        pythons = sorted({entry.python for entry in mine}, key=lambda text: tuple(map(int, text.split("."))))
        groups = [
            (cell, [python for python in pythons if _cell(mine, python) == cell])
            for cell in dict.fromkeys(_cell(mine, python) for python in pythons)
        ]
        words = "; ".join(f"{' '.join(same)}: {cell}" for cell, same in groups)
        lines.append(f"  {version:<13} {mine[0].released}  Python {words}")
    return "\n".join(
        [*lines, *_legend(entries), "All of them, and other platforms: tfsetup profiles --all; one in full: tfsetup profiles RELEASE"]
    )


def _legend(entries: tuple[Entry, ...]) -> list[str]:
    emulators = sorted({entry.emulator for entry in entries if entry.proof == "emulated"})
    return [
        "cpu, cuda: installed and verified on a real machine; (cpu), (cuda): resolved, not run",
        *([f"[cpu], [cuda]: installed and verified under {' or '.join(emulators)}, on no real machine"] if emulators else []),
        *(["conda: cuda, with CUDA's libraries from conda"] if any(entry.device == "cuda-conda" for entry in entries) else []),
    ]


def _table(entries: tuple[Entry, ...]) -> list[str]:
    pythons = sorted({entry.python for entry in entries}, key=lambda text: tuple(map(int, text.split("."))))
    rows = []
    for version in dict.fromkeys(entry.version for entry in entries):
        mine = [entry for entry in entries if entry.version == version]
        rows.append((version, mine[0].released, [_cell(mine, python) for python in pythons]))
    widths = [max(len(cells[number]) for _, _, cells in rows) + 2 for number in range(len(pythons))]
    return [_row(*row, widths) for row in [("release", "released", pythons), *rows]]


def _row(release: str, released: str, cells: list[str], widths: list[int]) -> str:
    columns = (f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
    return f"{release:<13} {released:<11} {''.join(columns)}".rstrip()


def _cell(entries: list[Entry], python: str) -> str:
    sets = sorted((entry for entry in entries if entry.python == python), key=lambda entry: entry.device)
    return " ".join(_mark(entry) for entry in sets) or "-"


def _mark(entry: Entry) -> str:
    return _MARKS[entry.proof].format(_SHORT[entry.device])


def release_text(catalogue: Catalogue, entries: tuple[Entry, ...]) -> str:
    """Return one release in full."""
    version = entries[0].version
    release = catalogue.release(version)
    lines = [f"TensorFlow {version}, released {entries[0].released}"]
    for build in release.builds if release else ():
        lines += ["", f"{build.platform}: {_needs(build)}"]
        if build.cuda is not None:
            lines.append(f"  CUDA {build.cuda.version}, cuDNN {build.cuda.cudnn}, driver {build.cuda.driver} or newer")
            lines.append(f"  compiled for {', '.join(build.cuda.capabilities)}")
            lines += [f"  link {link.path} -> {link.target}: {link.reason}" for link in build.cuda.links]
            lines += [f"  CUDA's libraries from conda: {', '.join(build.cuda.conda)}"] if build.cuda.conda else []
    lines += ["", *_addons(release), *(_known_bad(bad) for bad in release.known_bad)] if release else []
    lines += ["", "sets"]
    width = max(len(_IN_FULL[entry.device]) for entry in entries)
    for entry in entries:
        proof = _proof(entry)
        sizes = f"{size_words(entry.download)} to download, {size_words(entry.disk)} on disk"
        lines.append(
            f"  {entry.platform:<15} Python {entry.python} {_IN_FULL[entry.device]:<{width}} {entry.packages} packages, {sizes}; {proof}"
        )
    return "\n".join(lines)


def _proof(entry: Entry) -> str:
    if entry.fault:
        return f"resolved; failed on {entry.proven} on {entry.machine}: {entry.fault}"
    if entry.proof == "resolved":
        return "resolved, not run"
    return f"run on {entry.proven}" + (f" under {entry.emulator}" if entry.emulator else "")


def _addons(release: Release) -> list[str]:
    """Say which add-ons go with the release; `--with` keeps to that."""
    fit = [f"{name} {limits}" for name, limits in release.addons.items() if limits != NO_ADDON]
    none = [name for name, limits in release.addons.items() if limits == NO_ADDON]
    lines = [f"add-ons that go with it: {'; '.join(fit)}"] if fit else []
    return [*lines, f"add-ons without a release for it: {', '.join(none)}"] if none else lines


def _known_bad(bad: KnownBad) -> str:
    parts = [f"on {', '.join(bad.platforms)}"] if bad.platforms else []
    parts += [f"for {', '.join(bad.devices)}"] if bad.devices else []
    parts += [f"with Python {', '.join(bad.pythons)}"] if bad.pythons else []
    parts += [f"on GPUs of compute capability {', '.join(bad.capabilities)}"] if bad.capabilities else []
    return f"known bad {' '.join(parts)}: {bad.reason} ({bad.reference})"


def _needs(build: Build) -> str:
    parts = [f"Python {', '.join(build.pythons)}"]
    parts += [f"{name} {floor} or newer" for name, floor in (("glibc", build.glibc), ("macOS", build.macos)) if floor]
    parts += [f"needs {', '.join(build.cpu_features)}"] if build.cpu_features else []
    parts += [f"tensorflow-metal {build.metal.version} for its GPU"] if build.metal else []
    return "; ".join(parts)
