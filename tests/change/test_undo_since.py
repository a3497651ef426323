"""Undo after others worked in the environment: what they brought stays or is named before the first move; nothing is lost, nothing is there twice."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from provisioner.base.progress import Silent
from provisioner.change import recovery
from provisioner.change.brought import as_it_came
from provisioner.change.execute import execute
from provisioner.change.journal import last_record
from provisioner.change.recovery import NO_WISHES, Wishes
from provisioner.change.standing import interrupted
from provisioner.commands import undo as commands
from provisioner.commands.undo import undo
from provisioner.environment.distributions import read_distributions
from provisioner.environment.workspace import Workspace
from provisioner.errors import InputError, InTheWayError, OperationError
from provisioner.host import Mark
from provisioner.host.local import LocalHost
from provisioner.report.apply_text import undo_document, undo_text
from provisioner.report.schemas import schema_of
from provisioner.session import Session
from tests.killing import states_of
from tests.support import SITE, make_lock, make_plan, make_wheel, prove_by_import, snapshot

UV = [sys.executable, "-m", "uv"]
Since = Callable[[Path], None]


def uv(env: Path, *args: str) -> None:
    subprocess.run([*UV, "pip", *args, "-q", "--python", f"{env}/bin/python"], check=True)


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "wheels"
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    for version in ("1.19.0", "1.20.3", "1.22.4"):
        make_wheel(folder, "numpy", version, {"numpy/__init__.py": f"V = '{version}'\n", f"numpy/only_{version.replace('.', '_')}.py": ""})
    make_wheel(folder, "google-apis", "1.0", {"google/api/__init__.py": "", "google/rpc/status.py": ""})
    make_wheel(folder, "six", "1.0", {"six.py": "VERSION = 1\n"})
    return folder


@pytest.fixture
def lock(wheels: Path):
    return make_lock(
        make_wheel(wheels, "tensorflow", "2.0", {"tensorflow/__init__.py": "GOOD = True\n", "tensorflow/core/a.py": ""}),
        make_wheel(wheels, "numpy", "1.19.0", {"numpy/__init__.py": "V = '1.19.0'\n", "numpy/only_1_19_0.py": ""}),
        make_wheel(wheels, "protobuf", "3.0", {"google/protobuf/__init__.py": ""}),
        make_wheel(wheels, "six", "2.0", {"six.py": "VERSION = 2\n"}, scripts={"six": "six:main"}),
    )


def make(env: Path, lock, kind: str) -> None:
    """An environment that was changed, or that was made."""
    if kind == "changed":
        subprocess.run([*UV, "venv", "-q", "--python", sys.executable, str(env)], check=True)
        uv(env, "install", "numpy==1.22.4", "six==1.0")
        subprocess.run([f"{env}/bin/python", "-c", "import numpy, six"], check=True)
    env.parent.joinpath("before").mkdir()
    if kind == "changed":
        shutil.copytree(env, env.parent / "before" / "env", symlinks=True)
    host = LocalHost()
    assert execute(make_plan(host, env, lock), host, prove=prove_by_import, progress=Silent(), wait=0).kept
    # Whoever uses it compiles it.
    subprocess.run([f"{env}/bin/python", "-c", "import numpy, six, tensorflow, tensorflow.core.a, google.protobuf"], check=True)


def take_back(env: Path, **wishes):
    return undo(Session(LocalHost()), str(env), agree=lambda _found: None, wait=0, progress=Silent(), wishes=Wishes(**wishes))


def versions(env: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in read_distributions(LocalHost(), str(env), str(env / SITE)):
        found.setdefault(item.name, []).append(item.version)
    return found


def contents(root: Path) -> dict[str, bytes]:
    """Files but for byte code and the tool's own."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts and ".tfsetup" not in path.parts
    }


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Never into a file that shares its content with the cache of uv.
    path.unlink(missing_ok=True)
    path.write_text(text)


def since_of_the_issue(env: Path) -> None:
    uv(env, "install", "--no-deps", "google-apis", "numpy==1.20.3")
    write(env / SITE / "tensorflow" / "mine" / "mine.py", "my own work")


