"""The checks of files: which of two packages that write one file goes, and how grave that is."""

from __future__ import annotations

import pytest

from provisioner.judge.integrity import Fault, Integrity
from tests.diagnose.support import case, distribution, run_check, site_of

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
