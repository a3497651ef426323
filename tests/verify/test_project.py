"""The project's own proof: imports and commands in the environment's own Python, each that fails with its reason."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.base.progress import SILENT
from provisioner.base.trials import fault
from provisioner.commands import named
from provisioner.host.local import LocalHost
from provisioner.model.request import Request
from provisioner.verify.project import judged, prove
from tests.cli.support import Inside


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with a package of the project's, and one that fails."""
    root = tmp_path_factory.mktemp("project") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(root)], check=True)
    site = next(root.glob("lib/python3*/site-packages"))
    (site / "face").mkdir()
    (site / "face" / "__init__.py").write_text("class Net: pass\n")
    (site / "face" / "inner.py").write_text("")
    (site / "broken.py").write_text("import nowhere_at_all\n")
    return root


def tried(env: Path, *wanted: str, folder: Path | None = None) -> tuple[str, list[str]]:
    found = prove(LocalHost(), str(env), wanted, SILENT, folder=str(folder or env))
    assert found is not None
    return found.check.status, [f"{item.title}: {item.evidence[0].seen}" for item in found.findings]


def test_modules_and_what_is_in_them_work(env: Path) -> None:
    assert tried(env, "face", "face.inner", "face.Net") == ("passed", [])


@pytest.mark.parametrize(
    ("item", "why"),
    [
        ("broken", "No module named 'nowhere_at_all'"),
        ("face.Other", "No module named 'face.Other'"),
        ("other", "No module named 'other'"),
        ("broken.Net", "No module named 'nowhere_at_all'"),
    ],
)
def test_what_cannot_be_imported_says_why(env: Path, item: str, why: str) -> None:
    status, (told,) = tried(env, "face", item)
    assert status == "failed"
    assert told.startswith(f"{item} cannot be imported")
    assert why in told


def test_commands_run_in_the_folder_with_the_environments_programs(env: Path, tmp_path: Path) -> None:
    (tmp_path / "smoke.py").write_text("import sys, face; open('seen', 'w').write(sys.prefix)\n")
    assert tried(env, "python smoke.py", folder=tmp_path) == ("passed", [])
    assert (tmp_path / "seen").read_text() == str(env)
    status, (told,) = tried(env, "python -c 'raise SystemExit(3)'", folder=tmp_path)
    assert (status, "ended with exit code 3" in told) == ("failed", True)
    _, (told,) = tried(env, "no-such-program at all", folder=tmp_path)
    assert "cannot be started" in told


def test_nothing_said_is_nothing_tried(env: Path) -> None:
    assert prove(LocalHost(), str(env), (), SILENT, folder=str(env)) is None
    assert judged({"a": "", "b": ""}).check.detail == "2 of 2 that the project names work"


@pytest.mark.parametrize(("item", "wrong"), [("a.b", False), ("a-b", True), ("", True), ("python 'x", True), ("python x.py", False)])
def test_what_can_stand_there(item: str, wrong: bool) -> None:
    assert bool(fault(item)) == wrong


def test_a_command_of_a_file_needs_the_word() -> None:
    (item,) = named.of_verify(Request(verify=("pandas", "python smoke.py")), "tfsetup.yaml")
    assert (item.kind, item.where, bool(item.unusual)) == ("program", "tfsetup.yaml: verify[1]", True)


def test_verify_runs_it_and_asks_before_a_command(env: Path, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    inside = Inside(capsys, monkeypatch)
    (tmp_path / "tfsetup.yaml").write_text("verify: [face.Net, 'python smoke.py']\n")
    (tmp_path / "smoke.py").write_text("open('seen', 'w')\n")
    refused = inside("verify", "--env", str(env))
    assert (refused.code, (tmp_path / "seen").exists()) == (15, False)
    assert "python smoke.py" in refused.err
    ended = inside("verify", "--env", str(env), "--json", "--trust")
    monkeypatch.undo()
    (check,) = [check for check in json.loads(ended.out)["checks"] if check["name"] == "project"]
    assert (check["status"], check["detail"]) == ("passed", "2 of 2 that the project names work")
    assert (tmp_path / "seen").exists()
