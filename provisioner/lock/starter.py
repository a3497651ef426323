"""A first ``tfsetup.yaml``: what is there, as a declaration, with a word on every key."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from provisioner.base.names import is_rival
from provisioner.base.requirement import name_of
from provisioner.base.versions import numbers
from provisioner.catalogue import Catalogue
from provisioner.choose.platforms import platform_name
from provisioner.choose.versions import names_prerelease, some_patch_matches
from provisioner.declared.elsewhere import unanswered
from provisioner.declared.find import PYPROJECT
from provisioner.declared.keys import TARGET
from provisioner.declared.lists import Lists
from provisioner.declared.local import is_local
from provisioner.declared.markers import environment
from provisioner.declared.requirement import fault
from provisioner.declared.requirements_file import link_in
from provisioner.engines.rattler import bare
from provisioner.environment.conda_present import read_present
from provisioner.environment.distributions import Installed
from provisioner.environment.read import Site
from provisioner.environment.tensorflow import only_cpu, own_of, purpose
from provisioner.host import Reader
from provisioner.lock.choosing import set_device
from provisioner.lock.installed import asked_for, read_whole
from provisioner.model.catalogue import ComputeDevice
from provisioner.model.conda_package import Present
from provisioner.model.facts import Facts
from provisioner.model.record import record
from provisioner.model.request import Kind, Source
from provisioner.model.team import Declaration, Index, ProjectInput, Target

SCHEMA = "tfsetup/init/1"
LATEST = "latest"


@record
class First:
    """What a first file says: ``left_out`` are distributions that no index can serve, ``warnings`` what a person should know.

    ``channels`` are those that the packages of a conda environment came from; ``files`` are requirements files, and ``project`` says that
    pyproject.toml has dependencies: the declaration names these. ``conda`` are conda packages; ``notes`` say what became of what the lists hold.
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
    conda: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


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
    kind: Kind = "conda" if site.state.kind == "conda" else "venv"
    target = make_target(platform, device, python, facts, kind, source)
    if kind == "conda":
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
    own = tuple(
        text for text in lists.requirements if link_in(text) or is_local(text.removeprefix("-e ").strip()) or not is_rival(name_of(text))
    )
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
        channels=first.channels,
        conda=first.conda,
    )


def choose_python(catalogue: Catalogue, lists: Lists, platform: str, device: ComputeDevice, kind: Kind = "venv") -> tuple[str, str]:
    """Return the newest release that the lists admit with the newest Python that they and it admit, ("", "") where there is none.

    Only releases without a pre-release in their number, unless the lists name one.
    """
    spec = lists.tensorflow
    target = Target(name="", platform=platform, device=device, python="", kind=kind)
    for release in catalogue.releases(spec, prereleases=names_prerelease(spec)):
        offered = {
            python for python, there in catalogue.locks(release.version, platform) if there == set_device(target, release.build(platform))
        }
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


def make_target(platform: str, device: ComputeDevice, python: str, facts: Facts, kind: Kind = "venv", source: Source = "wheels") -> Target:
    """Return this machine as a target; its driver is the oldest of the team's as far as anybody knows yet."""
    release = facts.driver.release.value or ""
    driver = release if device == "cuda" and re.fullmatch(TARGET.keys["driver"].pattern, release) else ""
    name = f"{platform}-{device}{'-conda' if kind == 'conda' else ''}"
    return Target(name=name, platform=platform, device=device, python=python, driver=driver, kind=kind, source=source)


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
