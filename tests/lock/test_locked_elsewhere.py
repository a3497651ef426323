"""``apply --locked`` of what no index serves: asked for once, installed from where it is, found there by the next plan, taken back by undo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.base.progress import SILENT
from provisioner.change.execute import execute
from provisioner.commands.plan_locked import plan_locked
from provisioner.commands.undo import take_back, undoable
from provisioner.environment.read import read_site
from provisioner.errors import ConsentError
from provisioner.host.local import LocalHost
from provisioner.model.request import Request
from provisioner.session import Session
from provisioner.session.trust import Trust
from tests.cli.support import Inside, make_profiles
from tests.lock.index import Index
from tests.lock.test_locked import prove_passed
from tests.lock.trees import commit, tree
from tests.support import PYTHON

DECLARATION = """\
tensorflow: "2.20"
pythons: ["{python}"]
targets:
  - {{name: ci, platform: linux-x86_64, device: cpu}}
files: [requirements.txt]
indexes:
  - url: {url}
policy: {{source_builds: [forge]}}
formats: [requirements, pylock]
folder: locks
"""


@pytest.fixture
def inside(capsys, monkeypatch: pytest.MonkeyPatch) -> Inside:
    return Inside(capsys, monkeypatch)


@pytest.fixture
def project(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: Inside) -> Iterator[Path]:
    files = (index.add("tensorflow-cpu", "2.20.0", "numpy"), index.add("numpy", "1.26"))
    index.add("pytz", "1.0")
    colours = index.add("colours", "2.0")
    monkeypatch.setenv("TFSETUP_PROFILES", str(make_profiles(tmp_path / "profiles", tuple(sorted(files, key=lambda file: file.filename)))))
    folder = tmp_path / "project"
    tree(folder, "mine", "0.3", "pytz", static=True)
    tree(tmp_path / "forge", "forge", "3.1")
    commit(tmp_path / "forge")
    lines = ["-e .", f"forge @ git+file://{tmp_path}/forge", f"http://{index.host}/files/{colours.filename}"]
    (folder / "requirements.txt").write_text("".join(f"{line}\n" for line in lines))
    (folder / "tfsetup.yaml").write_text(DECLARATION.format(python=PYTHON, url=index.url))
    monkeypatch.chdir(folder)
    yield folder
    monkeypatch.undo()


def test_from_the_list_to_the_environment_and_back(project: Path, inside: Inside, tmp_path: Path) -> None:
    ended = inside("lock", "--cutoff", "2026-06-01")
    assert ended.code == 0, ended.err
    assert not (tmp_path / "project-was-run").exists()
    assert "not from an index: colours 2.0 (from http://" in ended.out
    host, env = LocalHost(), tmp_path / "env"
    request, locks = Request(env=str(env), python=PYTHON), str(project / "locks")
    with pytest.raises(ConsentError, match="the build of mine in"):
        plan_locked(Session(host), request, locks, "")
    session = Session(host, trust=Trust(given=True))
    planned = plan_locked(session, request, locks, "")
    assert [item.name for item in planned.plan.checkouts] == ["forge", "mine"]
    assert execute(planned.plan, host, prove=prove_passed, progress=SILENT, wait=0).kept
    versions = {item.name: item.version for item in read_site(host, str(env)).distributions}
    assert versions == {"colours": "2.0", "forge": "3.1", "mine": "0.3", "numpy": "1.26", "pytz": "1.0", "tensorflow-cpu": "2.20.0"}
    (path,) = env.glob("lib/python*/site-packages/mine.pth")
    assert path.read_text() == f"{project}\n"
    assert not plan_locked(session, request, locks, "").plan.changes
    commit(tmp_path / "forge")
    assert inside("lock", "--upgrade", "forge").code == 0
    again = plan_locked(session, request, locks, "").plan
    assert [item.name for item in again.checkouts] == ["forge"]
    assert [(item.name, item.reason) for item in again.removals] == [("forge", "it comes from another place, which the lock names")]
    take_back(host, undoable(host, str(env)), wait=0, progress=SILENT)
    assert not env.exists()
