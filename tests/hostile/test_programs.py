"""An interpreter that only a file names: never started by reading or planning, and by ``apply`` only with a word of this person's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.model import codec
from provisioner.model.plan import Plan
from provisioner.plan.seal import SCHEMA, seal
from tests.cli.support import Ended, Tool
from tests.hostile.conftest import Plant
from tests.support import PYTHON

COMMANDS = (
    ("plan",), ("plan", "--json"), ("apply",), ("apply", "--yes"), ("init",), ("detect",), ("doctor",), ("verify",), ("fix", "--yes"),
    ("lock",), ("lock", "--check"),
)  # fmt: skip


def file_yaml(work: Path, path: str) -> None:
    (work / "tfsetup.yaml").write_text(f"python: {path}\n")


def file_toml(work: Path, path: str) -> None:
    (work / "pyproject.toml").write_text(f"[tool.tfsetup]\npython = '{path}'\n")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("where", ["inside", "outside"])
@pytest.mark.parametrize("write", [file_yaml, file_toml])
def test_a_python_of_the_folder_s_file_is_not_started(
    tool: Tool, tiny: dict[str, str], work: Path, plant: Plant, mark: Path, where: str, write, command: tuple[str, ...]
) -> None:
    planted = plant(work / "bin" / "python3.11" if where == "inside" else work.parent / "elsewhere" / "python3.11")
    write(work, "bin/python3.11" if where == "inside" else str(planted))
    ended = tool(*command, **tiny)
    assert not mark.exists()
    if command[0] in {"plan", "apply"}:
        assert ended.code == 15, ended.err
        said = ended.out + ended.err
        assert "--trust" in said
        assert str(planted) in said
        assert "python" in said
        assert ("lies in the folder of the file itself" in said) == (where == "inside")


def test_with_a_word_it_is_started(tool: Tool, tiny: dict[str, str], work: Path, plant: Plant, mark: Path) -> None:
    planted = plant(work / "bin" / f"python{PYTHON}")
    file_yaml(work, f"bin/python{PYTHON}")
    for args, variables in ((("--trust",), {}), ((), {"TFSETUP_TRUST": "1"}), (("--python", str(planted)), {})):
        mark.unlink(missing_ok=True)
        ended = tool("plan", *args, **tiny, **variables, TFSETUP_CACHE_DIR=str(work / f"cache{len(args)}"))
        assert ended.code == 0, ended.err
        assert mark.exists()


def test_a_python_that_this_machine_has_among_its_own_needs_no_word(tool: Tool, tiny: dict[str, str], work: Path) -> None:
    """The honest file: it is shown, and nothing is asked."""
    found = next(
        item["path"] for item in tool("detect", "--json", **tiny).json["interpreters"]["value"] if item["version"].startswith(PYTHON)
    )
    file_yaml(work, found)
    ended = tool("plan", **tiny)
    assert ended.code == 0, ended.err
    assert f"tfsetup.yaml: python names the Python {found}" in ended.err


def test_a_virtual_environment_of_the_repository_is_none_of_them(tool: Tool, tiny: dict[str, str], work: Path, mark: Path) -> None:
    """Its Python is the machine's own file; what runs at its start is the repository's."""
    subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(work / ".venv")], check=True)
    (work / ".venv" / "lib" / f"python{PYTHON}" / "site-packages" / "x.pth").write_text(
        f"import pathlib; pathlib.Path({str(mark)!r}).touch()\n"
    )
    file_yaml(work, ".venv/bin/python")
    assert tool("plan", **tiny).code == 15
    assert not mark.exists()


def saved_plan(tool: Tool, tiny: dict[str, str], work: Path, **request: object) -> Path:
    """A stranger's plan: sealed anew after it was changed, as whoever has this tool can do."""
    assert tool("plan", "--env", str(work / "env"), "-o", "plan.json", **tiny).code == 0
    path = work / "plan.json"
    data = json.loads(path.read_text())
    data["request"] |= request
    plan = codec.from_data(Plan, data, file="plan.json", schema=SCHEMA)
    data["seal"] = seal(plan)
    path.write_text(json.dumps(data))
    return path


def applied(tool: Tool, tiny: dict[str, str], *args: str) -> Ended:
    return tool("apply", "plan.json", *args, **tiny)


@pytest.mark.parametrize("args", [(), ("--yes",)])
@pytest.mark.parametrize("origin", ["option", "default", "file tfsetup.yaml"])
def test_a_python_of_a_saved_plan_is_not_started(
    tool: Tool, tiny: dict[str, str], work: Path, plant: Plant, mark: Path, origin: str, args: tuple[str, ...]
) -> None:
    """Whatever the plan says of where it comes from."""
    saved_plan(tool, tiny, work, python=str(plant(work.parent / "elsewhere" / "python3")), origins={"python": origin, "env": "option"})
    ended = applied(tool, tiny, *args)
    assert (ended.code, "--trust" in ended.err) == (15, True), ended.err
    assert not mark.exists()


def test_a_plan_that_this_person_made_here_needs_no_new_word(tool: Tool, tiny: dict[str, str], work: Path, plant: Plant) -> None:
    planted = plant(work.parent / "own" / f"python{PYTHON}")
    assert tool("plan", "--python", str(planted), "--env", "env", "-o", "plan.json", **tiny).code == 0
    ended = applied(tool, tiny)
    assert ended.code == 15
    assert "look at the plan, then add --yes" in ended.err
