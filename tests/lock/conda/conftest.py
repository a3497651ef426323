"""A channel with conda-forge's TensorFlow as it is declared, a Python that runs, an index of tiny wheels, and teams that lock from both."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from provisioner.catalogue import find_profiles
from tests.channel import build, metadata, tensorflow
from tests.channel.build import Channel
from tests.channel.packages import Package
from tests.channel.python import is_here
from tests.cli.support import Ended, Inside, make_profiles
from tests.lock.index import Index
from tests.support import PYTHON

# The Python of what comes from the channel alone; the running one is packed, and real.
OTHER = "3.10" if PYTHON != "3.10" else "3.12"
PIP = Package(
    name="pip", version="25.0", build="pyh8b19718_0", noarch="python", depends=("python >=3.9",), files={"site-packages/x.py": ""}
)


@pytest.fixture(scope="session")
def declared_channel(tmp_path_factory: pytest.TempPathFactory) -> Channel:
    """Packages with nothing in them, for solving."""
    packages = [*metadata.stack((OTHER,)), *tensorflow.releases((OTHER,)), PIP]
    return build.build(tmp_path_factory.mktemp("declared") / "channel", packages)


@pytest.fixture(scope="session")
def whole_channel(tmp_path_factory: pytest.TempPathFactory, declared_channel: Channel) -> Channel:
    """The same with a Python that runs."""
    pythons = build.pythons(PYTHON) if is_here(PYTHON) else []
    packages = [item for item in declared_channel.packages if item.record["name"] != "pip" or not pythons]
    return build.build(tmp_path_factory.mktemp("whole") / "channel", [*packages, *pythons])


@dataclass
class Project:
    """A team's folder, and the command in it."""

    folder: Path
    inside: Inside
    data: dict

    def declare(self, **changes: object) -> None:
        self.data |= changes
        (self.folder / "tfsetup.yaml").write_text(yaml.safe_dump(self.data))

    def __call__(self, *args: str, code: int = 0, **env: str) -> Ended:
        ended = self.inside(*args, **env)
        assert ended.code == code, ended.err + ended.out
        return ended

    def lock(self, *args: str, code: int = 0, **env: str) -> Ended:
        return self("lock", *args, code=code, **env)

    def target(self, name: str) -> dict:
        import json

        targets = json.loads((self.folder / "tfsetup.lock.json").read_text())["targets"]
        return next(item for item in targets if item["target"]["name"] == name)

    def conda(self, name: str) -> dict[str, str]:
        return {item["name"]: item["version"] for item in self.target(name)["conda"]["packages"]}

    def bytes(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir()) if path.is_file()}


@pytest.fixture
def project(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Project:
    """An empty project whose catalogue has one set: TensorFlow, NumPy, and the tools that conda may bring."""
    files = (index.add("tensorflow-cpu", "2.20.0", "numpy"), index.add("numpy", "1.26"), index.add("pip", "1.0"))
    index.add("pandas", "2.0", "numpy")
    profiles = make_profiles(tmp_path / "profiles", tuple(sorted(files, key=lambda file: file.filename)))
    for name in ("conda.yaml", "conda-names.yaml"):
        shutil.copy(Path(find_profiles()) / name, profiles / name)
    monkeypatch.setenv("TFSETUP_PROFILES", str(profiles))
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    data = {"tensorflow": "2.20", "pythons": [PYTHON], "indexes": [{"url": index.url}]}
    yield Project(folder, Inside(capsys, monkeypatch), data)
    monkeypatch.undo()
