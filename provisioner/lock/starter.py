"""A first ``tfsetup.yaml``: what is there, as a declaration, with a word on every key."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from provisioner.base.names import is_rival
from provisioner.base.requirement import name_of
from provisioner.base.versions import numbers
from provisioner.catalogue import Catalogue
from provisioner.choose.platforms import platform_name
from provisioner.choose.versions import names_prerelease, some_patch_matches
from provisioner.engines.rattler import bare
from provisioner.environment.conda_present import read_present
from provisioner.environment.distributions import Installed
from provisioner.environment.read import Site
from provisioner.environment.tensorflow import only_cpu, own_of, purpose
from provisioner.host import Reader
from provisioner.lock.elsewhere import unanswered
from provisioner.lock.find import PYPROJECT
from provisioner.lock.installed import asked_for, read_whole
from provisioner.lock.keys import DECLARATION, TARGET
from provisioner.lock.lists import Lists
from provisioner.lock.local import is_local
from provisioner.lock.markers import environment
from provisioner.lock.proposal import index_text
from provisioner.lock.requirement import fault
from provisioner.model.catalogue import ComputeDevice
from provisioner.model.conda_package import Present
from provisioner.model.facts import Facts
from provisioner.model.record import record
from provisioner.model.request import Source
from provisioner.model.team import Declaration, Index, ProjectInput, Target

SCHEMA = "tfsetup/init/1"
LATEST = "latest"

# What stands behind a # for each key that the first file does not use.
_EXAMPLES = {
    "pythons": 'pythons: ["3.11", "3.12"]',
    "requirements": "requirements:\n  - pandas>=2",
    "files": "files: [requirements.in]",
    "instead": "instead:\n  - {of: 'numpy==1.22.3', take: 'numpy==1.24.3'}",
    "project": "project: {file: pyproject.toml, extras: [gpu], groups: [dev]}",
    "indexes": (
        "indexes:\n  - url: https://packages.example.com/simple\n"
        "  - url: https://${TFSETUP_INDEX_TEAM_USERNAME}:${TFSETUP_INDEX_TEAM_PASSWORD}@packages.example.com/private/simple\n    name: team\n"
        "    packages: [our-own-package]"
    ),
    "channels": "channels: [conda-forge, ./our-channel, 'https://${TFSETUP_INDEX_TEAM_USERNAME}:${TFSETUP_INDEX_TEAM_PASSWORD}@packages.example.com/conda']",
    "conda": "conda: [ffmpeg, 'gcc_linux-64=12']",
    "policy": (
        'policy:\n  releases: ">=2.16"\n  driver: "525.60.13"\n  source_builds: false\n  cool_down: 7\n  proven: true\n'
        '  signed_off:\n    - {release: "2.20.0", by: Ada Lovelace, date: "2026-03-31"}'
    ),
    "verify": "verify: [pandas, 'python smoke_test.py']",
    "folder": "folder: locks",
    "formats": "formats: [requirements, pylock, conda-lock]",
}
_TARGET_EXAMPLES = {
    "floor": 'floor: "2.31"',
    "driver": 'driver: "550.54.14"',
    "tensorflow": 'tensorflow: "2.19"',
    "kind": "kind: conda",
    "source": "source: wheels",
}


@record
class First:
    """What a first file says: ``left_out`` are distributions that no index can serve, ``warnings`` what a person should know.

    ``channels`` are those that the packages of a conda environment came from; ``files`` are requirements files, and ``project`` says that
    pyproject.toml has dependencies: the declaration names these.
    """

    file: str
    tensorflow: str
    targets: tuple[Target, ...]
    requirements: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    project: bool = False
    indexes: tuple[Index, ...] = ()


def from_environment(reader: Reader, site: Site, facts: Facts, platform: str, catalogue: Catalogue, *, file: str) -> First:
    """Say what an environment holds: its TensorFlow, its Python, its device, and what somebody asked for beside them.

    In a conda environment with TensorFlow's own wheel that is what pip has installed; in one whose TensorFlow is the channel's all of it.
    """
    present = read_present(reader, site.state.path) if site.state.kind == "conda" else Present()
    distributions = read_whole(reader, site)
    own = own_of(distributions)
    python = ".".join(site.state.python_version.split(".")[:2])
    device = device_of(distributions, own, facts, platform, catalogue)
    source = source_of(own, present)
    if source == "conda":
        device = _device_of_build(present)
    target = make_target(platform, device, python, facts)
    if site.state.kind == "conda":
        target = replace(target, name=f"{target.name}-conda", kind="conda", source=source)
        distributions = tuple(item for item in distributions if is_rival(item.name) or (item.name in present.owners) == (source == "conda"))
    lock = catalogue.lock(own.version, python, platform, device) if own is not None and own.version in catalogue.versions() else None
    known = tuple(item.name for item in lock.files) if lock is not None else ()
    wanted = asked_for(distributions, environment(target), known)
    names = present.owners if source == "conda" else {}
    texts = {item.name: f"{names.get(item.name, item.name)}=={item.version}" for item in wanted}
    left_out = tuple(name for name, text in texts.items() if fault(text) or any(item.direct for item in wanted if item.name == name))
    warnings = []
    if own is None:
        warnings.append("there is no TensorFlow in the environment; the declaration asks for the newest")
    elif lock is None and source != "conda":
        where = f"{device.upper()} on {platform_name(platform)} with Python {python}"
        warnings.append(f"the catalogue has no known-good set of TensorFlow {own.version} for {where}; `tfsetup lock` says which are near")
    return First(
        file=file,
        tensorflow=own.version if own is not None else LATEST,
        targets=(target,),
        requirements=tuple(text for name, text in texts.items() if name not in left_out),
        left_out=left_out,
        warnings=tuple(warnings),
        channels=channels_of(present, catalogue),
    )


def from_lists(lists: Lists, tensorflow: str, target: Target, indexes: Sequence[Index] = (), *, file: str) -> First:
    """Say what a project's own lists hold, for one target; what they say of TensorFlow is the declaration's to say.

    ``indexes`` are those that the lists name, and of which somebody said what comes from there.
    """
    own = tuple(text for text in lists.requirements if is_local(text.removeprefix("-e ").strip()) or not is_rival(name_of(text)))
    return First(
        file=file,
        tensorflow=tensorflow,
        targets=(target,),
        requirements=own,
        warnings=(*lists.left_out, *(item.words for item in unanswered(lists.elsewhere, indexes))),
        files=lists.files,
        project=lists.project,
        indexes=tuple(indexes),
    )


def declared(first: First) -> Declaration:
    """Return what a first file made from lists declares."""
    project = ProjectInput(file=PYPROJECT) if first.project else None
    return Declaration(
        file=first.file,
        tensorflow=first.tensorflow,
        targets=first.targets,
        requirements=first.requirements,
        files=first.files,
        project=project,
        indexes=first.indexes,
    )


def choose_python(catalogue: Catalogue, lists: Lists, platform: str, device: ComputeDevice) -> tuple[str, str]:
    """Return the newest release that the lists admit with the newest Python that they and it admit, ("", "") where there is none.

    Only releases without a pre-release in their number, unless the lists name one.
    """
    spec = lists.tensorflow
    for release in catalogue.releases(spec, prereleases=names_prerelease(spec)):
        offered = {python for python, there in catalogue.locks(release.version, platform) if there == device}
        fitting = [python for python in offered if not lists.python or some_patch_matches(lists.python, python)]
        if fitting:
            return release.version, max(fitting, key=numbers)
    return "", ""


def nearest(catalogue: Catalogue, spec: str, platform: str) -> str:
    """Return the release with sets for a platform that lies nearest to what a specifier names: the next newer one, else the newest; "" for none."""
    named = numbers(next(iter(re.findall(r"(?<!\d)\d+(?:\.\d+)+", spec)), ""))
    there = [release.version for release in catalogue.releases() if catalogue.locks(release.version, platform)]
    return min((version for version in there if numbers(version) >= named), key=numbers, default=there[0] if there else "") if named else ""


def source_of(own: Installed | None, present: Present) -> Source:
    """Say where the TensorFlow of a conda environment came from: the channel's is a conda package."""
    return "conda" if own is not None and own.name in present.owners else "wheels"


