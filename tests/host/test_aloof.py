"""A reader that finds nothing to start in one folder."""

from __future__ import annotations

import pytest

from provisioner.host.aloof import aloof
from tests.facts.fake_reader import FakeReader

PROGRAMS = {"linux": ("/env/bin/tool", "/usr/bin/tool", "/env"), "win32": ("C:/env/Scripts/tool.exe", "D:/tools/tool.exe", "C:/env")}


@pytest.mark.parametrize("platform", PROGRAMS)
def test_what_is_in_the_folder_is_neither_found_nor_on_path(platform: str) -> None:
    inside, outside, folder = PROGRAMS[platform]
    path = (":" if platform == "linux" else ";").join(program.rsplit("/", 1)[0] for program in (inside, outside))
    reader = aloof(FakeReader({inside: "", outside: ""}, env={"PATH": path, "PYENV_ROOT": folder}, platform=platform), folder)
    assert reader.env == {"PATH": outside.rsplit("/", 1)[0]}
    assert reader.which("tool") == outside
    with pytest.raises(PermissionError):
        reader.run([inside])
