"""Files against their records, in small real environments."""

from __future__ import annotations

import base64
import hashlib
import os
import time
from pathlib import Path

import pytest

from provisioner.environment.distributions import sites
from provisioner.environment.metadata import parse_metadata
from provisioner.host.local import LocalHost
from provisioner.judge.integrity import check
from provisioner.judge.memory import TICK, Memory
from tests.verify.support import SITE, install

BIG = "x" * 70_000


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
    assert (found.files, found.faults, found.rivals) == (5, (), ())
    assert [(item.name, item.version) for item in found.distributions] == [("demo", "1.0")]


def test_missing(env):
    (env / SITE / "demo/lib.so").unlink()
    assert faults(env) == [("missing", "lib.so", "demo")]


def test_byte_code_that_is_not_there_is_written_again(env):
    """virtualenv records folders of byte code that nobody has made yet: each environment of its was called damaged."""
    record = env / SITE / "demo-1.0.dist-info/RECORD"
    record.write_text(record.read_text() + "demo/__pycache__,,\ndemo/__pycache__/big.cpython-311.pyc,,\n")
    assert faults(env) == []


def test_truncated(env):
    (env / SITE / "demo/lib.so").write_text("x")
    assert faults(env) == [("size", "lib.so", "demo")]
    assert check(LocalHost(), str(env)).faults[0].detail == f"1 bytes instead of {len(BIG)}"


@pytest.mark.parametrize(("name", "text"), [("__init__.py", "a = 2\n"), ("big.py", "!" + BIG)])
def test_source_of_any_size_is_compared_by_content(env, name, text):
    (env / SITE / "demo" / name).write_text(text)
    assert faults(env) == [("content", name, "demo")]


def test_large_files_are_compared_by_content(env):
    (env / SITE / "demo/lib.so").write_text("y" * len(BIG))
    assert faults(env) == [("content", "lib.so", "demo")]


class TestMemory:
    @pytest.fixture
    def memory(self, tmp_path):
        # A file that was written within the last tick of the clock may be written again without a trace.
        time.sleep(2 * TICK / 1e9)
        return Memory(LocalHost(), str(tmp_path / "memory"))

    def test_what_has_not_changed_is_not_read_again(self, env, memory, monkeypatch):
        whole = check(LocalHost(), str(env), memory=memory)
        monkeypatch.setattr(LocalHost, "sha256", lambda *_: pytest.fail("a file was read again"))
        assert check(LocalHost(), str(env), memory=memory) == whole

    def test_damage_is_remembered_too(self, env, memory):
        (env / SITE / "demo/__init__.py").write_text("a = 2\n")
        time.sleep(2 * TICK / 1e9)
        found = [faults(env, memory=memory) for _ in range(2)]
        assert found == [[("content", "__init__.py", "demo")]] * 2

    @pytest.mark.parametrize("change", ["content", "same time", "record", "gone", "script"])
    def test_every_change_is_seen(self, env, memory, change):
        path = env / SITE / "demo/__init__.py"
        install(env, "tool", "1.0", {"../../../bin/tool": "#!python\n"})
        time.sleep(2 * TICK / 1e9)
        assert faults(env, memory=memory) == []
        before = path.stat()
        if change in {"content", "same time"}:
            path.write_text("a = 2\n")
        if change == "same time":
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        elif change == "record":
            record = env / SITE / "demo-1.0.dist-info/RECORD"
            record.write_text(record.read_text().replace("sha256=", "sha256=x", 1))
        elif change == "gone":
            path.unlink()
        elif change == "script":
            (env / "bin/tool").write_text("#!PYTHON\n")
        assert len(faults(env, memory=memory)) == 1

    def test_a_damaged_memory_is_none(self, env, memory, tmp_path):
        check(LocalHost(), str(env), memory=memory)
        for path in (tmp_path / "memory").iterdir():
            path.write_text('{"form": 1')
        assert faults(env, memory=memory) == []


