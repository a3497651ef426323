"""Paths of both systems: how they are spelt inside, what is made of those that a person gives, and what lies above them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from provisioner.base import paths
from provisioner.errors import UsageError
from provisioner.model.record import record


@record
class Stand:
    """A person's place."""

    cwd: str
    env: Mapping[str, str]


LINUX = Stand(cwd="/home/me/work", env={"HOME": "/home/me"})
WINDOWS = Stand(cwd="C:/Users/me/work", env={"USERPROFILE": "C:/Users/me"})


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("C:\\Users\\me", "C:/Users/me"),
        ("\\\\?\\C:\\Users", "C:/Users"),
        ("\\\\server\\share\\x", "//server/share/x"),
        ("\\\\?\\UNC\\server\\share", "//server/share"),
        ("C:/a", "C:/a"),
    ],
)
def test_a_path_of_windows_is_turned_where_it_comes_in(path: str, inside: str) -> None:
    assert paths.slashed(path) == inside


def test_and_turned_back_where_it_goes_out() -> None:
    assert paths.spelt("C:/Users/me") == "C:\\Users\\me"
    assert paths.spelt("/usr/bin") == "/usr/bin"
    assert paths.spelt("numpy==1.26.4") == "numpy==1.26.4"


def test_of_what_a_program_says_the_paths_alone_are_turned() -> None:
    said = {"prefix": "C:\\env", "path": ["C:\\env\\Lib", "a\\b"], "words": "at C:\\env", "count": 3}
    assert paths.turned(said) == {"prefix": "C:/env", "path": ["C:/env/Lib", "a\\b"], "words": "at C:\\env", "count": 3}


def test_what_is_nested_without_end_ends_nothing() -> None:
    deep: list[object] = ["C:\\x"]
    for _ in range(100_000):
        deep = [deep]
    assert paths.turned(deep)


@pytest.mark.parametrize(
    ("place", "given", "meant"),
    [
        (LINUX, "env", "/home/me/work/env"),
        (LINUX, "~/env", "/home/me/env"),
        (LINUX, "a\\b", "/home/me/work/a\\b"),
        (WINDOWS, "env", "C:/Users/me/work/env"),
        (WINDOWS, ".\\env", "C:/Users/me/work/env"),
        (WINDOWS, "..\\env", "C:/Users/me/env"),
        (WINDOWS, "~\\env", "C:/Users/me/env"),
        (WINDOWS, "D:\\env", "D:/env"),
        (WINDOWS, "C:\\a\\..\\..\\..\\env", "C:/env"),
        (WINDOWS, "\\env", "C:/env"),
        (WINDOWS, "\\\\server\\share\\env", "//server/share/env"),
    ],
)
def test_an_environment_is_where_its_system_means(place: Stand, given: str, meant: str) -> None:
    assert paths.absolute(given, place, "--env") == meant


@pytest.mark.parametrize("given", ["C:\\", "C:env", "con", "aux.txt", "a?b", "a ", "b.", "a\\nul\\b", "", "\\"])
def test_windows_has_no_such_folder(given: str) -> None:
    with pytest.raises(UsageError):
        paths.absolute(given, WINDOWS, "--env")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ('C:\\my env" --yes', "leave the backslash out"),
        ("'C:\\my env'", "single quotes"),
        ('"C:\\my env"', "the quotes are a part of it"),
        ("a?b", "choose another"),
        ("C:", r"for example C:\tf-env"),
    ],
)
def test_what_was_typed_wrong_is_told(given: str, told: str) -> None:
    with pytest.raises(UsageError) as refused:
        paths.absolute(given, WINDOWS, "--env")
    assert told in refused.value.hint


@pytest.mark.parametrize("given", ["%USERPROFILE%\\env", "$env:USERPROFILE\\env"])
def test_a_variable_that_no_shell_has_replaced_names_no_folder(given: str) -> None:
    with pytest.raises(UsageError, match="no shell has put"):
        paths.absolute(given, WINDOWS, "--env")


def test_a_sign_of_a_variable_that_is_not_set_is_a_name() -> None:
    assert paths.absolute("100%a%\\$x", WINDOWS, "--env") == "C:/Users/me/work/100%a%/$x"


def test_there_is_an_end_above_every_path() -> None:
    assert list(paths.above("C:/a/b")) == ["C:/a", "C:/"]
    assert list(paths.above("/a/b")) == ["/a", "/"]
    assert paths.parent("C:/") == "C:/"
    assert paths.parent("/") == "/"


def test_a_whole_path_is_of_either_system() -> None:
    assert [path for path in ("/a", "C:/a", "/", "C:/", "a", "C:\\a", "C:/a/../b", "C:a", "//a") if paths.is_whole(path)] == ["/a", "C:/a"]