def test_the_case_of_the_issue(tmp_path: Path, lock) -> None:
    env = tmp_path / "env"
    make(env, lock, "changed")
    since_of_the_issue(env)
    before = snapshot(env)
    with pytest.raises(InTheWayError) as caught:
        take_back(env)
    assert snapshot(env) == before, "it stops before the first move"
    assert [fault for fault in caught.value.faults if "numpy 1.20.3" in fault and "numpy 1.22.4" in fault]
    assert "--keep-new" in caught.value.hint
    assert "--leave-new" in caught.value.hint
    found = take_back(env, keep=str(tmp_path / "kept"))
    assert versions(env) == {"numpy": ["1.22.4"], "six": ["1.0"], "google-apis": ["1.0"]}
    assert (env / SITE / "tensorflow" / "mine" / "mine.py").read_text() == "my own work"
    assert not (env / SITE / "tensorflow" / "core").exists()
    assert (env / SITE / "google" / "rpc" / "status.py").exists()
    assert not (env / SITE / "google" / "protobuf").exists()
    assert (tmp_path / "kept" / SITE / "numpy" / "__init__.py").read_text() == "V = '1.20.3'\n"
    old = contents(tmp_path / "before" / "env")
    assert {name: text for name, text in contents(env).items() if name in old} == old
    document = undo_document(found)
    jsonschema.validate(document, schema_of("undo"))
    assert document["moved_to"] == str(tmp_path / "kept")
    assert set(document["kept"]) >= {"google-apis 1.0", f"{SITE}/tensorflow/mine"} or "google-apis 1.0" in document["kept"]
    assert "google-apis 1.0 came since, and stays" in undo_text(found)


@pytest.mark.parametrize("kind", ["changed", "made"])
def test_times_that_a_layer_or_an_archive_has_cut_are_no_edit(tmp_path: Path, lock, kind: str) -> None:
    env = tmp_path / "env"
    make(env, lock, kind)
    for path in env.rglob("*"):
        if path.is_file() and not path.is_symlink():
            found = path.stat()
            os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns // 10**9 * 10**9))
    take_back(env)
    assert versions(env) == {"numpy": ["1.22.4"], "six": ["1.0"]} if kind == "changed" else not env.exists()


@pytest.mark.parametrize(
    ("nanoseconds", "same"), [(0, True), (-999_999_999, True), (4_000_000, True), (200_000_000, False), (-(10**10), False)]
)
def test_a_time_further_off_is_one(nanoseconds: int, same: bool) -> None:
    came = Mark("file", 3, 10**18)
    assert as_it_came(came, came._replace(mtime=came.mtime + nanoseconds)) is same
    assert not as_it_came(came, came._replace(size=4))
    assert not as_it_came(came, None)


def test_left_in_place_no_distribution_is_there_twice(tmp_path: Path, lock) -> None:
    env = tmp_path / "env"
    make(env, lock, "changed")
    since_of_the_issue(env)
    found = take_back(env, leave=True)
    assert versions(env) == {"numpy": ["1.20.3"], "six": ["1.0"], "google-apis": ["1.0"]}
    subprocess.run([f"{env}/bin/python", "-c", "import numpy; assert numpy.V == '1.20.3'"], check=True)
    assert not (env / SITE / "numpy" / "only_1_22_4.py").exists()
    assert undo_document(found)["not_returned"] == ["numpy 1.22.4"]
    assert "numpy 1.22.4 does not come back" in undo_text(found)
    left = Workspace(root=str(env)).replaced(1)
    assert (Path(left) / SITE / "numpy" / "only_1_22_4.py").exists(), "what does not come back is kept"


def upgrade(env: Path) -> None:
    uv(env, "install", "--no-deps", "numpy==1.20.3")


def downgrade(env: Path) -> None:
    uv(env, "install", "--no-deps", "six==1.0")


def again(env: Path) -> None:
    uv(env, "install", "--no-deps", "--reinstall", "numpy==1.19.0")


def remove(env: Path) -> None:
    uv(env, "uninstall", "numpy")


def add(env: Path) -> None:
    wheels = env.parent / "wheels"
    make_wheel(wheels, "added", "1.0", {"added/__init__.py": ""}, scripts={"added": "added:main"})
    uv(env, "install", "--no-deps", "added")


def namespace(env: Path) -> None:
    uv(env, "install", "--no-deps", "google-apis")


def own_file(env: Path) -> None:
    write(env / SITE / "tensorflow" / "mine.txt", "mine")


def edit(env: Path) -> None:
    write(env / SITE / "numpy" / "__init__.py", "V = 'edited'\n")


def editable(env: Path) -> None:
    project = env.parent / "project"
    write(project / "mine.py", "")
    site = env / SITE
    write(site / "__editable__.mine-1.0.pth", str(project))
    write(site / "mine-1.0.dist-info" / "METADATA", "Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    write(
        site / "mine-1.0.dist-info" / "RECORD", "__editable__.mine-1.0.pth,,\nmine-1.0.dist-info/METADATA,,\nmine-1.0.dist-info/RECORD,,\n"
    )


def in_the_way_of_an_old_one(env: Path) -> None:
    write(env / SITE / "numpy" / "only_1_22_4.py", "mine")


SINCE: tuple[tuple[Since, bool], ...] = (
    (upgrade, True), (downgrade, True), (again, True), (remove, False), (add, False), (namespace, False), (own_file, False), (edit, True),
    (editable, False), (in_the_way_of_an_old_one, True),
)  # fmt: skip


