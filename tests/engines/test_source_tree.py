"""What a source tree says of its build, and what its metadata says: every form, and what is none."""

from __future__ import annotations

import pytest

from provisioner.engines.source_tree import LEGACY, BuildSystem, build_system, is_compiled, read_metadata
from provisioner.errors import InputError

_LEGACY_BACKEND = "setuptools.build_meta:__legacy__"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", BuildSystem(requires=LEGACY, backend=_LEGACY_BACKEND)),
        ("[tool.black]\n", BuildSystem(requires=LEGACY, backend=_LEGACY_BACKEND)),
        ('[build-system]\nrequires = ["cython", "numpy"]\n', BuildSystem(requires=("cython", "numpy"), backend=_LEGACY_BACKEND)),
        (
            '[build-system]\nrequires = []\nbuild-backend = "ours"\nbackend-path = ["tools"]\n',
            BuildSystem(requires=(), backend="ours", path=("tools",)),
        ),
    ],
)
def test_what_a_tree_is_built_with(text: str, expected: BuildSystem) -> None:
    assert build_system(text, file="pyproject.toml") == expected


@pytest.mark.parametrize("text", ["build-system = 1\n", "[build-system]\nrequires = 1\n", "[build-system]\nbackend-path = [1]\n"])
def test_a_build_system_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="PEP 518"):
        build_system(text, file="pyproject.toml")


def metadata(text: str) -> object:
    return read_metadata(text, build_system("", file="x"), builders=("setuptools",), limits=(), compiled=False)


def test_metadata_are_read_in_one_spelling() -> None:
    found = metadata(
        "Metadata-Version: 2.1\nName: two\nVersion: 1.0\nRequires-Dist: numpy (>=1.2)\nRequires-Python: >=3.8\nProvides-Extra: gpu\n\nText"
    )
    assert (found.name, found.version, found.requires, found.requires_python, found.extras) == (
        "two",
        "1.0",
        ("numpy>=1.2",),
        ">=3.8",
        ("gpu",),
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [("Name: two\n", "no name or no version"), ("Name: two\nVersion: 1\nRequires-Dist: opencv-python>=3.\n", "today's installers refuse")],
)
def test_metadata_that_no_installer_takes_are_refused(text: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        metadata(text)


@pytest.mark.parametrize(
    ("paths", "expected"),
    [(("setup.py", "a/b.py"), False), (("a/_speed.c",), True), (("tests/x.c", "docs/y.cpp"), False), (("a/fast.PYX",), True)],
)
def test_code_for_a_compiler(paths: tuple[str, ...], expected: bool) -> None:
    assert is_compiled(paths) is expected
