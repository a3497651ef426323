"""Taking back, at the moments that are hard to meet: at the very end of a run, and while an environment is being removed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from provisioner.base.progress import Silent
from provisioner.change import recovery
from provisioner.change.execute import execute
from provisioner.change.journal import last_record
from provisioner.change.recovery import Undoable
from provisioner.commands.undo import clear_interrupted
from provisioner.environment.workspace import Workspace
from provisioner.host.local import LocalHost
from provisioner.report.apply_text import undo_document, undo_text
from provisioner.report.schemas import schema_of
from tests.support import DyingHost, Killed, make_lock, make_plan, make_wheel, only_from, prove_by_import, snapshot


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    only_from(monkeypatch, tmp_path / "wheels", tmp_path / "uv")
    return make_lock(make_wheel(tmp_path / "wheels", "tensorflow", "2.0", {"tensorflow/__init__.py": "GOOD = True\n"}))


class InterruptedAtTheEnd(LocalHost):
    """Ctrl-C comes when the journal is removed: the last effect of a run that has succeeded."""

    def remove(self, path: str) -> None:
        if path.endswith("/.tfsetup/journal.json"):
            os.kill(os.getpid(), signal.SIGINT)
        super().remove(path)


@pytest.mark.parametrize("existing", [False, True], ids=["new", "existing"])
def test_an_interrupt_at_the_very_end_still_means_the_old_state(tmp_path: Path, lock, existing: bool) -> None:
    """What the command says after Ctrl-C is true at every moment."""
    env = tmp_path / "work" / "env"
    if existing:
        subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(env)], check=True)
    before = snapshot(tmp_path / "work")
    plan = make_plan(LocalHost(), env, lock)
    with pytest.raises(KeyboardInterrupt):
        execute(plan, InterruptedAtTheEnd(), prove=prove_by_import, progress=Silent(), wait=0)
    assert snapshot(tmp_path / "work") == before


def test_an_environment_that_was_half_removed_is_found_and_removed(tmp_path: Path, lock) -> None:
    env = tmp_path / "env"
    host, workspace = LocalHost(), Workspace(root=str(env))
    assert execute(make_plan(host, env, lock), host, prove=prove_by_import, progress=Silent(), wait=0).kept
    record = last_record(host, workspace)

    class DiesWhileRemoving(DyingHost):
        def remove_tree(self, path: str) -> None:
            if path == f"{workspace.discarded}/lib":
                shutil.rmtree(path)
                raise Killed
            super().remove_tree(path)

    with pytest.raises(Killed):
        recovery.undo(DiesWhileRemoving(dies_at=1000), workspace, record)
    assert not env.exists()
    left = recovery.interrupted(host, workspace)
    assert (left.state, left.where) == ("old", workspace.discarded)
    found = clear_interrupted(host, str(env), agree=lambda _found: None, wait=0, progress=Silent())
    assert found.where in {workspace.discarded, workspace.aside}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["uv", "wheels"]
    assert recovery.interrupted(host, workspace) is None


def test_the_document_of_an_interrupted_run_is_about_that_run_alone(tmp_path: Path, lock) -> None:
    env = tmp_path / "env"
    host, workspace = LocalHost(), Workspace(root=str(env))
    assert execute(make_plan(host, env, lock), host, prove=prove_by_import, progress=Silent(), wait=0).kept
    older = last_record(host, workspace)
    left = recovery.Interrupted(state="moving", where=str(env), started="t", before="venv")
    found = Undoable(workspace=workspace, interrupted=left, record=older, added=())
    document = undo_document((found,))
    assert (document["restored"], document["removed"], document["put_back"]) == ("venv", [], [])
    jsonschema.validate(document, schema_of("undo"))
    assert "half changed; what it had begun is taken back" in undo_text(found)
    assert undo_document((Undoable(workspace=workspace, interrupted=None, record=older, added=()),))["restored"] == "absent"
