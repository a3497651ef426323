"""How a set that a remedy offers was proven is told by its proof."""

from __future__ import annotations

import pytest

from provisioner.remedies.knowledge import proven, release_of
from tests.choose.values import shipped_catalogue

VIEW = shipped_catalogue()


@pytest.mark.parametrize(
    ("release", "platform", "python", "cuda", "words"),
    [
        ("2.20.0", "linux-x86_64", "3.12", False, "installed and verified"),
        ("2.10.1", "windows-x86_64", "3.10", True, "installed and verified under wine 8.0"),
        ("2.10.1", "windows-x86_64", "3.7", False, "resolved and hashed, and run nowhere yet"),
        ("2.16.2", "macos-aarch64", "3.11", False, "resolved and hashed, and run nowhere yet"),
    ],
)
def test_the_words_are_those_of_the_proof(release: str, platform: str, python: str, *, cuda: bool, words: str) -> None:
    assert proven(VIEW, release_of(VIEW, release), platform, python, cuda=cuda) == words
