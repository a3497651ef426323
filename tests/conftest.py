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
