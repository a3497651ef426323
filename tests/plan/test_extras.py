"""Packages beyond the profile, resolved by real uv from tiny wheels around a lock."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.errors import NoProfileError, OperationError, UsageError
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import NO_ADDON, Lock
from provisioner.plan.extras import check_requirements, resolve_extras, resolve_others, resolve_own
from tests.support import make_lock, make_wheel, only_from


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    only_from(monkeypatch, folder, tmp_path / "uv")
    return folder


def resolve(lock: Lock, tmp_path: Path, *extra: str) -> dict[str, str]:
    found = resolve_extras(LocalHost(), extra, lock, floor="2.36", folder=str(tmp_path), offline=True)
    assert found.digest == lock.digest, "the lock of the catalogue is what the plan rests on"
    return {file.name: file.version for file in found.files}


def lock(index: Path, tensorflow: str = "tensorflow-cpu") -> Lock:
    make_wheel(index, "numpy", "2.0", {"numpy.py": ""})
    return make_lock(
        make_wheel(index, tensorflow, "2.20.0", {"tensorflow/__init__.py": ""}),
        make_wheel(index, "numpy", "1.26", {"numpy.py": ""}),
    )


def test_the_set_stays_and_the_extra_comes_with_what_it_needs(index: Path, tmp_path: Path) -> None:
    base = lock(index)
    make_wheel(index, "pandas", "3.0", {"pandas.py": ""}, requires=["numpy>=2"])
    make_wheel(index, "pandas", "2.0", {"pandas.py": ""}, requires=["numpy", "pytz"])
    make_wheel(index, "pytz", "1.0", {"pytz.py": ""})
    found = resolve(base, tmp_path, "pandas")
    assert found == {"tensorflow-cpu": "2.20.0", "numpy": "1.26", "pandas": "2.0", "pytz": "1.0"}


def test_what_has_no_wheel_and_is_in_the_set_is_taken_as_met(index: Path, tmp_path: Path) -> None:
    """No index has a wheel of it here, and its source distribution must not be built while planning."""
    old = make_wheel(index, "gast", "0.2.2", {"gast.py": ""})
    (index / old.filename).unlink()
    base = lock(index)
    base = replace(base, files=(*base.files, replace(old, filename="gast-0.2.2.tar.gz", source=True)))
    make_wheel(index, "add-on", "1.0", {"add_on.py": ""}, requires=["gast", "numpy"])
    found = resolve_extras(LocalHost(), ("add-on",), base, floor="2.36", folder=str(tmp_path), offline=True)
    assert {file.name: file.source for file in found.files} == {"add-on": False, "gast": True, "numpy": False, "tensorflow-cpu": False}


def test_an_add_on_that_names_tensorflow_gets_it_instead_of_the_cpu_package(index: Path, tmp_path: Path) -> None:
    base = lock(index)
    make_wheel(index, "tensorflow", "2.21.0", {"tensorflow/__init__.py": ""})
    make_wheel(index, "tensorflow", "2.20.0", {"tensorflow/__init__.py": ""})
    make_wheel(index, "tf-keras", "2.20.0", {"tf_keras.py": ""}, requires=["tensorflow>=2.20,<2.21"])
    assert resolve(base, tmp_path, "tf-keras") == {"tensorflow": "2.20.0", "numpy": "1.26", "tf-keras": "2.20.0"}


STAND_INS = [
    ("windows-x86_64", "tensorflow-intel"),
    pytest.param("macos-aarch64", "tensorflow-macos", marks=pytest.mark.slow),
    pytest.param("linux-aarch64", "tensorflow-cpu-aws", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("platform", "own"), STAND_INS)
def test_a_name_that_requires_the_sets_own_distribution_comes_beside_it(index: Path, tmp_path: Path, platform: str, own: str) -> None:
    base = replace(lock(index, own), platform=platform)
    make_wheel(index, "tensorflow", "2.20.0", {"other.py": ""}, requires=[f"{own}==2.20.0"])
    make_wheel(index, "tf-keras", "2.20.0", {"tf_keras.py": ""}, requires=["tensorflow>=2.20,<2.21"])
    found = resolve(base, tmp_path, "tf-keras")
    assert found == {own: "2.20.0", "tensorflow": "2.20.0", "numpy": "1.26", "tf-keras": "2.20.0"}


@pytest.mark.parametrize(("platform", "own"), STAND_INS)
@pytest.mark.parametrize("published", [(), ("2.21.0",)])
def test_where_tensorflow_was_not_published_the_sets_own_stands_for_it(
    index: Path, tmp_path: Path, platform: str, own: str, published: tuple[str, ...]
) -> None:
    base = replace(lock(index, own), platform=platform)
    for version in published:
        make_wheel(index, "tensorflow", version, {"tensorflow/__init__.py": ""})
    make_wheel(index, "recommenders", "1.0", {"recommenders.py": ""}, requires=["tensorflow>=2.9", "pytz"])
    make_wheel(index, "pytz", "1.0", {"pytz.py": ""})
    assert resolve(base, tmp_path, "recommenders") == {own: "2.20.0", "numpy": "1.26", "recommenders": "1.0", "pytz": "1.0"}


def test_what_cannot_go_with_a_stand_in_is_refused_as_elsewhere(index: Path, tmp_path: Path) -> None:
    base = replace(lock(index, "tensorflow-intel"), platform="windows-x86_64")
    make_wheel(index, "tensorflow", "2.20.0", {"other.py": ""}, requires=["tensorflow-intel==2.20.0"])
    make_wheel(index, "new", "1.0", {"new.py": ""}, requires=["tensorflow>=2.21"])
    with pytest.raises(OperationError) as caught:
        resolve(base, tmp_path, "new")
    assert caught.value.cause == "resolver-conflict"


@pytest.mark.slow
def test_two_builds_that_would_share_a_folder_are_refused(index: Path, tmp_path: Path) -> None:
    base = lock(index)
    make_wheel(index, "tensorflow", "2.20.0", {"tensorflow/__init__.py": ""})
    make_wheel(index, "both", "1.0", {"both.py": ""}, requires=["tensorflow", "tensorflow-cpu"])
    with pytest.raises(OperationError, match="break each other"):
        resolve(base, tmp_path, "both")


def test_an_add_on_is_of_the_release_that_goes_with_this_tensorflow(index: Path, tmp_path: Path) -> None:
    base = replace(lock(index), addons={"tensorflow-io": "==0.36.*", "tf-keras": NO_ADDON})
    for version in ("0.35.0", "0.36.1", "0.37.0"):
        make_wheel(index, "tensorflow-io", version, {"tensorflow_io.py": ""})
    assert resolve(base, tmp_path, "TensorFlow_IO")["tensorflow-io"] == "0.36.1"


def test_an_add_on_without_a_release_for_this_tensorflow_is_refused_with_code_12(index: Path, tmp_path: Path) -> None:
    base = replace(lock(index), addons={"tensorflow-io": NO_ADDON})
    make_wheel(index, "tensorflow-io", "0.37.0", {"tensorflow_io.py": ""})
    with pytest.raises(NoProfileError, match="no release of tensorflow-io is for TensorFlow") as caught:
        resolve(base, tmp_path, "tensorflow-io>=0.30")
    assert caught.value.exit_code == 12
    assert caught.value.refusals


def test_an_add_on_without_a_release_does_not_come_by_the_back_door(index: Path, tmp_path: Path) -> None:
    base = replace(lock(index), addons={"tf-keras": NO_ADDON})
    make_wheel(index, "tf-keras", "2.15.0", {"tf_keras.py": ""})
    make_wheel(index, "hub", "1.0", {"hub.py": ""})
    make_wheel(index, "hub", "2.0", {"hub.py": ""}, requires=["tf-keras"])
    assert resolve(base, tmp_path, "hub")["hub"] == "1.0"


def test_what_cannot_go_with_the_set_is_refused_with_both_sides(index: Path, tmp_path: Path) -> None:
    base = lock(index)
    make_wheel(index, "new", "1.0", {"new.py": ""}, requires=["numpy>=2"])
    with pytest.raises(OperationError) as caught:
        resolve(base, tmp_path, "new")
    assert caught.value.cause == "resolver-conflict"
    assert "numpy>=2" in caught.value.hint
    assert "numpy==1.26" in caught.value.hint


@pytest.mark.parametrize("text", ["tensorflow==2.1", "tf_nightly", "x @ file:///tmp/x.whl", "git+ssh://x", "two words", ""])
def test_what_is_no_plain_requirement_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        check_requirements((text,))


def others(base: Lock, tmp_path: Path, **pins: str) -> tuple[dict[str, str], tuple[str, ...]]:
    found, lost = resolve_others(LocalHost(), pins, base, floor="2.36", folder=str(tmp_path), offline=True)
    known = {file.name for file in base.files}
    return {file.name: file.version for file in found.files if file.name not in known}, lost


@pytest.mark.slow
def test_what_goes_with_the_set_comes_at_its_version_and_the_rest_is_named(index: Path, tmp_path: Path) -> None:
    base = lock(index)
    for name in ("one", "two", "three"):
        make_wheel(index, name, "1.0", {f"{name}.py": ""}, requires=["numpy"])
    make_wheel(index, "moved", "2.0", {"moved.py": ""}, requires=["numpy>=2"])
    make_wheel(index, "moved", "1.0", {"moved.py": ""}, requires=["numpy"])
    make_wheel(index, "never", "1.0", {"never.py": ""}, requires=["numpy>=2"])
    found, lost = others(base, tmp_path, one="1.0", two="1.0", three="1.0", moved="2.0", never="1.0", gone="1.0", any="")
    assert found == {"one": "1.0", "two": "1.0", "three": "1.0", "moved": "1.0"}
    assert len(lost) == 4
    assert lost[0] == "moved 2.0 becomes 1.0: no wheel of 2.0 goes with the set"
    assert {text.split(" ")[0] for text in lost} == {"moved", "never", "gone", "any"}


def test_what_goes_in_no_version_has_the_set_make_room_within_limits(index: Path, tmp_path: Path) -> None:
    """tensorflow-io 0.31 asks for exactly its own tensorflow-io-gcs-filesystem, and 2.11.1's set has another one."""
    base = lock(index)
    make_wheel(index, "add-on", "2.0", {"add_on.py": ""}, requires=["numpy==2.0"])
    make_wheel(index, "one", "1.0", {"one.py": ""}, requires=["numpy"])
    pins = {"add-on": "2.0", "one": "1.0"}

    def versions(limits: tuple[str, ...] | None) -> tuple[dict[str, str], tuple[str, ...]]:
        found, lost = resolve_others(LocalHost(), pins, base, floor="2.36", folder=str(tmp_path), offline=True, limits=limits)
        return {file.name: file.version for file in found.files}, lost

    assert versions(())[0] == {"tensorflow-cpu": "2.20.0", "numpy": "2.0", "add-on": "2.0", "one": "1.0"}
    for limits in (None, ("numpy<2",)):
        found, lost = versions(limits)
        assert found == {"tensorflow-cpu": "2.20.0", "numpy": "1.26", "one": "1.0"}
        assert lost == ("add-on 2.0 is left out: no wheel of it goes with the set",)


def test_nothing_else_is_nothing_to_resolve(index: Path, tmp_path: Path) -> None:
    assert others(lock(index), tmp_path) == ({}, ())


def test_tensorflow_keeps_the_name_under_which_it_is_installed(index: Path, tmp_path: Path) -> None:
    base = lock(index)
    make_wheel(index, "tensorflow", "2.20.0", {"tensorflow/__init__.py": ""})
    found = resolve_own(LocalHost(), "tensorflow", base, floor="2.36", folder=str(tmp_path), offline=True)
    assert {file.name: file.version for file in found.files} == {"numpy": "1.26", "tensorflow": "2.20.0"}
    with pytest.raises(OperationError):
        resolve_own(LocalHost(), "tensorflow-gpu", base, floor="2.36", folder=str(tmp_path), offline=True)
