"""Files that programs keep on Windows: a change is refused, in words, before its first move."""

from __future__ import annotations

import pytest

from provisioner.change import in_use
from provisioner.errors import OperationError
from provisioner.host import InUse
from tests.facts.fake_reader import FakeReader

SITE = "C:/env/Lib/site-packages"
FILES = {f"{SITE}/tensorflow/python/x.pyd": "", f"{SITE}/tensorflow/__init__.py": "", f"{SITE}/six.py": "", "C:/env/Scripts/python.exe": ""}


def reader(*programs: str, held: bool = True, platform: str = "win32") -> FakeReader:
    found = FakeReader(FILES, platform=platform)
    found.used = InUse(paths=(f"{SITE}/tensorflow/python/x.pyd",), programs=programs) if held else InUse()
    return found


def test_who_keeps_it_is_named_with_the_next_step() -> None:
    with pytest.raises(OperationError) as caught:
        in_use.check(reader("Python, process 4321"), "C:/env", ["Lib/site-packages/tensorflow", "Lib/site-packages/six.py"])
    assert str(caught.value).startswith(f"{SITE}/tensorflow/python/x.pyd: Python, process 4321, has it in use")
    assert "nothing was changed" in str(caught.value)
    assert caught.value.hint == "close it (of a notebook, shut down the kernel), then run the same command again"


def test_where_windows_does_not_tell_the_command_that_does_is_named() -> None:
    with pytest.raises(OperationError) as caught:
        in_use.check(reader(), "C:/env", ["Lib"])
    assert "`tasklist /m x.pyd` tells which" in caught.value.hint


def test_libraries_and_programs_alone_are_asked_about_and_on_windows_alone() -> None:
    here = reader(held=False)
    in_use.check(here, "C:/env", ["Lib/site-packages/tensorflow", "Lib/site-packages/six.py", "Scripts/python.exe", "gone"])
    assert here.asked_about == (f"{SITE}/tensorflow/python/x.pyd", "C:/env/Scripts/python.exe")
    in_use.check(here, "C:/env", ["C:/env"])
    assert here.asked_about == (f"{SITE}/tensorflow/python/x.pyd", "C:/env/Scripts/python.exe"), "absolute, as an undo has it"
    elsewhere = reader(platform="linux")
    in_use.check(elsewhere, "C:/env", ["Lib"])
    assert elsewhere.asked_about == ()
