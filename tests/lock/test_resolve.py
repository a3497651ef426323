"""Locking with real uv against a real index: what is picked, what is refused, and that nothing is lost when the index fails."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.base.names import is_rival
from provisioner.errors import OperationError, UsageError
from provisioner.lock import render
from provisioner.model.catalogue import LockedFile
from provisioner.model.policy import Policy
from provisioner.model.team import Index as TeamIndex
from tests.cli.support import LOCK, RELEASE
from tests.lock.conftest import LINUX, MAC, WINDOWS, Team
from tests.lock.index import NEW, Index, allow
from tests.support import PYTHON

TAG = f"cp{PYTHON.replace('.', '')}-cp{PYTHON.replace('.', '')}"


def profiles(root: Path, sets: dict[str, tuple[LockedFile, ...]]) -> Path:
    """Write a catalogue of one set for each release."""
    (root / "releases").mkdir(parents=True)
    (root / "locks" / "linux-x86_64").mkdir(parents=True)
    for version, files in sets.items():
        (root / "releases" / f"{version[:4]}.yaml").write_text(RELEASE.format(python=PYTHON, version=version))
        lines = "".join(
            f"{file.filename} {file.size} {file.unpacked} {file.sha256} *\n" for file in sorted(files, key=lambda f: f.filename)
        )
        (root / "locks" / "linux-x86_64" / f"{version}.lock").write_text(LOCK.format(python=PYTHON, version=version) + lines)
    return root


def test_the_set_stays_and_the_requirements_come_with_what_they_need(team: Team) -> None:
    outcome = team.lock()
    assert team.versions(outcome) == {"tensorflow-cpu": "2.20.0", "numpy": "1.26", "pandas": "2.0", "pytz": "1.0"}
    files = {file.name: file for file in outcome.lock.targets[0].files}
    assert files["numpy"].via == ("pandas", "tensorflow-cpu")
    assert files["pandas"].via == ("tfsetup.yaml",)
    assert files["pandas"].requires == ("numpy", "pytz")
    assert [name for name, file in files.items() if file.profile] == ["numpy", "tensorflow-cpu"]


def test_what_was_uploaded_after_the_date_is_not_there(team: Team, index: Index) -> None:
    index.add("pytz", "2.0", uploaded=NEW)
    assert team.versions(team.lock())["pytz"] == "1.0"
    assert team.versions(team.lock(cutoff="2026-10-01T00:00:00Z"))["pytz"] == "2.0"


def test_the_set_itself_may_be_newer_than_the_date(team: Team, index: Index) -> None:
    index.dates[team.files[1].filename] = NEW
    assert team.versions(team.lock())["numpy"] == "1.26"


@pytest.mark.slow
def test_a_named_upgrade_moves_one_package(team: Team, index: Index) -> None:
    team.requirements = ("pandas", "other")
    index.add("other", "1.0")
    team.lock()
    for name in ("pytz", "other"):
        index.add(name, "2.0", uploaded="2026-09-01T00:00:00Z")
    outcome = team.lock(cutoff="", upgrade=("Other",))
    assert {name: team.versions(outcome)[name] for name in ("pytz", "other")} == {"pytz": "1.0", "other": "2.0"}
    assert list(outcome.lock.cutoffs) == ["other"]
    again = team.lock(cutoff="")
    assert (again.changed, again.lock) == ((), outcome.lock)
    outcome = team.lock(cutoff="", upgrade=())
    assert team.versions(outcome)["pytz"] == "2.0"
    assert outcome.lock.cutoffs == {}


def test_each_target_gets_its_own_wheel(team: Team, index: Index) -> None:
    team.targets = (LINUX, MAC, WINDOWS)
    team.requirements = ("fast",)
    tags = {"linux": f"{TAG}-manylinux_2_17_x86_64", "mac": f"{TAG}-macosx_11_0_arm64", "windows": f"{TAG}-win_amd64"}
    for tag in tags.values():
        index.add("fast", "1.0", tag=tag)
    found = {item.target.name: {file.name: file.filename for file in item.files}["fast"] for item in team.lock().lock.targets}
    assert found == {name: f"fast-1.0-{tag}.whl" for name, tag in tags.items()}


@pytest.mark.slow
def test_a_wheel_for_a_newer_system_than_the_oldest_machine_is_passed_over(team: Team, index: Index) -> None:
    team.requirements = ("fast",)
    index.add("fast", "1.0", tag=f"{TAG}-manylinux_2_17_x86_64")
    index.add("fast", "2.0", tag=f"{TAG}-manylinux_2_31_x86_64")
    assert team.versions(team.lock())["fast"] == "1.0"
    team.targets = (replace(LINUX, floor="2.31"),)
    outcome = team.lock()
    assert team.versions(outcome)["fast"] == "2.0"
    assert outcome.lock.targets[0].needs.glibc == "2.31"


def with_a_wheel_for_2_27(team: Team, index: Index) -> None:
    """Let the set ask for a glibc that uv has no name for, as those of TensorFlow 2.21 do (ml-dtypes 0.5.4)."""
    team.files = (*team.files, index.add("ml-dtypes", "0.5.4", tag=f"{TAG}-manylinux_2_27_x86_64.manylinux_2_28_x86_64"))
    index.add("fast", "1.0", tag=f"{TAG}-manylinux_2_17_x86_64")
    index.add("fast", "2.0", tag=f"{TAG}-manylinux_2_28_x86_64")


@pytest.mark.slow
def test_a_set_for_a_glibc_that_uv_has_no_name_for_is_locked(team: Team, index: Index) -> None:
    with_a_wheel_for_2_27(team, index)
    outcome = team.lock()
    assert team.versions(outcome)["ml-dtypes"] == "0.5.4"
    assert outcome.lock.targets[0].needs.glibc == "2.27"
    team.requirements = ("fast",)
    outcome = team.lock()
    assert team.versions(outcome)["fast"] == "2.0"
    assert outcome.lock.targets[0].needs.glibc == "2.28"


@pytest.mark.slow
def test_a_target_may_say_that_very_glibc(team: Team, index: Index) -> None:
    with_a_wheel_for_2_27(team, index)
    team.targets = (replace(LINUX, floor="2.27"),)
    assert team.lock().lock.targets[0].needs.glibc == "2.27"
    team.requirements = ("fast<2",)
    assert team.versions(team.lock())["fast"] == "1.0"
    team.requirements = ("fast>=2",)
    with pytest.raises(OperationError, match=r"no wheel of fast 2\.0 fits the oldest machine"):
        team.lock()


@pytest.mark.slow
def test_a_wheel_that_one_target_lacks_is_found_when_locking(team: Team, index: Index) -> None:
    team.targets = (LINUX, WINDOWS)
    team.lock()
    before = team.written()
    team.requirements = ("pandas", "fast==2.0")
    index.add("fast", "1.0", tag=f"{TAG}-win_amd64")
    index.add("fast", "2.0", tag=f"{TAG}-manylinux_2_17_x86_64")
    with pytest.raises(OperationError) as caught:
        team.lock()
    assert str(caught.value) == "windows: `fast==2.0` does not go with TensorFlow 2.20.0 on windows-x86_64 with Python " + PYTHON
    assert caught.value.faults == ("fast==2.0: 1.0 would do",)
    assert team.written() == before


def test_a_clash_names_both_sides_the_chain_and_what_would_do(team: Team, index: Index, tmp_path: Path) -> None:
    team.files = (index.add("tensorflow-cpu", "2.20.0", "numpy<2"), team.files[1])
    team.requirements = ("app>=3",)
    index.add("app", "3.0", "pandas>=3")
    index.add("app", "2.0", "pandas")
    newer = (index.add("tensorflow-cpu", "2.21.0", "numpy"), index.add("numpy", "2.0"))
    team.profiles = str(profiles(tmp_path / "profiles", {"2.20.0": team.files, "2.21.0": newer, "2.22.0": (newer[0], team.files[1])}))
    with pytest.raises(OperationError) as caught:
        team.lock()
    assert caught.value.cause == "resolver-conflict", (str(caught.value), caught.value.hint)
    assert str(caught.value) == f"linux: `app>=3` does not go with TensorFlow 2.20.0 on linux-x86_64 with Python {PYTHON}"
    (row,) = caught.value.faults
    assert row.startswith("app>=3: 2.0 would do; ")
    assert {"pandas>=3.0 needs numpy>=2", "TensorFlow 2.20.0 needs numpy<2"} <= set(re.split(r"; |, | and ", row)), row
    assert caught.value.hint.startswith("write `app==2.0`; or take TensorFlow 2.21.0, which goes with yours; the resolver says: ")


@pytest.mark.slow
def test_requirements_that_contradict_each_other_are_named(team: Team) -> None:
    team.requirements = ("pytz>=1", "pandas", "pytz<1")
    with pytest.raises(OperationError, match="pytz<1"):
        team.lock()


@pytest.mark.slow
def test_a_package_that_is_nowhere_is_named_with_who_needs_it(team: Team, index: Index) -> None:
    team.requirements = ("app",)
    index.add("app", "1.0", "nosuch>=1")
    with pytest.raises(OperationError, match="the index has no package `nosuch`, which `app` needs"):
        team.lock()


@pytest.mark.slow
def test_tensorflow_among_the_requirements_is_the_sets(team: Team) -> None:
    team.requirements = ("tensorflow>=2.16", "tensorflow[and-cuda]~=2.20; sys_platform == 'linux'", "pandas")
    assert [name for name in team.versions(team.lock()) if is_rival(name)] == ["tensorflow-cpu"]
    team.requirements = ("tensorflow<2.20",)
    with pytest.raises(UsageError, match=r"`tensorflow<2.20` does not admit TensorFlow 2.20.0, which was chosen for linux"):
        team.lock()
    team.requirements = ("tensorflow<2.20; sys_platform == 'win32'",)
    team.lock()


@pytest.mark.slow
def test_an_add_on_that_needs_tensorflow_by_that_name_gets_it(team: Team, index: Index) -> None:
    index.add("tensorflow", "2.20.0", "numpy")
    index.add("tensorflow", "2.21.0", "numpy")
    index.add("tf-keras", "2.20.0", "tensorflow>=2.20")
    team.requirements = ("tf-keras",)
    assert team.versions(team.lock()) == {"tensorflow": "2.20.0", "numpy": "1.26", "tf-keras": "2.20.0"}


@pytest.mark.parametrize("fault", ["down", pytest.param("slow", marks=pytest.mark.slow), "error", "another hash", "a file is gone"])
def test_an_index_that_fails_is_told_and_the_old_lock_stays(team: Team, index: Index, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    team.lock()
    before = team.written()
    monkeypatch.setenv("UV_CACHE_DIR", str(team.folder.parent / "another-cache"))
    team.requirements = ("pandas<3",)
    file = team.files[1].filename
    if fault == "down":
        index.close()
    elif fault == "slow":
        index.delay = 3.0
    elif fault == "error":
        index.status = 503
    elif fault == "another hash":
        (index.folder / file).write_bytes((index.folder / "numpy-2.0-py3-none-any.whl").read_bytes())
        index.add("numpy", "1.26")
        (index.folder / file).write_bytes((index.folder / file).read_bytes() + b"\0")
    else:
        index.hidden.add(file)
        index.add("numpy", "1.26", tag="py2.py3-none-any")
    with pytest.raises(OperationError) as caught:
        team.lock()
    assert caught.value.hint
    assert caught.value.cause == "download-failed", (caught.value, caught.value.hint)
    assert team.written() == before
    if fault == "another hash":
        assert f"another file under the name {file}" in str(caught.value)


def test_another_hash_than_in_the_lock_that_is_there_is_refused(team: Team, index: Index) -> None:
    team.lock()
    before = team.written()
    path = index.folder / "pytz-1.0-py3-none-any.whl"
    path.write_bytes(path.read_bytes() + b"\0")
    team.requirements = ("pandas<3",)
    with pytest.raises(OperationError, match=r"another file under the name pytz-1\.0-py3-none-any\.whl than when the lock was made"):
        team.lock()
    assert team.written() == before


@pytest.mark.slow
def test_an_index_without_dates_is_used_and_said_so(team: Team, index: Index) -> None:
    index.dates["pytz-1.0-py3-none-any.whl"] = ""
    outcome = team.lock()
    assert outcome.lock.cutoffs == {"pytz": ""}
    assert "tells no upload dates of pytz" in outcome.warnings[0]
    team.settings["policy"] = Policy(cool_down=7)
    with pytest.raises(UsageError, match="tells no upload dates of pytz"):
        team.lock()


@pytest.mark.slow
def test_a_package_comes_from_its_own_index_and_nothing_else_does(team: Team, index: Index, tmp_path) -> None:
    private = Index(tmp_path / "private")
    allow(private.host)
    try:
        private.add("ours", "1.0", "core", "pytz")
        private.add("core", "1.0")
        private.add("pytz", "9.0")
        index.add("core", "7.0")
        index.add("ours", "7.0")
        packages = ("ours", "core")
        team.settings["indexes"] = (TeamIndex(url=index.url), TeamIndex(url=private.url, name="private", packages=packages))
        team.requirements = ("ours",)
        outcome = team.lock()
        found = team.versions(outcome)
        assert {name: found[name] for name in ("ours", "core", "pytz")} == {"ours": "1.0", "core": "1.0", "pytz": "1.0"}
        urls = {file.name: file.url for file in outcome.lock.targets[0].files}
        assert private.host in urls["core"]
        assert f"--extra-index-url {private.url}" in team.written()["requirements.linux.txt"].decode()
    finally:
        private.close()


@pytest.mark.slow
def test_a_password_is_used_and_never_written(team: Team, index: Index, monkeypatch: pytest.MonkeyPatch, capfd) -> None:
    index.login = "Basic bWU6czNjcjN0"  # me:s3cr3t
    monkeypatch.setenv("TOKEN", "s3cr3t")
    team.settings["indexes"] = (TeamIndex(url=index.url.replace("http://", "http://me:${TOKEN}@")),)
    team.lock()
    team.requirements = ("pandas>=4",)
    with pytest.raises(OperationError) as caught:
        team.lock()
    monkeypatch.setenv("TOKEN", "wr0ng")
    team.requirements = ("pandas==2.0",)
    with pytest.raises(OperationError, match="refused") as refused:
        team.lock()
    told = f"{caught.value} {caught.value.hint} {refused.value} {refused.value.hint}" + "".join(capfd.readouterr())
    everything = b"".join(path.read_bytes() for path in team.folder.parent.rglob("*") if path.is_file() and "uv-cache" not in path.parts)
    for secret in ("s3cr3t", "wr0ng", "bWU6"):
        assert secret not in told
        assert secret.encode() not in everything
    monkeypatch.delenv("TOKEN")
    with pytest.raises(UsageError, match="the variable TOKEN is not set"):
        team.lock()


@pytest.mark.slow
def test_what_is_written_reads_back_as_what_was_locked(team: Team) -> None:
    team.targets = (LINUX, WINDOWS)
    team.settings["formats"] = ("requirements", "pylock", "conda-lock")
    outcome = team.lock()
    texts = {name: content.decode() for name, content in team.written().items()}
    read = render.held_and_meant(texts, outcome.lock)
    assert len(read) == 6
    for name, held, meant in read:
        assert held == meant, name
        assert len(held) == 4


def test_tensorflow_stands_for_its_other_name_where_packages_need_both(team: Team, index: Index) -> None:
    """transformers[tf-cpu] 4.30 needs tensorflow-cpu and tensorflow-text, which needs tensorflow: one wheel is both."""
    index.add("tensorflow", "2.20.0", "numpy")
    index.add("text", "1.0", "tensorflow<2.21")
    index.add("hugging", "1.0", "tensorflow-cpu>=2.4", "text")
    team.requirements = ("hugging",)
    assert set(team.versions(team.lock())) == {"tensorflow", "numpy", "text", "hugging"}
