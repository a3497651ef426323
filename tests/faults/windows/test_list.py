"""The list of Windows' faults: long and wide enough, and of causes that there are. What becomes of them: `python -m tests.faults.windows`."""

from __future__ import annotations

from provisioner.catalogue import find_profiles
from provisioner.causes import open_order
from provisioner.host.local import LocalHost
from tests.faults.windows import cases
from tests.faults.windows.fault import BASES, FAULTS


def test_the_list_is_long_and_wide_and_names_causes_that_there_are() -> None:
    order = open_order(LocalHost(), find_profiles())
    assert cases
    assert len(FAULTS) >= 20
    assert len({fault.cause for fault in FAULTS.values()}) >= 9
    for fault in FAULTS.values():
        assert fault.words, f"{fault.name} does not say how people come to it"
        assert fault.base in BASES
        assert all(order.rank(code) >= 0 for code in (fault.cause, *fault.also))
