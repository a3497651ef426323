"""One answer: from both engines, on any machine, at any time, and for a platform from any other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import uv

from provisioner.errors import OperationError, UsageError
from provisioner.host.local import LocalHost
from provisioner.model.team import Index as TeamIndex
from tests.lock.conftest import LINUX, MAC, WINDOWS, Team
from tests.lock.index import CUTOFF, NEW, Index, allow
from tests.support import PYTHON

TAG = f"cp{PYTHON.replace('.', '')}-cp{PYTHON.replace('.', '')}"
ARM = replace(LINUX, name="arm", platform="linux-aarch64")
# What makes one file of a lock, in a process of its own, with the variables that it is given.
SCRIPT = """
import json, sys
from pathlib import Path
from tests.lock.conftest import LINUX, MAC, WINDOWS, Team
from tests.lock.index import Index
from provisioner.model.catalogue import LockedFile
folder, url, files = json.loads(sys.argv[1])
class Far: pass
far = Far(); far.url = url
team = Team(folder=Path(folder), index=far, files=tuple(LockedFile(**file) for file in files), requirements=("pandas", "fast", "app"),
            targets=(LINUX, WINDOWS, MAC), settings={"formats": ("requirements", "pylock", "conda-lock")})
print(team.lock().changed)
"""


@pytest.fixture
def wide(team: Team, index: Index) -> Team:
    """A package with other versions on other platforms, and one that many need."""
    for version, tag in (("1.0", "macosx_11_0_arm64"), ("1.0", "win_amd64"), ("2.0", "win_amd64"), ("2.0", "manylinux_2_17_x86_64")):
        index.add("fast", version, tag=f"{TAG}-{tag}")
    index.add("fast", "1.0", tag=f"{TAG}-manylinux2014_aarch64")
    index.add("app", "1.0", "pandas", "fast", "zebra", "aardvark")
    for name in ("zebra", "aardvark"):
        index.add(name, "1.0", "pytz")
        index.add(name, "2.0", uploaded=NEW)
    team.requirements = ("pandas", "fast", "app")
    return team


@pytest.mark.slow
def test_both_engines_give_the_same_files(wide: Team, index: Index) -> None:
    pytest.importorskip("piptools")
    # What each of them has to see by itself: a wheel for newer machines only, a file that was uploaded too late, an older version's wheel.
    index.add("fast", "3.0", tag=f"{TAG}-manylinux_2_31_x86_64")
    index.add("app", "1.1", "pandas", uploaded=NEW)
    with_uv = wide.lock()
    written = wide.written()
    with_pip = wide.lock(engine="pip-tools")
    assert with_pip.lock.engine == "pip-tools"
    assert with_pip.lock.targets == with_uv.lock.targets
    assert with_pip.changed == ("tfsetup.lock.json",), "the files for installers are the same, byte for byte"
    assert wide.written()["requirements.linux.txt"] == written["requirements.linux.txt"]
    assert wide.versions(with_pip)["fast"] == "2.0"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"targets": (WINDOWS,)}, "only for the platform it runs on"),
        ({"settings": {"indexes": (TeamIndex(url="http://127.0.0.1:9/simple", packages=("a",)),)}}, "cannot have one each"),
        ({"targets": (replace(LINUX, python="3.99"),)}, "there is no Python 3.99"),
    ],
)
def test_what_pip_tools_cannot_do_is_said(wide: Team, change: dict[str, object], told: str) -> None:
    pytest.importorskip("piptools")
    for name, value in change.items():
        setattr(wide, name, value)
    allow("127.0.0.1:9")
    with pytest.raises(UsageError, match=told) as caught:
        wide.lock(engine="pip-tools")
    assert "uv" in caught.value.hint


@pytest.mark.slow
def test_pip_tools_says_what_clashes(wide: Team) -> None:
    pytest.importorskip("piptools")
    wide.requirements = ("pandas>=3",)
    with pytest.raises(OperationError, match="cannot be met together") as caught:
        wide.lock(engine="pip-tools")
    assert "numpy" in caught.value.hint


@pytest.mark.slow
def test_machines_with_other_homes_caches_and_locales_write_the_same_bytes(wide: Team, index: Index, tmp_path: Path) -> None:
    made = []
    files = [{name: getattr(file, name) for name in ("name", "version", "filename", "sha256", "size", "unpacked")} for file in wide.files]
    for number, (locale, zone) in enumerate((("C", "UTC"), ("de_DE.UTF-8", "Pacific/Auckland"))):
        home = tmp_path / f"home {number}"
        (home / "project").mkdir(parents=True)
        env = {
            **os.environ,
            "HOME": str(home),
            "UV_CACHE_DIR": str(home / "uv"),
            "TFSETUP_CACHE_DIR": str(home / "tool"),
            "LC_ALL": locale,
            "TZ": zone,
            "PYTHONHASHSEED": str(number + 1),
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        argument = json.dumps([str(home / "project"), index.url, files])
        done = subprocess.run([sys.executable, "-c", SCRIPT, argument], env=env, cwd=home, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        made.append({path.name: path.read_bytes() for path in sorted((home / "project").iterdir())})
    assert len(made[0]) == 8
    assert made[0] == made[1]
    for content in made[0].values():
        assert str(tmp_path).encode() not in content


def test_an_unchanged_lock_asks_nobody_and_changes_nothing(wide: Team, index: Index) -> None:
    outcome = wide.lock()
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in wide.folder.iterdir()}
    index.add("pytz", "3.0")
    index.close()
    index.seen.clear()

    class Years(LocalHost):
        def now(self):
            return super().now().replace(year=2031)

    again = wide.lock(Years(), cutoff="")
    assert (again.changed, again.lock) == ((), outcome.lock)
    assert index.seen == []
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in wide.folder.iterdir()} == before


def test_a_file_that_somebody_edited_is_made_again_from_the_sidecar(wide: Team) -> None:
    wide.lock()
    before = wide.written()
    (wide.folder / "requirements.linux.txt").write_text("numpy==2.0\n")
    (wide.folder / "pylock.linux.toml").unlink()
    assert wide.lock().changed == ("pylock.linux.toml", "requirements.linux.txt")
    assert wide.written() == before


@pytest.mark.slow
def test_a_target_that_is_gone_takes_its_files_along(wide: Team) -> None:
    wide.targets = (LINUX, WINDOWS)
    wide.lock()
    wide.targets = (LINUX,)
    wide.lock()
    assert list(wide.written()) == ["pylock.linux.toml", "requirements.linux.txt", "tfsetup.lock.json"]


def test_a_lock_that_cannot_be_read_is_made_anew(wide: Team) -> None:
    wide.lock()
    before = wide.written()
    sidecar = wide.folder / "tfsetup.lock.json"
    sidecar.write_text("<<<<<<< HEAD\n" + sidecar.read_text())
    assert "cannot be read and is made anew" in wide.lock().warnings[0]
    assert wide.written() == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "platform"),
    [(LINUX, "x86_64-manylinux2014"), (ARM, "aarch64-manylinux2014"), (MAC, "aarch64-apple-darwin"), (WINDOWS, "x86_64-pc-windows-msvc")],
)
def test_a_target_made_from_here_is_what_the_resolver_gives_for_its_platform(wide: Team, index: Index, target, platform: str) -> None:
    wide.targets = (target,)
    wide.requirements = ("pandas", "fast")
    found = wide.versions(wide.lock(), target.name)
    asked = wide.folder.parent / "asked.in"
    asked.write_text("tensorflow-cpu==2.20.0\npandas\nfast\n")
    limits = wide.folder.parent / "limits.txt"
    limits.write_text("numpy==1.26\n")
    argv = [uv.find_uv_bin(), "pip", "compile", str(asked), "--constraints", str(limits), "--python-platform", platform, "--no-annotate"]
    argv += ["--python-version", PYTHON, "--exclude-newer", CUTOFF, "--only-binary", ":all:", "--index-url", index.url, "--no-header", "-q"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert found == dict(line.split("==") for line in done.stdout.split())
    assert found["fast"] == ("1.0" if target in (ARM, MAC) else "2.0")
