"""Environments that conda and mamba know: what is planned, done once, taken back exactly, and never at the cost of what others wrote."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from provisioner.change import discarding, recovery
from provisioner.change.journal import Journal, write
from provisioner.conda.registry import fault, plan_registration, read_taken, register, registration, unregister, unregister_all, words
from provisioner.environment.workspace import Workspace
from provisioner.errors import OperationError
from provisioner.host.local import LocalHost
from provisioner.model.conda import CondaConfig, Outside
from provisioner.model.facts import Tool
from tests.support import DyingHost, Killed, snapshot

HOST = LocalHost()
CONDA = (Tool(name="conda", path="/opt/conda/bin/conda"),)
LIST = "/home/me/.conda/environments.txt"
CONFIG = CondaConfig(
    root="/opt/conda",
    envs_dirs=("/opt/conda/envs", "/home/me/.conda/envs"),
    writable_envs_dirs=("/home/me/.conda/envs",),
    environments=LIST,
)
THERE = (f"{LIST}/", "/home/me/.conda/")
LINE = Outside(kind="line", path=LIST, text="/work/tf")
LINK = Outside(kind="link", path="/home/me/.conda/envs/tf", text="/work/tf")


@pytest.mark.parametrize(
    ("changes", "tools", "root", "taken", "planned"),
    [
        ({}, CONDA, "/work/tf", THERE, (LINE, LINK)),
        ({}, (), "/work/tf", THERE, ()),
        ({}, (Tool(name="pixi", path="/p"),), "/work/tf", THERE, ()),
        ({}, (Tool(name="micromamba", path="/m"),), "/work/tf", THERE, (LINE, LINK)),
        ({"register": False}, CONDA, "/work/tf", THERE, ()),
        ({"environments": ""}, CONDA, "/work/tf", THERE, ()),
        # Listed already; a name that is taken, also where this user cannot write.
        ({}, CONDA, "/work/tf", (*THERE, "/work/tf"), (LINK,)),
        ({}, CONDA, "/work/tf", (*THERE, "/home/me/.conda/envs/tf"), (LINE,)),
        ({}, CONDA, "/work/tf", (*THERE, "/opt/conda/envs/tf"), (LINE,)),
        ({"writable_envs_dirs": ()}, CONDA, "/work/tf", THERE, (LINE,)),
        # The file, and its folder, do not exist yet.
        ({}, CONDA, "/work/tf", THERE[1:], (Outside(kind="line", path=LIST, text="/work/tf", made=(LIST,)), LINK)),
        ({}, CONDA, "/work/tf", (), (Outside(kind="line", path=LIST, text="/work/tf", made=(LIST, "/home/me/.conda")), LINK)),
        # It has a name by its place.
        ({}, CONDA, "/opt/conda/envs/tf", THERE, (Outside(kind="line", path=LIST, text="/opt/conda/envs/tf"),)),
        # Names that conda does not take.
        ({}, CONDA, "/work/my tf", THERE, (Outside(kind="line", path=LIST, text="/work/my tf"),)),
        ({}, CONDA, "/work/base", THERE, (Outside(kind="line", path=LIST, text="/work/base"),)),
        ({}, CONDA, "/work/t\nf", THERE, ()),
    ],
)
def test_plan(changes: dict, tools: tuple, root: str, taken: tuple[str, ...], planned: tuple[Outside, ...]) -> None:
    config = CondaConfig(**{name: changes.get(name, getattr(CONFIG, name)) for name in (*CONFIG.__slots__,)})
    assert plan_registration(config, tools, root, taken) == planned
    assert [fault(item) for item in planned] == [""] * len(planned)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home/.conda/envs").mkdir(parents=True)
    (tmp_path / "work/tf").mkdir(parents=True)
    return tmp_path / "home"


def _config(home: Path) -> CondaConfig:
    folder = str(home / ".conda/envs")
    return CondaConfig(envs_dirs=(folder,), writable_envs_dirs=(folder,), environments=str(home / ".conda/environments.txt"))


def _root(home: Path) -> str:
    return str(home.parent / "work/tf")


CONTENTS = {
    "nothing": None,
    "empty": "",
    "others": "/a\n/b\n",
    "the last line not ended": "/a\n/b",
    "one line not ended": "/a",
    "other ends of lines": "/a\r\n\r\n/b\r\n",
    "odd characters": "/a\x0b/x\u2028y\n\n  /c  \n# note\n/d\x85\n",
    "no text": "/\udcff\n",
}


@pytest.mark.parametrize("name", CONTENTS)
def test_registered_and_taken_back_to_the_byte(home: Path, name: str) -> None:
    path = home / ".conda/environments.txt"
    if CONTENTS[name] is not None:
        path.write_bytes(CONTENTS[name].encode("utf-8", "surrogateescape"))
        path.chmod(0o640)
    before = _still(home)
    outside = registration(HOST, _config(home), CONDA, _root(home))
    assert [item.kind for item in outside] == ["line", "link"]
    for _ in range(2):
        for item in outside:
            register(HOST, item)
        assert path.read_bytes().split(b"\n").count(_root(home).encode()) == 1
        assert os.readlink(home / ".conda/envs/tf") == _root(home)
    assert not registration(HOST, _config(home), CONDA, _root(home))
    if CONTENTS[name] is not None:
        assert path.stat().st_mode & 0o777 == 0o640
        others = CONTENTS[name].encode("utf-8", "surrogateescape").split(b"\n")
        assert [line for line in path.read_bytes().split(b"\n") if line != _root(home).encode()] == others
    for _ in range(2):
        unregister_all(HOST, outside, _root(home))
        assert _still(home) == before


def _still(home: Path) -> dict[str, tuple[object, ...]]:
    """What is there, but for times and inodes."""
    return {name: (*item[:3], item[-1]) for name, item in snapshot(home).items()}


def test_the_folder_is_made_and_removed_again(tmp_path: Path) -> None:
    config = CondaConfig(environments=str(tmp_path / ".conda/environments.txt"))
    (item,) = registration(HOST, config, CONDA, "/work/tf")
    register(HOST, item)
    assert (tmp_path / ".conda/environments.txt").read_text() == "/work/tf\n"
    unregister(HOST, item)
    assert not list(tmp_path.iterdir())


def test_what_somebody_put_into_the_new_folder_stays(tmp_path: Path) -> None:
    config = CondaConfig(environments=str(tmp_path / ".conda/environments.txt"))
    (item,) = registration(HOST, config, CONDA, "/work/tf")
    register(HOST, item)
    with (tmp_path / ".conda/environments.txt").open("a") as file:
        file.write("/other\n")
    unregister(HOST, item)
    assert (tmp_path / ".conda/environments.txt").read_text() == "/other\n"


def test_a_list_that_is_a_link_stays_one(home: Path) -> None:
    (home / "settings.txt").write_text("/a\n")
    (home / ".conda/environments.txt").symlink_to("../settings.txt")
    outside = registration(HOST, _config(home), CONDA, _root(home))
    register(HOST, outside[0])
    assert (home / ".conda/environments.txt").is_symlink()
    assert (home / "settings.txt").read_text() == f"/a\n{_root(home)}\n"


def test_a_link_that_leads_elsewhere_is_neither_replaced_nor_removed(home: Path) -> None:
    link = Outside(kind="link", path=str(home / ".conda/envs/tf"), text=_root(home))
    Path(link.path).symlink_to("/elsewhere")
    with pytest.raises(OperationError, match="appeared"):
        register(HOST, link)
    unregister(HOST, link)
    assert os.readlink(link.path) == "/elsewhere"


def test_a_folder_under_another_name_gives_the_environment_its_name(home: Path) -> None:
    (home / "envs").symlink_to(home.parent / "work")
    config = CondaConfig(envs_dirs=(str(home / "envs"),), writable_envs_dirs=(str(home / "envs"),), environments=_config(home).environments)
    assert [item.kind for item in registration(HOST, config, CONDA, str(home.parent / "work/new"))] == ["line"]


def test_what_cannot_be_changed_is_not_planned(home: Path) -> None:
    (home / ".conda/environments.txt").mkdir()
    assert registration(HOST, _config(home), CONDA, _root(home)) == ()


def test_a_list_that_is_as_it_should_be_is_not_written(home: Path) -> None:
    """conda's file may be another's, or on a slow disk; what changes nothing leaves even its time and its inode."""
    path = home / ".conda/environments.txt"
    path.write_text(f"/a\n{_root(home)}\n")
    before = snapshot(home)
    item = Outside(kind="line", path=str(path), text=_root(home))
    register(HOST, item)
    unregister(HOST, Outside(kind="line", path=str(path), text="/elsewhere"))
    assert snapshot(home) == before


class Busy(LocalHost):
    """conda adds an environment of its own each time before the list is replaced, ``times`` times."""

    times = 3

    def write(self, path, text, **options):
        if self.times and "environments.txt" in path:
            self.times -= 1
            with open(Path(path).parent / "environments.txt", "a") as file:
                file.write(f"/by-conda/{self.times}\n")
        super().write(path, text, **options)


def test_what_conda_writes_meanwhile_is_kept(home: Path) -> None:
    (home / ".conda/environments.txt").write_text("/a\n")
    outside = registration(HOST, _config(home), CONDA, _root(home))
    register(Busy(), outside[0])
    lines = (home / ".conda/environments.txt").read_text().splitlines()
    assert lines == ["/a", "/by-conda/2", "/by-conda/1", "/by-conda/0", _root(home)]


def test_a_list_that_never_rests_is_an_error_and_is_left_alone(home: Path) -> None:
    outside = registration(HOST, _config(home), CONDA, _root(home))
    host = Busy()
    host.times = 1000
    with pytest.raises(OperationError, match="all the time"):
        register(host, outside[0])
    assert _root(home) not in (home / ".conda/environments.txt").read_text()
    assert sorted(path.name for path in (home / ".conda").iterdir()) == ["environments.txt", "envs"]


def test_many_at_once(home: Path) -> None:
    items = [Outside(kind="line", path=_config(home).environments, text=f"/work/{number}") for number in range(20)]
    threads = [threading.Thread(target=register, args=(HOST, item)) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted((home / ".conda/environments.txt").read_text().split()) == sorted(item.text for item in items)


def test_killed_at_any_effect_the_list_is_whole_and_undo_gives_the_old_one(home: Path) -> None:
    path = home / ".conda/environments.txt"
    for dies_at in range(1, 12):
        path.write_text("/a\n/b")
        before = _still(home)
        outside = registration(HOST, _config(home), CONDA, _root(home))
        host = DyingHost(dies_at=dies_at)
        try:
            for item in outside:
                register(host, item)
        except Killed:
            assert path.read_text() in {"/a\n/b", f"/a\n{_root(home)}\n/b"}
        unregister_all(HOST, outside, _root(home))
        assert _still(home) == before


def test_taking_back_goes_on_where_one_thing_cannot_be(home: Path) -> None:
    class Stubborn(LocalHost):
        def remove(self, path):
            if path.endswith("/envs/tf"):
                raise PermissionError(13, "Permission denied", path)
            super().remove(path)

    outside = registration(HOST, _config(home), CONDA, _root(home))
    for item in outside:
        register(HOST, item)
    unregister_all(Stubborn(), outside, _root(home))
    assert not (home / ".conda/environments.txt").exists()


FORGED = {
    "another file": Outside(kind="line", path="/home/me/.bashrc", text="/work/tf"),
    "a way up": Outside(kind="line", path="/home/me/.conda/../.conda/environments.txt", text="/work/tf"),
    "relative": Outside(kind="line", path="x/.conda/environments.txt", text="/work/tf"),
    "a relative text": Outside(kind="line", path=LIST, text="work/tf"),
    "two lines": Outside(kind="line", path=LIST, text="/work/tf\n/x"),
    "made elsewhere": Outside(kind="line", path=LIST, text="/work/tf", made=("/home/me",)),
    "another name": Outside(kind="link", path="/home/me/.conda/envs/other", text="/work/tf"),
    "itself": Outside(kind="link", path="/work/tf", text="/work/tf"),
    "a link that was made": Outside(kind="link", path=LINK.path, text="/work/tf", made=(LINK.path,)),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_registration_is_none(name: str) -> None:
    assert fault(FORGED[name])


def test_only_the_environments_own_registration_is_taken_back(home: Path) -> None:
    path = home / ".conda/environments.txt"
    path.write_text("/other\n")
    (home / ".conda/envs/other").symlink_to("/other")
    forged = (
        Outside(kind="line", path=str(path), text="/other"),
        Outside(kind="link", path=str(home / ".conda/envs/other"), text="/other"),
    )
    unregister_all(HOST, forged, _root(home))
    assert path.read_text() == "/other\n"
    assert (home / ".conda/envs/other").is_symlink()


@pytest.mark.parametrize("moved", [False, True])
def test_an_environment_that_is_taken_away_is_no_longer_registered(home: Path, moved: bool) -> None:
    root = str(home.parent / "work/new")
    workspace = Workspace(root=root)
    outside = registration(HOST, _config(home), CONDA, root)
    journal = Journal(number=1, seal="s", started="x", phase="moved", before="absent", outside=outside)
    place = workspace if moved else Workspace(root=workspace.aside)
    os.makedirs(place.state)
    write(HOST, place.journal, journal)
    before = _still(home)
    for item in outside:
        register(HOST, item)
    if moved:
        recovery.recover(HOST, workspace)
    else:
        discarding.discard_unfinished(HOST, workspace)
    assert _still(home) == before
    assert not os.path.exists(root)


def test_conda_itself_lists_and_finds_what_is_registered(home: Path) -> None:
    root = Path(_root(home))
    (root / "conda-meta").mkdir()
    (root / "conda-meta/history").touch()
    for item in registration(HOST, _config(home), CONDA, str(root)):
        register(HOST, item)
    script = (
        "from conda_lock._vendor.conda.base.context import context, locate_prefix_by_name\n"
        "from conda_lock._vendor.conda.core import envs_manager\n"
        # As the administrator it would look into the homes of all users, and not into $HOME.
        "envs_manager.is_admin = lambda: False\n"
        "print(locate_prefix_by_name('tf')); print(*envs_manager.list_all_known_prefixes(), sep='\\n')"
    )
    env = {"HOME": str(home), "PATH": "/usr/bin"}
    said = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[0] == str(home / ".conda/envs/tf")
    assert str(root) in said[1:]


def test_taken_is_what_is_there(home: Path) -> None:
    config = _config(home)
    assert read_taken(HOST, config, _root(home)) == {str(home / ".conda") + "/"}
    (home / ".conda/environments.txt").write_text(f"{_root(home)}\r\n")
    (home / ".conda/envs/tf").symlink_to("/gone")
    assert read_taken(HOST, config, _root(home)) == {
        str(home / ".conda") + "/",
        config.environments + "/",
        str(home / ".conda/envs/tf"),
        _root(home),
    }


def test_a_list_that_another_run_keeps_is_an_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioner.conda.registry.WAIT_SECONDS", 0.0)
    outside = registration(HOST, _config(home), CONDA, _root(home))
    with HOST.lock(outside[0].path, wait=0), pytest.raises(OperationError, match="another run"):
        register(HOST, outside[0])


def test_words_name_path_and_name() -> None:
    assert LIST in words(LINE)
    assert "as `tf`" in words(LINK)
