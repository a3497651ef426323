"""Executing plans for conda environments with real rattler, uv, a real Python and tiny wheels: the environment is the old one or the new one."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from provisioner.base.progress import Silent
from provisioner.change import recovery
from provisioner.commands.undo import clear_interrupted
from provisioner.environment.workspace import Workspace
from provisioner.errors import InputError, NoProfileError
from provisioner.host.local import LocalHost
from tests.channel.cuda import NEEDS_COMPILER
from tests.conda_sets import OLDER, RELEASES, Conda
from tests.faults.fingerprint import differences, fingerprint
from tests.killing import states_of
from tests.support import PYTHON, SITE, snapshot, verification

# One name that holds everything; each by itself is slow.
STRANGE = ("a ü$HOME`id`[a]*?%20#;&!", *(pytest.param(name, marks=pytest.mark.slow) for name in ("a b", "ü", "a$HOME`id`", "[a]*?%20#;&!")))


def packages(env: Path) -> dict[str, str]:
    """Read conda's records as rattler does, which reads them as conda does; what they list is there."""
    rattler = pytest.importorskip("rattler")
    found = [rattler.PrefixRecord.from_path(path) for path in (env / "conda-meta").glob("*.json")]
    for record in found:
        assert all((env / path).exists() for path in record.files), record.file_name
    return {record.name.source: str(record.version) for record in found}


