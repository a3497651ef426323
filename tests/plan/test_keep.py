"""``--keep``: what is installed, resolved anew around a set by real uv from tiny wheels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.catalogue.needs import Needs
from provisioner.engines import uv
from provisioner.environment.distributions import Installed
from provisioner.errors import OperationError
from provisioner.host.local import LocalHost
from provisioner.judge.markers import markers_of
from provisioner.model.catalogue import Lock, LockedFile
from provisioner.plan.keep import Kept, orphans, resolve_all, series
from provisioner.plan.neighbours import Around, look_around
from provisioner.plan.settle import Room
from tests.support import PYTHON, make_lock, make_wheel, only_from


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    only_from(monkeypatch, folder, tmp_path / "uv")
    return folder


def dist(name: str, version: str, *requires: str, **fields: object) -> Installed:
    return Installed(name=name, version=version, requires=requires, **fields)


def around(lock: Lock, *installed: Installed) -> Around:
    return look_around(installed, markers_of(PYTHON), frozenset(file.name for file in lock.files))


def kept(
    index: Path,
    lock: Lock,
    *installed: Installed,
    limits: tuple[str, ...] = (),
    known: dict[tuple[str, str], tuple[str, ...]] | None = None,
    **asked: object,
) -> Kept:
    given = {"extra": (), "floor": "2.36", "folder": str(index.parent), "offline": True, **asked}
    room = Room(needs=Needs(known=known or {}), limits=limits, pool={})
    return resolve_all(LocalHost(), around(lock, *installed), lock, room, **given)


def versions(found: Kept) -> dict[str, str]:
    return {file.name: file.version for file in found.lock.files}


def a_set(index: Path, *more: LockedFile) -> Lock:
    make_wheel(index, "typing-extensions", "4.12", {"typing_extensions.py": ""})
    own = make_wheel(index, "tensorflow-cpu", "2.20.0", {"tensorflow/__init__.py": ""}, requires=("typing_extensions>=4",))
    return make_lock(own, make_wheel(index, "typing-extensions", "4.5", {"typing_extensions.py": ""}), *more)


def test_another_version_is_taken_of_what_does_not_go_with_the_set(index: Path) -> None:
    lock = a_set(index)
    make_wheel(index, "friend", "2.0", {"friend.py": ""}, requires=("typing_extensions>=4.10",))
    make_wheel(index, "friend", "1.0", {"friend.py": ""}, requires=("typing_extensions",))
    found = kept(index, lock, dist("friend", "2.0", "typing_extensions>=4.10"), dist("typing-extensions", "4.12"))
    assert (versions(found)["friend"], versions(found)["typing-extensions"], found.moved) == ("1.0", "4.5", ())


def test_the_set_gives_way_where_nothing_else_goes_and_says_for_whom(index: Path) -> None:
    lock = a_set(index)
    make_wheel(index, "friend", "2.0", {"friend.py": ""}, requires=("typing_extensions>=4.10",))
    make_wheel(index, "typing-extensions-more", "1.0", {"more.py": ""})
    asked = (dist("friend", "2.0", "typing_extensions>=4.10"), dist("other", "1.0", "typing-extensions-more"))
    make_wheel(index, "other", "1.0", {"other.py": ""}, requires=("typing-extensions-more",))
    (moved,) = kept(index, lock, *asked, dist("typing-extensions", "4.12")).moved
    assert (moved.name, moved.pin, moved.version, moved.keeps) == ("typing-extensions", "4.5", "4.12", ("friend",))


def test_what_a_plan_without_it_keeps_whole_is_kept_whole(index: Path) -> None:
    """What TensorFlow is content with gives way first, so that an older friend comes only where nothing else would do."""
    lock = a_set(index)
    make_wheel(index, "friend", "2.0", {"friend.py": ""}, requires=("typing_extensions>=4.10",))
    make_wheel(index, "friend", "1.0", {"friend.py": ""}, requires=("typing_extensions",))
    known = {("tensorflow-cpu", "2.20.0"): ("typing_extensions>=4",), ("typing-extensions", "4.5"): (), ("typing-extensions", "4.12"): ()}
    found = kept(index, lock, dist("friend", "2.0", "typing_extensions>=4.10"), dist("typing-extensions", "4.12"), known=known)
    assert (versions(found)["friend"], versions(found)["typing-extensions"]) == ("2.0", "4.12")
    assert [(item.name, item.pin, item.version) for item in found.moved] == [("typing-extensions", "4.5", "4.12")]


def test_what_the_catalogue_knows_to_be_bad_is_no_way(index: Path) -> None:
    lock = a_set(index)
    make_wheel(index, "friend", "2.0", {"friend.py": ""}, requires=("typing_extensions>=4.10",))
    found = kept(index, lock, dist("friend", "2.0", "typing_extensions>=4.10"), limits=("typing-extensions<4.8",))
    assert "friend" not in versions(found)


def test_what_has_no_release_for_this_tensorflow_is_not_looked_for(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = replace(a_set(index), addons={"tf-keras": "none"})
    make_wheel(index, "tf-keras", "2.18.0", {"tf_keras.py": ""})
    make_wheel(index, "mine", "1.0", {"mine.py": ""})
    asked: list[str] = []
    real = uv.resolve
    monkeypatch.setattr(uv, "resolve", lambda *args, **given: asked.append(given["requirements"]) or real(*args, **given))
    found = kept(index, lock, dist("mine", "1.0"), dist("tf-keras", "2.18.0"))
    assert ("mine" in versions(found), "tf-keras" in versions(found), len(asked)) == (True, False, 1)


def test_a_cuda_library_is_moved_for_nobody(index: Path) -> None:
    lock = a_set(index, make_wheel(index, "nvidia-cudnn-cu12", "9.3", {"nvidia/cudnn.py": "3"}))
    make_wheel(index, "nvidia-cudnn-cu12", "9.1", {"nvidia/cudnn.py": "1"})
    make_wheel(index, "torch", "2.5", {"torch.py": ""}, requires=("nvidia-cudnn-cu12==9.1",))
    found = kept(index, lock, dist("torch", "2.5", "nvidia-cudnn-cu12==9.1"), dist("nvidia-cudnn-cu12", "9.1"))
    assert (versions(found)["nvidia-cudnn-cu12"], "torch" in versions(found)) == ("9.3", False)


def test_what_is_asked_for_besides_and_does_not_go_is_an_error(index: Path) -> None:
    lock = a_set(index)
    make_wheel(index, "fine", "1.0", {"fine.py": ""})
    make_wheel(index, "fixed", "1.0", {"fixed.py": ""}, requires=("typing-extensions<4",))
    with pytest.raises(OperationError) as caught:
        kept(index, lock, dist("fine", "1.0"), extra=("fixed",))
    assert caught.value.cause == "resolver-conflict"


def test_what_cannot_be_had_again_stays_and_what_it_needs_is_asked_for(index: Path) -> None:
    lock = a_set(index)
    make_wheel(index, "Needed_One", "1.0", {"needed.py": ""})
    mine = dist("mine", "1.0", "Needed_One", "Own.Part", direct=True)
    found = versions(kept(index, lock, mine, dist("own-part", "1.0", direct=True), dist("of-conda", "1.0"), fixed={"of-conda"}))
    assert found.keys() == {"tensorflow-cpu", "typing-extensions", "needed-one"}


def test_an_orphan_is_what_only_something_needs_that_comes_in_another_version(index: Path) -> None:
    lock = a_set(index)
    there = around(lock, dist("lab", "2.0", "Lab_Core"), dist("lab-core", "1.0"), dist("tool", "1.0", "shared"), dist("shared", "1.0"))
    lab = LockedFile(name="lab", version="1.0", filename="lab-1.0-py3-none-any.whl", sha256="a" * 64, size=1, unpacked=1)
    found = replace(lock, files=(*lock.files, lab))
    assert orphans(there, found, ["lab-core", "lab", "shared"]) == {"lab-core"}
    assert orphans(there, lock, ["lab-core"]) == frozenset()
    assert orphans(there, found, []) == frozenset()


@pytest.mark.parametrize(("version", "requested", "found"), [("0.1", False, {"lab-core"}), ("1.9", False, set()), ("0.1", True, set())])
def test_nothing_comes_in_a_version_of_another_series_for_what_moves_itself(
    index: Path, version: str, requested: bool, found: set[str]
) -> None:
    """pydantic 1 has no pydantic-core: nobody needs the only one that goes with the set, which is years older."""
    lock = a_set(index)
    there = around(lock, dist("lab", "2.0", "Lab_Core"), dist("lab-core", "1.10", requested=requested))
    more = [
        LockedFile(name=name, version=number, filename=f"{name}.whl", sha256="a" * 64, size=1, unpacked=1)
        for name, number in (("lab", "1.0"), ("lab-core", version))
    ]
    assert orphans(there, replace(lock, files=(*lock.files, *more)), []) == found


def test_versions_below_1_are_of_one_series_by_their_second_number() -> None:
    assert [series(text) for text in ("2.50.5", "0.42.0", "0.0.0", "4")] == [(2,), (0, 42), (0, 0), (4,)]
