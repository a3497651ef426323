"""The real command: what is shown, what is asked, how it ends. The tiny TensorFlow cannot compute, so no attempt here can stand."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from provisioner.report.schemas import schema_of
from tests.cli.made import content
from tests.cli.support import VERSION, Inside, Tool
from tests.cli.terminal import on_terminal
from tests.support import SITE, snapshot


def rewrite(path: Path, text: str) -> None:
    """Put another file there: the one that is there may be a hard link into the installer's cache."""
    path.unlink()
    path.write_text(text)


@pytest.fixture
def env(work: Path, shared: Path, variables, tiny) -> Path:
    """An environment whose TensorFlow is there and cannot be imported."""
    env = work / "env"
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "--python", sys.executable, str(env)], check=True)
    names = [f"tensorflow-cpu=={VERSION}", "six==2.0"]
    subprocess.run([*uv, "pip", "install", "-q", "--python", f"{env}/bin/python", *names], check=True, env={**variables, **tiny})
    rewrite(env / SITE / "tensorflow" / "__init__.py", "raise ImportError('half of a file')\n")
    return env


def test_shown_only(tool: Tool, tiny, env: Path) -> None:
    before = snapshot(env)
    ended = tool("fix", "--env", "env", "--dry-run", **tiny)
    assert ended.code == 0, ended.err
    assert "What is wrong" in ended.err
    assert "Put right" in ended.err
    assert "Nothing was changed" in ended.out
    assert snapshot(env) == before


def test_shown_only_as_a_document(tool: Tool, tiny, env: Path) -> None:
    ended = tool("fix", "--env", "env", "-n", "--json", **tiny)
    assert ended.code == 0, ended.err
    document = ended.json
    jsonschema.validate(document, schema_of("fix"))
    assert (document["outcome"], document["state"]) == ("planned", "old")
    assert document["plan"]["kind"] in {"repair", "set"}
    events = [json.loads(line)["event"] for line in ended.err.splitlines()]
    assert events
    assert all(events)


@pytest.mark.slow
def test_each_stage_that_begins_ends_once(tool: Tool, tiny, env: Path) -> None:
    lines = [line.strip() for line in tool("fix", "--env", "env", "--yes", **tiny).err.splitlines()]
    begun = [line for line in lines if line.endswith(" ...")]
    assert any(line.startswith("Verifying") for line in begun)
    assert len([line for line in lines if line.startswith("done in")]) == len(begun)
    assert not [line for line, after in itertools.pairwise(lines) if line.startswith("done in") and after.startswith("done in")]


def test_without_a_terminal_and_without_yes_nothing_changes(tool: Tool, tiny, env: Path) -> None:
    before = snapshot(env)
    ended = tool("fix", "--env", "env", **tiny)
    assert ended.code == 15
    assert "Put right" in ended.err
    assert snapshot(env) == before


def test_no_is_no(tool: Tool, tiny, env: Path) -> None:
    before = snapshot(env)
    ended = on_terminal(tool, b"n\n", "fix", "--env", "env", **tiny)
    assert ended.code == 15
    assert ended.err.index("Put right") < ended.err.index("Do this? [y/N]")
    assert snapshot(env) == before


def test_when_nothing_helps_the_old_state_is_back_and_the_code_is_14(tool: Tool, tiny, env: Path) -> None:
    before = content(env)
    ended = tool("fix", "--env", "env", "--yes", "--json", **tiny)
    assert ended.code == 14, ended.err
    document = ended.json
    jsonschema.validate(document, schema_of("fix"))
    assert document["outcome"] == "failed"
    assert [item["kept"] for item in document["attempts"]] == [False] * len(document["attempts"])
    assert len(document["attempts"]) >= 2
    assert content(env) == before


def test_the_python_of_an_environment_means_its_environment(tool: Tool, tiny, env: Path) -> None:
    ended = tool("fix", "--python", "env/bin/python", "-n", "--json", **tiny)
    assert ended.json["env"] == str(env)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--env", "nowhere"), "there is no environment"),
        (("--python", "nowhere/python"), "there is no such interpreter"),
        (("--env", "file"), "it is a file"),
        (("--wait", "long"), "not a valid float"),
    ],
)
def test_a_wrong_place_ends_with_2(inside: Inside, tiny, work: Path, args: tuple[str, ...], told: str) -> None:
    (work / "file").write_text("")
    ended = inside("fix", *args, "--yes", **tiny)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


@pytest.mark.slow
def test_a_python_that_is_no_environments_is_refused_with_what_to_do_instead(tool: Tool, tiny) -> None:
    ended = tool("fix", "--python", str(Path(sys.executable).resolve()), "--yes", **tiny)
    assert ended.code == 2, ended.err
    assert "tfsetup apply --env" in ended.err


def test_an_unknown_release_ends_with_12(tool: Tool, tiny, env: Path) -> None:
    old = env / SITE / f"tensorflow_cpu-{VERSION}.dist-info"
    rewrite(old / "METADATA", (old / "METADATA").read_text().replace(VERSION, "2.20.99"))
    old.rename(env / SITE / "tensorflow_cpu-2.20.99.dist-info")
    ended = tool("fix", "--env", "env", "--yes", **tiny)
    assert ended.code == 12, ended.err
    assert "this would work: tfsetup plan" in ended.err


def test_a_repair_is_not_executed_from_a_file(tool: Tool, tiny, env: Path, work: Path) -> None:
    plan = tool("fix", "--env", "env", "-n", "--json", **tiny).json["plan"]
    (work / "plan.json").write_text(json.dumps({"schema": "tfsetup/plan/1", **plan}))
    ended = tool("apply", "plan.json", "--yes", **tiny)
    assert ended.code == 2
    assert "tfsetup fix" in ended.err


def test_an_environment_that_only_path_has_is_not_meant(inside: Inside, work: Path) -> None:
    other = work / "elsewhere"
    subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(other)], check=True)
    ended = inside("fix", "--yes", PATH=f"{other}/bin:/usr/bin:/bin")
    assert ended.code == 2
    assert ended.err.startswith(f"error: {work}/tf-env: there is no environment")
    assert f"--env {other}" in ended.err


def test_a_repair_is_shown_on_one_screen(tool: Tool, tiny, env: Path) -> None:
    """Its plan took 43 rows: every step and reason, which ``-v`` shows."""
    ended = tool("fix", "-n", "--env", "env", **tiny)
    plan = ended.err[ended.err.index("Put right") :].splitlines()
    assert len(plan) <= 24 - 6, "what is wrong stands above it"
    assert all(len(line) < 80 or "/" in line for line in plan)
    assert "anew" in ended.err or "comes:" in ended.err
    assert "Steps" in tool("fix", "-n", "-v", "--env", "env", **tiny).err
