"""Every printed command is true: its program takes it, its pins are ones that exist and agree, and an apply plans what its sentence names."""

from __future__ import annotations

import functools
import itertools
import re
import shlex
from pathlib import Path

import pytest
import yaml

from provisioner.base.versions import contains, is_prerelease, minor_of, numbers
from provisioner.catalogue import find_profiles
from provisioner.causes.pages import Place, load_causes
from provisioner.host.local import LocalHost
from provisioner.model.finding import Remedy, Way
from provisioner.model.keeper import Keeper
from provisioner.remedies import Subject, remedy_for
from provisioner.remedies.choose import REMEDIES
from provisioner.remedies.knowledge import NO_ADDON, locked, package_of, release_of, specifier
from tests.explain.support import findings, shipped
from tests.remedies.commands import faults

LINES = [
    case
    for name in ("lines", "pasted")
    for case in yaml.safe_load((Path(__file__).parent.parent / "explain" / f"{name}.yaml").read_text(encoding="utf-8"))
]
PAGES = load_causes(LocalHost(), f"{find_profiles()}/causes")
KEEPERS = {
    program: Keeper(program=program, project="/home/me/my project", lock="/home/me/my project/lock", locked={"numpy": ("1.26.4",)})
    for program in ("uv", "poetry", "pdm", "pipenv")
}
# Kinds of cases that logs draw: systems, installers, releases of each time, with and without an environment; of all their meetings every seventh.
SUBJECTS = tuple(
    Subject(
        system=system,
        platform=platform,
        python=python,
        tensorflow=tensorflow,
        interpreter=interpreter,
        env=env,
        installer=installer,
        notebook=installer == "notebook",
        gpu=gpu,
        amd="radeon" in gpu,
        gpu_present=bool(gpu) or None,
        capability=capability,
        container=installer == "docker",
        managed=interpreter == "/usr/bin/python3",
        keeper=KEEPERS.get(installer) if env else None,
        seen="libcudnn.so.8 GLIBC_2.28 tensorflow==2.13.0 'numpy' has no attribute 'object'",
    )
    for (system, platform, interpreter, env), (installer, python), tensorflow, (gpu, capability) in itertools.islice(
        itertools.product(
            (
                ("linux", "linux-x86_64", "/home/me/my env/bin/python", "/home/me/my env"),
                ("windows", "windows-x86_64", r"C:\Users\me\tf env\Scripts\python.exe", r"C:\Users\me\tf env"),
                ("macos", "macos-aarch64", "", ""),
                ("linux", "linux-x86_64", "/usr/bin/python3", ""),
                ("", "", "", ""),
            ),
            (("pip", "3.11"), ("uv", ""), ("docker", "3.8"), ("reticulate", "3.12"), ("poetry", "3.13"), ("notebook", "3.10")),
            ("", "1.12", "2.4.0", "2.13.1", "2.16", "2.21.0"),
            (("", ""), ("rtx 5090", "12.0"), ("radeon rx 6800", "")),
        ),
        0,
        None,
        7,
    )
)


def ways(remedy: Remedy) -> tuple[Way, ...]:
    return (Way(words=remedy.words, steps=remedy.steps, cost=remedy.cost), *remedy.others)


@functools.lru_cache(maxsize=1)
def of_logs() -> tuple[Remedy, ...]:
    """The remedies of every finding of the given lines, each once."""
    return tuple(dict.fromkeys(item.remedy for case in LINES for item in findings(case["log"], case.get("context"))))


@functools.cache
def of_subjects(cause: str) -> tuple[Remedy, ...]:
    view = shipped()[1]
    return tuple(dict.fromkeys(remedy_for(cause, subject, view) for subject in SUBJECTS))


def test_each_cause_has_a_remedy():
    assert set(REMEDIES) == set(PAGES)


@pytest.mark.parametrize("cause", REMEDIES)
def test_commands_of_remedies_are_taken(cause):
    for remedy in of_subjects(cause):
        assert remedy.words[:1].isupper()
        assert not remedy.words.endswith(".")
        for way in ways(remedy):
            for step in way.steps:
                assert faults(step) == (), step


def test_commands_for_logs_are_taken():
    assert len(of_logs()) > 250
    for remedy in of_logs():
        for way in ways(remedy):
            for step in way.steps:
                assert faults(step) == (), step


@pytest.mark.parametrize("code", PAGES)
def test_commands_of_pages_are_taken(code):
    cause = PAGES[code]
    for item in (*cause.prove, *cause.by_hand, *cause.with_tool, *cause.undo):
        for line in item.run if item.on != "Windows" else ():
            text = Place().fill(line)
            if re.search(r"python3? -m pip|\bpip3? |^tfsetup |python -c", text) and "$" not in text:
                assert faults(text) == (), text


def test_an_apply_plans_the_release_that_its_sentence_names():
    view = shipped()[1]
    seen = set()
    of_causes = ((item, name) for name in REMEDIES for item in of_subjects(name))
    for remedy, code in itertools.chain(((item, "") for item in of_logs()), of_causes):
        for way in ways(remedy):
            for step in way.steps:
                if not step.startswith("tfsetup apply"):
                    continue
                words = shlex.split(step, posix="\\" not in step)
                given = dict(itertools.pairwise(words))
                release = given.get("--tensorflow", "")
                if release:
                    assert f"TensorFlow {release}" in way.words, (code, way)
                    assert release_of(view, release) is not None, step
                else:
                    assert not re.search(r"TensorFlow \d", way.words), (code, way)
                seen.add((release, given.get("--device", ""), given.get("--python", "")))
    assert len(seen) > 10
    for release, device, python in seen:
        chosen = release_of(view, release or view.versions()[1])
        sets = [item for platform in view.platforms() for item in view.locks(chosen.version, platform)]
        assert any((not device or of == device) and (not python or name == python) for name, of in sets), (release, device, python)


