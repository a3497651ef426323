"""What else is installed, through the real command: told before consent, a word of its own, kept whole, imported before and after."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.support import VERSION, Inside
from tests.repair.test_attempts import by_import
from tests.support import make_wheel, snapshot

SIX = {"six==1.0": "six.py"}


@pytest.fixture(autouse=True)
def _proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny wheels compute nothing: the proof is an import."""
    monkeypatch.setattr("provisioner.commands.apply.judge_plan", lambda session, root, plan, progress: by_import(root))


@pytest.fixture(scope="session")
def offered(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Path:
    """The set's wheels, and those of the user's own."""
    wheels = tmp_path_factory.mktemp("offered")
    for path in (shared / "wheels").glob("*.whl"):
        shutil.copy(path, wheels)
    make_wheel(wheels, "six", "1.0", {"six.py": "VERSION = 1\n"})
    make_wheel(wheels, "old-friend", "3.0", {"old_friend.py": "import six\nassert six.VERSION == 1\n"}, requires=("six<2",))
    make_wheel(wheels, "old-friend", "4.0", {"old_friend.py": "import six\n"}, requires=("six>=1.5",))
    make_wheel(wheels, "app", "1.0", {"app/__init__.py": "import old_friend\n"}, requires=("old-friend",))
    make_wheel(wheels, "quiet", "1.0", {"quiet.py": "import six\nassert six.VERSION == 1, 'six is too new'\n"})
    make_wheel(
        wheels, "crashing", "1.0", {"crashing.py": "import os, signal, six\nsix.VERSION == 1 or os.kill(os.getpid(), signal.SIGSEGV)\n"}
    )
    # Its metadata does not say that 3.5 needs another six; 3.2 works.
    make_wheel(wheels, "liar", "3.0", {"liar.py": ""}, requires=("six<2",))
    make_wheel(wheels, "liar", "3.2", {"liar.py": ""}, requires=("six",))
    make_wheel(wheels, "liar", "3.5", {"liar.py": "import six\nassert six.VERSION == 3\n"}, requires=("six",))
    # What was part of the lab once is a package of its own since.
    make_wheel(wheels, "lab", "2.0", {"lab.py": "import lab_core\n"}, requires=("six<2", "lab-core"))
    make_wheel(wheels, "lab", "1.0", {"lab.py": "import lab_core\n", "lab_core.py": "inner = True\n"}, requires=("six>=1.5",))
    make_wheel(wheels, "lab-core", "1.0", {"lab_core.py": "inner = False\n"})
    # Nothing needs the engine any more since the show went back to 1.0, and the only one that goes with the set's six is of another series.
    make_wheel(wheels, "show", "2.0", {"show.py": "import engine\n"}, requires=("six<2", "engine>=2"))
    make_wheel(wheels, "show", "1.0", {"show.py": ""}, requires=("six>=1.5",))
    make_wheel(wheels, "engine", "2.50", {"engine.py": ""}, requires=("six<2",))
    make_wheel(wheels, "engine", "0.42", {"engine.py": ""})
    make_wheel(wheels, "double", "1.0", {"six.py": "DOUBLE = True\n"})
    make_wheel(wheels, "tf-nightly", "2.99", {"tensorflow/nightly.py": ""}, requires=("double",))
    make_wheel(wheels, "fine", "1.0", {"fine.py": "", "tests/__init__.py": "raise RuntimeError\n"})
    return wheels


@pytest.fixture
def around(tiny: dict[str, str], offered: Path) -> dict[str, str]:
    return {**tiny, "UV_FIND_LINKS": str(offered)}


def environment(work: Path, offered: Path, *packages: str) -> Path:
    env = work / "env"
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "--python", sys.executable, str(env)], check=True)
    command = [*uv, "pip", "install", "-q", "--offline", "--no-index", "--find-links", str(offered), "--python", f"{env}/bin/python"]
    subprocess.run([*command, "six==1.0", *packages], check=True)
    return env


def version_of(env: Path, name: str) -> str:
    return next(path.name.removesuffix(".dist-info").split("-")[1] for path in env.glob(f"lib/python3*/site-packages/{name}-*.dist-info"))


