"""How the program is called: what a person can type from where they are."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

import pytest

from provisioner.base import called
from provisioner.base.text import shown

COMMANDS = ("plan", "apply", "undo")


@pytest.fixture(autouse=True)
def _plain_again() -> Iterator[None]:
    yield
    called.called(called.NAME, COMMANDS)


@pytest.mark.parametrize(
    ("argv0", "on_path", "expected"),
    [
        ("/home/a/.local/bin/tfsetup", "/home/a/.local/bin/tfsetup", "tfsetup"),
        # Not on PATH, or another one is there first.
        ("/home/a/.local/bin/tfsetup", "", "~/.local/bin/tfsetup"),
        ("/home/a/.local/bin/tfsetup", "/usr/bin/tfsetup", "~/.local/bin/tfsetup"),
        (".venv/bin/tfsetup", "", ".venv/bin/tfsetup"),
        ("/home/a/work/.venv/bin/tfsetup", "", ".venv/bin/tfsetup"),
        ("./tfsetup", "", "./tfsetup"),
        ("/home/a/work/tfsetup", "/usr/bin/tfsetup", "./tfsetup"),
        ("/opt/my tools/tfsetup", "", "'/opt/my tools/tfsetup'"),
        ("/home/a/my tools/tfsetup", "", "'/home/a/my tools/tfsetup'"),
        ("../bin/tfsetup", "", "~/bin/tfsetup"),
        ("/home/a/work/tfsetup.py", "", "/usr/bin/python3 -m tfsetup"),
        # A test, a script: the plain name.
        ("/usr/bin/pytest", "", "tfsetup"),
        ("-c", "", "tfsetup"),
    ],
)
def test_the_name_is_what_a_shell_takes(argv0: str, on_path: str, expected: str) -> None:
    assert called.name_of(argv0, python="/usr/bin/python3", on_path=on_path, cwd="/home/a/work", home="/home/a") == expected


@pytest.mark.parametrize("home", ["", "/"])
def test_without_a_home_a_path_is_told_in_full(home: str) -> None:
    assert called.name_of("/x/tfsetup", python="/p", on_path="", cwd="/", home=home) == "/x/tfsetup"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Next: tfsetup apply --env ./e", "Next: .venv/bin/tfsetup apply --env ./e"),
        ("`tfsetup undo` removes it; then tfsetup plan", "`.venv/bin/tfsetup undo` removes it; then .venv/bin/tfsetup plan"),
        ("`tfsetup --help`, `tfsetup COMMAND --help`", "`.venv/bin/tfsetup --help`, `.venv/bin/tfsetup COMMAND --help`"),
        # The tool is spoken of, a path, a folder's name, another program.
        ("another tfsetup is at work", "another tfsetup is at work"),
        ("an earlier run of tfsetup was interrupted", "an earlier run of tfsetup was interrupted"),
        ("/opt/tfsetup apply", "/opt/tfsetup apply"),
        ("~/.cache/tfsetup plan.json my-tfsetup plan", "~/.cache/tfsetup plan.json my-tfsetup plan"),
        ("tfsetup applying", "tfsetup applying"),
        ("tfsetup.yaml", "tfsetup.yaml"),
    ],
)
def test_a_command_is_shown_as_it_can_be_typed_and_nothing_else_is(text: str, expected: str) -> None:
    called.called(".venv/bin/tfsetup", COMMANDS)
    assert shown(text) == expected


def test_a_path_with_signs_of_patterns_is_shown_as_it_is() -> None:
    called.called(r"'C:\new\1\tfsetup'", COMMANDS)
    assert shown("tfsetup plan") == r"'C:\new\1\tfsetup' plan"


def test_the_installer_that_comes_along_is_named_by_its_path_where_it_is_on_none() -> None:
    called.called(called.NAME, COMMANDS, "~/.venv/bin/uv")
    assert (
        shown("`uv python install 3.10`, or uv itself; tfsetup plan") == "`~/.venv/bin/uv python install 3.10`, or uv itself; tfsetup plan"
    )


def test_for_another_machine_it_has_its_plain_name() -> None:
    called.called(called.NAME, COMMANDS, "~/.venv/bin/uv")
    called.for_another_machine()
    assert shown("`uv python install 3.10`") == "`uv python install 3.10`"


@pytest.mark.parametrize(
    ("path", "cwd", "typed"),
    [
        ("C:/Python311/python.exe", "C:/work", "C:\\Python311\\python.exe"),
        ("C:/work/.venv/Scripts/tfsetup.exe", "C:/work", ".\\.venv\\Scripts\\tfsetup.exe"),
        ("C:/Program Files/tfsetup.exe", "C:/work", '"C:\\Program Files\\tfsetup.exe"'),
        ("C:/Users/ada/bin/tfsetup.exe", "C:/work", "C:\\Users\\ada\\bin\\tfsetup.exe"),
    ],
)
def test_on_windows_a_program_is_typed_with_backslashes(path: str, cwd: str, typed: str) -> None:
    assert called.short(path, cwd, "C:/Users/ada") == typed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Next: tfsetup apply --env 'C:/my env' --with 'pandas>=2'", 'Next: tfsetup apply --env "C:/my env" --with "pandas>=2"'),
        ("`tfsetup undo --env 'C:/my env'` removes it; 'as it was'", "`tfsetup undo --env \"C:/my env\"` removes it; 'as it was'"),
        (
            "  do: it\n      $ C:/e/Scripts/python.exe -m pip install 'a<2'",
            '  do: it\n      $ C:\\e\\Scripts\\python.exe -m pip install "a<2"',
        ),
        (
            '      $ "C:/Büro é/tf env/Scripts/python.exe" -m pip install a C:/e/x.txt',
            '      $ "C:\\Büro é\\tf env\\Scripts\\python.exe" -m pip install a C:/e/x.txt',
        ),
        ("another tfsetup's 'words'", "another tfsetup's 'words'"),
        ("Next: tfsetup apply --env " + quote("C:/O'Brien/it's"), "Next: tfsetup apply --env \"C:/O'Brien/it's\""),
        ("Next: tfsetup apply --env 'C:/a$b'", 'Next: tfsetup apply --env "C:/a$b"'),
    ],
)
def test_on_windows_commands_are_quoted_for_its_shells(text: str, expected: str) -> None:
    called.called(called.NAME, COMMANDS, shell=lambda: "")
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("    $ \"C:/a b/python.exe\" -m pip install 'a<2'", '    $ & "C:\\a b\\python.exe" -m pip install "a<2"'),
        ('`"C:\\a b\\python.exe" -m pip check`', '`& "C:\\a b\\python.exe" -m pip check`'),
        ('`"C:\\a b\\python.exe"` is another', '`"C:\\a b\\python.exe"` is another'),
        ("    $ C:/e/python.exe -m pip check", "    $ C:\\e\\python.exe -m pip check"),
        ("    $ set PATH=C:\\a b;%PATH%", '    $ $env:PATH = "C:\\a b;$env:PATH"'),
        ("    $ set CUDA_VISIBLE_DEVICES=-1", '    $ $env:CUDA_VISIBLE_DEVICES = "-1"'),
        ("    $ set PYTHONHOME=\n    $ python x", "    $ Remove-Item Env:PYTHONHOME\n    $ python x"),
        ("set A=1 is a word", "set A=1 is a word"),
        ("      $ python x 'C:/a$b' 'C:/a b'", "      $ python x 'C:/a$b' \"C:/a b\""),
        ("      $ python x " + quote("C:/O'Brien/c$d"), "      $ python x 'C:/O''Brien/c$d'"),
        ("      $ tfsetup undo\n  or `tfsetup plan`", '      $ & ".\\a b\\tfsetup.exe" undo\n  or `& ".\\a b\\tfsetup.exe" plan`'),
        ("      $ uv\n  or `uv python install 3.11`", '      $ uv\n  or `& ".\\a b\\uv.exe" python install 3.11`'),
    ],
)
def test_powershell_starts_a_program_in_quotes_and_sets_variables_in_its_own_way(text: str, expected: str) -> None:
    called.called('".\\a b\\tfsetup.exe"', COMMANDS, '".\\a b\\uv.exe"', shell=lambda: "powershell")
    assert shown(text) == expected
    assert shown(text, script=True).count("& ") == 0
    called.called(called.NAME, COMMANDS, shell=lambda: "cmd")
    assert "$env:" not in shown(text)


def test_the_shell_is_asked_where_it_makes_a_difference() -> None:
    asked: list[str] = []
    called.called(called.NAME, COMMANDS, shell=lambda: asked.append("") or "powershell")
    assert (
        shown("Next: tfsetup plan, then `tfsetup apply --env 'C:/my env'`") == 'Next: tfsetup plan, then `tfsetup apply --env "C:/my env"`'
    )
    assert asked == []
    for _ in range(2):
        assert shown("    $ set A=1") == '    $ $env:A = "1"'
    assert asked == [""]
