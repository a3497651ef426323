"""Repairs of real conda environments without a Python: packages linked anew from a channel or the cache, taken out, and all of it undone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioner.base.progress import Silent
from provisioner.change import recovery
from provisioner.change.conda import HISTORY
from provisioner.change.execute import execute
from provisioner.change.holding import holding
from provisioner.change.journal import last_record
from provisioner.environment.damaged import read_broken
from provisioner.environment.workspace import Workspace
from provisioner.errors import OperationError
from provisioner.host.local import LocalHost
from provisioner.model.finding import Repair
from provisioner.model.plan import Choice, Plan
from provisioner.model.request import Request
from provisioner.repair.conda_inputs import read_conda_inputs
from provisioner.session import Session
from tests.channel import build
from tests.channel.packages import PLACEHOLDER, File, Package
from tests.fixing import locked, repair_inputs, smallest
from tests.killing import states_of
from tests.support import machine, make_lock, snapshot, verification

pytest.importorskip("rattler")

HOST = LocalHost()
SOURCE = File(f"#!{PLACEHOLDER}/bin/python\n".encode(), 0o755)
PACKAGES = (
    Package(
        name="app", version="1.0", depends=("base-lib",), files={"bin/app": SOURCE, "share/app/a.txt": "a\n", "share/app/b.txt": "b\n"}
    ),
    Package(name="base-lib", version="2.0", files={"lib/libbase.so.2": b"\x7fELF library", "lib/libbase.so": File(link="libbase.so.2")}),
)
APP, LIB = "app-1.0-0", "base-lib-2.0-0"


@pytest.fixture
def channel(tmp_path: Path) -> build.Channel:
    return build.build(tmp_path / "channel", PACKAGES)


@pytest.fixture
def env(tmp_path: Path, channel: build.Channel, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment that somebody has made with rattler; the cache is the one that the tool uses."""
    from tests.channel.using import install, solve

    monkeypatch.setenv("TFSETUP_CACHE_DIR", str(tmp_path / "tool"))
    for name in ("CONDA_PREFIX", "CONDA_EXE", "MAMBA_EXE", "MAMBA_ROOT_PREFIX", "CONDARC", "CONDA_PKGS_DIRS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RATTLER_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "home").mkdir()
    prefix = install(solve(channel.url, "app", cache=tmp_path / "cache"), tmp_path / "env", cache=tmp_path / "cache")
    (prefix / "notes.txt").write_text("mine\n")
    return prefix


def made(env: Path, *repairs: Repair) -> Plan:
    """Return the smallest plan for repairs."""
    site = read_broken(HOST, str(env))
    request = Request(env=str(env), kind="conda")
    choice = Choice(
        release="0",
        python="3",
        interpreter=None,
        device="cpu",
        platform="linux-x86_64",
        reasons=(),
        refusals=(),
        warnings=(),
        gpus=(),
        road="wheels",
    )
    known = read_conda_inputs(Session(HOST), site, None, choice, request, links=(), facts=machine())
    lock = make_lock(locked("six", "1"))
    return smallest(repair_inputs(site, lock, conda=known, choice=choice, request=request), repairs)


def relink(name: str) -> Repair:
    return Repair(kind="relink", name=name, reason="damaged")


def mend(env: Path, *repairs: Repair, passed: bool = True, host: LocalHost = HOST):
    return execute(made(env, *repairs), host, prove=lambda root: verification(root, passed=passed), progress=Silent(), wait=0)


def undo(env: Path) -> None:
    workspace = Workspace(root=str(env))
    record = last_record(HOST, workspace)
    assert record is not None
    with holding(HOST, workspace, 0):
        recovery.undo(HOST, workspace, record)


def replace_file(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text)


def cut(env: Path) -> None:
    replace_file(env / "lib/libbase.so.2", "")


def gone(env: Path) -> None:
    shutil.rmtree(env / "share")
    (env / "bin/app").unlink()


def changed(env: Path) -> None:
    replace_file(env / "bin/app", "#!/elsewhere\n")


def broken(env: Path) -> None:
    replace_file(env / f"conda-meta/{APP}.json", "{")


@pytest.mark.parametrize(("breaks", "package"), [(cut, LIB), (gone, APP), (changed, APP), (broken, APP)])
def test_a_package_is_linked_anew_and_undo_brings_the_broken_state_back(env: Path, breaks: Callable[[Path], None], package: str) -> None:
    good = snapshot(env)
    breaks(env)
    before = snapshot(env)
    assert mend(env, relink(package)).kept
    assert (env / "bin/app").read_text() == f"#!{env}/bin/python\n"
    assert (env / "lib/libbase.so.2").read_bytes() == b"\x7fELF library"
    assert {path.name for path in env.iterdir()} == {"bin", "lib", "share", "conda-meta", "notes.txt", ".tfsetup", "CACHEDIR.TAG"}
    assert {path.name for path in (env / "conda-meta").iterdir()} == {f"{APP}.json", f"{LIB}.json", "history"}
    record = json.loads((env / f"conda-meta/{package}.json").read_text())
    assert record["url"].startswith("file://")
    history = (env / HISTORY).read_text()
    assert "# cmd: tfsetup fix" in history
    assert f"-{package}\n" in history
    assert f"::{package}\n" in history
    undo(env)
    assert snapshot(env) == before
    assert before != good


def test_when_the_proof_fails_the_broken_state_is_back(env: Path) -> None:
    cut(env)
    before = snapshot(env)
    assert not mend(env, relink(LIB), passed=False).kept
    assert snapshot(env) == before


def test_whoever_writes_into_a_file_writes_into_the_cache_too(env: Path, tmp_path: Path) -> None:
    with (env / "lib/libbase.so.2").open("r+b") as file:
        file.write(b"spoiled")
    assert next((tmp_path / "cache").glob("**/libbase.so.2")).read_bytes().startswith(b"spoiled"), "the cache shares its files"
    assert mend(env, relink(LIB)).kept
    assert (env / "lib/libbase.so.2").read_bytes() == b"\x7fELF library"


def test_out_of_the_cache_when_the_channel_is_gone(env: Path, channel: build.Channel) -> None:
    cut(env)
    shutil.rmtree(channel.folder)
    assert mend(env, relink(LIB)).kept


@pytest.mark.parametrize("fault", ["gone", "other bytes"])
def test_what_cannot_be_had_changes_nothing(env: Path, channel: build.Channel, tmp_path: Path, fault: str) -> None:
    cut(env)
    shutil.rmtree(tmp_path / "cache")
    if fault == "gone":
        shutil.rmtree(channel.folder)
    else:
        channel.package("base-lib").path.write_bytes(channel.package("app").path.read_bytes())
    before = snapshot(env)
    with pytest.raises(OperationError):
        mend(env, relink(LIB))
    assert snapshot(env) == before


def test_a_package_that_is_taken_out_leaves_what_others_have_recorded(env: Path) -> None:
    data = json.loads((env / f"conda-meta/{LIB}.json").read_text())
    (env / "lib/old.so").write_text("")
    listed = [*data["paths_data"]["paths"], {"_path": "lib/old.so", "path_type": "hardlink"}]
    old = {**data, "version": "1.0", "paths_data": {"paths_version": 1, "paths": listed}}
    (env / "conda-meta/base-lib-1.0-0.json").write_text(json.dumps(old))
    before = snapshot(env)
    assert mend(env, Repair(kind="unlink", name="base-lib-1.0-0", reason="twice")).kept
    assert sorted(path.name for path in (env / "lib").iterdir()) == ["libbase.so", "libbase.so.2"]
    assert not (env / "conda-meta/base-lib-1.0-0.json").exists()
    undo(env)
    assert snapshot(env) == before


def test_killed_at_any_moment_it_is_mended_or_as_it_was(env: Path, tmp_path: Path) -> None:
    gone(env)
    before = snapshot(env)
    workspace = Workspace(root=str(env))
    moments = 0
    for state in states_of(env, tmp_path / "states", lambda host: mend(env, relink(APP), host=host)):
        moments += 1
        if state.last:
            assert (env / "bin/app").read_text() == f"#!{env}/bin/python\n"
            continue
        with holding(HOST, workspace, 0):
            recovery.recover(HOST, workspace)
        shutil.rmtree(env / ".tfsetup", ignore_errors=True)
        assert snapshot(env) == before, f"killed before {state.effect}"
    assert state.last
    assert moments > 20


def test_a_pure_package_goes_to_where_the_python_that_stays_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.channel.using import install, solve

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RATTLER_CACHE_DIR", str(tmp_path / "cache"))
    python = Package(name="python", version="3.11.9", files={"bin/python3.11": File(b"program", 0o755)})
    pure = Package(
        name="pure",
        version="1",
        noarch="python",
        depends=("python",),
        entry_points=("pure = pure:main",),
        files={"site-packages/pure.py": "P = 1\n"},
    )
    channel = build.build(tmp_path / "channel", [python, pure])
    env = install(solve(channel.url, "pure", cache=tmp_path / "cache"), tmp_path / "env", cache=tmp_path / "cache")
    (env / "lib/python3.11/site-packages/pure.py").unlink()
    before = snapshot(env)
    assert mend(env, relink("pure-1-0")).kept
    assert (env / "lib/python3.11/site-packages/pure.py").read_text() == "P = 1\n"
    assert f"{env}/bin/python3.11" in (env / "bin/pure").read_text()
    assert sorted(path.name for path in (env / "conda-meta").glob("*.json")) == ["pure-1-0.json", "python-3.11.9-0.json"]
    assert not list((tmp_path / "cache").glob("**/*stand_in*"))
    undo(env)
    assert snapshot(env) == before
