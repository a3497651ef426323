"""Collected findings: one for each cause, with the words that the case allows."""

from __future__ import annotations

import pytest

from provisioner.causes.findings import Findings, Wording
from provisioner.model.finding import Evidence, Remedy, Repair
from provisioner.remedies import Subject
from tests.choose.values import shipped_catalogue
from tests.diagnose.cases import messages

SEEN = Evidence(seen="x", where="y")
PLACE = Subject(system="linux", platform="linux-x86_64", python="3.11", tensorflow="2.15.1", env="/a b", interpreter="/a b/bin/python")


def collector() -> Findings:
    return Findings(Wording(messages=messages(), view=shipped_catalogue(), subject=PLACE))


def test_what_a_check_knows_better_stands_for_what_is_computed() -> None:
    findings = collector()
    findings.add("driver-too-old", "warning", "likely", SEEN)
    assert "driver" in findings.ordered()[0].remedy.words
    findings.add("driver-too-old", "error", "certain", SEEN, remedy=Remedy(words="Do this", steps=("a",)))
    findings.add("driver-too-old", "info", "possible", SEEN, remedy=Remedy(words="Do that"))
    findings.add("driver-too-old", "info", "possible", SEEN)
    (finding,) = findings.ordered()
    assert (finding.remedy.words, finding.severity, finding.confidence) == ("Do this", "error", "certain")
    assert finding.evidence == (SEEN,)


@pytest.mark.parametrize("wants", [(), ("tensorflow-cpu==2.15.1",)])
def test_a_damaged_package_comes_anew_under_its_own_name(wants: tuple[str, ...]) -> None:
    """Of a damaged tensorflow-cpu, `pip install tensorflow` would make two packages in one folder."""
    findings = collector()
    put = Repair(kind="restore", reason="x", name="tensorflow-cpu", version="2.15.1")
    findings.add("install-corrupt", "error", "certain", SEEN, repairs=(put,), wants=wants)
    (step,) = findings.ordered()[0].remedy.steps
    assert step == "'/a b/bin/python' -m pip install --force-reinstall --no-deps --no-cache-dir tensorflow-cpu==2.15.1"


@pytest.mark.parametrize(
    ("wants", "step"),
    [
        (("numpy<2.0.0,>=1.23.5",), "'/a b/bin/python' -m pip install \"numpy>=1.23.5,<2.0.0\""),
        (("numpy<2.0.0,>=1.23.5", "numpy"), "'/a b/bin/python' -m pip install \"numpy>=1.23.5,<2\""),
        (("numpy",), "'/a b/bin/python' -m pip install \"numpy<2\""),
        (("protobuf!=4.21.0,!=4.21.1,<5.0.0dev,>=3.20.3",), "'/a b/bin/python' -m pip install \"protobuf>=3.20.3,<5.0.0\""),
        (("absl-py (>=1.0.0)", "six>=1.12"), '\'/a b/bin/python\' -m pip install "absl-py>=1.0.0" "six>=1.12"'),
        (("some-package",), "'/a b/bin/python' -m pip install --upgrade some-package"),
    ],
)
def test_what_would_be_met_is_the_command(wants: tuple[str, ...], step: str) -> None:
    findings = collector()
    for item in wants:
        findings.add("dependency-incompatible", "error", "likely", SEEN, wants=(item,))
    (finding,) = findings.ordered()
    assert finding.remedy.steps == (step,)
    assert any("tfsetup fix --env '/a b'" in way.steps for way in finding.remedy.others)
