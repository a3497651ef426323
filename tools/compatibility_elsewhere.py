"""What docs/compatibility.md says of the platforms that an emulator stands for: which sets it ran, where, and which failed there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import md
from naive_record import python_key
from proof_record import AARCH64, WINDOWS

from provisioner.catalogue import Catalogue
from provisioner.model.catalogue import LockDevice, Release
from provisioner.model.record import record

# The platforms, each with its heading and the lines that say how its sets were run.
PLATFORMS: dict[str, tuple[str, tuple[str, ...]]] = {
    AARCH64: (
        "Linux on aarch64",
        (
            "Debian's own Pythons for arm64, 3.9, 3.11, 3.13 and 3.14, and TensorFlow's own wheels, run by qemu on an x86-64 machine",
            "(`make prove-arm64`): installed by hash and verified in full, XLA and saving among it. qemu does what the instructions say, and has",
            "another processor, another speed and another kernel than a real machine, on which nobody has run a set yet. The sets for other Pythons,",
            "which Debian does not have, are resolved and not run.",
        ),
    ),
    WINDOWS: (
        "Windows itself",
        (
            "Windows' own Pythons, 3.8 to 3.13, and TensorFlow's own wheels, run by wine on Linux (`make prove-windows`): installed by hash and",
            "verified in full, XLA and saving among it. wine is no Windows, and on a real Windows nobody has run a set yet. The sets for other",
            "Pythons, which the rig does not have, are resolved and not run.",
        ),
    ),
}
DEVICES: dict[LockDevice, str] = {"cpu": "CPU", "cuda": "GPU"}


@record
class Elsewhere:
    """One set: ``word`` is what a field says of it, ``fault`` how it failed on ``machine``; ``emulator`` is who ran it."""

    release: str
    python: str
    device: LockDevice
    word: str
    emulator: str = ""
    machine: str = ""
    fault: str = ""


def elsewhere(catalogue: Catalogue, releases: Iterable[Release], platform: str) -> list[Elsewhere]:
    """Return the sets of one platform, newest release first."""
    found = []
    for release in reversed(list(releases)):
        for python, device in sorted(catalogue.locks(release.version, platform), key=lambda pair: python_key(pair[0])):
            lock = catalogue.lock(release.version, python, platform, device)
            if lock is None:
                continue
            proof = catalogue.proof(lock)
            word = f"{proof.emulator.split()[0]} {proof.date}" if proof.emulator else "failed" if proof.fault else proof.level
            at = f"{release.version} on Python {python}"
            about = {
                "emulator": proof.emulator,
                "machine": proof.machine,
                "fault": f"{at}, {proof.date}: {proof.fault}" if proof.fault else "",
            }
            found.append(Elsewhere(release=release.version, python=python, device=device, word=word, **about))
    return found


def elsewhere_lines(catalogue: Catalogue, releases: Iterable[Release]) -> list[str]:
    """Return a section for each platform."""
    releases = [release for release in releases if not release.prerelease]
    return [line for platform in PLATFORMS for line in _section(platform, elsewhere(catalogue, releases, platform))]


def _section(platform: str, sets: Sequence[Elsewhere]) -> list[str]:
    title, about = PLATFORMS[platform]
    count = Counter("run" if item.emulator else "failed" if item.fault else "resolved" for item in sets)
    machines = sorted({item.machine for item in sets if item.emulator})
    counted = f"Of {len(sets)} sets, {count['run']} were run so, {count['resolved']} are resolved and not run, {count['failed']} failed."
    lines = ["", f"## {title}", "", *about, "", counted, *(f"Where: {machine}." for machine in machines), ""]
    pythons = sorted({item.python for item in sets}, key=python_key)
    lines += md.head(["release", "", *pythons])
    for release in dict.fromkeys(item.release for item in sets):
        for device, name in DEVICES.items():
            words = {item.python: item.word for item in sets if (item.release, item.device) == (release, device)}
            lines += [md.row([release, name, *(words.get(python, "") for python in pythons)])] if words else []
    failed = [f"- {item.fault}" for item in sets if item.fault]
    return [*lines, *(["", "Failed:", "", *failed] if failed else [])]
