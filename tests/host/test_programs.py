"""Programs as they are started on Windows; none of it asks which system this is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from provisioner.host import programs


def test_a_name_is_looked_for_on_the_path_that_is_given_with_the_endings_of_programs(tmp_path: Path) -> None:
    for name in ("one/tool", "two/tool.exe", "two/other.bat"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    env = {"PATH": f"relative;{tmp_path}/one;{tmp_path}/two", "PATHEXT": ".EXE;.BAT"}
    assert programs.found("tool", env) == f"{tmp_path}/two/tool.exe", "one without an ending is no program"
    assert programs.found("other", env) == f"{tmp_path}/two/other.bat"
    assert programs.found("tool.exe", env) == f"{tmp_path}/two/tool.exe"
    assert programs.found("nothing", env) is None


def test_variables_are_spelt_as_programs_know_them() -> None:
    found = programs.variables_of({"PATH": "C:/env/Scripts;C:/Windows", "MODE": "a/b", "ONE": "//server/share"})
    assert found["PATH"] == "C:\\env\\Scripts;C:\\Windows"
    assert found["MODE"] == "a/b"


def test_a_program_that_fails_has_said_why(capfd: pytest.CaptureFixture[str]) -> None:
    argv = [sys.executable, "-c", "import sys; print('out'); sys.exit('x' * 100 + 'the end')"]
    code, said = programs.attend(argv, os.environ, keep=20)
    assert code == 1
    assert said.strip().endswith(b"the end")
    assert len(said) == 20
    shown = capfd.readouterr()
    assert shown.out == "out\n"
    assert shown.err.endswith("the end\n")


def test_a_name_that_is_nowhere_is_not_found() -> None:
    with pytest.raises(FileNotFoundError):
        programs.attend(["no-such-program"], {"PATH": "C:/nowhere"}, keep=1)
