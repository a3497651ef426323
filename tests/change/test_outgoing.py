"""What leaves an environment: decided from values alone, and from small real environments; what something that stays has recorded never does."""

from __future__ import annotations

import posixpath
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.change.contents import read_contents, replaced, whole_environment
from provisioner.change.outgoing import Contents, folders_of, is_free, leaving
from provisioner.environment.damaged import read_broken
from provisioner.environment.distributions import Installed
from provisioner.environment.owners import Claim, Owners, index
from provisioner.environment.read import Site, read_site
from provisioner.environment.workspace import Workspace
from provisioner.host.local import LocalHost
from provisioner.model.plan import Removal
from tests.support import SITE, make_lock, make_plan, make_wheel

HOST = LocalHost()


def owners(**recorded: tuple[str, ...]) -> Owners:
    return index((path, Claim(name, name, "", -1)) for name, paths in recorded.items() for path in (name, *paths))


@pytest.mark.parametrize(
    ("going", "staying", "left"),
    [
        (("a/x.py", "a/y.py"), (), {"one", "a/x.py", "a/y.py"}),
        (("a/x.py", "a/y.py"), ("a/y.py",), {"one", "a/x.py"}),
        (("a/x.py", "a/__pycache__/x.cpython-311.pyc"), ("a/x.py",), {"one"}),
        (("a/x.py",), ("a/x.py/y.py",), {"one"}),
        (("two/note.txt",), (), {"one"}),
        ((".tfsetup/receipt.json",), (), {"one"}),
    ],
)
def test_what_stays_keeps_what_it_has_recorded(going: tuple[str, ...], staying: tuple[str, ...], left: set[str]) -> None:
    found = Contents(owners=owners(one=going, two=staying), staying=frozenset({"two"}), files=frozenset({"one", *going}))
    assert leaving(found) == left


def test_a_folder_that_the_plan_names_leaves_but_for_what_stays() -> None:
    below = {
        "tensorflow": ("tensorflow/__init__.py", "tensorflow/mine.py", "tensorflow/__pycache__/mine.cpython-311.pyc", "tensorflow/old.py")
    }
    found = Contents(
        owners=owners(mine=("tensorflow/mine.py",)), staying=frozenset({"mine"}), paths=frozenset({"tensorflow", "~x"}), below=below
    )
    assert leaving(found) == {"~x", "tensorflow/__init__.py", "tensorflow/old.py"}


def test_conda_s_packages_and_wheels_keep_each_other_s_files() -> None:
    found = Contents(
        owners=owners(wheel=("lib/both.py",), gone=("lib/theirs.py", "lib/wheel.py")),
        staying=frozenset({"wheel"}),
        files=frozenset({"gone", "lib/theirs.py", "lib/wheel.py"}),
        conda_files=frozenset({"lib/both.py", "lib/conda.py", "wheel/METADATA"}),
        conda_staying=frozenset({"lib/theirs.py"}),
    )
    assert leaving(found) == {"gone", "lib/wheel.py", "lib/conda.py"}


paths = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)
sets = st.frozensets(paths, max_size=6)


@given(going=sets, staying=sets, conda=sets, named=sets)
def test_nothing_that_stays_loses_a_file(going, staying, conda, named) -> None:
    below = {folder: tuple(path for path in going | staying | conda if path.startswith(f"{folder}/")) for folder in named | going}
    found = Contents(
        owners=owners(two=tuple(staying)), staying=frozenset({"two"}), files=going, paths=named, conda_staying=conda, below=below
    )
    for path in leaving(found):
        assert path not in staying | conda
        assert path not in folders_of(staying | conda)
        assert is_free(path, staying | conda)


@pytest.fixture
def env(tmp_path: Path) -> Path:
    subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(tmp_path / "env")], check=True)
    return tmp_path / "env"


def distribution(env: Path, name: str, *files: str, record: bool = True) -> Installed:
    folder = env / SITE / f"{name}.dist-info"
    folder.mkdir()
    for file in files:
        path = env / SITE / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    if record:
        (folder / "RECORD").write_text("".join(f"{file},,\n" for file in (*files, f"{name}.dist-info/RECORD")))
    stem, version = name.split("-")
    return Installed(name=stem, version=version, metadata=f"{SITE}/{name}.dist-info", recorded=record)


