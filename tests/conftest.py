"""Guards around every test: the environment and the working folder are as they were, and the user's own folders are not touched."""

from __future__ import annotations

import itertools
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.conda_sets import Conda

# A runner that was started in the background ignores Ctrl-C and so would every process that the tests start (POSIX shells, "asynchronous
# lists"); the tests of interrupts need the signal as it is at a terminal.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests run uv by itself as well; behind a proxy that signs for itself only the system's certificates do (as in the Makefile).
os.environ.setdefault("UV_SYSTEM_CERTS", "1")


# A busy machine must not make a property fail.
settings.register_profile("tfsetup", deadline=None)
settings.load_profile("tfsetup")

_NUMBERS = itertools.count()
# Each case of these starts processes, makes environments or solves, or there are thousands: of a test the first case is fast, the others are `slow`.
SAMPLED = frozenset(
    {
        "catalogue/test_shipped.py", "engines/test_rattler.py", "explain/test_work.py", "lock/test_command.py", "lock/test_same_everywhere.py",
        "lock/test_upgrade.py", "native/test_gpu_probe.py",
        "change/test_execute.py", "change/test_execute_conda.py", "change/test_execute_rebuild.py",
        "change/test_execute_repairs.py", "change/test_layers.py",
        "change/test_mounts.py", "change/test_undo_since.py", "change/test_undo_stopped.py",
        "channel/test_channel.py", "cli/test_apply.py", "cli/test_apply_conda.py", "cli/test_bad_input.py", "cli/test_broken_off.py",
        "cli/test_conda_faults.py",
        "cli/test_fix.py", "cli/test_neighbours.py", "cli/test_places.py",
        "cli/test_room.py", "cli/test_usage.py", "diagnose/test_doctor.py", "docs/test_run.py", "hostile/test_folders.py", "hostile/test_path.py",
        "hostile/test_plans.py", "hostile/test_state.py", "lock/test_check_command.py", "lock/test_locked.py", "lock/test_resolve.py",
        "plan/test_conda_solve.py", "plan/test_extras.py", "repair/test_attempts.py", "repair/test_conda_fix.py", "verify/test_libraries.py",
        "verify/test_verify.py",
    }
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what repeats a test of ``SAMPLED`` with other values, and what was measured to be (``slow.txt``)."""
    here = Path(__file__).parent
    measured = {line for line in (here / "slow.txt").read_text().splitlines() if line and not line.startswith("#")}
    seen: set[str] = set()
    for item in items:
        name = item.nodeid.split("[", maxsplit=1)[0]
        file = item.path.relative_to(here).as_posix() if item.path.is_relative_to(here) else ""
        if (name in seen and file in SAMPLED) or f"{file}::{name.split('::', 1)[1]}" in measured:
            item.add_marker(pytest.mark.slow)
        seen.add(name)


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all tests' homes."""
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(autouse=True)
def _own_home(homes: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Give each test a home of its own; real runs keep the user's caches, or they would download gigabytes."""
    for name in [name for name in os.environ if name.startswith("TFSETUP_")]:
        monkeypatch.delenv(name)
    if "real" not in request.keywords:
        # Counted here: pytest's own numbering looks through the folder, thousands of times.
        home = homes / str(next(_NUMBERS))
        home.mkdir()
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)


@pytest.fixture(autouse=True)
def _untouched() -> object:
    """Fail a test that leaves another working folder behind."""
    folder = Path.cwd()
    yield
    assert Path.cwd() == folder, "the test changed the working folder"


@pytest.fixture(scope="session")
def conda_shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Channels, catalogue, wheels and caches for conda environments, made once a session."""
    pytest.importorskip("rattler")
    from tests import conda_sets

    if not conda_sets.HERE:
        pytest.skip(f"Python {conda_sets.PYTHON} of this machine cannot be packed")
    return conda_sets.make_shared(tmp_path_factory.mktemp("conda"))


@pytest.fixture
def conda(conda_shared: Path, monkeypatch: pytest.MonkeyPatch) -> Conda:
    """Conda environments, in this process."""
    from tests import conda_sets

    for name, value in conda_sets.variables(conda_shared).items():
        monkeypatch.setenv(name, value)
    for name in ("CONDA_PREFIX", "CONDA_EXE", "MAMBA_EXE", "MAMBA_ROOT_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    return conda_sets.Conda(conda_shared)