def run(env: Path, program: str) -> str:
    done = subprocess.run([f"{env}/bin/python", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def snapshot_without_receipt(env: Path) -> dict[str, tuple[object, ...]]:
    """The earlier receipt is written again, with the same content."""
    return {name: value for name, value in snapshot(env).items() if name != ".tfsetup/receipt.json"}


@pytest.mark.parametrize("name", ["env", *STRANGE])
def test_a_new_environment_is_made_proven_and_taken_back(conda: Conda, tmp_path: Path, name: str) -> None:
    env = tmp_path / "folder" / name
    assert conda.apply(env).kept
    assert packages(env) == {"python": run(env, "import platform; print(platform.python_version())")}
    assert run(env, "import sys; print(sys.prefix)") == str(env)
    assert subprocess.run([env / "bin/six"], check=False, capture_output=True).returncode == 1, "the script finds its Python"
    assert [path.name for path in env.parent.iterdir()] == [name]
    assert {path.stat().st_mode & 0o777 for path in (env / "conda-meta").iterdir()} == {0o644}, "others may use it"
    assert not (env / "CACHEDIR.TAG").exists(), "backups would leave it out"
    assert (env / "conda-meta/history").read_text().splitlines()[-1] == f"# update specs: ['python {PYTHON}.*']"
    before = snapshot(env)
    plan = conda.plan(env)
    assert (plan.changes, plan.conda.packages, plan.conda.removals) == (False, (), ())
    assert list(plan.conda.unchanged) == ["python"]
    assert snapshot(env) == before
    conda.undo(env)
    assert not env.parent.exists(), "folders that were made for it go too"


def test_a_second_plan_needs_no_channel(conda: Conda, tmp_path: Path) -> None:
    """Channels move on; an environment that is as planned does not change for that, and is not asked about."""
    env, channel = tmp_path / "env", tmp_path / "channel"
    shutil.copytree(conda.channel, channel)
    assert conda.apply(env, channels=(str(channel),)).kept
    shutil.rmtree(channel)
    assert not conda.plan(env, channels=(str(channel),)).changes


@pytest.mark.parametrize("name", ["it's", 'say "x"', "back\\slash", "a\nb"])
def test_a_name_that_pythons_own_files_cannot_hold_is_refused_before_anything_is_done(conda: Conda, tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="quotes, backslashes and line ends") as caught:
        conda.plan(tmp_path / name)
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("length", "fits"), [(255, True), (256, False)])
def test_a_path_that_programs_have_no_room_for_is_refused(conda: Conda, tmp_path: Path, length: int, fits: bool) -> None:
    """Programs hold their environment's path in a place of 255 bytes."""
    env = tmp_path / ("ü" * 60)
    env /= "e" * (length - len(os.fsencode(env)) - 1)
    if fits:
        assert conda.apply(env).kept
        assert run(env, "import sys; print(sys.prefix)") == str(env)
    else:
        with pytest.raises(InputError, match="longer than the 255 bytes"):
            conda.plan(env)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@NEEDS_COMPILER
def test_libraries_come_from_conda_and_are_found(conda: Conda, tmp_path: Path) -> None:
    env = tmp_path / "env"
    assert conda.apply(env, device="cuda").kept
    assert packages(env)["cudatoolkit"] == "11.0.3"
    link = env / SITE / "tensorflow/libcudart.so.11.0"
    assert link.resolve().parent == env / "lib"
    assert run(env, "import tensorflow; print(tensorflow.GOOD)") == "True"
    assert not conda.plan(env, device="cuda").changes


@pytest.mark.slow
@NEEDS_COMPILER
def test_conda_packages_are_replaced_and_come_back_file_by_file(conda: Conda, tmp_path: Path) -> None:
    """The CUDA libraries do not go with the older Python: another patch release takes its place, and other wheels the place of theirs."""
    env = tmp_path / "env"
    assert conda.apply(env, channels=(str(conda.earlier),), tensorflow="==2.19.*").kept
    run(env, "import tensorflow, six, older")  # its byte code is there
    (env / "notes.txt").write_text("of a person")
    before, marks = snapshot_without_receipt(env), fingerprint(env)
    plan = conda.plan(env, device="cuda", tensorflow="==2.20.*")
    assert [item.identity.rsplit("-", 1)[0] for item in plan.conda.removals] == [f"python-{OLDER}"]
    assert {(item.name, item.version) for item in plan.removals} >= {("six", "1.9"), ("tensorflow-cpu", "2.19.0")}
    assert conda.execute(plan).kept
    assert packages(env)["python"] != OLDER
    assert not (env / f"lib/python{PYTHON}/older.py").exists()
    assert (env / "notes.txt").read_text() == "of a person"
    assert run(env, "import tensorflow; print(tensorflow.__version__, tensorflow.GOOD)") == f"{RELEASES[0]} True"
    assert not conda.plan(env, device="cuda", tensorflow="==2.20.*").changes
    conda.undo(env)
    assert differences(marks, fingerprint(env)) == []
    assert snapshot_without_receipt(env) == before


@pytest.mark.slow
def test_a_foreign_environment_keeps_its_packages_but_for_those_in_the_way(conda: Conda, tmp_path: Path) -> None:
    names = ("tool ==1.0", "six", "needs-six", "own", "tensorflow", "pip")
    env = conda.foreign(tmp_path / "env", f"python {PYTHON}.*", *names)
    (env / "conda-meta/history").write_text("")
    run(env, "import six, needs_six, own")
    before, marks = snapshot(env), fingerprint(env)
    plan = conda.plan(env, source="wheels", tensorflow=">=2", origins={"source": "option", "tensorflow": "option"})
    going = {item.identity: item.reason for item in plan.conda.removals}
    assert going == {
        "six-1.0-0": "its six comes as the wheel that the set was proven with",
        "needs-six-1.0-0": "it needs six, which leaves",
        "tensorflow-2.10.0-0": "it owns the same folder as the TensorFlow of the set, so the two break each other",
    }
    assert conda.execute(plan).kept
    assert {name: version for name, version in packages(env).items() if name in {"tool", "own", "six", "needs-six", "tensorflow"}} == {
        "tool": "1.0",
        "own": "1.0",
    }
    assert run(env, "import own, six; print(hasattr(six, 'FROM'))") == "False"
    conda.undo(env)
    assert differences(marks, fingerprint(env)) == []
    assert snapshot(env) == before


def test_tensorflow_of_conda_stays_one_of_conda_unless_somebody_says_otherwise(conda: Conda, tmp_path: Path) -> None:
    env = conda.foreign(tmp_path / "env", f"python {PYTHON}.*", "tensorflow")
    with pytest.raises(NoProfileError) as caught:
        conda.plan(env)
    assert "tensorflow 2.10.* cpu*" in "\n".join(caught.value.refusals)


def test_an_environment_whose_proof_fails_never_stays(conda: Conda, tmp_path: Path) -> None:
    env = tmp_path / "env"
    assert not conda.execute(conda.plan(env), prove=lambda root: verification(root, passed=False)).kept
    assert list(tmp_path.iterdir()) == []


def conda_root(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A conda that is there as far as anybody looks: its program, its own environment, and the folder of the others."""
    root = home / "miniconda3"
    for folder in ("bin", "conda-meta", "envs", "pkgs"):
        (root / folder).mkdir(parents=True)
    (root / "bin/conda").write_text("#!/bin/sh\nexit 1\n")
    (root / "bin/conda").chmod(0o755)
    (root / "conda-meta/conda-24.9.0-py311_0.json").write_text('{"name": "conda", "version": "24.9.0", "build": "py311_0", "files": []}')
    monkeypatch.setenv("CONDA_EXE", str(root / "bin/conda"))
    return root


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return conda_root(tmp_path / "home", monkeypatch)


@pytest.mark.slow
def test_where_conda_is_it_is_told_and_told_again_when_it_is_over(conda: Conda, tmp_path: Path, root: Path) -> None:
    env, listed = tmp_path / "work/lab", tmp_path / "home/.conda/environments.txt"
    before = snapshot(tmp_path / "home")
    plan = conda.plan(env)
    assert [item.kind for item in plan.conda.registered] == ["line", "link"]
    assert sum("so that conda and mamba" in line for line in plan.outside) == 2
    assert conda.execute(plan).kept
    assert listed.read_text() == f"{env}\n"
    assert (root / "envs/lab").readlink() == env
    assert not conda.plan(env).changes
    assert list((root / "pkgs").iterdir()), "conda's own folder of packages is used"
    conda.undo(env)
    assert {name for name in snapshot(tmp_path / "home") if not name.startswith("miniconda3/pkgs/")} == set(before)


@pytest.mark.parametrize(
    ("kind", "moments"),
    [
        ("new", "telling"),
        pytest.param("new", "every", marks=pytest.mark.slow),
        # A thousand files at each moment; test_conda_fix.py has all moments of a small one.
        pytest.param("existing", "every", marks=[pytest.mark.slow, NEEDS_COMPILER]),
    ],
)
def test_killed_at_any_moment_it_is_the_old_one_or_the_new_one(
    conda: Conda, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, moments: str
) -> None:
    """One run, of which the disk's state before each effect is kept; then the next command cleans up after each of them."""
    place, real = tmp_path / "place", LocalHost()
    env = place / "work/lab"
    env.parent.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(place / "home"))
    monkeypatch.setenv("CONDA_PKGS_DIRS", str(conda.shared / "rattler/pkgs"))
    conda_root(place / "home", monkeypatch)
    if kind == "existing":
        assert conda.apply(env, channels=(str(conda.earlier),), tensorflow="==2.19.*").kept
        run(env, "import tensorflow, six, older")
    before = fingerprint(place)
    plan = conda.plan(env, device="cuda" if kind == "existing" else "cpu", tensorflow="==2.20.*")
    found_states = set()
    for state in states_of(place, tmp_path / "states", lambda host: conda.execute(plan, host), moments):
        found = recovery.interrupted(real, Workspace(root=str(env)))
        assert found is not None or state.last or differences(without_lock(before), without_lock(fingerprint(place))) == []
        assert found is None or kind == "existing" or found.state == "new" or not env.exists(), "it shows only when it is complete"
        clear_interrupted(real, str(env), agree=lambda _found: None, wait=0, progress=Silent())
        if state.last:
            assert packages(env)
            conda.undo(env)
        found_states.add(found.state if found else "none")
        assert differences(without_lock(before), without_lock(fingerprint(place))) == [], f"killed before {state.effect}"
    assert state.last
    assert found_states == ({"none", "old", "new"} if kind == "new" else {"none", "old", "moving", "new"})


def without_lock(found: dict[str, str]) -> dict[str, str]:
    """An empty ``.tfsetup`` with its lock, which a process that was killed leaves behind, is no part of the environment."""
    return {name: value for name, value in found.items() if not name.startswith(("work/.lab.tfsetup-new", "work/.lab.tfsetup-lock"))}


@pytest.mark.slow
def test_a_cache_that_lacks_files_is_filled_again(conda: Conda, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATTLER_CACHE_DIR", str(tmp_path / "rattler"))
    assert conda.apply(tmp_path / "first").kept
    lost = next((tmp_path / "rattler/pkgs").glob(f"python-*/lib/python{PYTHON}/this.py"))
    lost.unlink()
    assert conda.apply(tmp_path / "second").kept
    assert packages(tmp_path / "second")
    assert lost.exists()
