"""Which environments there are, and how each stands: found by looking, with nothing of them started."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.commands import named
from provisioner.commands.status import status
from provisioner.errors import InputError
from provisioner.host.local import LocalHost
from provisioner.model.request import Request
from provisioner.model.status import EnvironmentStatus, Status
from provisioner.report.status_text import list_text, status_text
from provisioner.session import Session
from tests.cli.conftest import shared, work
from tests.cli.made import good_environment
from tests.cli.support import VERSION
from tests.support import PYTHON, SITE, snapshot

__all__ = ["shared", "work"]


class Here(LocalHost):
    """This machine, seen from another working folder."""

    def __init__(self, cwd: Path) -> None:
        self.folder = cwd

    @property
    def cwd(self) -> str:
        return str(self.folder)

    def run(self, *args: object, **kwargs: object) -> object:
        raise AssertionError("nothing is started")


@pytest.fixture
def session(work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setenv("TFSETUP_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    return Session(Here(work))


def look(session: Session, env: Path | None = None) -> list[EnvironmentStatus]:
    request = Request(env=str(env or f"{session.host.cwd}/tf-env"), origins={"env": "option" if env else "default"})
    return list(status(session, request).environments)


@pytest.fixture
def made(session: Session, work: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    env = work / "far" / "away"
    env.parent.mkdir()
    good_environment(shared, env, monkeypatch)
    named.remember_environment(session, str(env))
    return env


def test_what_tfsetup_made_is_found_from_anywhere(session: Session, made: Path) -> None:
    before = snapshot(made)
    (found,) = look(session)
    assert (found.path, found.why, found.made, found.kind) == (str(made), "made by tfsetup", True, "venv")
    assert (found.tensorflow, found.package, found.device) == (VERSION, "tensorflow-cpu", "cpu")
    assert found.python.startswith(PYTHON)
    assert (found.checks, found.drift, found.interrupted, found.trouble) == (1, (), "", "")
    assert found.verified
    assert found.undo == "removes the environment"
    assert found.size > found.kept >= 0
    assert snapshot(made) == before
    # Gone, it is not told of any more; another one in its place is not the one that was made.
    shutil.rmtree(made)
    assert look(session) == []


def test_what_is_no_longer_as_it_was_proven_is_named(session: Session, made: Path) -> None:
    info = made / SITE / "six-2.0.dist-info"
    (info / "METADATA").unlink()  # linked to the installer's cache
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: six\nVersion: 1.9\n")
    info.rename(info.with_name("six-1.9.dist-info"))
    (found,) = look(session)
    assert found.drift == ("six 2.0 -> 1.9",)
    shutil.rmtree(info.with_name("six-1.9.dist-info"))
    (found,) = look(session)
    assert found.drift == ("six 2.0 is gone",)
    assert "changed since: six 2.0 is gone" in status_text(status(session, Request(env=str(made))), verbose=False)


def test_others_that_are_here_are_found_and_the_one_that_runs_tfsetup_is_not(
    session: Session, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run([sys.executable, "-m", "uv", "venv", "-q", str(work / "plain")], check=True)
    (work / "docs").mkdir()
    own = Path(sys.executable).parents[1]
    (work / "own").symlink_to(own)
    monkeypatch.setenv("VIRTUAL_ENV", str(own))
    (found,) = look(session)
    assert (found.path, found.why, found.made, found.tensorflow, found.verified) == (str(work / "plain"), "in this folder", False, "", "")
    monkeypatch.setenv("VIRTUAL_ENV", str(work / "plain"))
    (found,) = look(session)
    assert found.why == "active (VIRTUAL_ENV)"


def test_a_damaged_one_and_what_an_interrupted_run_left_are_told_in_words(session: Session, work: Path, made: Path) -> None:
    (made / "pyvenv.cfg").write_text("version = 2.7.18\n")
    (work / ".tf-env.tfsetup-new").mkdir()
    damaged, left = look(session)
    assert "names no Python" in damaged.trouble
    assert (left.path, left.interrupted != "") == (str(work / "tf-env"), True)
    text = list_text(status(session, Request(env=str(work / "tf-env"))))
    assert [line.split("  ")[-1].strip() for line in text.splitlines()] == ["state", "damaged", "interrupted"]


def test_one_that_is_named_is_told_alone_and_must_be_there(session: Session, work: Path, made: Path) -> None:
    (found,) = look(session, made)
    assert found.path == str(made)
    with pytest.raises(InputError, match="there is no environment"):
        look(session, work / "none")


def test_notes_of_others_are_not_believed(session: Session, made: Path, tmp_path: Path) -> None:
    (note,) = (tmp_path / "cache" / "made").glob("environment-*")
    text = note.read_text()
    note.write_text(text.replace("away", "else"))
    assert look(session) == [], "what it holds is not what it is called after"
    note.write_text(text)
    note.chmod(0o666)
    assert look(session) == []


def test_one_that_is_being_built_has_the_place_that_it_will_take(session: Session, work: Path) -> None:
    subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(work / ".new.tfsetup-new")], check=True)
    (found,) = look(session)
    assert found.path == str(work / "new")
    assert found.interrupted
    with LocalHost().lock(str(work / ".new.tfsetup-lock"), wait=0, passing=True):
        (found,) = look(session)
        assert (found.path, found.at_work, found.interrupted) == (str(work / "new"), True, "")
        assert "another tfsetup is at work" in list_text(Status(environments=(found,)))
        assert "another tfsetup is at work" in status_text(Status(environments=(found,)), verbose=False)
