"""A team's lock against the real index: each target is what `uv pip compile --python-platform` gives for it around the same set."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import uv

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.commands import lock
from provisioner.commands.lock import Outcome
from provisioner.commands.lock_declared import Declared, LockRequest
from provisioner.host.local import LocalHost
from provisioner.lock.choosing import choose_sets
from provisioner.model.team import Declaration, Inputs, Target
from provisioner.session import Session

CUTOFF = "2026-06-01T00:00:00Z"
PACKAGES = ("matplotlib", "pandas", "scikit-learn")
TARGETS = {
    "linux": (Target(name="linux", platform="linux-x86_64", device="cuda", python="3.11", floor="2.28"), "x86_64-manylinux_2_28"),
    # Its wheels ask for a glibc that uv has no name for (2.27).
    "newest": (Target(name="newest", platform="linux-x86_64", device="cpu", python="3.12", tensorflow="2.21.0"), "x86_64-manylinux_2_28"),
    "arm": (Target(name="arm", platform="linux-aarch64", device="cpu", python="3.11", floor="2.28"), "aarch64-manylinux_2_28"),
    "mac": (Target(name="mac", platform="macos-aarch64", device="cpu", python="3.11"), "aarch64-apple-darwin"),
    "windows": (Target(name="windows", platform="windows-x86_64", device="cpu", python="3.11"), "x86_64-pc-windows-msvc"),
}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    host = LocalHost()
    catalogue = Catalogue.open(host, find_profiles())
    declaration = Declaration(
        file=str(tmp_path_factory.mktemp("team") / "tfsetup.yaml"),
        tensorflow="2.20.0",
        targets=tuple(target for target, _ in TARGETS.values()),
    )
    declared = Declared(
        declaration=declaration,
        inputs=Inputs(requirements=PACKAGES),
        catalogue=catalogue,
        choose=lambda keep, cutoff, _below: choose_sets(declaration, catalogue, keep=keep, cutoff=cutoff),
    )
    return lock.lock_declared(Session(host), declared, LockRequest(cutoff=CUTOFF))


@pytest.mark.real
@pytest.mark.parametrize("name", TARGETS)
def test_a_target_is_what_the_resolver_gives_for_its_platform(outcome: Outcome, tmp_path: Path, name: str) -> None:
    (locked,) = [item for item in outcome.lock.targets if item.target.name == name]
    profile = [f"{file.name}=={file.version}" for file in locked.files if file.profile]
    (tmp_path / "asked.in").write_text("\n".join([*profile, *PACKAGES]) + "\n")
    argv = [
        uv.find_uv_bin(),
        "pip",
        "compile",
        str(tmp_path / "asked.in"),
        "--python-platform",
        TARGETS[name][1],
        "--python-version",
        "3.11",
    ]
    argv += ["--exclude-newer", CUTOFF, "--only-binary", ":all:", "--no-annotate", "--no-header", "--generate-hashes", "--quiet"]
    env = {**os.environ, **({"MACOSX_DEPLOYMENT_TARGET": locked.needs.macos} if locked.needs.macos else {})}
    done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=tmp_path, env=env)
    given: dict[str, set[str]] = {}
    for line in done.stdout.splitlines():
        if "==" in line:
            pin = line.split(" ")[0]
            given[pin] = set()
        else:
            given[pin].add(line.strip().removeprefix("--hash=sha256:").split(" ")[0])
    assert {f"{file.name}=={file.version}" for file in locked.files} == set(given)
    for file in locked.files:
        assert file.sha256 in given[f"{file.name}=={file.version}"], file
