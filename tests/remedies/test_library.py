"""What newer Pythons dropped, and what Windows never had: the messages know each, and no package is named after one."""

from __future__ import annotations

import sys

import pytest

from provisioner.remedies.library import GONE, ONLY_UNIX, lost, only_unix
from tests.explain.support import findings

NAMES = [(name, version) for version, names in GONE.items() for name in names.split()]


def line_of(name: str) -> str:
    module, _, attribute = name.partition(".")
    return (
        f"AttributeError: module '{module}' has no attribute '{attribute}'"
        if attribute
        else f"ModuleNotFoundError: No module named '{name}'"
    )


@pytest.mark.parametrize(("name", "version"), NAMES, ids=[name for name, _ in NAMES])
def test_what_python_dropped_is_no_package(name: str, version: str) -> None:
    assert lost(line_of(name)) == (name, version)
    first = findings(line_of(name), {})[0]
    assert first.cause in {"python-unsupported", "dependency-incompatible"}
    lines = "\n".join([first.remedy.words, *first.remedy.steps])
    assert name in first.remedy.why
    assert f"install {name.partition('.')[0]}\n" not in f"{lines}\n"
    assert f"--python {version}" not in lines


@pytest.mark.parametrize("name", sorted(ONLY_UNIX - {name for name, _ in NAMES}))
def test_what_is_on_unix_alone_is_no_package(name: str) -> None:
    assert only_unix(line_of(name)) == name
    first = findings(f"C:\\w>python train.py\n{line_of(name)}", {})[0]
    assert first.cause == "addon-without-build"
    assert f"install {name}" not in "\n".join(first.remedy.steps)


def test_the_table_is_true_of_this_python() -> None:
    """Modules alone: names that a module gave up may be there, with a warning, until the next one."""
    gone = [name for name, version in NAMES if "." not in name and tuple(map(int, version.split("."))) <= sys.version_info[:2]]
    assert not {*gone} & sys.stdlib_module_names
    there = [name for name, version in NAMES if "." not in name and tuple(map(int, version.split("."))) > sys.version_info[:2]]
    assert {*there} <= sys.stdlib_module_names
