"""A pip command resolves on the Python and the platform that it is printed for, and TensorFlow to the release that its sentence names. Asks PyPI."""

from __future__ import annotations

import datetime as dt
import os
import re
import shlex
import subprocess
from collections.abc import Iterator

import pytest
import uv

from provisioner.base.versions import numbers
from provisioner.model.finding import Way
from provisioner.remedies import Subject, remedy_for
from provisioner.remedies.choose import REMEDIES
from provisioner.remedies.knowledge import pythons
from tests.explain.support import shipped
from tests.remedies.test_commands import ways

PLATFORMS = {"linux-x86_64": "x86_64-manylinux_2_28", "windows-x86_64": "windows", "macos-aarch64": "aarch64-apple-darwin"}
CASES = (
    ("linux-x86_64", "3.11", "2.15.1"),
    ("linux-x86_64", "3.12", "2.18.1"),
    ("linux-x86_64", "3.13", "2.21.0"),
    ("linux-x86_64", "3.10", "2.11.1"),
    ("windows-x86_64", "3.11", "2.16.2"),
    ("macos-aarch64", "3.11", "2.16.2"),
)
# What no index has under that name, or what a person has to put in.
_NOT_OF_AN_INDEX = re.compile(r"YOUR_|PROXY|\.whl|company\.pem|tensorflow-rocm|directml|--platform|--target")


def requirements(step: str) -> tuple[str, ...]:
    """What a pip line of the environment that is there installs; empty for another line, and for one without a bound of any kind."""
    if "pip install" not in step or step.startswith(("RUN", "wsl", "conda", "docker")) or _NOT_OF_AN_INDEX.search(step) or " uv " in step:
        return ()
    words = shlex.split(step.partition("pip install")[2])
    found = tuple(word for at, word in enumerate(words) if not word.startswith("-") and (at == 0 or words[at - 1] != "--timeout"))
    return found if any(re.search(r"[<>=]", item) for item in found) else ()


def promised(way: Way) -> str:
    """The release of TensorFlow that a sentence names as the one that comes."""
    found = re.match(r"(?:Or )?(?:[Tt]ake|[Aa]sk for|[Ii]nstall the wheel from PyPI of) TensorFlow (\d+\.\d+)\b", way.words)
    return found[1] if found else ""


def printed() -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    view = shipped()[1]
    for platform, python, tensorflow in CASES:
        assert python in pythons(view, tensorflow, platform)
        system = platform.partition("-")[0]
        subject = Subject(
            system=system, platform=platform, python=python, tensorflow=tensorflow, interpreter="/e/bin/python", env="/e",
            gpu="rtx 4090", gpu_present=True, capability="8.9", driver="535.54", glibc="2.35", seen="x", text="x",
        )  # fmt: skip
        for code in REMEDIES:
            for wants in ((), ("numpy",), ("tensorflow-text",), ("keras",), ("protobuf",)):
                for way in ways(remedy_for(code, Subject(**{**_fields(subject), "wants": wants}), view)):
                    for step in way.steps:
                        if wanted := requirements(step):
                            yield platform, python, wanted, promised(way)


def _fields(subject: Subject) -> dict[str, object]:
    return {name: getattr(subject, name) for name, _, _ in Subject.__record__}


PRINTED = sorted(set(printed()))
# Each asks the index for a minute: other ones every day, so that all have their turn; RESOLVE=all for all of them.
DAY = dt.datetime.now(tz=dt.timezone.utc).toordinal()
TODAY = PRINTED if os.environ.get("RESOLVE") == "all" else [PRINTED[(DAY * 6 + number) % len(PRINTED)] for number in range(6)]


def test_there_are_some():
    assert len(PRINTED) > 25


@pytest.mark.real
@pytest.mark.parametrize(("platform", "python", "wanted", "release"), TODAY, ids=[f"{item[0]} {item[1]} {item[2]}" for item in TODAY])
def test_a_command_resolves_to_what_it_promises(platform: str, python: str, wanted: tuple[str, ...], release: str):
    argv = [uv.find_uv_bin(), "pip", "compile", "-", "--quiet", "--no-header", "--no-annotate", "--only-binary", ":all:"]
    argv += ["--python-version", python, "--python-platform", PLATFORMS[platform]]
    done = subprocess.run(argv, input="\n".join(wanted), capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    came = re.search(r"^tensorflow==(\S+)", done.stdout, re.MULTILINE)
    assert not release or (came is not None and numbers(came[1])[:2] == numbers(release)[:2])