def _device_of_build(present: Present) -> ComputeDevice:
    """Read the build string of conda's TensorFlow, as ``choose.channel`` asks for it."""
    return "cuda" if any(item.name == "tensorflow" and item.build.startswith("cuda") for item in present.packages) else "cpu"


def channels_of(present: Present, catalogue: Catalogue) -> tuple[str, ...]:
    """Return the channels that packages came from, the one with the most first; none where they are what the profile names anyway."""
    count = Counter(package.channel.rstrip("/") for package in present.packages if package.channel)
    found = tuple(name for name, _ in count.most_common())
    known = catalogue.conda().channels if found else ()
    named = tuple(next((name for name in known if channel == name or channel.endswith(f"/{name}")), channel) for channel in found)
    return () if named == known else tuple(dict.fromkeys(map(bare, named)))


def make_target(platform: str, device: ComputeDevice, python: str, facts: Facts) -> Target:
    """Return this machine as a target; its driver is the oldest of the team's as far as anybody knows yet."""
    release = facts.driver.release.value or ""
    driver = release if device == "cuda" and re.fullmatch(TARGET.keys["driver"].pattern, release) else ""
    return Target(name=f"{platform}-{device}", platform=platform, device=device, python=python, driver=driver)


def device_of(
    distributions: Sequence[Installed], own: Installed | None, facts: Facts, platform: str, catalogue: Catalogue
) -> ComputeDevice:
    """Tell what a TensorFlow computes on: by its name, the CUDA libraries beside it, and at last by the GPUs of the machine."""
    release = catalogue.release(own.version) if own is not None else None
    build = release.build(platform) if release is not None else None
    if own is None or only_cpu(own.name, build):
        return "cpu"
    if purpose({item.name: item.version for item in distributions}).device == "cuda":
        return "cuda"
    answers = bool(facts.gpus.value) and not facts.driver.problem
    return "cuda" if answers and build is not None and build.packages.get("cuda") == own.name else "cpu"