def test_pins_of_tensorflow_are_releases_with_wheels_for_the_python():
    """Where the case names Python and platform, and the release is in the catalogue, pip finds a wheel of what it is told to install there."""
    view = shipped()[1]
    for subject in SUBJECTS:
        if not subject.python or not subject.platform or subject.installer in {"reticulate", "docker"}:
            continue
        for cause in ("gpu-too-new", "gpu-too-old", "glibc-too-old", "python-unsupported", "macos-too-old", "platform-unsupported"):
            for way in ways(remedy_for(cause, subject, view)):
                for step in way.steps:
                    found = re.search(r'-m pip install (?:--\S+ )*"?tensorflow(?:-macos)?(?:\[and-cuda\])?==(\d+\.\d+)', step)
                    if found is None or not step.startswith(subject.shell_python) or f"{subject.minor}." in found[1] + ".":
                        continue
                    release = release_of(view, found[1])
                    build = release.build(subject.platform) if release else None
                    platforms = [build] if build else list(release.builds) if release else []
                    assert any(subject.python in item.pythons for item in platforms), (cause, subject.platform, subject.python, step)


@pytest.mark.parametrize("version", [item for item in shipped()[1].versions() if not is_prerelease(item)])
def test_ranges_admit_what_is_proven(version):
    """The range of a package that a remedy names holds the version of the proven set, and the installs that the catalogue names for add-ons."""
    view = shipped()[1]
    release = release_of(view, version)
    assert release is not None
    for platform in ("linux-x86_64", "windows-x86_64", "macos-aarch64"):
        for package in ("numpy", "protobuf", "keras", "h5py", "tensorflow-estimator", "wrapt", "typing-extensions"):
            have = locked(view, release, package, platform=platform, python="")
            spec = specifier(view, release, package, platform=platform)
            assert not have or not spec or spec == NO_ADDON or contains(spec, have), (version, platform, package, spec, have)
    for item in view.fits().companions:
        wanted = item.install.get(minor_of(version), "")
        spec = specifier(view, release, item.package)
        assert not wanted or spec in {"", NO_ADDON} or contains(spec, wanted), (version, item.package, spec, wanted)


def test_the_name_of_the_package():
    assert package_of("2.8.1", "macos-aarch64") == "tensorflow-macos"
    assert package_of("2.13.0", "macos-aarch64") == package_of("2.8", "linux-x86_64") == "tensorflow"
    assert package_of("1.15", "linux-x86_64", cuda=True) == "tensorflow-gpu"
    assert numbers("2.13.0") > (2, 8)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ('python3 -m pip install "numpy<2"', False),
        ("python3 -m pip install --no-such-option numpy", True),
        ("python3 -m pip install numpy<2>3", True),
        ("python3 -m pip instal numpy", True),
        ("tfsetup apply --tensorflow 2.15 --env x", False),
        ("tfsetup apply --release 2.15", True),
        ("tfsetup mend", True),
        ('python3 -c "import tensorflow as tf; print(tf"', True),
        ("conda instal x", True),
        ("docker run --gpu all IMAGE nvidia-smi -L", True),
        ("frobnicate --now", True),
        ("echo 'open", True),
    ],
)
def test_the_test_can_fail(line, wrong):
    assert bool(faults(line)) == wrong


ROOT = Path(__file__).resolve().parents[2]
DOCS = [path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if path.exists()]


@pytest.mark.parametrize("path", DOCS, ids=[path.name for path in DOCS])
def test_commands_of_docs_are_taken(path):
    """Lines that a reader types: `$ tfsetup …` in a block, and `tfsetup …` in a sentence that names options."""
    text = path.read_text(encoding="utf-8")
    lines = re.findall(r"^\s*\$ (tfsetup [^\n]*)", text, re.MULTILINE) + re.findall(r"`(tfsetup \w+ [^`\n]*--[^`\n]*)`", text)
    for line in lines:
        if not re.search(r"[…\[\]<>]|\.\.\.|\bSPEC\b|\|", line.split(" # ")[0]):
            assert faults(line) == (), line


# What POSIX shells and systems have and Windows has not, in cmd or PowerShell.
ELSEWHERE = re.compile(
    r"(?:export|unset|source|sudo|which|ls|cat|grep|df|mv|cp|rm|sed|tail|head|env|file|find|lsmod|uname|apt|dnf|chmod|chown)\b"
)
# Causes that Linux alone has, inside a container or WSL for one.
OF_LINUX = {"driver-kernel-mismatch", "container-gpu-refused", "libstdcxx-too-old", "rocm-libs-missing", "static-tls", "glibc-too-old"}


@pytest.mark.parametrize("cause", [name for name in REMEDIES if name not in OF_LINUX])
def test_on_windows_nothing_of_other_systems_is_typed(cause):
    view = shipped()[1]
    for remedy in dict.fromkeys(remedy_for(cause, subject, view) for subject in SUBJECTS if subject.windows):
        for way in ways(remedy):
            assert [step for step in way.steps if ELSEWHERE.match(step)] == []