@pytest.mark.parametrize("record", ["written", "of 0.1.0"])
@pytest.mark.parametrize("kind", ["changed", "new"])
@pytest.mark.parametrize(("since", "in_the_way"), SINCE, ids=[since.__name__ for since, _ in SINCE])
def test_whatever_came_since_nothing_of_it_is_lost(tmp_path: Path, lock, kind: str, since: Since, in_the_way: bool, record: str) -> None:
    env, keep = tmp_path / "env", tmp_path / "kept"
    make(env, lock, kind)
    ours = contents(env)
    if record == "of 0.1.0":
        Path(Workspace(root=str(env)).brought(1)).unlink()
        _age(env)
    since(env)
    came = {name: text for name, text in contents(env).items() if ours.get(name) != text}
    before = snapshot(env)
    if in_the_way or (kind == "new" and since is not remove):
        with pytest.raises(InTheWayError) as caught:
            take_back(env)
        assert snapshot(env) == before
        assert caught.value.faults
        take_back(env, keep=str(keep))
    else:
        take_back(env)
    found = {**(contents(keep) if keep.exists() else {}), **(contents(env) if env.exists() else {})}
    kept = contents(keep) if keep.exists() else {}
    assert {name: text for name, text in came.items() if text not in {found.get(name), kept.get(name)}} == {}
    assert env.exists() == (kind == "changed")
    if kind == "changed":
        assert all(len(there) == 1 for there in versions(env).values()), versions(env)
        old = contents(tmp_path / "before" / "env")
        assert {name: text for name, text in contents(env).items() if name in old} == old
        assert not (set(contents(env)) - set(old) - set(came)), "and nothing that the change brought stays"


def _age(env: Path) -> None:
    """As if the receipt were older than what comes now: a change of 0.1.0 was not made within this second."""
    receipt = env / ".tfsetup" / "receipt.json"
    data = json.loads(receipt.read_text())
    data["finished"] = "2026-01-01T00:00:00+00:00"
    receipt.write_text(json.dumps(data))
    old = 1767225600 - 1000
    for path in env.rglob("*"):
        if not path.is_symlink():
            os.utime(path, (old, old))


@pytest.mark.parametrize("since", [since for since, in_the_way in SINCE if in_the_way], ids=lambda since: since.__name__)
def test_what_is_left_in_place_is_whole(tmp_path: Path, lock, since: Since) -> None:
    env = tmp_path / "env"
    make(env, lock, "changed")
    ours = contents(env)
    since(env)
    came = {name: text for name, text in contents(env).items() if ours.get(name) != text}
    found = take_back(env, leave=True)
    after = contents(env)
    assert {name: text for name, text in came.items() if after.get(name) != text} == {}
    assert all(len(there) == 1 for there in versions(env).values())
    assert undo_document(found)["not_returned"]
    for name in versions(env):
        info = next((env / SITE).glob(f"{name.replace('-', '_')}-*.dist-info"))
        lines = (info / "RECORD").read_text().splitlines()
        assert all((env / SITE / line.split(",")[0]).exists() for line in lines if line)


def test_a_folder_that_cannot_keep_is_refused_before_the_first_move(tmp_path: Path, lock) -> None:
    env = tmp_path / "env"
    make(env, lock, "changed")
    upgrade(env)
    before = snapshot(env)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("")
    for keep in (tmp_path / "full", env / "inside", tmp_path / "full" / "x"):
        with pytest.raises(InputError, match=r"empty folder|environment itself"):
            take_back(env, keep=str(keep))
    assert {name: value for name, value in snapshot(env).items() if name != ".tfsetup/probe"} == before


@pytest.mark.parametrize("wish", ["keep", "leave"])
def test_killed_at_any_moment_the_next_undo_ends_it(tmp_path: Path, lock, wish: str) -> None:
    host, place = LocalHost(), tmp_path / "place"
    env, keep = place / "env", place / "kept"
    place.mkdir()
    (place / "wheels").symlink_to(tmp_path / "wheels")
    make(env, lock, "changed")
    shutil.move(place / "before", tmp_path / "before")
    since_of_the_issue(env)
    edit_of = env / SITE / "six.py"
    write(edit_of, "edited")
    wishes = Wishes(keep=str(keep)) if wish == "keep" else Wishes(leave=True)
    workspace, old = Workspace(root=str(env)), contents(tmp_path / "before" / "env")
    for state in states_of(place, tmp_path / "states", lambda host: recovery.undo(host, workspace, last_record(host, workspace), wishes)):
        if interrupted(host, workspace) is not None:
            recovery.recover(host, workspace)
        if last_record(host, workspace) is not None:
            recovery.undo(host, workspace, last_record(host, workspace), wishes)
        there = {**contents(env), **(contents(keep) if keep.exists() else {})}
        assert "edited" in {text.decode() for text in there.values()}, f"killed before {state.effect}"
        assert contents(env)[f"{SITE}/tensorflow/mine/mine.py"] == b"my own work"
        assert versions(env)["numpy"] == (["1.22.4"] if wish == "keep" else ["1.20.3"]), f"killed before {state.effect}"
        assert versions(env)["six"] == (["1.0"] if wish == "keep" else ["2.0"])
        if wish == "keep":
            assert {name: text for name, text in contents(env).items() if name in old} == old
    assert state.last


