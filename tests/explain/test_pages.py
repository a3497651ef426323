"""Tied knowledge: each example text of a page finds its own cause among the first three; each finding says where the page is."""

from __future__ import annotations

import pytest

from provisioner.catalogue import find_profiles
from provisioner.causes.pages import load_causes
from provisioner.host.local import LocalHost
from tests.explain.support import findings

CAUSES = load_causes(LocalHost(), f"{find_profiles()}/causes")
SIGNS = [(code, sign) for code, cause in CAUSES.items() for sign in cause.looks_like]


@pytest.mark.parametrize(("code", "sign"), SIGNS, ids=[f"{code}-{sign.says[:40]}" for code, sign in SIGNS])
def test_an_example_of_a_page_finds_its_cause(code, sign):
    found = [item.cause for item in findings(sign.text, sign.told)]
    assert code in found[:3], found
