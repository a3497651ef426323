"""``apply --locked``: exactly the lock's files, by hash, from the lock's index; refused where the lock is not whole or nothing fits."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from provisioner.base.progress import SILENT
from provisioner.change.execute import execute
from provisioner.commands.plan_locked import plan_locked
from provisioner.commands.undo import take_back, undoable
from provisioner.environment.read import read_site
from provisioner.errors import InputError, OperationError
from provisioner.host.local import LocalHost
from provisioner.model.finding import Verification
from provisioner.model.request import Request
from provisioner.session import Session
from tests.cli.support import Inside, make_profiles
from tests.lock.index import Index
from tests.support import PYTHON, prove_by_import, verification

SECRET = "s3cr3t-pass"
DECLARATION = """\
tensorflow: "2.20"
pythons: ["{python}"]
targets:
  - {{name: ci, platform: linux-x86_64, device: cpu}}
  - {{name: laptop, platform: linux-x86_64, device: cpu, floor: "2.31"}}
requirements: [pandas]
indexes:
  - url: {url}
formats: [requirements]
folder: locks
"""


def prove_passed(root: str) -> Verification:
    """The wheels of this index hold no TensorFlow that could be imported."""
    return verification(root, passed=True)


@pytest.fixture
def inside(capsys, monkeypatch: pytest.MonkeyPatch) -> Inside:
    return Inside(capsys, monkeypatch)


@pytest.fixture
def project(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: Inside) -> Path:
    """A project that is locked, against an index that asks for a login."""
    files = (index.add("tensorflow-cpu", "2.20.0", "numpy"), index.add("numpy", "1.26"))
    index.add("numpy", "2.0")
    index.add("pandas", "2.0", "numpy")
    monkeypatch.setenv("TFSETUP_PROFILES", str(make_profiles(tmp_path / "profiles", tuple(sorted(files, key=lambda file: file.filename)))))
    monkeypatch.setenv("LOCK_USER", "team")
    monkeypatch.setenv("LOCK_PASS", SECRET)
    index.login = "Basic " + base64.b64encode(f"team:{SECRET}".encode()).decode()
    folder = tmp_path / "project"
    folder.mkdir()
    url = index.url.replace("://", "://${LOCK_USER}:${LOCK_PASS}@")
    (folder / "tfsetup.yaml").write_text(DECLARATION.format(python=PYTHON, url=url))
    monkeypatch.chdir(folder)
    assert inside("lock", "--cutoff", "2026-06-01").code == 0
    yield folder
    monkeypatch.undo()


def test_exactly_the_lock_is_installed_and_a_second_run_finds_nothing_to_do(project: Path, tmp_path: Path) -> None:
    host = LocalHost()
    env = tmp_path / "env"
    request = Request(env=str(env), python=PYTHON)
    planned = plan_locked(Session(host), request, str(project / "locks"), "")
    done = execute(planned.plan, host, prove=prove_passed, progress=SILENT, wait=0)
    assert done.kept
    site = read_site(host, str(env))
    assert {item.name: item.version for item in site.distributions} == {"numpy": "1.26", "pandas": "2.0", "tensorflow-cpu": "2.20.0"}
    assert SECRET not in "".join(path.read_text(errors="replace") for path in (env / ".tfsetup").rglob("*") if path.is_file())
    again = plan_locked(Session(host), request, str(project / "locks"), "")
    assert not again.plan.changes
    take_back(host, undoable(host, str(env)), wait=0, progress=SILENT)
    assert not env.exists()


@pytest.mark.slow
def test_another_file_under_the_same_name_is_not_installed(project: Path, index: Index, tmp_path: Path) -> None:
    wheel = index.folder / "pandas-2.0-py3-none-any.whl"
    wheel.write_bytes(wheel.read_bytes() + b"\0")
    host = LocalHost()
    planned = plan_locked(Session(host), Request(env=str(tmp_path / "env"), python=PYTHON), str(project / "locks"), "")
    with pytest.raises(OperationError, match="its SHA-256 differs"):
        execute(planned.plan, host, prove=prove_by_import, progress=SILENT, wait=0)
    assert not (tmp_path / "env").exists()


def test_the_plan_shows_the_lock_s_pins_and_asks(inside: Inside, project: Path) -> None:
    ended = inside("apply", "--locked", "--python", PYTHON)
    assert ended.code == 15
    assert "the team's lock has the target ci for such a machine" in ended.err
    assert "laptop would fit, too: `--target` names another" in ended.err
    assert "numpy 1.26" in ended.err
    assert "pandas 2.0" in ended.err
    assert "${LOCK_PASS}@" in ended.err
    assert SECRET not in ended.err + ended.out
    assert "the target laptop" in inside("apply", "--locked", "--target", "laptop", "--python", PYTHON).err


CONTRADICTIONS = [
    (("--locked", "--tensorflow", "2.19"), 2, "the lock says what is installed"),
    (("--locked", "--with", "six"), 2, "the lock says what is installed"),
    (("plan.json", "--locked"), 2, "not both"),
    (("--lock", "locks"), 2, "add --locked"),
    (("--target", "ci"), 2, "add --locked"),
    (("--locked", "--lock", "nowhere"), 2, "there is no lock"),
    (("--locked", "--target", "moon"), 2, "it has ci and laptop"),
    (("--locked", "--device", "cuda"), 12, "ci: is for cpu, and `--device cuda` was asked for"),
]


def test_what_contradicts_the_lock_is_refused(inside: Inside, project: Path) -> None:
    """One project for all of them: none changes it, and to lock costs more than to refuse."""
    for args, code, told in CONTRADICTIONS:
        ended = inside("apply", *args)
        assert (ended.code, told in ended.err) == (code, True), (args, ended.err)


def test_a_lock_that_is_not_whole_is_refused(project: Path, tmp_path: Path) -> None:
    request = Request(env=str(tmp_path / "env"), python=PYTHON)
    path = project / "locks" / "requirements.ci.txt"
    path.write_text(path.read_text().replace("pandas==2.0", "pandas==1.0"))
    with pytest.raises(InputError) as caught:
        plan_locked(Session(LocalHost()), request, str(project / "locks"), "")
    assert caught.value.faults == ("requirements.ci.txt: was changed by something else than `tfsetup lock`",)
    # A lock may be handed on as the sidecar alone.
    path.unlink()
    assert plan_locked(Session(LocalHost()), request, str(project / "locks"), "").plan.packages


@pytest.mark.slow
def test_a_sidecar_alone_is_found_in_the_working_folder(
    inside: Inside, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = tmp_path / "image"
    image.mkdir()
    (image / "tfsetup.lock.json").write_bytes((project / "locks" / "tfsetup.lock.json").read_bytes())
    monkeypatch.chdir(image)
    assert "the target ci" in inside("apply", "--locked", "--python", PYTHON).err


@pytest.mark.slow
def test_a_lock_that_was_merged_by_hand_is_no_traceback(inside: Inside, project: Path) -> None:
    path = project / "locks" / "tfsetup.lock.json"
    data = json.loads(path.read_text())
    data["targets"][0]["files"][0]["name"] = "--index-url"
    path.write_text(json.dumps(data))
    (project / "locks" / "requirements.ci.txt").unlink()
    ended = inside("apply", "--locked", "--target", "ci", "--python", PYTHON)
    assert ended.code == 2
    assert "name cannot be '--index-url'" in ended.err


def test_a_proof_is_not_believed_but_looked_at(project: Path, index: Index, tmp_path: Path) -> None:
    """S6: a sidecar that calls other files the known-good set; what it claims of them is not shown."""
    path = project / "locks" / "tfsetup.lock.json"
    for written in path.parent.iterdir():
        if written != path:
            written.unlink()
    data = json.loads(path.read_text())
    entry = {"lock": data["targets"][0]["profile"], "level": "run", "date": "2026-11-20", "machine": "a machine", "checks": 13, "gpu": ""}
    (tmp_path / "profiles" / "proofs.json").write_text('{"schema": "tfsetup/proofs/1", "proofs": [\n  ' + json.dumps(entry) + "\n]}\n")
    request = Request(env=str(tmp_path / "env"), python=PYTHON)
    honest = plan_locked(Session(LocalHost()), request, str(path.parent), "").plan.proof
    assert honest.startswith("run on 2026-11-20")
    for target in data["targets"]:
        for file in target["files"]:
            if file["name"] == "tensorflow-cpu":
                assert file["profile"]
                file["sha256"] = "0" * 64
    path.write_text(json.dumps(data))
    forged = plan_locked(Session(LocalHost()), request, str(path.parent), "").plan.proof
    assert forged == "resolved, not run: nobody has recorded a run of this set yet; what the team's lock adds was not part of that"