def test_what_breaks_is_named_and_needs_a_word_of_its_own(inside: Inside, around, work: Path, offered: Path) -> None:
    env = environment(work, offered, "old-friend==3.0", "app", "fine")
    planned = inside("plan", "--env", str(env), **around)
    assert "old-friend 3.0 BREAKS: old-friend 3.0 needs six<2; the set has 2.0" in planned.out
    assert "app 1.0 BREAKS: app 1.0 needs old-friend, which breaks" in planned.out
    assert "1 package stays whole besides" in planned.out
    told = inside("plan", "--env", str(env), "--json", **around).json
    assert {item["name"]: item["fate"] for item in told["neighbours"]} == {"app": "breaks", "fine": "whole", "old-friend": "breaks"}
    assert told["conflicts"] == ["app 1.0 needs old-friend, which breaks", "old-friend 3.0 requires six<2, but six 2.0 is installed"]
    before = snapshot(env)
    refused = inside("apply", "--env", str(env), "--yes", "--json", **around)
    assert refused.code == 15
    assert "old-friend would stop working, which --yes does not cover" in refused.json["error"]["message"]
    assert "--break old-friend" in refused.json["error"]["hint"]
    assert {name: value for name, value in snapshot(env).items() if not name.startswith(".tfsetup")} == before
    # What is there besides is not agreed to by the name of another.
    assert inside("apply", "--env", str(env), "--yes", "--break", "app", **around).code == 15
    done = inside("apply", "--env", str(env), "--yes", "--break", "old_friend", "--json", **around)
    assert done.code == 0
    assert [finding["severity"] for finding in done.json["findings"]] == ["warning", "warning"]
    assert done.json["conflicts"] == told["conflicts"]


def test_the_ways_that_are_offered_work_when_they_are_typed(inside: Inside, around, work: Path, offered: Path) -> None:
    env = environment(work, offered, "old-friend==3.0", "app")
    ways = inside("plan", "--env", str(env), "--json", **around).json["ways"]
    commands = [way["command"].split() for way in ways]
    assert [words[:2] for words in commands] == [["tfsetup", "apply"]] * 2
    # All resolved anew: old-friend 4.0 goes with the set.
    keep = inside(*commands[0][1:], "--yes", "--json", **around)
    assert (keep.code, "--keep" in commands[0]) == (0, True), keep.err
    assert version_of(env, "old_friend") == "4.0"
    assert {item["name"]: (item["fate"], item["becomes"]) for item in keep.json["neighbours"]} == {
        "app": ("whole", ""),
        "old-friend": ("resolved", "4.0"),
    }
    assert inside("plan", "--env", str(env), "--exit-code", **around).code == 0
    beside = inside(*commands[1][1:], "--yes", "--json", **around)
    assert beside.code == 0
    assert beside.json["env"] == f"{env}-{VERSION.rsplit('.', 1)[0]}"


def test_a_package_of_the_set_moves_where_its_limits_allow_it(inside: Inside, around, work: Path, offered: Path, shared: Path) -> None:
    profiles = work / "profiles"
    shutil.copytree(shared / "profiles", profiles)
    groups = {"tensorflow-cpu": [{"versions": [VERSION], "requires": ["six>=0.9"]}], "six": [{"versions": ["1.0", "2.0"], "requires": []}]}
    (profiles / "needs.json").write_text(json.dumps({"schema": "tfsetup/needs/1", "sources": [], "packages": groups}))
    around = {**around, "TFSETUP_PROFILES": str(profiles)}
    env = environment(work, offered, "old-friend==3.0", "app")
    planned = inside("plan", "--env", str(env), **around)
    said = " ".join(planned.out.split())
    assert "six 1.0 in place of 2.0, for old-friend" in said
    assert "this very set was not run: it has six 1.0 in place of 2.0" in said
    done = inside("apply", "--env", str(env), "--yes", "--json", **around)
    assert done.code == 0, done.err
    assert version_of(env, "six") == "1.0"
    assert "2 of your packages are imported as before" in json.dumps(done.json["verification"]["checks"])
    # It stays so.
    assert inside("plan", "--env", str(env), "--exit-code", **around).code == 0


@pytest.mark.parametrize("name", ["quiet", "crashing"])
def test_what_stops_being_imported_takes_the_change_back(inside: Inside, around, work: Path, offered: Path, name: str) -> None:
    env = environment(work, offered, name, "fine")
    assert inside("plan", "--env", str(env), "--json", **around).json["conflicts"] == []
    ended = inside("apply", "--env", str(env), "--yes", "--json", **around)
    assert (ended.code, ended.json["state"]) == (14, "old")
    (finding,) = ended.json["findings"]
    assert finding["title"] == f"{name} 1.0 could be imported before this change, and cannot be any more"
    assert f"--break {name}" in finding["remedy"]["words"]
    assert version_of(env, "six") == "1.0"
    agreed = inside("apply", "--env", str(env), "--yes", "--break", "all", "--json", **around)
    assert (agreed.code, agreed.json["state"]) == (0, "new")
    assert [item["severity"] for item in agreed.json["findings"]] == ["warning"]


def test_a_saved_plan_needs_the_same_word(inside: Inside, around, work: Path, offered: Path) -> None:
    env = environment(work, offered, "old-friend==3.0")
    assert inside("plan", "--env", str(env), "-o", "plan.json", **around).code == 0
    assert inside("apply", "plan.json", "--yes", **around).code == 15
    assert inside("apply", "plan.json", "--yes", "--break", "old-friend", **around).code == 0