@pytest.mark.parametrize(("text", "wrong"), [("a = 1\n", []), ("a = 2\n", [("content", "__init__.py", "demo")])])
def test_a_link_may_take_the_place_of_a_folder(env, tmp_path, text, wrong):
    (env / SITE / "demo").rename(tmp_path / "elsewhere")
    (env / SITE / "demo").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/__init__.py").write_text(text)
    assert faults(env) == wrong


def test_a_wheel_that_contradicts_its_own_record_as_published(env):
    (env / SITE / "demo/__init__.py").write_text("a = 2\n")
    assert faults(env) == [("content", "__init__.py", "demo")]
    digests = [base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode() for text in (b"a = 1\n", b"a = 2\n")]
    known = frozenset({("demo/__init__.py", *digests)})
    assert faults(env, published=known) == [("published", "__init__.py", "demo")]
    (env / SITE / "demo/__init__.py").write_text("a = 3\n")
    assert faults(env, published=known) == [("content", "__init__.py", "demo")]
    (env / SITE / "demo/__init__.py").unlink()
    assert faults(env, published=known) == [("missing", "__init__.py", "demo")]
    assert faults(env, published=frozenset({("demo/__init__.py", digests[0], "")})) == [("published", "__init__.py", "demo")]


def test_a_wheel_that_was_given_another_version_after_its_record_was_written(env):
    """torch 1.12.1 on PyPI is 1.12.1+cu102, with the record of that: `doctor` said that its files were damaged."""
    install(env, "torch", "1.12.1", {"torch/__init__.py": "x = 1\n"})
    (info,) = (env / SITE).glob("torch-*.dist-info")
    metadata, record = info / "METADATA", info / "RECORD"
    text = metadata.read_bytes()
    labelled = text.replace(b"Version: 1.12.1", b"Version: 1.12.1+cu102")
    digest = base64.urlsafe_b64encode(hashlib.sha256(labelled).digest()).rstrip(b"=").decode()
    rows = [row for row in record.read_text().splitlines() if not row.startswith(f"{info.name}/METADATA")]
    record.write_text("\n".join([*rows, f"{info.name}/METADATA,sha256={digest},{len(labelled)}"]) + "\n")
    assert faults(env) == [("published", "METADATA", "torch")]
    metadata.write_bytes(text.replace(b"Version", b"version"))
    assert faults(env) == [("size", "METADATA", "torch")]
    metadata.write_bytes(text + b"X" * 6)
    assert faults(env) == [("content", "METADATA", "torch")]


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


def test_two_packages_that_write_one_file_are_named_both(env):
    install(env, "other", "2.0", {"demo/__init__.py": "a = 3\n", "demo/empty.txt": ""})
    (fault,) = check(LocalHost(), str(env)).faults
    assert (fault.kind, fault.distribution, fault.other, Path(fault.path).name) == ("two writers", "demo", "other", "__init__.py")
    (env / SITE / "demo/__init__.py").write_text("a = 4\n")
    assert [kind for kind, *_ in faults(env)] == ["content"]


@pytest.mark.parametrize(("function", "found"), [("demo:main", []), ("other:main", ["two writers"])])
def test_a_command_that_two_packages_declare_is_one_where_it_calls_the_same(env, function, found):
    """TensorFlow 2.4 and TensorBoard both have the command ``tensorboard``; each installer writes it in words of its own."""
    for name, text, called in (("one", "#!/a\n", "demo:main"), ("other", "#!/b\n# longer\n", function)):
        points = f"[console_scripts]\ndemo = {called}\n"
        install(env, name, "1.0", {"../../../bin/demo": text, f"{name}-1.0.dist-info/entry_points.txt": points})
    assert [kind for kind, *_ in faults(env)] == found


@pytest.mark.parametrize("path", ["tests/__init__.py", "docs/conf.py", "examples/a/b.py", "LICENSE", "README.md", "CHANGES.txt"])
def test_what_many_packages_drop_beside_themselves_is_nobodys(env, path):
    install(env, "one", "1.0", {path: "1"})
    install(env, "other", "2.0", {path: "2"})
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
