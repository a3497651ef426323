"""The environment's own commands, as files of a recorded machine: those of one that was moved start another Python, or none."""

from __future__ import annotations

import pytest

from provisioner.diagnose.checks.scripts import CHECKS
from tests.diagnose import cases
from tests.facts.fake_reader import FakeReader


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("#!/opt/other/bin/python\nimport sys\n", True),
        ("#!/gone/bin/python3.11\nimport sys\n", True),
        ("#!/bin/sh\n'''exec' \"/gone/with space/bin/python\" \"$0\" \"$@\"\n' '''\n", True),
        ("#!/bin/sh\n'''exec' \"/gone/long/bin/python\" \"$0\" \"$@\"\n' '''\n", True),
        ("#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- \"$0\")\")\"/'python' \"$0\" \"$@\"\n' '''\n", False),
        (f"#!{cases.ENV}/bin/python\n", False),
        ("#!/usr/bin/env python\n", False),
        ("#!/usr/bin/python3\n", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("name", ["jupyter", "pip", "of-my-own"])
def test_commands_of_a_moved_environment(name: str, text: str, fault: bool) -> None:
    reader = FakeReader({cases.PYTHON: "", "/opt/other/bin/python": "", f"{cases.ENV}/bin/{name}": text}, env={"HOME": "/home/ada"})
    _, findings = cases.run(cases.recorded("debian-12", "2.15.1", device="cpu", reader=reader), *CHECKS)
    assert [(finding.cause, finding.severity) for finding in findings] == ([("wrong-environment", "warning")] if fault else [])


@pytest.mark.parametrize("old", ["/gone/env", "/gone/my env"])
def test_what_activates_it_gets_the_new_name(old: str) -> None:
    form = f"#!{old}/bin/python\n" if " " not in old else f"#!/bin/sh\n'''exec' \"{old}/bin/python\" \"$0\"\n"
    files = {f"{cases.ENV}/bin/pip": form, f"{cases.ENV}/bin/activate": f"VIRTUAL_ENV='{old}'\nOTHER={old}2\n", cases.PYTHON: ""}
    _, findings = cases.run(cases.recorded("debian-12", "2.15.1", device="cpu", reader=FakeReader(files)), *CHECKS)
    (repair,) = [repair for repair in findings[0].repairs if repair.kind == "write"]
    assert (repair.path, repair.target) == (f"{cases.ENV}/bin/activate", f"VIRTUAL_ENV='{cases.ENV}'\nOTHER={old}2\n")
