"""A cause on a terminal: width, system, paths that need quotes."""

from __future__ import annotations

import pytest

from provisioner.catalogue import find_profiles
from provisioner.causes.pages import Place, load_causes, load_order
from provisioner.host.local import LocalHost
from provisioner.report.cause_text import cause_text

FOLDER = f"{find_profiles()}/causes"
CAUSES = load_causes(LocalHost(), FOLDER)
ORDER = load_order(LocalHost(), FOLDER)


@pytest.mark.parametrize("width", [1, 60, 80, 300])
def test_words_are_wrapped_and_commands_are_not(width):
    for cause in CAUSES.values():
        verbatim = {line for sign in cause.looks_like for line in sign.text.splitlines()}
        for line in cause_text(cause, ORDER, place=Place(), width=width).splitlines():
            if line.strip() not in {text.strip() for text in verbatim} and not line.startswith("    $ "):
                # A single word, such as a path, may be longer than a narrow terminal.
                assert len(line) <= min(max(width, 40), 100) or len(line.split()) <= 3, line


def test_only_what_holds_on_the_system_is_shown():
    text = cause_text(CAUSES["wrong-environment"], ORDER, place=Place(), system="Windows")
    assert "$ py -0p" in text
    assert "type -a" not in text
    everywhere = cause_text(CAUSES["wrong-environment"], ORDER, place=Place())
    assert "Windows: " in everywhere
    assert "type -a" in everywhere


def test_paths_are_quoted_and_windows_has_its_own():
    place = Place(env="/a b", python="/a b/bin/python")
    text = cause_text(CAUSES["python-32bit"], ORDER, place=place)
    assert "$ '/a b/bin/python' -c" in text
    text = cause_text(CAUSES["tf-not-installed"], ORDER, place=place)
    assert "--env '/a b'" in text
    assert "--env /a b" not in text
    assert place.fill("{python} -m pip", on="Windows") == r"tf-env\Scripts\python.exe -m pip"


def test_what_it_can_follow_from_is_said():
    text = cause_text(CAUSES["tf-not-installed"], ORDER, place=Place())
    assert "WHAT IT CAN FOLLOW FROM\n  wrong-environment: it is installed" in text
