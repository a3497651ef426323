"""A command starts fast because it does little: what ``tfsetup plan`` imports, starts and opens, heard by an audit hook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

# What it imports now, with some room (a dozen are faces of folders); each module costs 0.1 to 1 ms of the 100 that a plan may take.
MODULES_AT_MOST = 228
HEAVY = (
    "pydantic", "rich", "yaml", "packaging.specifiers", "importlib.metadata", "concurrent.futures", "asyncio", "urllib.request", "http", "ssl",
    "provisioner.change.execute", "provisioner.verify", "provisioner.plan.extras", "uv", "tempfile", "csv", "configparser",
)  # fmt: skip
SCRIPT = """
import json, sys
# What an interpreter imports by itself is none of ours: Debian's has a sitecustomize.
started = {*sys.modules}
heard = []
def hook(event, args):
    if event in ("subprocess.Popen", "os.posix_spawn", "os.fork", "os.exec", "os.system") or event.startswith("socket."):
        heard.append([event, repr(args)[:200]])
sys.addaudithook(hook)
from provisioner.cli import run_command
code = run_command(sys.argv[1:])
sys.stdout.flush()
print(json.dumps({"code": code, "heard": heard, "modules": sorted({*sys.modules} - started)}), file=sys.stderr)
"""


def audited(*args: str, cwd: Path | None = None) -> dict:
    # Measuring coverage imports modules of its own.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run([sys.executable, "-c", SCRIPT, *args], cwd=cwd, env=env, capture_output=True, text=True, check=True)
    return json.loads(done.stderr.splitlines()[-1])


@pytest.fixture
def cold_then_warm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("TFSETUP_CACHE_DIR", str(tmp_path / "cache"))
    command = ["plan", "--device", "cpu", "--env", str(tmp_path / "env")]
    subprocess.run([sys.executable, "-m", "provisioner", *command], check=True, capture_output=True)
    return command


def test_a_plan_with_warm_caches_starts_no_process_and_opens_no_socket(cold_then_warm: list[str]) -> None:
    found = audited(*cold_then_warm)
    assert found["code"] == 0
    assert found["heard"] == []
    assert [name for name in HEAVY if name in found["modules"]] == []
    assert len(found["modules"]) <= MODULES_AT_MOST, len(found["modules"])


def test_a_refusal_with_warm_caches_reads_no_yaml_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFSETUP_CACHE_DIR", str(tmp_path / "cache"))
    command = ["plan", "--tensorflow", "2.3", "--python", "3.12", "--env", str(tmp_path / "env")]
    assert subprocess.run([sys.executable, "-m", "provisioner", *command], check=False, capture_output=True).returncode == 12
    found = audited(*command)
    assert found["code"] == 12
    assert "provisioner.causes.store" in found["modules"]
    assert "yaml" not in found["modules"]


def test_a_project_that_declares_nothing_costs_nothing(cold_then_warm: list[str], tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'tfsetup-user'\n[project.scripts]\ntfsetup = 'a:b'\n[tool.ruff]\n")
    found = audited(*cold_then_warm, cwd=tmp_path)
    assert found["code"] == 0
    assert not {"tomllib", "tomli", "yaml", "provisioner.declared.declaration"} & set(found["modules"])


def test_a_declaration_costs_no_more_than_its_reader(cold_then_warm: list[str], tmp_path: Path) -> None:
    """Requirements that are a name with versions are read without `packaging`, which takes longer than all the rest."""
    text = "tensorflow: 2.20\ntargets:\n  - {platform: linux-x86_64, device: cpu, python: 3.11}\nrequirements: ['pandas>=2,<3', 'rich[jupyter]']\n"
    (tmp_path / "tfsetup.yaml").write_text(text)
    found = audited(*cold_then_warm, cwd=tmp_path)
    assert found["code"] == 0
    assert not {"packaging.requirements", "tomllib", "tomli", "provisioner.declared.inputs"} & set(found["modules"])


def test_the_version_imports_nothing_of_the_tool() -> None:
    script = "import sys; sys.argv[1:] = ['--version']; from provisioner.__main__ import main; main(); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    assert "typer" not in done.stdout
    assert "provisioner.cli" not in done.stdout


def test_help_of_one_command_imports_no_other() -> None:
    found = audited("plan", "--help")
    others = {f"provisioner.cli.{name}" for name in ("apply", "verify", "undo", "profiles", "schema")}
    assert not others & set(found["modules"])
