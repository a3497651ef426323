"""A slice of ``make agreement``: single mutations of a tiny environment, and the check that shares no code with the tool on known faults."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from provisioner.base.progress import SILENT
from provisioner.commands.doctor import doctor
from provisioner.diagnose.gather import Options
from provisioner.host.local import LocalHost
from provisioner.judge import whole
from provisioner.judge.memory import memory_of
from provisioner.session import Session
from tests.agreement import independent
from tests.agreement.mutations import FILE_KINDS, Mutator
from tests.diagnose.test_doctor import GOOD
from tests.verify.support import SITE, fake_tensorflow, install, make_env

PYTHON = ".".join(map(str, sys.version_info[:3]))
MUTATIONS = 12


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = make_env(tmp_path_factory.mktemp("agreement") / "env")
    fake_tensorflow(made, GOOD)
    install(
        made, "numpy", "2.2.6", {"numpy/__init__.py": "__version__ = '2.2.6'\n", "numpy/tests/test_it.py": "1\n", "numpy/data.txt": "x"}
    )
    install(made, "mine", "1.0", {"mine/__init__.py": "import numpy\n", "../../../bin/mine": "#!python\n"}, requires=("numpy>=2",))
    return made


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch, env: Path) -> None:
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TFSETUP_CACHE_DIR", str(env.parent / "cache"))


def verdicts(env: Path) -> dict[str, bool]:
    """What each says: True where it is whole. What a plan goes by is what ``whole.read`` finds."""
    session = Session(LocalHost())
    options = Options(cwd=str(env), importing=False)
    return {
        "independent": not independent.check(env, PYTHON),
        "doctor": doctor(session, env=str(env), options=options, progress=SILENT).examination.healthy,
        "plan": whole.read(session.host, str(env), PYTHON, published=frozenset(), memory=memory_of(session)).whole,
    }


def test_a_good_environment_is_whole_for_all(env: Path) -> None:
    assert set(verdicts(env).values()) == {True}


def test_every_mutation_of_a_file_is_seen_by_all(env: Path, tmp_path: Path) -> None:
    mutator = Mutator(env, env.parent / "aside", 20261129)
    for number in range(MUTATIONS):
        made = mutator.of_file(FILE_KINDS[number % len(FILE_KINDS)])
        said = verdicts(env)
        made.undo()
        assert set(said.values()) == {False}, (made.words, said)
    assert set(verdicts(env).values()) == {True}


@pytest.mark.parametrize("fault", ["requirement", "version", "no record", "two writers", "twice"])
def test_what_is_no_matter_of_one_file_is_seen_by_all(tmp_path: Path, fault: str) -> None:
    env = make_env(tmp_path / "env")
    fake_tensorflow(env, GOOD)
    info = install(env, "numpy", "2.2.6", {"numpy/__init__.py": "__version__ = '2.2.6'\n"})
    if fault == "requirement":
        install(env, "mine", "1.0", {"mine.py": ""}, requires=("not-there",))
    elif fault == "version":
        install(env, "mine", "1.0", {"mine.py": ""}, requires=("numpy<2",))
    elif fault == "no record":
        (info / "RECORD").unlink()
    elif fault == "two writers":
        install(env, "mine", "1.0", {"numpy/__init__.py": "mine = True\n"})
    elif fault == "twice":
        install(env, "numpy", "2.2.5", {"numpy/old.py": ""})
    assert (env / SITE).is_dir()
    assert set(verdicts(env).values()) == {False}, verdicts(env)


def test_certificates_that_somebody_added_are_damage_for_nobody_and_others_are_for_all(tmp_path: Path) -> None:
    env = make_env(tmp_path / "env")
    fake_tensorflow(env, GOOD)
    install(env, "certifi", "2026.1.1", {"certifi/cacert.pem": "-----BEGIN CERTIFICATE-----\nthe world's\n-----END CERTIFICATE-----\n"})
    listed = env / SITE / "certifi/cacert.pem"
    listed.write_text(listed.read_text() + "-----BEGIN CERTIFICATE-----\nthe company's\n-----END CERTIFICATE-----\n")
    assert set(verdicts(env).values()) == {True}, verdicts(env)
    listed.write_text(listed.read_text().replace("world", "thief"))
    assert set(verdicts(env).values()) == {False}, verdicts(env)
