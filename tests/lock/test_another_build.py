"""A build of TensorFlow that no known-good set has is never exchanged in silence."""

from __future__ import annotations

import pytest

from tests.lock.conftest import Team


@pytest.mark.parametrize(
    ("requirement", "words"),
    [
        ("tf-nightly", "a build of no release, which changes every day"),
        ("tensorflow-rocm", "another build of it"),
        ("intel-tensorflow ; sys_platform == 'linux'", "another build of it"),
    ],
)
def test_it_is_told(team: Team, requirement: str, words: str) -> None:
    team.requirements = (requirement,)
    name = requirement.partition(" ")[0]
    assert [text for text in team.lock().warnings if f"takes the place of {name}, {words}" in text]


@pytest.mark.parametrize("requirement", ["tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-directml ; sys_platform == 'win32'"])
def test_one_that_the_set_has_or_that_is_for_another_machine_is_not(team: Team, requirement: str) -> None:
    team.requirements = (requirement,)
    assert not [text for text in team.lock().warnings if "takes the place of" in text]
