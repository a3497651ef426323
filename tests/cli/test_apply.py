"""``apply`` and ``undo`` as processes: consent, a proof that fails, saved plans, hashes, and what a second one does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from tests.cli.made import content, good_environment, old_environment
from tests.cli.support import Inside, Tool
from tests.cli.terminal import on_terminal
from tests.support import make_wheel, snapshot


@pytest.mark.parametrize("answer", [b"\n", b"yes please\n", *(pytest.param(word, marks=pytest.mark.slow) for word in (b"n\n", b"\x04"))])
def test_no_is_no(tool: Tool, tiny, work: Path, answer: bytes) -> None:
    ended = on_terminal(tool, answer, "apply", **tiny)
    assert ended.code == 15
    assert ended.err.splitlines()[-1] == "Nothing was changed", "a no is not an error"
    assert list(work.iterdir()) == []


@pytest.mark.parametrize("json", [(), ("--json",)])
def test_the_plan_is_shown_before_the_question(tool: Tool, tiny, json: tuple[str, ...]) -> None:
    ended = on_terminal(tool, b"n\n", "apply", *json, **tiny)
    assert ended.code == 15
    assert ended.err.index("undoable") < ended.err.index("Do this? [y/N]")
    if json:
        assert ended.json["error"]["code"] == 15


@pytest.mark.slow
def test_yes_is_yes_and_the_terminal_gets_its_cursor_back(tool: Tool, tiny, work: Path) -> None:
    ended = on_terminal(tool, b"y\n", "apply", **tiny)
    assert ended.code == 14, ended.err
    assert "\x1b[" in ended.err
    assert ended.err.count("\x1b[?25l") == ended.err.count("\x1b[?25h") > 0
    assert list(work.iterdir()) == []
    assert "was removed again" in ended.out


@pytest.mark.slow
def test_colours_are_left_out_when_asked(tool: Tool, tiny) -> None:
    ended = on_terminal(tool, b"y\n", "apply", **tiny, NO_COLOR="1")
    assert ended.code == 14
    assert "\x1b[3" not in ended.err
    assert "\x1b[1;3" not in ended.err
    ended = on_terminal(tool, b"y\n", "apply", **{**tiny, "TERM": "dumb"})
    assert "\x1b" not in ended.err


def test_a_stage_that_fails_on_a_terminal_gives_the_cursor_back(tool: Tool, tiny, tmp_path: Path) -> None:
    ended = on_terminal(tool, b"y\n", "apply", **{**tiny, "UV_FIND_LINKS": str(tmp_path), "UV_CACHE_DIR": str(tmp_path / "empty")})
    assert ended.code == 1
    assert ended.err.count("\x1b[?25l") == ended.err.count("\x1b[?25h") > 0


def test_a_tensorflow_that_cannot_compute_does_not_stay(tool: Tool, tiny, work: Path) -> None:
    """The tiny package can be imported; the proof still fails, honestly, and the environment goes again."""
    ended = tool("apply", "--yes", "--json", "--env", "a/env", **tiny)
    assert ended.code == 14, ended.err
    document = ended.json
    assert (document["changed"], document["state"]) == (False, "old")
    assert document["findings"]
    assert any(finding["severity"] == "error" for finding in document["findings"])
    assert list(work.iterdir()) == [], "the folder that was made for it goes too"


def test_an_existing_environment_comes_back_when_the_proof_fails(tool: Tool, tiny, work: Path, shared: Path) -> None:
    before = old_environment(shared, work / "env")
    ended = tool("apply", "--yes", "--env", "env", **tiny)
    assert ended.code == 14, ended.err
    assert "is as it was before" in ended.out
    assert "\n\n\n" not in ended.out, "two blank lines"
    assert content(work / "env") == before


def test_a_saved_plan_is_applied(tool: Tool, tiny, work: Path) -> None:
    assert tool("plan", "-o", "plan.json", **tiny).code == 0
    assert tool("apply", "plan.json", "--yes", **tiny).code == 14
    assert [path.name for path in work.iterdir()] == ["plan.json"]


def test_a_plan_that_is_not_there_is_refused_with_the_commands_that_go_on(tool: Tool, tiny, work: Path) -> None:
    ended = tool("apply", "my plan.json", **tiny)
    assert ended.code == 2
    assert "my plan.json: there is no such file" in ended.err
    assert "tfsetup plan -o 'my plan.json'" in ended.err, ended.err
    assert list(work.iterdir()) == []


def test_an_empty_folder_stays_the_one_it_is(tool: Tool, tiny, work: Path) -> None:
    (work / "env").mkdir(mode=0o2750)
    (work / "env").chmod(0o2750)
    before = (work / "env").stat()
    assert tool("apply", "--yes", "--env", "env", **tiny).code == 14
    after = (work / "env").stat()
    assert (before.st_ino, before.st_mode) == (after.st_ino, after.st_mode)
    assert content(work / "env") == {}


def test_a_second_apply_changes_nothing_and_says_why(
    inside: Inside, tiny, work: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good_environment(shared, work / "tf-env", monkeypatch)
    before = snapshot(work)
    ended = inside("apply", **tiny)
    assert ended.code == 0, ended.err
    assert ended.out.startswith("Nothing to do: ")
    document = inside("apply", "--json", **tiny).json
    assert (document["changed"], document["state"], document["verification"]) == (False, "new", None)
    assert inside("plan", "--exit-code", **tiny).code == 0
    assert snapshot(work) == before


def test_what_a_plan_leaves_unmended_is_in_its_document(
    inside: Inside, tiny, work: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good_environment(shared, work / "tf-env", monkeypatch)
    (site,) = (work / "tf-env").glob("lib/python3*/site-packages")
    info = site / "mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\nRequires-Dist: not-there\n")
    (info / "RECORD").write_text("mine-1.0.dist-info/METADATA,,\n")
    ended = inside("plan", "--exit-code", "--json", **tiny)
    (mark,) = ended.json["unmended"]
    assert (ended.code, mark["kind"], mark["distribution"], mark["about"]) == (10, "requirement", "mine", "not-there")
    jsonschema.validate(ended.json, inside("schema", "plan").json)
    assert mark["words"] in inside("plan", **tiny).out


def test_undo_asks_then_takes_back(inside: Inside, tool: Tool, work: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good_environment(shared, work / "tf-env", monkeypatch)
    ended = inside("undo")
    assert ended.code == 15
    assert "it is removed, with all that is in it" in ended.err
    assert on_terminal(tool, b"n\n", "undo").code == 15
    assert (work / "tf-env").exists()
    document = inside("undo", "--yes", "--json").json
    assert document["restored"] == "absent"
    assert list(work.iterdir()) == []
    again = inside("undo", "--yes")
    assert (again.code, again.out.split(":")[0]) == (0, "Nothing to undo")


def test_an_environment_that_broke_meanwhile_can_be_undone(
    inside: Inside, work: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good_environment(shared, work / "tf-env", monkeypatch)
    (work / "tf-env" / "pyvenv.cfg").unlink()
    assert inside("undo", "--yes").code == 0
    assert list(work.iterdir()) == []


def test_undo_names_what_others_installed_since(inside: Inside, work: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good_environment(shared, work / "tf-env", monkeypatch)
    wheels = shared / "old wheels"
    make_wheel(wheels, "my-own", "3.0", {"my_own.py": ""})
    command = [sys.executable, "-m", "uv", "pip", "install", "-q", "--no-index", "--find-links", str(wheels)]
    subprocess.run([*command, "--python", str(work / "tf-env/bin/python"), "my-own"], check=True)
    ended = inside("undo", "--yes")
    assert ended.code == 1
    assert "my-own 3.0 was installed since" in ended.err
    assert "--keep-new" in ended.err
    assert (work / "tf-env/bin/python").exists()
    assert "is moved to" in inside("undo", "--keep-new", "kept").err, "what becomes of it is said before anybody agrees"
    assert inside("undo", "--yes", "--keep-new", "kept").code == 0
    assert not (work / "tf-env").exists()
    assert list((work / "kept").glob("lib/python*/site-packages/my_own.py"))


def test_a_file_with_another_hash_is_refused(tool: Tool, tiny, work: Path, tmp_path: Path) -> None:
    other = tmp_path / "wheels"
    make_wheel(other, "six", "2.0", {"six.py": "import os\n"})
    make_wheel(other, "tensorflow-cpu", "2.20.0", {"tensorflow/__init__.py": "import os\n"})
    ended = tool("apply", "--yes", **{**tiny, "UV_FIND_LINKS": str(other), "UV_CACHE_DIR": str(tmp_path / "uv")})
    assert ended.code == 1
    assert "its SHA-256 differs" in ended.err
    assert list(work.iterdir()) == []


def test_offline_with_an_empty_cache_says_what_to_do(tool: Tool, tiny, tmp_path: Path) -> None:
    variables = {"TFSETUP_PROFILES": tiny["TFSETUP_PROFILES"], "UV_CACHE_DIR": str(tmp_path / "uv")}
    ended = tool("apply", "--yes", "--offline", **variables)
    assert ended.code == 1
    assert "the network was forbidden" in ended.err
    assert "run once without --offline" in ended.err


def test_verify_says_what_an_environment_cannot_do(tool: Tool, tiny, work: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good_environment(shared, work / "tf-env", monkeypatch)
    before = snapshot(work)
    ended = tool("verify", "--json", **tiny)
    assert ended.code == 14
    assert ended.json["schema"] == "tfsetup/verify/1"
    assert ended.json["passed"] is False
    assert ended.json["findings"]
    assert snapshot(work) == before, "it only reads"
    assert "Result: failed" in tool("verify", **tiny).out


def test_a_listener_that_goes_away_does_not_stop_the_work(tool: Tool, tiny, work: Path) -> None:
    """With stderr closed the plan is still carried out to its end, here a proof that fails."""
    with tool.start("apply", "--yes", **tiny) as process:
        process.stderr.close()
        out = process.stdout.read()
        process.wait(30)
    assert process.returncode == 14, out
    assert list(work.iterdir()) == []
