"""An index of tiny wheels, a known-good set out of it, and a declaration made by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.commands import lock as flow_lock
from provisioner.commands.lock import Outcome
from provisioner.commands.lock_declared import Declared, LockRequest
from provisioner.commands.lock_into import Edit, nobody
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import Lock, LockedFile, Proof
from provisioner.model.checkout import Checkout
from provisioner.model.team import Declaration, InputDigest, Inputs, Target
from provisioner.model.team import Index as TeamIndex
from provisioner.session import Session
from tests.lock.index import CUTOFF, Index, allow
from tests.support import PYTHON, make_lock

LINUX = Target(name="linux", platform="linux-x86_64", device="cpu", python=PYTHON)
WINDOWS = Target(name="windows", platform="windows-x86_64", device="cpu", python=PYTHON)
MAC = Target(name="mac", platform="macos-aarch64", device="cpu", python=PYTHON, floor="12.0")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    for name in ("UV_OFFLINE", "UV_FIND_LINKS", "PIP_FIND_LINKS", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "CONDA_PREFIX", "CONDARC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    monkeypatch.setenv("TFSETUP_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_HTTP_TIMEOUT", "2")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("TFSETUP_CONFIG", str(tmp_path / "config.yaml"))
    index = Index(tmp_path / "index")
    allow(index.host, "LOCK_USER", "LOCK_PASS", "TOKEN")
    yield index
    index.close()


@dataclass
class Team:
    """A project of a team: its declaration, its inputs, and its known-good set, which a test may change."""

    folder: Path
    index: Index
    files: tuple[LockedFile, ...]
    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    targets: tuple[Target, ...] = (LINUX,)
    settings: dict[str, object] = field(default_factory=dict)
    profiles: str = field(default_factory=find_profiles)
    hashes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    projects: tuple[Checkout, ...] = ()

    @property
    def declaration(self) -> Declaration:
        given = {"indexes": (TeamIndex(url=self.index.url),), "formats": ("requirements", "pylock"), **self.settings}
        return Declaration(file=str(self.folder / "tfsetup.yaml"), tensorflow="2.20.0", targets=self.targets, **given)

    def declared(self) -> Declared:
        text = repr((self.requirements, self.constraints, self.settings, self.hashes, self.projects))
        inputs = Inputs(
            requirements=self.requirements,
            constraints=self.constraints,
            digests=(InputDigest(name="all", sha256=text),),
            hashes=self.hashes,
            projects=self.projects,
        )
        return Declared(
            declaration=self.declaration,
            inputs=inputs,
            catalogue=Catalogue.open(LocalHost(), self.profiles),
            choose=lambda _keep, _cutoff, _below: self.sets(),
        )

    def sets(self) -> tuple[tuple[Target, Lock, Proof], ...]:
        base = make_lock(*self.files)
        locks = [replace(base, release="2.20.0", platform=target.platform, python=target.python) for target in self.targets]
        return tuple((target, lock, Proof(lock=lock.digest, level="resolved")) for target, lock in zip(self.targets, locks, strict=True))

    def lock(self, host: LocalHost | None = None, *, agree: Callable[[Edit], None] = nobody, **wanted: object) -> Outcome:
        asked = LockRequest(**{"cutoff": CUTOFF, **wanted})
        return flow_lock.lock_declared(Session(host or LocalHost()), self.declared(), asked, agree=agree)

    def written(self) -> dict[str, bytes]:
        """Every file in the lock's folder."""
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir())}

    def versions(self, outcome: Outcome, target: str = "linux") -> dict[str, str]:
        (found,) = [item for item in outcome.lock.targets if item.target.name == target]
        return {file.name: file.version for file in found.files}


@pytest.fixture
def team(index: Index, tmp_path: Path) -> Team:
    """A set of TensorFlow and NumPy, with newer NumPys on the index, and a package of the team that goes with it."""
    files = (index.add("tensorflow-cpu", "2.20.0", "numpy"), index.add("numpy", "1.26"))
    index.add("numpy", "2.0")
    index.add("pandas", "2.0", "numpy", "pytz")
    index.add("pandas", "3.0", "numpy>=2")
    index.add("pytz", "1.0")
    folder = tmp_path / "project"
    folder.mkdir()
    return Team(folder=folder, index=index, files=files, requirements=("pandas",))