def text_of(first: First, origin: str) -> str:
    """Return the file; ``origin`` says what it was made from."""
    head = (
        f"# What the machines of a team shall have. Written by `tfsetup init` from {origin}; `tfsetup lock` makes the locks.\n"
        "# Paths are relative to this file; `tfsetup schema declaration` prints a JSON Schema for editors."
    )
    parts = [
        head,
        _key("tensorflow", f"tensorflow: {_quoted(first.tensorflow)}"),
        _key("targets", "targets:\n" + "\n".join(_target(target) for target in first.targets)),
    ]
    if first.channels:
        parts.append(_key("channels", f"channels: {json.dumps(first.channels)}"))
    for key, example in _EXAMPLES.items():
        if key == "channels" and first.channels:
            continue
        if key == "requirements" and (first.requirements or first.left_out):
            parts.append(_key(key, _requirements(first)))
        elif key == "files" and first.files:
            parts.append(_key(key, f"files: {json.dumps(first.files)}"))
        elif key == "indexes" and first.indexes:
            parts.append(_key(key, "indexes:\n" + "\n".join(f"  - {index_text(index)}" for index in first.indexes)))
        elif key == "project" and first.project:
            parts.append(_key(key, "project: {file: pyproject.toml}"))
        else:
            parts.append(_key(key, _commented(example)))
    return "\n\n".join(parts) + "\n"


def _key(name: str, text: str) -> str:
    return f"# {DECLARATION.keys[name].about}.\n{text}"


def _target(target: Target) -> str:
    said = {"name": target.name, "platform": target.platform, "device": target.device, "python": _quoted(target.python)}
    said |= {"driver": f'"{target.driver}"'} if target.driver else {}
    said |= {"kind": target.kind, "source": target.source} if target.kind == "conda" else {}
    lines = [f"{key}: {value}{_about(key)}" for key, value in said.items()]
    lines += [f"# {example}{_about(key)}" for key, example in _TARGET_EXAMPLES.items() if key not in said]
    return "  - " + "\n    ".join(lines)


def _about(key: str) -> str:
    return f"  # {TARGET.keys[key].about}"


def _requirements(first: First) -> str:
    lines = [f"  - {_plain(text)}" for text in first.requirements]
    lines += [f"  # - {name}: installed from no index, so it cannot be locked by hash" for name in first.left_out]
    exact = all("==" in text for text in first.requirements)
    note = "# These are the versions that are there; loosen (>=) what `tfsetup lock --upgrade` may move.\n" if exact else ""
    return note + ("requirements:\n" if first.requirements else "# requirements:\n") + "\n".join(lines)


def _commented(text: str) -> str:
    return "\n".join(f"# {line}" for line in text.splitlines())


def _quoted(text: str) -> str:
    """Return a text with quotes where YAML, or another program than this one, would take it for something else."""
    return text if re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]*", text) else json.dumps(text)


def _plain(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._=+!-]*", text) else json.dumps(text)
