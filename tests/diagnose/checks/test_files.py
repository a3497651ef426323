"""The checks of files: which of two packages that write one file goes, and how grave that is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioner.judge.integrity import Fault, Integrity
from tests.diagnose.support import ROOT, case, distribution, run_check, site_of
from tests.facts.fake_reader import FakeReader

TENSORFLOW = distribution("tensorflow-cpu", "2.15.1", requires=("numpy<2.0.0,>=1.23.5",))
NUMPY = distribution("numpy", "1.26.4")
# albumentations requires the one, and a person has installed the other.
HEADLESS, PLAIN = distribution("opencv-python-headless", "5.0"), distribution("opencv-python", "4.9")
ALBUMENTATIONS = distribution("albumentations", "2.0", requires=("opencv-python-headless",))


def told(lost, there, *more):
    fault = Fault(distribution=lost, kind="two writers", path=f"{site_of('3.11')}/cv2/__init__.py", detail="both", other=there)
    state = Integrity(distributions=(), rivals=(), faults=(fault,), files=1)
    of = case(TENSORFLOW, NUMPY, HEADLESS, PLAIN, *more, tensorflow="2.15.1", integrity=state)
    (finding,) = run_check("writers", of)[1]
    return finding.severity, [(item.kind, item.name) for item in finding.repairs]


@pytest.mark.parametrize(
    ("lost", "there", "more", "expected"),
    [
        # Either could go: only a person knows.
        ("opencv-python", "opencv-python-headless", (), ("warning", [])),
        # The one that nothing requires has lost its files already.
        (
            "opencv-python",
            "opencv-python-headless",
            (ALBUMENTATIONS,),
            ("warning", [("remove", "opencv-python"), ("restore", "opencv-python-headless")]),
        ),
        # Its files are what this person's programs import.
        ("opencv-python-headless", "opencv-python", (ALBUMENTATIONS,), ("warning", [])),
        # What TensorFlow rests on comes back whoever wrote over it.
        ("numpy", "opencv-python", (), ("error", [("remove", "opencv-python"), ("restore", "numpy")])),
        ("opencv-python", "numpy", (), ("error", [("remove", "opencv-python"), ("restore", "numpy")])),
    ],
)
def test_which_of_two_writers_goes(lost, there, more, expected):
    assert told(lost, there, *more) == expected


def missing(*places, of, platform="linux"):
    faults = tuple(Fault(distribution=name, kind="missing", path=path, detail="is not there") for name, path in places)
    state = Integrity(distributions=of, rivals=(), faults=faults, files=9)
    reader = FakeReader({}, platform=platform)
    return run_check("records", replace(case(*of, integrity=state), reader=reader))[1]


def test_a_package_that_is_damaged_is_named_where_no_tensorflow_is_there():
    """What was said to take out was TensorFlow."""
    pip = distribution("pip", "26.0")
    (finding,) = missing(("pip", f"{site_of('3.11')}/pip/__init__.py"), of=(pip,))
    assert finding.remedy.words == "Install pip anew, in the same version"
    assert "pip==26.0" in finding.remedy.steps[0]


@pytest.mark.parametrize(("platform", "program"), [("linux", "bin/saved_model_cli"), ("win32", "Scripts/saved_model_cli.exe")])
def test_what_the_removal_of_a_rival_took_along_is_told_by_the_scripts_on_each_system(platform, program):
    there = distribution("tensorflow-intel", "2.10.1")
    places = [("tensorflow-intel", f"{site_of('3.11')}/tensorflow/__init__.py"), ("tensorflow-intel", f"{ROOT}/{program}")]
    (finding,) = missing(*places, of=(there,), platform=platform)
    assert finding.cause == "conflicting-tf-packages"
