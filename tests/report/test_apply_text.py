"""How an apply says that the environment is used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioner.change.execute import Executed
from provisioner.report.apply_text import applied_text
from tests.plan.test_make import make
from tests.support import verification


@pytest.mark.parametrize(
    ("path", "platform", "words"),
    [
        ("/home/ada/tf-env", "linux-x86_64", "source /home/ada/tf-env/bin/activate"),
        ("/home/ada/my env", "linux-x86_64", "source '/home/ada/my env/bin/activate'"),
        ("C:/work/env", "windows-x86_64", "C:\\work\\env\\Scripts\\activate"),
        ("C:/my env", "windows-x86_64", '"C:\\my env\\Scripts\\activate" (in PowerShell with "& " before it)'),
        ("C:/R&D", "windows-x86_64", '"C:\\R&D\\Scripts\\activate" (in PowerShell with "& " before it)'),
        ("C:/Büro", "windows-x86_64", "C:\\Büro\\Scripts\\activate"),
    ],
)
def test_the_words_are_those_of_the_systems_shells(path: str, platform: str, words: str) -> None:
    plan = make()
    there = replace(plan, env=replace(plan.env, path=path), choice=replace(plan.choice, platform=platform))
    text = applied_text(there, Executed(verification=verification(path, passed=True), kept=True), verbose=False)
    assert f"Use it: {words}" in text.splitlines()
