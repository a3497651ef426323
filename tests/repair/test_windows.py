"""Repairs on Windows, decided on Linux: another Python for an environment, and wheels that the catalogue has beside its sets."""

from __future__ import annotations

from types import SimpleNamespace

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.environment.read import Site
from provisioner.host.local import LocalHost
from provisioner.model.finding import Repair
from provisioner.model.plan import Choice, EnvState
from provisioner.repair import doable
from provisioner.repair.restored import with_restored
from tests.fixing import interpreter, repair_inputs, smallest

CATALOGUE = Catalogue.open(LocalHost(), find_profiles())
ROOT = "C:/work/env"
STATE = EnvState(
    path=ROOT, kind="venv", digest="d", python=f"{ROOT}/Scripts/python.exe", python_version="3.10.11", site_packages="Lib/site-packages"
)
CHOICE = Choice(
    release="2.10.1", python="3.10", interpreter=interpreter("C:/Python310/python.exe", "3.10.11"), device="cpu", platform="windows-x86_64",
    reasons=(), refusals=(), warnings=(), gpus=(),
)  # fmt: skip
CONFIG = "home = C:\\gone\nversion_info = 3.10.4\ninclude-system-site-packages = false\nbase-prefix = C:\\gone\n"


def inputs():
    lock = CATALOGUE.lock("2.10.1", "3.10", "windows-x86_64", "cpu")
    return repair_inputs(Site(state=STATE, distributions=(), leftovers=()), lock, choice=CHOICE, config=CONFIG)


def test_another_python_is_a_line_of_pyvenv_cfg_there_and_no_link() -> None:
    repair = Repair(kind="interpreter", reason="its Python is gone", target="C:/Python310/python.exe")
    (edit,) = smallest(inputs(), (repair,)).edits
    assert edit.path == "pyvenv.cfg"
    assert "home = C:\\Python310\n" in edit.text
    assert "base-prefix = C:\\Python310\n" in edit.text
    assert "gone" not in edit.text


def test_what_the_catalogue_has_beside_its_sets_is_restored_by_its_hash_without_asking() -> None:
    session = SimpleNamespace(catalogue=CATALOGUE)
    repair = Repair(kind="restore", name="msvc-runtime", version="14.42.34433", reason="it packs the runtime")
    found, notes = with_restored(session, inputs(), (repair,), own=False)  # type: ignore[arg-type]
    assert notes == ()
    (package,) = smallest(found, (repair,)).packages
    assert (package.name, package.version, len(package.sha256)) == ("msvc-runtime", "14.42.34433", 64)


def test_an_environment_whose_config_is_gone_has_a_python_again_once_it_is_written() -> None:
    """Its python.exe starts nothing without it, and all of the environment was made anew."""
    assert doable.gives_python((Repair(kind="write", reason="it names it", path=f"{ROOT}/pyvenv.cfg", target="home = C:\\Python310\n"),))
    assert not doable.gives_python((Repair(kind="write", reason="a list", path=f"{ROOT}/Lib/x.pth", target="a"),))
