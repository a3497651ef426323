"""The question of ``pip check``, as cases: what is installed, and the sentences that must come out."""

from __future__ import annotations

import pytest

from provisioner.environment.distributions import Installed
from provisioner.judge.requirements import unmet

MARKERS = {
    "python_version": "3.12",
    "python_full_version": "3.12.1",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
    "implementation_name": "cpython",
}


def dist(name, version, *requires, python=""):
    return Installed(name=name, version=version, metadata="", site="", requires=requires, requires_python=python)


@pytest.mark.parametrize(
    ("installed", "sentences"),
    [
        ([dist("a", "1", "b>=2"), dist("b", "2.0")], []),
        ([dist("a", "1", "b>=2"), dist("b", "1.9")], ["a 1 requires b>=2, but b 1.9 is installed"]),
        ([dist("a", "1", "B_c>=2")], ["a 1 requires B_c>=2, but b-c is not installed"]),
        ([dist("a", "1", "b; python_version < '3.12'", "c; extra == 'gpu'", "d; sys_platform == 'win32'")], []),
        ([dist("a", "1", "b>=2.0.0rc1"), dist("b", "2.0.0rc2")], []),
        ([dist("a", "1", "b<2.1"), dist("b", "2.1.0.dev1")], ["a 1 requires b<2.1, but b 2.1.0.dev1 is installed"]),
        ([dist("a", "1", "not a requirement !"), dist("b", "1", python="broken")], []),
        ([dist("a", "1", python=">=3.9,<3.12")], ["a 1 requires Python >=3.9,<3.12, but python 3.12.1 is installed"]),
        (
            [dist("text", "1", "tensorflow>=2.21,<2.22"), dist("tensorflow-cpu", "2.21.0")],
            [
                (
                    "text 1 requires tensorflow<2.22,>=2.21, but tensorflow is not installed (tensorflow-cpu 2.21.0 gives the same module, "
                    "so it works; installing tensorflow beside it would break both)"
                )
            ],
        ),
        (
            # On Windows it is a shell around the build that holds the module, and not that build itself.
            [dist("tensorflow", "2.11.1", "tensorflow-intel==2.11.1")],
            ["tensorflow 2.11.1 requires tensorflow-intel==2.11.1, but tensorflow-intel is not installed"],
        ),
        (
            [dist("text", "1", "tensorflow"), dist("tensorflow-datasets", "4")],
            ["text 1 requires tensorflow, but tensorflow is not installed"],
        ),
    ],
)
def test_sentences(installed, sentences):
    assert [item.sentence for item in unmet(installed, MARKERS)] == sentences
