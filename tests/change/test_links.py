"""Links to folders inside an environment: moved as links, never entered, and told before anybody is asked."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from provisioner.change import links, preflight
from provisioner.environment.read import read_site
from provisioner.errors import OperationError
from provisioner.host.local import LocalHost
from tests.change.test_layers import HOST, UV, change, is_new, lock, make_old, state, undo  # noqa: F401 - `lock` is a fixture
from tests.support import SITE, make_lock, make_plan, make_wheel, snapshot


def linked(env: Path, name: str) -> Path:
    """Move a folder of packages elsewhere, and put a link to it in its place."""
    elsewhere = env.parent / "elsewhere" / name
    elsewhere.parent.mkdir(exist_ok=True)
    shutil.move(env / SITE / name, elsewhere)
    (env / SITE / name).symlink_to(elsewhere)
    return elsewhere


def looked(env: Path, lock):  # noqa: F811 - the fixture
    return links.look(HOST, make_plan(HOST, env, lock), read_site(HOST, str(env)))


def test_a_package_that_is_a_link_goes_as_a_link_and_comes_back(tmp_path: Path, lock) -> None:  # noqa: F811 - the fixture
    env = tmp_path / "env"
    make_old(env)
    elsewhere = linked(env, "tensorflow")
    before, there = state(env), snapshot(elsewhere)
    obstacles, told = looked(env, lock)
    assert not obstacles
    # In the plan, before anybody is asked.
    assert preflight.look(HOST, make_plan(HOST, env, lock), read_site(HOST, str(env))).warnings[-1:] == told
    assert told == (f"{env / SITE / 'tensorflow'} is a link to {elsewhere}: the link is moved out, and what it leads to stays as it is",)
    assert change(env, lock)
    assert is_new(env)
    assert not (env / SITE / "tensorflow").is_symlink()
    assert snapshot(elsewhere) == there, "nothing outside is changed"
    undo(env)
    assert state(env) == before
    assert snapshot(elsewhere) == there


@pytest.fixture
def shared(tmp_path: Path, lock):  # noqa: F811 - the fixture
    """A folder that two distributions share; one of the new set has files in it, too."""
    wheels = tmp_path / "wheels"
    make_wheel(wheels, "protobuf", "3.0", {"google/protobuf/__init__.py": ""})
    make_wheel(wheels, "google-apis", "1.0", {"google/api/__init__.py": ""})
    newer = make_wheel(wheels, "protobuf", "4.0", {"google/protobuf/__init__.py": "V = 4\n"})
    return make_lock(*lock.files, newer)


@pytest.mark.parametrize("older", [True, False], ids=["one goes", "one comes"])
def test_a_link_through_which_something_that_stays_is_found_is_not_moved(tmp_path: Path, shared, older: bool) -> None:
    env = tmp_path / "env"
    make_old(env)
    names = ["google-apis==1.0", *(["protobuf==3.0"] if older else [])]
    subprocess.run([*UV, "pip", "install", "-q", "--no-deps", "--python", f"{env}/bin/python", *names], check=True)
    elsewhere = linked(env, "google")
    before, there = state(env), snapshot(elsewhere)
    obstacles, _told = looked(env, shared)
    # What a new distribution brings is known when it is unpacked, before the first move.
    assert bool(obstacles) == older
    with pytest.raises(OperationError, match="files of google-apis are") as caught:
        change(env, shared, LocalHost())
    assert state(env) == before
    assert snapshot(elsewhere) == there
    place = env / SITE / "google"
    assert obstacles == () or (obstacles[0].place, obstacles[0].hint) == (str(place), caught.value.hint)
    # What the hint says works.
    subprocess.run(["sh", "-ec", caught.value.hint.split("`")[1]], check=True)
    assert change(env, shared)
    subprocess.run([f"{env}/bin/python", "-Bc", "import google.api, google.protobuf as p; assert p.V == 4"], check=True)


def test_nothing_is_told_where_there_is_nothing_of_it(tmp_path: Path, lock) -> None:  # noqa: F811 - the fixture
    env = tmp_path / "env"
    assert looked(env, lock) == ((), ())
    make_old(env)
    assert looked(env, lock) == ((), ())
