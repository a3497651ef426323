"""The nearest request that would work."""

from __future__ import annotations

import pytest

from provisioner.diagnose import alternative
from tests.diagnose import cases


@pytest.mark.parametrize(
    ("name", "device", "steps"),
    [
        ("t4-driver-450", "cuda", ("tfsetup apply --tensorflow 2.14 --device cuda --env /home/ada/tf-env-new",)),
        ("rtx-5090", "cuda", ("tfsetup apply --device cpu --env /home/ada/tf-env-new",)),
        ("celeron-no-avx", "cpu", ()),
    ],
)
def test_the_command_makes_an_environment_beside_the_old_one(name: str, device: str, steps: tuple[str, ...]) -> None:
    case = cases.recorded(name, "2.21.0", device=device)
    assert alternative.working(case, device) == steps
