"""``plan`` and ``doctor`` name the same root first, of every pair of causes that a plan can be refused for."""

from __future__ import annotations

import itertools

import pytest

from provisioner.causes.findings import Findings, Wording
from provisioner.choose.candidates import ordered
from provisioner.choose.obstacles import Obstacle
from provisioner.diagnose.rank import ranked
from provisioner.model.finding import Evidence
from tests.choose.values import Values, shipped_catalogue, shipped_order
from tests.diagnose.cases import messages

MESSAGES = messages()
CODES = (
    "cpu-no-avx",
    "cuda-libs-missing",
    "driver-too-old",
    "glibc-too-old",
    "gpu-too-new",
    "gpu-too-old",
    "macos-too-old",
    "platform-unsupported",
    "python-32bit",
    "python-unsupported",
    "wrong-arch-binary",
)


@pytest.mark.parametrize("pair", list(itertools.permutations(CODES, 2)), ids="-and-".join)
def test_the_first_of_two(pair):
    findings = Findings(Wording(messages=MESSAGES, view=shipped_catalogue()))
    for code in pair:
        findings.add(code, "error", "certain", Evidence(seen="s", where="w"))
    first, *_ = ranked(findings.ordered(), shipped_order())
    assert ordered([Obstacle(code=code, why="w") for code in pair], Values())[0].code == first.cause


def test_the_machine_before_the_interpreter_and_a_card_before_its_driver():
    rank = shipped_order().rank
    machine = ("platform-unsupported", "wrong-arch-binary", "cpu-no-avx", "glibc-too-old", "macos-too-old")
    assert max(map(rank, machine)) < min(rank("python-32bit"), rank("python-unsupported"))
    assert rank("python-unsupported") < rank("gpu-too-old") < rank("driver-too-old") < rank("cuda-libs-missing")
