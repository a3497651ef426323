"""What no index serves, locked with real uv and real git: commits, archives, and projects of the team's own; whose code is run, and whose is not."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from provisioner.errors import OperationError
from provisioner.lock.building import NeedsBuildError
from provisioner.lock.fitting import set_of
from provisioner.lock.formats import pylock, requirements
from provisioner.model.checkout import Checkout
from provisioner.model.policy import Policy
from provisioner.model.team import LockedTarget
from tests.lock.conftest import Team
from tests.lock.index import Index
from tests.lock.trees import commit, tree


def locked(team: Team, **wanted: object) -> LockedTarget:
    return team.lock(**wanted).lock.targets[0]


def test_a_commit_that_nobody_allowed_to_build_is_named_and_not_run(team: Team, index: Index, tmp_path: Path) -> None:
    mark = tree(tmp_path / "forge", "forge", "3.1", "pytz")
    commit(tmp_path / "forge")
    index.add_source("jam", "1.0", "raise SystemExit\n")
    team.requirements = (f"forge @ git+file://{tmp_path}/forge", "jam")
    with pytest.raises(NeedsBuildError) as caught:
        locked(team)
    assert caught.value.names == ("forge", "jam")
    assert "`policy: {source_builds: [forge, jam]}`" in caught.value.hint
    assert not mark.exists()


def test_a_branch_is_locked_by_its_commit_which_only_an_upgrade_moves(team: Team, tmp_path: Path) -> None:
    mark = tree(tmp_path / "forge", "forge", "3.1", "pytz")
    first = commit(tmp_path / "forge")
    team.requirements = (f"forge @ git+file://{tmp_path}/forge@main",)
    team.settings["policy"] = Policy(built=("forge",))
    (forge,) = locked(team).checkouts
    assert (forge.name, forge.version, forge.commit, forge.asked, forge.requires) == ("forge", "3.1", first, "main", ("pytz",))
    assert forge.url == f"file://{tmp_path}/forge"
    assert mark.read_text() == "metadata\n"
    second = commit(tmp_path / "forge")
    team.requirements = (*team.requirements, "pandas")
    assert locked(team).checkouts[0].commit == first
    assert locked(team, upgrade=("forge",)).checkouts[0].commit == second


def test_the_formats_hold_a_commit_where_they_can(team: Team, tmp_path: Path) -> None:
    tree(tmp_path / "forge", "forge", "3.1")
    first = commit(tmp_path / "forge")
    team.requirements = (f"forge @ git+file://{tmp_path}/forge",)
    team.settings["policy"] = Policy(built=("forge",))
    outcome = team.lock()
    written = {name: text.decode() for name, text in team.written().items()}
    assert f'vcs = {{ type = "git", url = "file://{tmp_path}/forge", commit-id = "{first}" }}' in written["pylock.linux.toml"]
    assert f"#   forge @ git+file://{tmp_path}/forge@{first}" in written["requirements.linux.txt"]
    assert pylock.read(written["pylock.linux.toml"]) == requirements.read(written["requirements.linux.txt"])
    assert any("forge: no index has it, and requirements cannot hold a commit or a folder" in text for text in outcome.warnings)


def test_an_archive_is_locked_by_its_hash_with_what_it_needs(team: Team, index: Index) -> None:
    file = index.add("colours", "2.0", "pytz")
    url = f"http://{index.host}/files/{file.filename}"
    team.requirements = (f"colours @ {url}",)
    target = locked(team)
    (found,) = [item for item in target.files if item.name == "colours"]
    assert (found.version, found.sha256, found.url, found.direct, found.requires) == ("2.0", file.sha256, url, True, ("pytz",))
    written = team.written()["requirements.linux.txt"].decode()
    assert f"colours @ {url} \\\n    --hash=sha256:{file.sha256}\n" in written
    assert requirements.read(written) >= {("colours", url, file.sha256)}
    assert f'archive = {{ url = "{url}", hashes = {{ sha256 = "{file.sha256}" }} }}' in team.written()["pylock.linux.toml"].decode()


def test_an_archive_of_this_machine_is_locked_by_its_address(team: Team, index: Index) -> None:
    file = index.add("colours", "2.0")
    url = f"file://{index.folder}/{file.filename}"
    team.requirements = (f"colours @ {url}",)
    target = locked(team)
    (found,) = [item for item in target.files if item.name == "colours"]
    assert (found.url, found.path, found.direct) == (url, "", True)
    (taken,) = [item for item in set_of(target, None, str(team.folder)).files if item.name == "colours"]
    assert taken.url == url


def test_an_archive_of_source_is_built_where_that_is_allowed(team: Team, index: Index, tmp_path: Path) -> None:
    mark = tree(tmp_path / "forge", "forge", "3.1", "pytz")
    files = {path.name: path.read_text() for path in (tmp_path / "forge").iterdir()}
    file = index.add_tree("forge", "3.1", files)
    team.requirements = (f"forge @ http://{index.host}/files/{file.filename}",)
    with pytest.raises(NeedsBuildError):
        locked(team)
    assert not mark.exists()
    team.settings["policy"] = Policy(built=("forge",))
    (found,) = [item for item in locked(team).files if item.name == "forge"]
    assert (found.version, found.sha256, found.source, found.requires) == ("3.1", file.sha256, True, ("pytz",))


def test_a_file_must_have_one_of_the_hashes_that_the_lists_give(team: Team, index: Index) -> None:
    file = index.add("colours", "2.0")
    team.requirements = ("colours",)
    team.hashes = {"colours": ("0" * 64, file.sha256)}
    assert {item.name for item in locked(team).files} >= {"colours"}
    team.hashes = {"colours": (hashlib.sha256(b"").hexdigest(),)}
    team.requirements = ("colours==2.0",)
    with pytest.raises(OperationError, match="has none of the hashes that your lists give for colours") as caught:
        locked(team)
    assert "nothing was written" in caught.value.hint


def test_a_package_of_the_set_is_not_taken_from_an_address(team: Team, index: Index) -> None:
    file = index.add("numpy", "1.26", tag="py2-none-any")
    team.requirements = (f"numpy @ http://{index.host}/files/{file.filename}",)
    with pytest.raises(OperationError):
        locked(team)


def test_projects_of_the_team_are_locked_by_their_folders_from_the_lock(team: Team) -> None:
    team.projects = (Checkout(name="mine", version="0.3", folder=".", editable=True), Checkout(name="tool", folder="libs/tool"))
    team.settings["folder"] = "locks"
    assert [(item.name, item.folder) for item in locked(team).checkouts] == [("mine", ".."), ("tool", "../libs/tool")]
    text = (team.folder / "locks/pylock.linux.toml").read_text()
    assert 'name = "mine"\nversion = "0.3"\ndirectory = { path = "..", editable = true }' in text
    assert 'name = "tool"\ndirectory = { path = "../libs/tool" }' in text
    assert json.loads((team.folder / "locks/tfsetup.lock.json").read_text())["targets"][0]["checkouts"][1]["name"] == "tool"


def test_a_project_that_computes_what_it_needs_is_built_where_that_is_allowed(team: Team, tmp_path: Path) -> None:
    mark = tree(team.folder / "mine", "mine", "0.3", "pytz")
    before = sorted(path.name for path in (team.folder / "mine").iterdir())
    team.requirements = (f"mine @ file://{team.folder}/mine",)
    team.projects = (Checkout(name="mine", folder="mine", editable=True),)
    with pytest.raises(NeedsBuildError) as caught:
        locked(team)
    assert (caught.value.names, mark.exists()) == (("mine",), False)
    team.settings["policy"] = Policy(built=("mine",))
    target = locked(team)
    assert {file.name for file in target.files} == {"tensorflow-cpu", "numpy", "pytz"}
    assert [(item.name, item.folder, item.editable) for item in target.checkouts] == [("mine", "mine", True)]
    assert sorted(path.name for path in (team.folder / "mine").iterdir()) == before
