"""Settings: flags, folders, and requests without the command line (which of option, variable and file wins: tests/cli/test_options.py)."""

from __future__ import annotations

import pytest

from provisioner.base.paths import absolute
from provisioner.cli import settings
from provisioner.errors import UsageError
from provisioner.model.request import SETTINGS
from tests.support import FixedHost


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("Yes", True), (" on ", True), ("TRUE", True), ("0", False), ("off", False), ("", False)]
)
def test_flags(text: str, value: bool) -> None:
    assert settings.parse_flag(text, "here") is value


@pytest.mark.parametrize("text", ["2", "y e s", "ja", "-1"])
def test_what_is_no_flag(text: str) -> None:
    with pytest.raises(UsageError, match="neither yes nor no") as caught:
        settings.parse_flag(text, "here")
    assert caught.value.place == "here"


class Here(FixedHost):
    cwd = "/work/here"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("env", "/work/here/env"),
        ("./env/", "/work/here/env"),
        ("../env", "/work/env"),
        ("/a//b/../c", "/a/c"),
        ("~", "/home/ada"),
        ("~/env", "/home/ada/env"),
        ("~ada/env", "/work/here/~ada/env"),
        ("a b/ü", "/work/here/a b/ü"),
        ("e" * 240, "/work/here/" + "e" * 240),
    ],
)
def test_folders(text: str, path: str) -> None:
    assert absolute(text, Here({"HOME": "/home/ada"}), "--env") == path


@pytest.mark.parametrize("text", ["", "a\0b", "/", "//", "../..", "../../..", "e" * 241, "ü" * 121, "~"])
def test_what_no_folder_can_be(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        absolute(text, Here({"HOME": "/"}), "variable TFSETUP_ENV")
    assert caught.value.place == "variable TFSETUP_ENV"


def test_a_request_without_anything_is_the_defaults() -> None:
    request = settings.request({}, Here({}))
    assert request.env == "/work/here/tf-env"
    assert (request.tensorflow, request.python, request.device, request.kind, request.extra, request.offline) == (
        "",
        "",
        "auto",
        "venv",
        (),
        False,
    )
    assert set(request.origins.values()) == {"default"}
    assert set(request.origins) == {setting.name for setting in SETTINGS}


def test_a_flag_that_is_not_given_leaves_the_word_to_the_variable() -> None:
    request = settings.request({"offline": False, "with": ()}, Here({"TFSETUP_OFFLINE": "1", "TFSETUP_WITH": "a b"}))
    assert (request.offline, request.extra) == (True, ("a", "b"))
    assert request.origins["offline"] == "variable TFSETUP_OFFLINE"


@pytest.mark.parametrize(
    ("given", "meant"), [(r"C:\Python310\python.exe", "C:/Python310/python.exe"), (r"env\Scripts\python.exe", "env/Scripts/python.exe")]
)
def test_on_windows_an_interpreter_is_named_with_backslashes(monkeypatch: pytest.MonkeyPatch, given: str, meant: str) -> None:
    """Such a path was no interpreter that was found, beside a hint that named it."""
    monkeypatch.setattr(Here, "cwd", "C:/work")
    assert settings.request({"python": given}, Here({})).python == meant
    assert settings.request({"python": ">=3.10,<3.12"}, Here({})).python == ">=3.10,<3.12"
