"""Where a Windows machine can be made."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.windows import machine


@pytest.mark.parametrize(
    ("there", "root", "why_not"),
    [
        ((), 0, "wine and gcc-mingw-w64-x86-64 not installed, and there is no apt-get to do that"),
        (("apt-get",), 0, ""),
        (("apt-get",), 1000, "wine and gcc-mingw-w64-x86-64 not installed, which only root does"),
        (("/usr/lib/wine/wine64",), 1000, "gcc-mingw-w64-x86-64 not installed, which only root does"),
        (("/usr/lib/wine/wine64", "x86_64-w64-mingw32-gcc"), 1000, ""),
    ],
)
def test_it_needs_wine_or_who_installs_it(monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...], root: int, why_not: str) -> None:
    monkeypatch.setattr(shutil, "which", lambda program: program if program in there else None)
    monkeypatch.setattr(os, "geteuid", lambda: root)
    assert machine.lacking() == why_not
