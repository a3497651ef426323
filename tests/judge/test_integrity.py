"""Files against their records, in small real environments."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.environment.distributions import sites
from provisioner.environment.metadata import parse_metadata
from provisioner.host.local import LocalHost
from provisioner.judge.integrity import SMALL, check
from tests.verify.support import SITE, install

BIG = "x" * (SMALL + 1)


@pytest.fixture
def env(tmp_path):
    folder = tmp_path / "an env [1]"
    install(folder, "demo", "1.0", {"demo/__init__.py": "a = 1\n", "demo/lib.so": BIG, "demo/empty.txt": "", "demo/big.py": "#" + BIG})
    return folder


def faults(env: Path, **options):
    found = check(LocalHost(), str(env), **options)
    return [(item.kind, Path(item.path).name, item.distribution) for item in found.faults]


def test_as_recorded(env):
    found = check(LocalHost(), str(env))
    assert (found.files, found.hashed, found.faults, found.rivals) == (5, 4, (), ())
    assert [(item.name, item.version) for item in found.distributions] == [("demo", "1.0")]
    assert check(LocalHost(), str(env), deep=True).hashed == 5


def test_missing(env):
    (env / SITE / "demo/lib.so").unlink()
    assert faults(env) == [("missing", "lib.so", "demo")]


def test_truncated(env):
    (env / SITE / "demo/lib.so").write_text("x")
    assert faults(env) == [("size", "lib.so", "demo")]
    assert check(LocalHost(), str(env)).faults[0].detail == f"1 bytes instead of {SMALL + 1}"


@pytest.mark.parametrize(("name", "text"), [("__init__.py", "a = 2\n"), ("big.py", "!" + BIG)])
def test_source_of_any_size_is_compared_by_content(env, name, text):
    (env / SITE / "demo" / name).write_text(text)
    assert faults(env) == [("content", name, "demo")]


def test_large_files_are_hashed_only_deep(env):
    (env / SITE / "demo/lib.so").write_text("y" * len(BIG))
    assert faults(env) == []
    assert faults(env, deep=True) == [("content", "lib.so", "demo")]


def test_certificates_that_were_added_are_no_damage(env):
    install(env, "certifi", "1.0", {"certifi/cacert.pem": "-----BEGIN CERTIFICATE-----\n", "certifi/core.py": "x = 1\n"})
    bundle = env / SITE / "certifi" / "cacert.pem"
    whole = bundle.read_text()
    bundle.write_text(whole + "the company's own\n")
    assert faults(env) == [("appended", "cacert.pem", "certifi")]
    bundle.write_text("the company's own, and nothing of what was there before\n")
    assert faults(env) == [("size", "cacert.pem", "certifi")]
    bundle.write_text(whole)
    (env / SITE / "certifi" / "core.py").write_text("x = 1\ny = 2\n")
    assert faults(env) == [("size", "core.py", "certifi")]


def test_links_to_the_right_content_are_right(env, tmp_path):
    moved = tmp_path / "cache"
    (env / SITE / "demo/lib.so").rename(moved)
    (env / SITE / "demo/lib.so").symlink_to(moved)
    assert faults(env) == []
    moved.write_text("short")
    assert faults(env) == [("size", "lib.so", "demo")]


def test_dangling_link_is_missing(env, tmp_path):
    (env / SITE / "demo/lib.so").unlink()
    (env / SITE / "demo/lib.so").symlink_to(tmp_path / "nowhere")
    assert faults(env) == [("missing", "lib.so", "demo")]


def test_leftovers_of_pip(env):
    (env / SITE / "~emo").mkdir()
    (env / SITE / "gone-1.0.dist-info").mkdir()
    assert sorted(faults(env)) == [("leftover", "gone-1.0.dist-info", "gone-1.0.dist-info"), ("leftover", "~emo", "")]


def test_without_record(env):
    (env / SITE / "demo-1.0.dist-info/RECORD").unlink()
    assert faults(env) == [("no record", "demo-1.0.dist-info", "demo")]


def test_same_path_of_two_packages_may_be_either(env):
    install(env, "other", "2.0", {"demo/__init__.py": "a = 3\n"})
    assert faults(env) == []


def test_rivals_are_named_and_their_files_not_counted_one_by_one(env):
    install(env, "tensorflow", "2.20.0", {"tensorflow/__init__.py": "1", "tensorflow/old.py": "1"})
    install(env, "tensorflow-cpu", "2.21.0", {"tensorflow/__init__.py": "22"})
    (env / SITE / "tensorflow/old.py").unlink()
    found = check(LocalHost(), str(env))
    assert (found.rivals, found.faults) == (("tensorflow", "tensorflow-cpu"), ())


def test_the_shell_around_another_build_owns_no_folder(env):
    """As on Windows and aarch64: ``tensorflow`` only requires the distribution that has the package."""
    install(env, "tensorflow", "2.20.0", {}, requires=("tensorflow-cpu-aws==2.20.0",))
    install(env, "tensorflow-cpu-aws", "2.20.0", {"tensorflow/__init__.py": "1"})
    found = check(LocalHost(), str(env))
    assert (found.owners, found.rivals) == (("tensorflow-cpu-aws",), ())


def test_strays_in_the_tensorflow_folder(env):
    install(env, "tensorflow", "2.20.0", {"tensorflow/__init__.py": "1", "tensorflow/python/a.py": "1"})
    for name in ("left.py", "left.so.2", "a.pyc", "note.txt"):
        (env / SITE / "tensorflow/python" / name).write_text("1")
    (env / SITE / "tensorflow/python/link.so").symlink_to("left.so.2")
    assert sorted(faults(env)) == [("stray", "left.py", ""), ("stray", "left.so.2", "")]


def test_nothing_installed(tmp_path):
    found = check(LocalHost(), str(tmp_path))
    assert (found.files, found.distributions, sites(LocalHost(), str(tmp_path))) == (0, (), ())


def test_metadata_ends_at_the_first_empty_line():
    text = "Name: Ab_c\nVersion: 1\nRequires-Dist: a>1\nrequires-dist: b\nRequires-Python: >=3.9\n\nRequires-Dist: not this\n"
    assert parse_metadata(text) == ("ab-c", "1", ("a>1", "b"), ">=3.9")