def test_keep_looks_for_an_older_one_of_what_cannot_be_imported(inside: Inside, around, work: Path, offered: Path) -> None:
    """ipython 8.23 needs a typing-extensions that its metadata does not ask for."""
    env = environment(work, offered, "liar==3.0", "fine")
    done = inside("apply", "--env", str(env), "--keep", "--yes", "--json", **around)
    assert (done.code, done.json["state"]) == (0, "new"), done.err
    assert "liar cannot be imported so; looking for an older one" in done.err
    assert version_of(env, "liar") == "3.2"
    assert version_of(env, "six") == "2.0"


def test_keep_lets_go_of_what_only_another_version_needed_and_has_itself_now(inside: Inside, around, work: Path, offered: Path) -> None:
    """jupyter-builder was part of jupyterlab before 4.6."""
    env = environment(work, offered, "lab==2.0", "fine")
    planned = inside("plan", "--env", str(env), "--keep", **around)
    assert "lab-core 1.0" in planned.out
    removals = inside("plan", "--env", str(env), "--keep", "--json", **around).json["removals"]
    assert {item["name"]: item["reason"] for item in removals}["lab-core"] == (
        "nothing needs it any more, and lab-core and lab both write lab_core.py, and not the same"
    )
    done = inside("apply", "--env", str(env), "--keep", "--yes", "--json", **around)
    assert (done.code, done.json["state"]) == (0, "new"), done.err
    assert version_of(env, "lab") == "1.0"
    assert not list(env.glob("lib/python3*/site-packages/lab_core-*"))
    assert inside("plan", "--env", str(env), "--exit-code", **around).code == 0
    # Where it is wanted by itself, nobody gives it up.
    assert inside("undo", "--env", str(env), "--yes", **around).code == 0
    refused = inside("plan", "--env", str(env), "--keep", "--with", "lab-core", **around)
    assert refused.code == 2
    assert "lab-core and lab both write lab_core.py" in refused.err


def test_keep_takes_no_version_of_another_series_of_what_nothing_needs_any_more(inside: Inside, around, work: Path, offered: Path) -> None:
    """pydantic 1 needs no pydantic-core, and pydantic-core 0.42 is of no use to anybody."""
    env = environment(work, offered, "show==2.0", "fine")
    plan = inside("plan", "--env", str(env), "--keep", "--json", **around).json
    assert {item["name"]: item["version"] for item in plan["packages"]} == {"show": "1.0", "six": "2.0", "tensorflow-cpu": VERSION}
    assert {item["name"]: item["reason"] for item in plan["removals"]}["engine"] == (
        "nothing needs it any more, and engine 2.50 needs six<2; the set has 2.0"
    )
    # Asked for by name, it comes.
    asked = inside("plan", "--env", str(env), "--keep", "--with", "engine", "--json", **around).json
    assert {item["name"]: item["version"] for item in asked["packages"]}["engine"] == "0.42"


def test_a_package_that_would_lose_its_files_to_the_set_is_named_before(inside: Inside, around, work: Path, offered: Path) -> None:
    """nvidia-nccl-cu13 of a torch, beside a set with nvidia-nccl-cu12."""
    # In the shared ones other tests may have left the set's lists of files.
    around = {**around, "UV_CACHE_DIR": str(work / "uv-cache"), "TFSETUP_CACHE_DIR": str(work / "cache")}
    env = environment(work, offered, "double", "fine")
    subprocess.run([sys.executable, "-m", "uv", "pip", "uninstall", "-q", "--python", f"{env}/bin/python", "six"], check=True)
    assert inside("plan", "--env", str(env), **around).code == 0, "nobody knows the set's files yet, and no network is asked"
    assert inside("apply", "--env", str(work / "other"), "--yes", **around).code == 0
    refused = inside("plan", "--env", str(env), **around)
    assert refused.code == 2
    assert "double and six both write six.py" in refused.err


def test_what_only_the_replaced_tensorflow_needs_makes_room(inside: Inside, around, work: Path, offered: Path) -> None:
    """tb-nightly and keras-nightly, beside a TensorFlow that brings tensorboard and keras."""
    around = {**around, "UV_CACHE_DIR": str(work / "uv-cache")}
    assert inside("apply", "--env", str(work / "other"), "--yes", **around).code == 0
    env = environment(work, offered, "tf-nightly", "fine")
    subprocess.run([sys.executable, "-m", "uv", "pip", "uninstall", "-q", "--python", f"{env}/bin/python", "six"], check=True)
    planned = inside("plan", "--env", str(env), "-t", VERSION, "--json", **around).json
    assert {item["name"]: item["reason"] for item in planned["removals"]}["double"] == (
        "only the TensorFlow that is replaced needs it, and double and six both write six.py, and not the same"
    )
    done = inside("apply", "--env", str(env), "-t", VERSION, "--yes", "--json", **around)
    assert (done.code, done.json["state"]) == (0, "new"), done.err