def test_a_forged_journal_moves_nothing_elsewhere(tmp_path: Path, lock) -> None:
    """It names a folder to keep things in that no undo has made."""
    env, home = tmp_path / "env", tmp_path / "home"
    make(env, lock, "changed")
    home.mkdir()
    write(env / "authorized_keys", "forged")
    journal = json.loads(Path(Workspace(root=str(env)).undo_record(1)).read_text())
    forged = {**journal, "phase": "undoing", "keep": str(home), "kept": ["authorized_keys"]}
    Path(Workspace(root=str(env)).journal).write_text(json.dumps(forged))
    with pytest.raises(OperationError, match="not made to keep"):
        recovery.recover(LocalHost(), Workspace(root=str(env)))
    assert list(home.iterdir()) == []


def test_an_empty_folder_that_was_there_before_stays(tmp_path: Path, lock) -> None:
    env = tmp_path / "env"
    subprocess.run([*UV, "venv", "-q", "--python", sys.executable, str(env)], check=True)
    (env / SITE / "google").mkdir()
    host = LocalHost()
    assert execute(make_plan(host, env, lock), host, prove=prove_by_import, progress=Silent(), wait=0).kept
    assert (env / SITE / "google" / "protobuf").exists()
    take_back(env)
    assert list((env / SITE / "google").iterdir()) == []


def test_a_file_that_one_which_goes_has_recorded_as_well_moves_with_the_one_that_came(tmp_path: Path, lock, wheels: Path) -> None:
    """It stood in the way, and undo found that in the middle of its moves: half changed, and never to be finished."""
    make_wheel(wheels, "tensorflow-cpu", "1.0", {"tensorflow/__init__.py": "GOOD = 'old'\n", "tensorflow/old.py": ""})
    env = tmp_path / "env"
    subprocess.run([*UV, "venv", "-q", "--python", sys.executable, str(env)], check=True)
    uv(env, "install", "tensorflow-cpu==1.0")
    old = contents(env)
    host = LocalHost()
    assert execute(make_plan(host, env, lock), host, prove=prove_by_import, progress=Silent(), wait=0).kept
    uv(env, "install", "--no-deps", "tensorflow-cpu==1.0")
    take_back(env, keep=str(tmp_path / "kept"))
    assert contents(env) == old
    assert (tmp_path / "kept" / SITE / "tensorflow" / "__init__.py").read_text() == "GOOD = 'old'\n"


def test_a_place_that_is_taken_stops_undo_before_its_first_move(tmp_path: Path, lock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the judgement has missed."""
    env = tmp_path / "env"
    make(env, lock, "changed")
    write(env / SITE / "numpy" / "only_1_22_4.py", "mine")
    before = snapshot(env)
    monkeypatch.setattr(recovery, "check_free", lambda *_args: None)
    with pytest.raises(InTheWayError) as caught:
        take_back(env)
    assert any("only_1_22_4.py" in fault for fault in caught.value.faults)
    assert snapshot(env) == before


def test_an_undo_that_looked_while_another_one_moved_looks_again(tmp_path: Path, lock, monkeypatch: pytest.MonkeyPatch) -> None:
    env = tmp_path / "env"
    make(env, lock, "changed")
    holding = f"import fcntl, time; f = open({Workspace(root=str(env)).beside_lock!r}, 'w'); fcntl.flock(f, fcntl.LOCK_EX)"
    real, others = commands.look, []

    def look(session: Session, place: str, wishes: Wishes = NO_WISHES):
        if others:
            return real(session, place, wishes)
        # Another run holds the lock, and ends a moment later.
        others.append(subprocess.Popen([sys.executable, "-c", f"{holding}; print(flush=True); time.sleep(0.5)"], stdout=subprocess.PIPE))
        others[0].stdout.readline()
        raise FileNotFoundError(2, "No such file or directory", str(env / "gone"))

    monkeypatch.setattr(commands, "look", look)
    undo(Session(LocalHost()), str(env), agree=lambda _found: None, wait=20, progress=Silent())
    others[0].communicate()
    assert versions(env) == {"numpy": ["1.22.4"], "six": ["1.0"]}
