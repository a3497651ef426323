"""Several runs at once on one environment: one does the work, and whoever waited looks anew."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.change.holding import holding
from provisioner.environment.workspace import Workspace
from provisioner.errors import InputError, OperationError
from provisioner.host.local import LocalHost
from tests.cli.conftest import inside, shared, tiny, variables, work
from tests.cli.support import Inside
from tests.hostile.test_state import venv
from tests.support import snapshot

__all__ = ["inside", "shared", "tiny", "variables", "work"]
# The real command, but for the proof: tiny wheels compute nothing.
SCRIPT = """
import sys, time
from provisioner.commands import apply
from provisioner.cli import run_command
from provisioner.diagnose.judgement import Judgement
from provisioner.model.finding import Check, Verification
def prove(_session, root, _plan, _progress):
    time.sleep(1)
    checks = (Check(name="import", status=sys.argv[1]),)
    made = Verification(env=root, python="", tensorflow="", device="cpu", checks=checks, libraries=(), findings=())
    return Judgement(verification=made, computes=made.passed)
apply.judge_plan = prove
sys.exit(run_command(["apply", "--yes", "--json", "--wait", "300", *sys.argv[2:]]))
"""


def at_once(count: int, env: Path, variables: dict[str, str], result: str = "passed") -> list[tuple[int, dict, str]]:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, result, "--env", str(env)], env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd=env.parent if env.parent.exists() else env.parent.parent,
        )
        for _ in range(count)
    ]  # fmt: skip
    ended = [(process.communicate(timeout=300), process) for process in started]
    return [(process.returncode, json.loads(out), err) for (out, err), process in ended]


@pytest.mark.parametrize("kind", ["new", "in a new folder", "empty", "existing"])
def test_of_eight_at_once_one_does_the_work_and_seven_have_nothing_to_do(
    variables: dict[str, str], tiny: dict[str, str], work: Path, kind: str
) -> None:
    env = work / "folder" / "env" if kind == "in a new folder" else work / "env"
    if kind == "empty":
        env.mkdir()
    if kind == "existing":
        venv(env)
    ended = at_once(8, env, {**variables, **tiny})
    assert [code for code, _, _ in ended] == [0] * 8, [err for code, _, err in ended if code]
    assert sorted((document["changed"], document["state"]) for _, document, _ in ended) == [(False, "new")] * 7 + [(True, "new")]
    assert [path.name for path in env.parent.iterdir()] == ["env"], "no lock is left"


def test_whoever_waited_for_one_whose_proof_fails_tries_it_too(variables: dict[str, str], tiny: dict[str, str], work: Path) -> None:
    ended = at_once(2, work / "env", {**variables, **tiny}, result="failed")
    assert [code for code, _, _ in ended] == [14, 14], [err for _, _, err in ended]
    assert list(work.iterdir()) == []


def test_the_lock_lies_beside_and_is_gone_afterwards(work: Path) -> None:
    venv(work / "env")
    before = snapshot(work)
    host, workspace = LocalHost(), Workspace(root=str(work / "env"))
    with holding(host, workspace, 0):
        assert Path(workspace.beside_lock).exists()
        (work / "env").rename(work / "moved")
        with pytest.raises(OperationError, match="another tfsetup"), holding(host, workspace, 0):
            pass
        (work / "moved").rename(work / "env")
    (work / "env" / ".tfsetup" / "lock").unlink()
    (work / "env" / ".tfsetup").rmdir()
    assert snapshot(work) == before


def test_what_is_no_file_where_the_lock_would_be_is_refused(work: Path) -> None:
    workspace = Workspace(root=str(work / "env"))
    Path(workspace.beside_lock).symlink_to(work / "elsewhere")
    with pytest.raises(InputError, match="is no file"), holding(LocalHost(), workspace, 0):
        pass
    assert not (work / "elsewhere").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_the_lock_of_one_user_is_seen_by_another(work: Path, inside: Inside) -> None:
    """The file is not theirs to write, and it is locked all the same."""
    for folder in (work, *work.parents):
        if folder.stat().st_uid == 0 and str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    work.chmod(0o777)
    workspace = Workspace(root=str(work / "env"))
    script = f"""
import os
os.setuid(65534)
import sys
sys.path[:0] = {sys.path!r}
from provisioner.host.local import LocalHost
try:
    with LocalHost().lock({workspace.beside_lock!r}, wait=0):
        print("taken")
except BlockingIOError:
    print("held")
"""
    with holding(LocalHost(), workspace, 0):
        done = subprocess.run(["/usr/bin/python3", "-c", script], capture_output=True, text=True, check=False, cwd="/")
    if "ModuleNotFoundError" in done.stderr or "PermissionError" in done.stderr:
        pytest.skip("nobody may read this checkout")
    assert done.stdout == "held\n", done.stderr