def left(env: Path, tmp_path: Path, *removals: Removal) -> set[str]:
    """What a plan that removes these takes away, relative to site-packages."""
    lock = make_lock(make_wheel(tmp_path / "wheels", "tensorflow", "2.0", {"tensorflow/__init__.py": ""}))
    site: Site = read_site(HOST, str(env))
    plan = replace(make_plan(HOST, env, lock), removals=removals)
    found = leaving(read_contents(plan, HOST, Workspace(root=str(env)), site))
    return {posixpath.relpath(path, SITE) for path in found}


ONE = Removal(name="one", version="1.0", reason="r")


def test_files_that_another_has_recorded_stay(env: Path, tmp_path: Path) -> None:
    distribution(env, "one-1.0", "shared/a.py", "shared/both.py", "one.py")
    distribution(env, "two-1.0", "shared/both.py", "shared/b.py")
    assert left(env, tmp_path, ONE) == {"one-1.0.dist-info", "one.py", "shared/a.py"}


def test_without_a_record_the_modules_that_it_names_go(env: Path, tmp_path: Path) -> None:
    going = distribution(env, "one-1.0", "one/a.py", "two.py", "shared/x.py", record=False)
    distribution(env, "three-1.0", "shared/y.py")
    (env / going.metadata / "top_level.txt").write_text("one\ntwo\nshared\n../../../bin\nmissing\n")
    assert left(env, tmp_path, ONE) == {"one-1.0.dist-info", "one", "two.py"}


def test_a_folder_with_something_of_what_stays_in_it_is_looked_into(env: Path, tmp_path: Path) -> None:
    distribution(env, "plugin-1.0", "tensorflow/plugin.py")
    for name in ("__init__.py", "old/a.py"):
        (env / SITE / "tensorflow" / name).parent.mkdir(exist_ok=True)
        (env / SITE / "tensorflow" / name).write_text("")
    folder = Removal(name="TensorFlow's folder", version="", reason="r", paths=(f"{SITE}/tensorflow",))
    assert left(env, tmp_path, folder) == {"tensorflow/__init__.py", "tensorflow/old/a.py"}


def test_a_package_is_replaced_whole_unless_it_is_shared(env: Path, tmp_path: Path) -> None:
    for name in (
        "nvidia/cublas/lib/x.so",
        "nvidia/cudnn/lib/left.so",
        "numpy/left.py",
        "plain.py",
        "google/mine/a.py",
        "google/protobuf/old.py",
    ):
        (env / SITE / name).parent.mkdir(parents=True, exist_ok=True)
        (env / SITE / name).write_text("")
    (env / SITE / "nvidia" / "__init__.py").write_text("")
    stage = tmp_path / "stage"
    for name in (
        "nvidia/__init__.py",
        "nvidia/cudnn/__init__.py",
        "nvidia/cudnn/lib/new.so",
        "numpy/new.py",
        "plain.py",
        "google/protobuf/a.py",
    ):
        (stage / SITE / name).parent.mkdir(parents=True, exist_ok=True)
        (stage / SITE / name).write_text("")
    shared = folders_of({f"{SITE}/nvidia/cublas/lib/x.so"})
    found = replaced(HOST, str(env), str(stage), SITE, shared)
    assert found == {f"{SITE}/{name}" for name in ("nvidia/__init__.py", "nvidia/cudnn", "numpy", "plain.py", "google/protobuf")}


def test_a_new_environment_takes_the_place_of_what_made_the_old_one_and_of_nothing_else(env: Path) -> None:
    distribution(env, "six-1.0", "six.py")
    (env / "bin" / "mine").write_text("")
    for folder in ("notes", "share"):
        (env / folder).mkdir()
        (env / folder / "data").write_text("")
    with (env / SITE / "six-1.0.dist-info" / "RECORD").open("a") as file:
        file.write("../../../share/data,,\n../../../.tfsetup/receipt.json,,\n../../../notes,,\n")
    found = whole_environment(HOST, read_broken(HOST, str(env)))
    assert {"lib", "pyvenv.cfg", "bin/python", "bin/activate", "share/data"} <= found
    assert not {"bin/mine", "notes", "bin", "share", ".tfsetup/receipt.json"} & found
