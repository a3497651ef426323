"""``lock --accept``: what would do is written around what stands in tfsetup.yaml, shown first, and the lock then made with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.catalogue.yaml_text import parse_yaml
from provisioner.declared.proposal import Proposal, accepted
from provisioner.errors import InputError
from tests.cli.support import Inside
from tests.lock.index import Index
from tests.lock.test_command import inside, project

__all__ = ["inside", "project"]
MOVE = Proposal(instead=(("numpy>=2", "numpy==1.26"), ("a[b]==1", "a[b]==2")))
BUILD = Proposal(builds=("jieba", "docopt"))


def edited(text: str, proposal: Proposal) -> str:
    return accepted(text, proposal, file="tfsetup.yaml", why="it was\n  refused")


@pytest.mark.parametrize(
    ("text", "proposal", "expected"),
    [
        ("# ours\nfiles: [a.in]  # b\n", MOVE, [{"of": "numpy>=2", "take": "numpy==1.26"}, {"of": "a[b]==1", "take": "a[b]==2"}]),
        ("instead:\n  - {of: x, take: y}   # z\nfiles: []\n", MOVE, [{"of": "x", "take": "y"}]),
        ("instead:\n- of: x\n  take: y\n\nfiles: []\n", MOVE, [{"of": "x", "take": "y"}]),
        ("instead: [{of: x, take: y}]", MOVE, [{"of": "x", "take": "y"}]),
        ("instead: []\nfiles: []\n", MOVE, []),
    ],
)
def test_what_is_taken_instead_is_added(text: str, proposal: Proposal, expected: list[dict[str, str]]) -> None:
    found = edited(text, proposal)
    added = [{"of": of, "take": take} for of, take in proposal.instead]
    assert parse_yaml(found, file="")["instead"] == [*(item for item in expected if item not in added), *added]
    kept = [line for line in text.splitlines() if not line.startswith("instead: [")]
    assert [line for line in kept if line not in found.splitlines()] == []
    before = {key: value for key, value in parse_yaml(text, file="").items() if key != "instead"}
    assert {key: value for key, value in parse_yaml(found, file="").items() if key != "instead"} == before


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("files: [a]\n", {"source_builds": ["jieba", "docopt"]}),
        ("policy: {proven: strict}\n", {"source_builds": ["jieba", "docopt"], "proven": "strict"}),
        ("policy: {}\n", {"source_builds": ["jieba", "docopt"]}),
        ("policy:\n  # why\n  proven: strict\n", {"source_builds": ["jieba", "docopt"], "proven": "strict"}),
        ("policy: {source_builds: [gym]}\n", {"source_builds": ["gym", "jieba", "docopt"]}),
        ("policy:\n  source_builds:\n    - gym  # old\n  cool_down: 7\n", {"source_builds": ["gym", "jieba", "docopt"], "cool_down": "7"}),
    ],
)
def test_what_may_be_built_is_added(text: str, policy: dict[str, object]) -> None:
    found = edited(text, BUILD)
    assert parse_yaml(found, file="")["policy"] == policy
    assert "# why" not in text or "# why" in found


def test_a_single_value_cannot_be_added_to() -> None:
    with pytest.raises(InputError, match="single value"):
        edited("policy: {source_builds: any}\n", BUILD)


@pytest.mark.parametrize("text", ['# a\ntensorflow: ">=2.10"  # b\nfiles: []\n', "files: []\n"])
def test_another_release_is_written_in_its_place(text: str) -> None:
    found = edited(text, Proposal(tensorflow="2.7.4"))
    assert parse_yaml(found, file="")["tensorflow"] == "2.7.4"
    assert found.count("tensorflow:") == 1
    assert "# it was refused\n" in found
    assert "# b" not in text or "# b" in found


def test_a_clash_is_accepted(inside: Inside, project: Path) -> None:
    path = project / "tfsetup.yaml"
    text = path.read_text().replace("[pandas]", "['numpy>=2', pandas]")
    path.write_text(text)
    refused = inside("lock", "--accept", "--cutoff", "2026-06-01")
    assert (refused.code, path.read_text()) == (15, text)
    assert "take: " in refused.err
    ended = inside("lock", "--accept", "--yes", "--cutoff", "2026-06-01")
    assert ended.code == 0, ended.err
    assert path.read_text().startswith(text.rstrip())
    assert parse_yaml(path.read_text(), file="")["instead"] == [{"of": "numpy>=2", "take": "numpy==1.26"}]
    assert inside("lock", "--check").code == 0
    path.write_text(path.read_text().replace("'numpy>=2', ", ""))
    stale = inside("lock")
    assert stale.code == 2
    assert "no list asks for `numpy>=2` any more" in stale.err


def test_packages_to_build_are_accepted(inside: Inside, project: Path, index: Index) -> None:
    for wheel in ("setuptools<82", "wheel", "packaging"):
        index.mirror(wheel)
    index.add_source("old", "1.0", "from setuptools import setup\nsetup(name='old', version='1.0')\n")
    path = project / "tfsetup.yaml"
    path.write_text(path.read_text().replace("[pandas]", "[old]"))
    ended = inside("lock", "--accept", "--yes", "--cutoff", "2026-06-01")
    assert ended.code == 0, ended.err
    assert parse_yaml(path.read_text(), file="")["policy"] == {"source_builds": ["old"]}
