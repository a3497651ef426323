"""Write docs/compatibility.md from the catalogue, what was proven (profiles/proofs.json) and plain installs (profiles/naive.json).

python tools/compatibility.py            write it
python tools/compatibility.py --check    change nothing; status 1 where the file is not what would be written
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import md  # noqa: E402 - the path is set above
import naive_record  # noqa: E402
from compatibility_elsewhere import elsewhere_lines  # noqa: E402
from locks import read_releases  # noqa: E402
from naive_record import OUTCOMES, Naive, Outcome, python_key  # noqa: E402

from provisioner.base.versions import (  # noqa: E402
    minor_of,
    numbers,
)
from provisioner.catalogue import Catalogue, find_profiles  # noqa: E402
from provisioner.host.local import LocalHost  # noqa: E402
from provisioner.model.catalogue import CudaBuild, KnownBad, LockDevice, Release  # noqa: E402
from provisioner.model.record import record  # noqa: E402

DOCUMENT = ROOT / "docs" / "compatibility.md"
RESULTS = ROOT / "profiles" / "naive.json"
PLATFORM = "linux-x86_64"
# pip 20.3 changed to the resolver of today (its release notes).
RESOLVING_PIP = (20, 3)
# What a row says of a device's sets.
DEVICES: dict[LockDevice, str] = {"cpu": "tfsetup, CPU", "cuda": "tfsetup, GPU", "cuda-conda": "tfsetup, GPU by conda"}
# What the overview says for an outcome, in one word.
IN_SHORT = {"works": "works", "trains, does not load what it saved": "half", "imports, does not train": "half"}
# What a number of plain installs did.
ENDED: dict[Outcome, str] = {
    "works": "work: import, training, saving and loading",
    "trains, does not load what it saved": "import and train, but do not load the model that they saved",
    "imports, does not train": "import, but do not train a small Keras model",
    "does not import": "end with an error at `import tensorflow`",
    "crashes": "crash",
    "cannot be installed": "cannot be installed",
}


@record
class Ours:
    """What the catalogue has for one release, Python and device: ``state`` is ``proven``, ``resolved``, ``known bad`` or ``no set``."""

    state: str
    date: str = ""

    @property
    def words(self) -> str:
        return f"proven {self.date}" if self.state == "proven" else self.state


@record
class Cell:
    """One release on one Python: ours by device, and the plain install by uv and by pip where they were run."""

    release: Release
    python: str
    ours: dict[str, Ours]
    by_uv: Naive | None = None
    by_pip: Naive | None = None

    @property
    def plain(self) -> Naive | None:
        """What counts: pip's result, but for a pip that has no resolver (before 20.3) and does not know today's wheels; else uv's."""
        modern = self.by_pip is not None and numbers(self.by_pip.resolver.removeprefix("pip ")) >= RESOLVING_PIP
        return self.by_pip if modern or self.by_uv is None else self.by_uv


def is_bad(known: KnownBad, python: str, device: str) -> bool:
    """Return whether an entry speaks of every machine with this Python and device: those for some GPUs only do not."""
    return not known.capabilities and python in (known.pythons or (python,)) and device in (known.devices or (device,))


def ours(catalogue: Catalogue, release: Release, python: str, device: LockDevice) -> Ours:
    """Return what the catalogue has for one set."""
    lock = catalogue.lock(release.version, python, PLATFORM, device)
    if lock is not None:
        proof = catalogue.proof(lock)
        return Ours(state="proven", date=proof.date) if proof.level == "run" else Ours(state="resolved")
    # What is known to be bad on CUDA is so where it looks for its libraries in wheels.
    bad = device != "cuda-conda" and any(is_bad(known, python, device) for known in release.known_bad)
    return Ours(state="known bad" if bad else "no set")


