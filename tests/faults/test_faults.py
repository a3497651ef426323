"""Each fault: real, named by ``doctor``, mended by ``fix``, proved by ``verify``, brought back by ``undo``.

A few of them in ``make test``, other ones every day; all of them with ``make faults`` (``python -m tests.faults``, which goes on where it
was stopped), or here with FAULTS=all or the names, subjects, bases or causes: ``FAULTS="cuda leaks" pytest -m real tests/faults``.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.bases import BASES, build, find_python
from tests.faults.fault import HEALTHY, Fault, all_faults, chosen, slice_of
from tests.faults.fingerprint import differences, fingerprint
from tests.faults.trial import try_fault

TODAY = dt.datetime.now(dt.timezone.utc).toordinal()
WORDS = os.environ.get("FAULTS", "").split()
FAULTS = chosen(all_faults(), [] if WORDS == ["all"] else WORDS) if WORDS else slice_of(all_faults(), TODAY)


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the bases; at the end none of their files, which uv's cache shares, may have been written into."""
    folder = tmp_path_factory.mktemp("bases")
    yield folder
    changed = [words for name in BASES for words in _changes(folder / name)]
    shutil.rmtree(folder)
    assert changed == []


BUILT: dict[str, dict[str, str]] = {}


def _changes(base: Path) -> list[str]:
    return differences(BUILT[base.name], fingerprint(base, fresh=True)) if base.name in BUILT else []


@pytest.mark.real
@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_fault(fault: Fault, bases: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    missing = [program for program in fault.needs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is missing")
    if fault.base and not find_python(BASES[fault.base].python):
        pytest.skip(f"Python {BASES[fault.base].python} is not on this machine")
    if fault.base and fault.base not in BUILT:
        BUILT[fault.base] = fingerprint(build(fault.base, bases))
    outcome = try_fault(fault, bases, tmp_path_factory.getbasetemp())
    assert outcome.faults == []


def test_the_list_is_long_and_wide() -> None:
    faults = all_faults().values()
    assert sum(fault.cause != HEALTHY for fault in faults) >= 45
    assert len({fault.cause for fault in faults} - {HEALTHY}) >= 20


def test_the_slice_has_its_turn_with_every_fault_of_a_processor_set() -> None:
    seen = {fault.name for day in range(400) for fault in slice_of(all_faults(), day)}
    assert seen >= {
        fault.name
        for fault in all_faults().values()
        if fault.base in BASES and BASES[fault.base].device == "cpu" and fault.cause != HEALTHY
    }
