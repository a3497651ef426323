"""Undo after others worked in the environment: what they brought stays or is named before the first move; nothing is lost, nothing is there twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from provisioner.base.progress import Silent
from provisioner.change.brought import as_it_came
from provisioner.change.execute import execute
from provisioner.environment.workspace import Workspace
from provisioner.errors import InTheWayError
from provisioner.host import Mark
from provisioner.host.local import LocalHost
from provisioner.report.apply_text import undo_document, undo_text
from provisioner.report.schemas import schema_of
from tests.change.since import (  # noqa: F401 - fixtures
    UV,
    Since,
    contents,
    made_lock,
    made_wheels,
    make,
    since_of_the_issue,
    take_back,
    upgrade,
    uv,
    versions,
    write,
)
from tests.support import SITE, make_plan, make_wheel, prove_by_import, snapshot


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
    document = undo_document((found,))
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
    assert undo_document((found,))["not_returned"] == ["numpy 1.22.4"]
    assert "numpy 1.22.4 does not come back" in undo_text(found)
    left = Workspace(root=str(env)).replaced(1)
    assert (Path(left) / SITE / "numpy" / "only_1_22_4.py").exists(), "what does not come back is kept"


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
    # As a person's: later than what a file system may take to settle a file's time (``change/brought.py``).
    time.sleep(0.1)
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
    assert undo_document((found,))["not_returned"]
    for name in versions(env):
        info = next((env / SITE).glob(f"{name.replace('-', '_')}-*.dist-info"))
        lines = (info / "RECORD").read_text().splitlines()
        assert all((env / SITE / line.split(",")[0]).exists() for line in lines if line)


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