def cells(catalogue: Catalogue, releases: Iterable[Release], results: Mapping[tuple[str, str, str], Naive]) -> Iterator[Cell]:
    """Yield every release on every Python it has wheels for, newest release first."""
    for release in reversed(list(releases)):
        build = release.build(PLATFORM)
        for python in sorted(build.pythons, key=python_key) if build else ():
            yield Cell(
                release=release,
                python=python,
                ours={device: ours(catalogue, release, python, device) for device in DEVICES},
                by_uv=results.get((release.version, python, "uv")),
                by_pip=results.get((release.version, python, "pip")),
            )


def document(everything: Sequence[Cell], elsewhere: Sequence[str] = ()) -> str:
    """Return the whole document, ``elsewhere`` before its details; it ends with one line feed."""
    stable = [cell for cell in everything if not cell.release.prerelease]
    lines = [*introduction(stable), "", *overview(stable), *elsewhere, "", *pip_lines(stable)]
    for minor, group in groupby(everything, key=lambda cell: minor_of(cell.release.version)):
        lines += ["", *minor_lines(minor, list(group))]
    return "\n".join(lines) + "\n"


def introduction(stable: Sequence[Cell]) -> list[str]:
    """Return the title and, in plain words, the totals."""
    releases = list(dict.fromkeys(cell.release.version for cell in stable))
    states = {device: Counter(cell.ours[device].state for cell in stable) for device in DEVICES}
    conda = states["cuda-conda"]
    lines = [
        "# What runs: every TensorFlow, every Python",
        "",
        "<!-- Written by tools/compatibility.py from profiles/; do not edit. -->",
        "",
        f"Stable releases of TensorFlow from {releases[-1]} to {releases[0]}: {len(releases)}. Counted with each Python that they have a",
        f"wheel for Linux on x86-64: {len(stable)} combinations.",
        "",
        f"**With tfsetup**, {states['cpu']['proven']} of them have a set for the CPU that was installed by hash and verified in full: it imports,",
        f"computes, trains, saves and loads. {_others(states['cpu'])}".rstrip(),
        "",
        f"For NVIDIA GPUs, {states['cuda']['proven']} sets were installed and verified. Where the machine had no GPU, that means: every CUDA library",
        f"was found and opened, and nothing was computed on a GPU. {_others(states['cuda'])}".rstrip(),
        "",
        f"Where conda packages bring CUDA's libraries (GPU by conda), there are {conda['proven'] + conda['resolved']} sets for releases up to 2.11:",
        f"{conda['proven']} installed and verified, {conda['resolved']} resolved and not run. They were run in conda environments with stand-ins for",
        "CUDA's libraries, of which only the names are real ([conda.md](conda.md)).",
        "",
    ]
    return lines + plain_totals(stable)


def plain_totals(stable: Sequence[Cell]) -> list[str]:
    """Return how many plain installs work and how the others end."""
    tried = [cell.plain for cell in stable if cell.plain]
    if not tried:
        return ["Plain installs were not run yet."]
    outcomes = Counter(result.outcome for result in tried)
    broken = [cell for cell in stable if cell.plain and cell.plain.outcome != "works"]
    saved = sum(cell.ours["cpu"].state == "proven" for cell in broken)
    dates = sorted({result.date for result in tried})
    when = f"on {dates[0]}" if len(dates) == 1 else f"from {dates[0]} to {dates[-1]}"
    return [
        f"**With a plain `pip install tensorflow==X`**, run for {len(tried)} of the {len(stable)} combinations {when}:",
        "",
        *(f"- {outcomes[outcome]} {ENDED[outcome]}" for outcome in OUTCOMES if outcomes[outcome]),
        "",
        f"So {len(broken)} of {len(tried)} plain installs do not work as they come. For {saved} of those {len(broken)}, tfsetup has a proven set.",
    ]


def _others(states: Counter[str]) -> str:
    words = {"resolved": "resolved and not run", "known bad": "known bad", "no set": "without a set"}
    parts = [f"{states[state]} {words[state]}" for state in words if states[state]]
    return f"The others: {', '.join(parts)}. " if parts else ""


