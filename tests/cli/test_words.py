"""What people type by habit: words and options of other tools are answered with ours, and our own in every form that is usual."""

from __future__ import annotations

import shlex

import pytest

from provisioner import __version__
from provisioner.cli import SUMMARIES, words
from tests.cli.support import Inside, Tool

LISTED = [name for name in SUMMARIES if name not in {"help", "version"}]


@pytest.mark.parametrize("command", SUMMARIES)
def test_help_is_given_by_each_word_for_it(inside: Inside, command: str) -> None:
    long = inside(command, "--help")
    assert (long.code, long.err) == (0, "")
    assert inside(command, "-h") == long
    assert inside("help", command) == long


def test_help_of_all_and_the_version_by_each_word_for_it(inside: Inside, tool: Tool) -> None:
    assert inside("help") == inside("-h") == inside("--help") == inside()
    assert inside("version").out == tool("version").out == f"tfsetup {__version__}\n"


@pytest.mark.parametrize("word", words.MEANT)
def test_a_word_of_other_tools_is_refused_with_the_command_that_is_meant(inside: Inside, word: str) -> None:
    assert word not in SUMMARIES
    assert words.MEANT[word].split()[0] in SUMMARIES
    ended = inside(word)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"error: there is no command `{word}`\nhint: tfsetup {words.MEANT[word]}\n"
    assert inside("help", word).code == 2


@pytest.mark.parametrize("word", words.ELSEWHERE)
def test_what_no_command_does_is_answered_with_what_does(inside: Inside, word: str) -> None:
    assert word not in {*SUMMARIES, *words.MEANT}
    ended = inside(word)
    assert (ended.code, ended.out) == (2, "")
    assert words.ELSEWHERE[word] in ended.err


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("install tensorflow==2.15", "apply --tensorflow 2.15"),
        ("install tensorflow[and-cuda]==2.15.1 pandas", "apply --tensorflow 2.15.1 --with pandas"),
        ("install 'tensorflow>=2.12,<2.16' --env 'my env'", "apply --tensorflow '>=2.12,<2.16' --env 'my env'"),
        ("install tensorflow", "apply"),
        ("add 'pandas>=2'", "apply --with 'pandas>=2'"),
        ("check --env e -v", "doctor --env e -v"),
        ("repair", "fix"),
        ("rollback --env e", "undo --env e"),
        ("uninstall", "undo"),
        ("upgrade tensorflow", "apply --upgrade"),
        ("update pandas", "apply --upgrade --with pandas"),
        ("plan 2.15", "plan --tensorflow 2.15"),
        ("plan tensorflow==2.15 pandas", "plan --tensorflow 2.15 --with pandas"),
    ],
)
def test_the_hint_is_the_line_that_was_meant(inside: Inside, typed: str, meant: str) -> None:
    ended = inside(*shlex.split(typed))
    assert ended.code == 2
    assert ended.err.splitlines()[-1] == f"hint: tfsetup {meant}"


@pytest.mark.parametrize(
    ("given", "meant"), [("tensorflow", "apply"), ("tensorflow==2.15", "apply --tensorflow 2.15"), ("pandas", "apply --with pandas")]
)
def test_a_package_where_a_plan_belongs_is_answered_with_the_option(inside: Inside, work, given: str, meant: str) -> None:
    ended = inside("apply", given)
    assert ended.code == 2
    assert ended.err.splitlines()[-1] == f"hint: tfsetup {meant}"
    # A file of that name is a plan, if a wrong one.
    (work / given).write_text("{}")
    assert "hint: tfsetup apply" not in inside("apply", given).err


@pytest.mark.parametrize("option", [name for name in words.OPTIONS if name.startswith("--")])
def test_an_option_of_other_tools_is_answered_with_ours(inside: Inside, option: str) -> None:
    ended = inside("plan", option)
    assert ended.code == 2
    assert f"Did you mean {words.OPTIONS[option]}?" in ended.err
    assert any(words.OPTIONS[option] in inside(command, "--help").out for command in LISTED)


def test_a_slip_is_answered_with_what_is_near(inside: Inside) -> None:
    assert "did you mean `tfsetup apply`?" in inside("aply").err
    assert "did you mean `tfsetup apply`" in inside("instal").err, "a word of other tools has slips, too"
    assert "Did you mean --tensorflow?\nhint: `tfsetup plan --help`" in inside("plan", "--tensroflow", "2.15").err
    assert "Did you mean --tensorflow?\nhint: `tfsetup plan --help`" in inside("plan", "--tf", "2.15").err
    assert "takes that as a word: `tfsetup profiles 2.15`" in inside("profiles", "--tensorflow", "2.15").err
    assert "--version" in inside("-v").err


def test_what_is_near_nothing_is_answered_with_the_list(inside: Inside) -> None:
    ended = inside("frobnicate")
    assert (ended.code, ended.err.splitlines()[-1]) == (
        2,
        "hint: `tfsetup --help` lists the commands, `tfsetup COMMAND --help` their options",
    )


def test_the_list_of_commands_is_whole_on_80_columns(inside: Inside) -> None:
    """Each is told in one sentence that fits; more of it stands on the command's own page."""
    listed = inside("--help", COLUMNS="80").out.split("Commands:\n")[1]
    assert "..." not in listed
    assert len(listed.splitlines()) == len(SUMMARIES)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("apply no.json", "`tfsetup plan -o no.json` saves one there; `tfsetup apply` alone plans now"),
        ("plan --facts no.json", "`tfsetup detect -o FILE` writes one"),
        ("doctor --compare no.json", "`tfsetup doctor --json > FILE` writes one"),
    ],
)
def test_a_file_that_is_not_there_is_answered_with_what_writes_it(inside: Inside, typed: str, hint: str) -> None:
    ended = inside(*typed.split())
    assert (ended.code, ended.err.splitlines()[-1]) == (2, f"hint: {hint}")
