"""Help, usage errors, and what reaches which stream."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner import __version__
from provisioner.base.text import visible
from provisioner.cli import SUMMARIES
from provisioner.host import patient
from tests.cli.support import Inside, Tool


@pytest.mark.parametrize("args", [(), ("--help",)])
def test_help_lists_every_command_on_stdout(inside: Inside, args: tuple[str, ...]) -> None:
    ended = inside(*args)
    assert (ended.code, ended.err) == (0, "")
    assert all(f"\n  {name} " in ended.out for name in SUMMARIES)


@pytest.mark.parametrize("command", SUMMARIES)
def test_each_command_has_help_with_a_variable_for_each_option(inside: Inside, command: str) -> None:
    ended = inside(command, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"Usage: tfsetup {command}")


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_the_version_is_told(tool: Tool, inside: Inside, flag: str) -> None:
    assert tool(flag).out == f"tfsetup {__version__}\n"
    assert inside(flag).out == f"tfsetup {__version__}\n"


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("nothing",), "No such command"),
        (("plan", "--nothing"), "has no option --nothing"),
        (("plan", "one", "two"), "does not take one two"),
        (("plan", "--device", "tpu"), "`tpu` is not one of auto, cpu, cuda"),
        (("plan", "--kind", "docker"), "`docker` is not one of venv, conda"),
        (("plan", "--env", ""), "a folder is needed"),
        (("plan", "--env", "/"), "the root of the file system"),
        (("plan", "--env", "a" * 241), "too long"),
        (("plan", "--tensorflow", "newest"), "newest"),
        (("plan", "--python", "snake"), "snake"),
        (("apply", "--wait", "long"), "not a valid float"),
        (("apply", "plan.json", "--device", "cpu"), "a saved plan says all"),
        (("verify", "--require", "tpu"), "`tpu` is not known"),
        (("verify", "--timeout", "0"), "above zero"),
        (("verify", "--env", "no-such"), "there is no environment"),
        (("schema", "nothing"), "there is no document called `nothing`"),
        (("profiles", "1.0"), "no known-good set"),
        (("profiles", "--device", "tpu"), "no known-good set"),
        (("profiles", "--platform", "solaris-sparc"), "no known-good set"),
    ],
)
def test_a_wrong_command_line_ends_with_2_in_words_and_as_a_document(inside: Inside, tiny, args: tuple[str, ...], told: str) -> None:
    ended = inside(*args, **tiny)
    assert (ended.code, ended.out) == (2, "")
    # Which environment is meant is said before what is wrong with the rest.
    assert next(line for line in ended.err.splitlines() if not line.startswith("Environment: ")).startswith("error: ")
    assert told in ended.err
    assert "Traceback" not in ended.err
    if args[0] != "schema":
        ended = inside(*args, "--json", **tiny)
        assert (ended.code, ended.err) == (2, "")
        assert list(ended.json) == ["schema", "error"]
        assert ended.json["schema"] == "tfsetup/error/1"
        assert ended.json["error"]["code"] == 2
        assert told in ended.json["error"]["message"]


def test_a_request_that_cannot_be_met_ends_with_12_and_the_nearest_that_can(inside: Inside, tiny) -> None:
    ended = inside("plan", "--tensorflow", "1.15", **tiny)
    assert (ended.code, ended.out) == (12, "")
    assert "this would work: tfsetup plan" in ended.err
    document = inside("plan", "--tensorflow", "1.15", "--json", **tiny).json
    assert document["error"]["code"] == 12
    assert document["error"]["refusals"]
    assert document["error"]["nearest"]


def test_changes_that_are_pending_are_told_by_10_only_when_asked(inside: Inside, tiny) -> None:
    assert inside("plan", **tiny).code == 0
    assert inside("plan", "--exit-code", **tiny).code == 10


def test_words_go_to_stderr_and_data_to_stdout(inside: Inside, tiny, work: Path) -> None:
    ended = inside("plan", "-o", "plan.json", **tiny)
    assert ended.err == f"Environment: {work}/tf-env (no other is named or active)\nThe plan is saved in plan.json\n"
    assert "undoable" in ended.out
    assert (work / "plan.json").exists()


@pytest.mark.parametrize("args", [("detect",), ("plan",), ("profiles",)])
def test_without_a_terminal_there_is_no_colour_and_no_animation(inside: Inside, tiny, args: tuple[str, ...]) -> None:
    ended = inside(*args, **tiny)
    assert "\x1b" not in ended.out + ended.err
    assert "\r" not in ended.out + ended.err


def test_every_symbol_of_a_plan_stands_beside_words(inside: Inside, tiny) -> None:
    lines = inside("plan", **tiny).out.splitlines()
    for line in lines:
        assert not line.strip() or any(character.isalpha() for character in line), line
    assert all(ord(character) < 128 for line in lines for character in line.replace("ö", "o")), "a plan reads well in any encoding"


def test_control_characters_of_a_name_do_not_steer_the_terminal(inside: Inside, tiny) -> None:
    ended = inside("plan", "--env", "red\x1b[31m\x07", **tiny)
    assert ended.code == 0
    assert "\x1b" not in ended.out
    assert r"red\x1b[31m\x07" in ended.out
    assert visible("a\tb\nc\x9b\x7f") == "a\tb\nc\\x9b\\x7f"


def test_a_reader_that_goes_away_is_no_error(tool: Tool) -> None:
    command = [*tool.argv, "profiles"]
    with subprocess.Popen(command, cwd=tool.cwd, env=tool.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        error = process.stderr.read()
    assert (process.returncode, error) == (0, "")


def test_an_output_that_is_full_is_an_error_in_words(tool: Tool) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*tool.argv, "profiles"], cwd=tool.cwd, env=tool.env, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr.startswith("error: no space is left on the disk")


def test_a_terminal_of_another_encoding_gets_escapes(tool: Tool, tiny) -> None:
    ended = tool("plan", "--env", "größe-環境", **tiny, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert ended.code == 0
    assert r"gr\xf6\xdfe-\u74b0\u5883" in ended.out


@pytest.mark.parametrize("target", ["/dev/null", ".", "no/such/folder/file"])
@pytest.mark.parametrize("command", ["plan", "detect"])
def test_what_is_no_file_is_never_replaced_by_an_output(inside: Inside, tiny, target: str, command: str) -> None:
    ended = inside(command, "-o", target, **tiny)
    assert ended.code == 2
    assert ended.err.split("\n", 1)[-1 if command == "plan" else 0].startswith(f"error: {target}: ")
    assert not os.path.isfile("/dev/null")


def test_an_output_that_is_a_link_is_followed(inside: Inside, tiny, work: Path) -> None:
    (work / "link").symlink_to("real.json")
    assert inside("plan", "-o", "link", **tiny).code == 0
    assert (work / "link").is_symlink()
    assert (work / "real.json").read_text().startswith('{\n "schema": "tfsetup/plan/1"')


def test_a_bug_keeps_its_traceback_in_a_file_and_ends_with_1(inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from provisioner.cli import profiles

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(profiles, "Session", lambda _host: 1 // 0)
    ended = inside("profiles")
    assert (ended.code, ended.out) == (1, "")
    assert "a bug in tfsetup: ZeroDivisionError" in ended.err
    assert "Traceback" not in ended.err
    (file,) = tmp_path.glob("tfsetup-bug-*.txt")
    assert "Traceback" in file.read_text()
    # Where no file can be written, the words must do.
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    assert inside("profiles").code == 1


def test_the_command_runs_where_the_working_folder_is_gone(tool: Tool, work: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"mkdir gone && cd gone && rmdir ../gone && exec {sys.executable} -m provisioner profiles"],
        cwd=work, env={**tool.env, "PYTHONPATH": str(Path(__file__).parents[2])}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_profiles_as_a_table_filtered_and_one_in_full(inside: Inside, tiny) -> None:
    from tests.support import PYTHON

    table = inside("profiles", "--all", **tiny).out
    assert table.splitlines()[0].split() == ["release", "released", PYTHON]
    assert table.splitlines()[1].split() == ["2.20.0", "2025-08-13", "(cpu)"]
    assert "(cpu), (cuda): resolved, not run" in table
    short = inside("profiles", **tiny).out.splitlines()
    assert short[1].split() == ["2.20.0", "2025-08-13", "Python", f"{PYTHON}:", "(cpu)"]
    one = inside("profiles", "2.20", "--python", PYTHON, **tiny).out
    assert one.startswith("TensorFlow 2.20.0, released 2025-08-13\n")
    assert f"Python {PYTHON} cpu" in one
    # The real catalogue, with links, CUDA and what is known to be bad.
    assert "cuDNN" in inside("profiles", "2.20.0").out
    # By itself it is this machine's, on about a screen.
    shipped = inside("profiles").out.splitlines()
    assert len(shipped) <= 30
    assert max(map(len, shipped)) <= 100
    assert [line.split()[0] for line in shipped[1:3]] == ["2.21.0", "2.20.0"]
    assert len(inside("profiles", "--all").out.splitlines()) > 200


def test_nothing_to_undo_is_no_error(inside: Inside, tiny) -> None:
    ended = inside("undo", "--env", "no-such", **tiny)
    assert (ended.code, ended.err.count("\n")) == (0, 1), ended.err
    assert ended.err.endswith("no-such (--env)\n")
    assert ended.out.startswith("Nothing to undo")
    document = inside("undo", "--env", "no-such", "--json", **tiny).json
    assert (document["restored"], document["removed"]) == (None, [])


def test_what_turns_the_order_of_letters_is_spelt_out() -> None:
    text = "".join(map(chr, [0x85, 0x200E, 0x200F, 0x2028, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]))
    assert visible(text).isascii()
    assert visible("é 日本 🙂") == "é 日本 🙂"


@pytest.mark.parametrize("args", [("detect",), ("plan",), ("apply", "--dry-run"), ("init",)])
def test_what_is_waited_for_is_named(inside: Inside, tiny, work: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...]) -> None:
    """A program that does not answer made `plan` mute for its whole time limit; `detect` alone named it."""
    monkeypatch.setattr(patient, "MUTE_SECONDS", 0.2)
    slow = work / "bin" / "python3.9"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nsleep 1\n")
    slow.chmod(0o755)
    tiny = {**tiny, "PATH": f"{slow.parent}:{tiny.get('PATH', os.environ['PATH'])}"}
    assert "waiting for an answer of python3.9" in inside(*args, **tiny).err
    # What was asked is remembered for a while.
    quiet = [*args, "--json"] if args[0] != "init" else ["plan", "--json"]
    assert "waiting for" not in inside(*quiet, **tiny).err