def overview(stable: Sequence[Cell]) -> list[str]:
    """Return the table of the newest patch of every minor: ours and the plain install, in a word each."""
    newest = {minor: next(group).release.version for minor, group in groupby(stable, key=lambda cell: minor_of(cell.release.version))}
    shown = {(cell.release.version, cell.python): cell for cell in stable if cell.release.version in newest.values()}
    pythons = sorted({cell.python for cell in stable}, key=python_key)
    lines = [
        "## The newest patch of every minor",
        "",
        "In each field: the set of tfsetup for the CPU / the plain install. `half`: it imports, but does not train or does not load what it saved;",
        "`?`: not run yet; empty: there is no wheel.",
        "",
        *md.head(["release", *pythons]),
    ]
    return lines + [md.row([version, *(_brief(shown.get((version, python))) for python in pythons)]) for version in newest.values()]


def _brief(cell: Cell | None) -> str:
    if cell is None:
        return ""
    return f"{cell.ours['cpu'].state} / {IN_SHORT.get(cell.plain.outcome, 'breaks') if cell.plain else '?'}"


def pip_lines(stable: Sequence[Cell]) -> list[str]:
    """Return how plain installs were run, and where pip and uv came to different ends."""
    lines = [
        "## How it was run",
        "",
        "The sets of tfsetup: `make prove`. The plain installs: `tools/naive.py` makes an empty virtual environment and installs",
        "`tensorflow==X` in it and nothing else, without a cut-off date; what has no wheel is built. A new process imports TensorFlow, fits a",
        "small Keras model, saves it as HDF5 and loads it. What counts is what the pip comes to that each Python brings. pip before 20.3 has no",
        "resolver and does not know the names of newer wheels (Python 3.6 brings 18.1): there, and where pip was not run, uv's result counts.",
    ]
    both = [(cell, cell.by_uv, cell.by_pip) for cell in stable if cell.by_uv and cell.by_pip]
    differ = [(cell, by_uv, by_pip) for cell, by_uv, by_pip in both if by_uv.outcome != by_pip.outcome]
    if not both:
        return lines
    lines += [
        "",
        f"Run by both: {len(both)}. They end differently in {len(differ)} of them: where not all packages can be the newest, pip may give way in",
        "another one than uv.",
        "",
    ]
    lines += md.head(["release", "Python", "pip", "by pip", "by uv"]) if differ else []
    for cell, by_uv, by_pip in differ:
        told = f"{by_pip.outcome}: `{md.code(by_pip.error)}`" if by_pip.error else by_pip.outcome
        lines.append(md.row([cell.release.version, cell.python, by_pip.resolver.removeprefix("pip "), told, by_uv.outcome]))
    return lines


def minor_lines(minor: str, group: Sequence[Cell]) -> list[str]:
    """Return one minor's section: the table, why plain installs fail, the GPU build, what is known bad."""
    pythons = sorted({cell.python for cell in group}, key=python_key)
    releases = {cell.release.version: cell.release for cell in group}
    lines = [f"## {minor}", ""]
    if all(release.prerelease for release in releases.values()):
        lines += ["A pre-release: it is chosen only when it is asked for by name, and is not counted above.", ""]
    lines += md.head(["release", "released", "", *pythons])
    for release in releases.values():
        mine = {cell.python: cell for cell in group if cell.release.version == release.version}
        for number, (device, name) in enumerate((device, name) for device, name in DEVICES.items() if _shown(device, mine.values())):
            head = ["", ""] if number else [f"**{release.version}**", release.released]
            lines.append(md.row([*head, name, *(mine[python].ours[device].words if python in mine else "" for python in pythons)]))
        if not release.prerelease:
            lines.append(md.row(["", "", "plain install", *(_plain(mine.get(python)) for python in pythons)]))
    return [*lines, *why_lines(group), *gpu_lines(releases.values()), *bad_lines(releases.values())]


