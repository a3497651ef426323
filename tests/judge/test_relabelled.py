"""Metadata of wheels that were given another version after their RECORD was written."""

from __future__ import annotations

import base64
import hashlib

import pytest

from provisioner.judge.relabelled import relabelled

TEXT = b"Metadata-Version: 2.1\nName: torch\nVersion: 1.12.1\nSummary: Tensors\n\nVersion: of the text\n"


def digest(text: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()


@pytest.mark.parametrize("label", [b"+cpu", b"+cu92", b"+cu102", b"+cu118"])
def test_the_label_of_a_build_is_found(label: bytes) -> None:
    whole = TEXT.replace(b"1.12.1", b"1.12.1" + label)
    assert relabelled(TEXT, digest(whole), len(whole))
    assert not relabelled(TEXT, digest(whole + b"."), len(whole))


@pytest.mark.parametrize(
    "was", [b"", TEXT + b"+cu102", TEXT.replace(b"1.12.1", b"1.12.1+ab102"), TEXT.replace(b"Tensors", b"Tensors+cu102"), TEXT[:40]]
)
def test_nothing_else_is_excused(was: bytes) -> None:
    assert not relabelled(TEXT, digest(was), len(was))


def test_what_has_no_version_is_none() -> None:
    assert not relabelled(b"Name: torch\n", digest(b"Name: torch+cu102\n"), 18)
