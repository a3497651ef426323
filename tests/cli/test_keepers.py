"""An environment that a project's tool keeps: what is changed past its lock is told, with what makes it stay. By the real uv."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.made import good_environment
from tests.cli.support import Tool
from tests.support import make_wheel

PROJECT = '[project]\nname = "mine"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["tensorflow-cpu", "six{}"]\n'


def uv(work: Path, tiny: dict[str, str], *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "uv", *arguments],
        cwd=work,
        env={**tiny, "HOME": str(work), "PATH": "/usr/bin:/bin"},
        check=True,
        capture_output=True,
    )


def project(work: Path, tiny: dict[str, str], six: str = "") -> None:
    make_wheel(work / "wheels", "six", "1.0", {"six.py": "VERSION = 1\n"})
    (work / "pyproject.toml").write_text(PROJECT.format(six))
    uv(work, {**tiny, "UV_FIND_LINKS": f"{tiny['UV_FIND_LINKS']},{work}/wheels"}, "sync", "--python", sys.executable)


def test_what_the_lock_says_too_is_not_worth_a_word(tool: Tool, tiny, work: Path) -> None:
    project(work, tiny)
    uv(work, tiny, "pip", "uninstall", "--python", ".venv/bin/python", "six")
    document = tool("plan", "--json", "--env", ".venv", **tiny).json
    assert [item["name"] for item in document["packages"]] == ["six"]
    assert document["preflight"]["warnings"] == []


def test_what_uv_would_put_back_is_told_with_what_makes_it_stay(tool: Tool, tiny, work: Path) -> None:
    project(work, tiny, "<2")
    document = tool("plan", "--json", "--env", ".venv", **tiny).json
    assert [(item["name"], item["version"]) for item in document["packages"]] == [("six", "2.0")]
    (told,) = document["preflight"]["warnings"]
    assert told.startswith(f"uv keeps this environment by {work}/uv.lock, and `uv sync` and `uv run` put back what that says of six")
    assert told.endswith(f"write it there: `uv add --project {work} six==2.0`")


@pytest.mark.parametrize("locked", [True, False], ids=["in the lock", "not in it"])
def test_doctor_says_it_in_the_words_of_the_project(tool: Tool, tiny, work: Path, locked: bool) -> None:
    project(work, tiny)
    uv(work, tiny, "pip", "uninstall", "--python", ".venv/bin/python", "tensorflow-cpu")
    if not locked:
        lock = work / "uv.lock"
        lock.write_text(lock.read_text().replace("tensorflow-cpu", "something-else"))
    found = tool("doctor", "--json", "--no-import", "--env", ".venv", **tiny).json["findings"][0]
    assert found["cause"] == "tf-not-installed"
    assert found["remedy"]["steps"] == [f"uv sync --project {work}" if locked else f"uv add --project {work} tensorflow"]


def results(tool: Tool, tiny: dict[str, str]) -> dict[str, str]:
    """What verify's check of the plan and doctor's check of the promise say."""
    checks = [
        *tool("verify", "--json", "--env", "env", **tiny).json["checks"],
        *tool("doctor", "--json", "--env", "env", **tiny).json["checks"],
    ]
    return {item["name"]: item.get("status") or item["result"] for item in checks if item["name"] in {"plan", "set"}}


def test_what_another_tensorflow_came_with_is_held_against_no_receipt(
    tool: Tool, tiny, work: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`verify` failed for the packages of a set that somebody had replaced by another, and `doctor` asked for its pip."""
    good_environment(shared, work / "env", monkeypatch)
    uv(work, tiny, "pip", "uninstall", "--python", "env/bin/python", "six")
    assert results(tool, tiny) == {"plan": "failed", "set": "warning"}
    make_wheel(work / "wheels", "tensorflow-cpu", "2.19.0", {"tensorflow/__init__.py": "__version__ = '2.19.0'\n"})
    uv(work, {**tiny, "UV_FIND_LINKS": f"{work}/wheels"}, "pip", "install", "--python", "env/bin/python", "tensorflow-cpu==2.19.0")
    assert results(tool, tiny) == {"plan": "skipped", "set": "skipped"}