def _shown(device: LockDevice, mine: Iterable[Cell]) -> bool:
    """Conda environments are of interest where a release has sets for them; that there is none for the CPU or CUDA says something."""
    return device != "cuda-conda" or any(cell.ours[device].state != "no set" for cell in mine)


def _plain(cell: Cell | None) -> str:
    return "" if cell is None else cell.plain.outcome if cell.plain else "not run"


def why_lines(group: Sequence[Cell]) -> list[str]:
    """Return the errors of plain installs, each once with the combinations that end so."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for cell in group:
        if cell.plain and cell.plain.error:
            versions = ", ".join(
                f"{name} {version}" for name, version in cell.plain.versions.items() if name in {"numpy", "protobuf", "keras"}
            )
            reasons.setdefault((cell.plain.error, versions), []).append(f"{cell.release.version} on {cell.python}")
    if not reasons:
        return []
    told = (
        f"- `{md.code(error)}`{f' with {versions}' if versions else ''}: {', '.join(where)}" for (error, versions), where in reasons.items()
    )
    return ["", "Where the plain install fails:", "", *told]


def gpu_lines(releases: Iterable[Release]) -> list[str]:
    """Return what the GPU builds need, once for all releases that need the same."""
    needs: dict[str, list[str]] = {}
    for release in releases:
        build = release.build(PLATFORM)
        words = _cuda_words(build.cuda) if build and build.cuda else "there is none"
        needs.setdefault(words, []).append(release.version)
    alone = len(needs) == 1
    return ["", *(f"GPU build{'' if alone else ' of ' + ', '.join(versions)}: {words}." for words, versions in needs.items())]


def _cuda_words(cuda: CudaBuild) -> str:
    ptx = f", or {cuda.driver_ptx} where PTX must be compiled" if cuda.driver_ptx and cuda.driver_ptx != cuda.driver else ""
    conda = f"; from conda: {', '.join(cuda.conda)}" if cuda.conda else ""
    return (
        f"CUDA {cuda.version}, cuDNN {cuda.cudnn}, driver {cuda.driver} or newer{ptx}; compiled for {', '.join(cuda.capabilities)}{conda}"
    )


def bad_lines(releases: Iterable[Release]) -> list[str]:
    """Return the known-bad combinations with their references, once for all releases that share them."""
    found: dict[KnownBad, list[str]] = {}
    releases = list(releases)
    for release in releases:
        for known in release.known_bad:
            found.setdefault(known, []).append(release.version)
    if not found:
        return []
    told = []
    for known, versions in found.items():
        parts = ["" if len(versions) == len(releases) else ", ".join(versions)]
        parts += [f"Python {', '.join(known.pythons)}" if known.pythons else "", ", ".join(known.devices)]
        parts += [f"compute capability {', '.join(known.capabilities)}" if known.capabilities else ""]
        about = "; ".join(part for part in parts if part) or "everything"
        told.append(f"- {about}: {known.reason} ({known.reference})")
    return ["", "Known bad:", "", *told]


def main(arguments: Sequence[str]) -> int:
    """Write the document, or check it."""
    parser = argparse.ArgumentParser(description="Write docs/compatibility.md from the catalogue, proofs.json and naive.json.")
    parser.add_argument("--check", action="store_true", help="change nothing; status 1 where the file is not what would be written")
    options = parser.parse_args(arguments)
    catalogue = Catalogue.open(LocalHost(), find_profiles())
    releases = read_releases().values()
    text = document(tuple(cells(catalogue, releases, naive_record.read(RESULTS))), elsewhere_lines(catalogue, releases))
    if options.check:
        same = DOCUMENT.exists() and DOCUMENT.read_text("utf-8") == text
        print("docs/compatibility.md is up to date" if same else "docs/compatibility.md is old: run tools/compatibility.py")
        return 0 if same else 1
    DOCUMENT.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
