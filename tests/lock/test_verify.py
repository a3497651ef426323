"""``lock --verify``: what is locked is installed aside and proven, and the proof is written into the lock."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.base.progress import SILENT
from provisioner.change.execute import Executed
from provisioner.commands import lock_verify
from provisioner.commands.lock import lock
from provisioner.commands.lock_declared import LockRequest
from provisioner.commands.lock_verify import verify_lock
from provisioner.errors import ConsentError, VerificationError
from provisioner.host.local import LocalHost
from provisioner.model.finding import Evidence, Finding, Remedy
from provisioner.session import Session
from provisioner.session.trust import Trust
from tests.lock.index import CUTOFF, Index
from tests.lock.test_command import inside, project
from tests.support import verification

__all__ = ["inside", "project"]


def sidecar(project: Path) -> dict[str, object]:
    return json.loads((project / "tfsetup.lock.json").read_text())["targets"][0]


def test_a_proof_that_fails_leaves_the_lock_without_one(project: Path, index: Index) -> None:
    """The wheels of this index hold no TensorFlow that computes."""
    session = Session(LocalHost(), Trust(given=True))
    made = lock(session, str(project), LockRequest(cutoff=CUTOFF))
    with pytest.raises(VerificationError) as caught:
        verify_lock(session, str(project), made, progress=SILENT)
    assert any("import" in fault for fault in caught.value.faults)
    assert sidecar(project)["own_proof"] == ""
    assert list((Path(session.folder("lock"))).glob("run-*")) == []


def test_a_proof_is_written_and_stays_while_the_files_do(project: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the set computes by decree: what is under test is what becomes of its proof."""
    path = project / "tfsetup.yaml"
    path.write_text(path.read_text() + "verify: [pandas]\n")
    session = Session(LocalHost(), Trust(given=True))
    made = lock(session, str(project), LockRequest(cutoff=CUTOFF))
    seen: list[str] = []

    def executed(_session: Session, planned, **_more: object):
        seen.append(planned.plan.request.verify[0])
        return Executed(verification=verification(planned.plan.env.path, passed=True), kept=True), ()

    monkeypatch.setattr(lock_verify, "execute_planned", executed)
    done = verify_lock(session, str(project), made, progress=SILENT)
    proof = sidecar(project)["own_proof"]
    assert seen == ["pandas"]
    assert (proof.startswith("run on "), proof.endswith("with pandas")) == (True, True)
    assert done.lock.targets[0].own_proof == proof
    again = lock(session, str(project), LockRequest())
    assert (again.changed, sidecar(project)["own_proof"]) == ((), proof)
    index.add("pandas", "3.0", "numpy")
    lock(session, str(project), LockRequest(upgrade=("pandas",), cutoff=CUTOFF))
    assert sidecar(project)["own_proof"] == ""


def test_what_means_nothing_is_no_reason(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a module that cannot be imported stood a line that oneDNN prints, as if it were a reason."""
    evidence = (Evidence(seen="seen", where="run"),)
    first = Finding(cause="x", severity="error", confidence="certain", title="bad", evidence=evidence, remedy=Remedy(words="x"))
    found = (first, replace(first, severity="info", title="means nothing"))

    def executed(_session: Session, planned, **_more: object):
        return Executed(verification=replace(verification(planned.plan.env.path, passed=False), findings=found), kept=False), ()

    monkeypatch.setattr(lock_verify, "execute_planned", executed)
    session = Session(LocalHost(), Trust(given=True))
    made = lock(session, str(project), LockRequest(cutoff=CUTOFF))
    with pytest.raises(VerificationError) as caught:
        verify_lock(session, str(project), made, progress=SILENT)
    assert caught.value.faults == ("import: ", "bad: seen")


def test_commands_need_the_word(project: Path) -> None:
    path = project / "tfsetup.yaml"
    path.write_text(path.read_text() + "verify: ['python smoke.py']\n")
    made = lock(Session(LocalHost(), Trust(given=True)), str(project), LockRequest(cutoff=CUTOFF))
    with pytest.raises(ConsentError):
        verify_lock(Session(LocalHost()), str(project), made, progress=SILENT)
