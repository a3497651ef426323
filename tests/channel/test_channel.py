"""The channel that the tests build is one that rattler solves from and installs, and its environments work."""

from __future__ import annotations

import asyncio
import ctypes
import dataclasses
import functools
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.channel import broken, build, cuda, metadata, packages, python, tensorflow
from tests.channel.using import LINUX, install, names, solve
from tests.support import PYTHON

rattler = pytest.importorskip("rattler")
errors = pytest.importorskip("rattler.exceptions")
index = pytest.importorskip("rattler.index")

PYTHONS = ("3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
HERE = tuple(version for version in PYTHONS if python.is_here(version))
# The one that the tests of conda environments pack, too.
ONE = PYTHON if PYTHON in HERE else HERE[-1] if HERE else "3.13"
PROGRAM = (
    "import json, sys, ssl, sqlite3, ctypes, sysconfig; print(json.dumps([sys.prefix, sys.version, sysconfig.get_config_var('prefix')]))"
)


def run(prefix: Path, *argv: str) -> str:
    """Run the environment's Python on its own."""
    done = subprocess.run([str(prefix / "bin/python"), "-I", *argv], capture_output=True, text=True, check=False, env={"PATH": "/bin"})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> build.Channel:
    """A channel of one Python, and of CUDA's libraries where there is a compiler."""
    own = [ONE] if HERE else []
    libraries = cuda.every() if cuda.COMPILER else metadata.openmp("linux-64")
    return build.build(tmp_path_factory.mktemp("channel"), [*build.pythons(*own), *libraries, broken.with_entry_point()])


@pytest.fixture(scope="module")
def channel_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], build.Channel]:
    """Channels of one Python each, for those that are asked for."""
    return functools.cache(lambda version: build.build(tmp_path_factory.mktemp("one") / "channel", build.pythons(version)))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> build.Channel:
    """A channel of conda-forge's declarations; the CUDA toolkits are empty."""
    toolkits = [dataclasses.replace(package, files={}) for package in cuda.every()]
    return build.build(tmp_path_factory.mktemp("stack"), [*metadata.stack(), *tensorflow.releases(), *toolkits])


class TestPackages:
    @pytest.mark.parametrize("kind", packages.KINDS)
    def test_the_same_input_gives_the_same_bytes(self, tmp_path, kind):
        first, second = (packages.write(broken.with_entry_point(), tmp_path / name, kind) for name in "ab")
        assert first.path.read_bytes() == second.path.read_bytes()
        assert first.record == second.record

    @pytest.mark.parametrize("kind", packages.KINDS)
    def test_every_kind_of_path_is_linked(self, tmp_path, kind):
        files = {
            "bin/program": packages.File(f"#!{packages.PLACEHOLDER}/bin/sh\n".encode(), 0o755),
            "lib/binary": b"\0" + packages.PLACEHOLDER.encode() + b"/share\0",
            "lib/link": packages.File(link="binary"),
        }
        made = build.build(tmp_path / "channel", [packages.Package(name="all", version="1", files=files)], [kind])
        prefix = install(solve(made.url, "all", cache=tmp_path), tmp_path / "env", cache=tmp_path)
        assert (prefix / "bin/program").read_text() == f"#!{prefix}/bin/sh\n"
        assert (prefix / "bin/program").stat().st_mode & 0o777 == 0o755
        assert (prefix / "lib/binary").read_bytes() == b"\0" + bytes(prefix) + b"/share" + bytes(256 - len(bytes(prefix)))
        assert (prefix / "lib/link").readlink() == Path("binary")
        record = json.loads((prefix / "conda-meta/all-1-0.json").read_text())
        assert {path["_path"] for path in record["paths_data"]["paths"]} == set(files)

    def test_rattler_reads_from_the_packages_what_repodata_says(self, tmp_path):
        items = [broken.with_entry_point(), broken.with_script(), *metadata.openmp("linux-64"), *metadata.microarchitectures()]
        made = build.build(tmp_path, items, packages.KINDS)
        ours = {subdir: json.loads((tmp_path / subdir / "repodata.json").read_text()) for subdir in build.SUBDIRS}
        asyncio.run(index.index_fs(tmp_path, force=True))
        assert made.package("hello").path.exists()
        for subdir, mine in ours.items():
            theirs = json.loads((tmp_path / subdir / "repodata.json").read_text())
            for kind in ("packages", "packages.conda"):
                assert {name: comparable(record) for name, record in mine[kind].items()} == {
                    name: comparable(record) for name, record in theirs[kind].items()
                }


def comparable(record: dict[str, object]) -> dict[str, object]:
    """Return an entry of repodata.json without what is another spelling of the same."""
    kept = {key: value for key, value in record.items() if value and key != "indexed_timestamp"}
    for key in ("depends", "constrains"):
        if key in kept:
            kept[key] = [str(rattler.MatchSpec(spec, strict=False)) for spec in kept[key]]
    return kept


class TestPython:
    @pytest.mark.parametrize(
        "version",
        [pytest.param(version, marks=[python.needs(version), *([] if version == ONE else [pytest.mark.slow])]) for version in PYTHONS],
    )
    def test_runs_where_it_was_linked(self, channel_of, cache, tmp_path, version):
        channel = channel_of(version)
        prefix = install(solve(channel.url, f"python {version}.*", cache=cache), tmp_path / "env", cache=cache)
        found, text, built = json.loads(run(prefix, "-c", PROGRAM))
        assert (found, built) == (str(prefix), str(prefix))
        assert text.startswith(f"{version}.")
        loaded = run(prefix, "-c", "import ssl; print(*[line.split()[-1] for line in open('/proc/self/maps') if 'libpython' in line])")
        assert all(path.startswith(str(prefix)) for path in loaded.split())

    @pytest.mark.slow
    @python.needs(ONE)
    def test_prefix_with_spaces(self, channel, cache, tmp_path):
        records = solve(channel.url, f"python {ONE}.*", "pip", "hello", cache=cache)
        prefix = install(records, tmp_path / "a place with spaces", cache=cache)
        assert json.loads(run(prefix, "-c", PROGRAM))[0] == str(prefix)
        for command in (["pip", "--version"], ["tfsetup-test-hello"]):
            said = subprocess.run([prefix / "bin" / command[0], *command[1:]], capture_output=True, text=True, check=True).stdout
            assert str(prefix) in said

    @pytest.mark.slow
    @python.needs(ONE)
    def test_linked_aside_and_renamed(self, channel, cache, tmp_path):
        records, place = solve(channel.url, f"python {ONE}.*", "pip", cache=cache), tmp_path / "env"
        install(records, tmp_path / "aside", cache=cache, alternative_target_prefix=place).rename(place)
        found, _, built = json.loads(run(place, "-c", PROGRAM))
        assert (found, built) == (str(place), str(place))
        assert str(place) in subprocess.run([place / "bin/pip", "--version"], capture_output=True, text=True, check=True).stdout

    def test_another_run_does_not_pack_again(self, tmp_path):
        made = []

        def make(folder: Path) -> None:
            made.append(folder)
            (folder / "content").touch()

        first = build.kept("name", "key", make, tmp_path)
        assert (first, len(made)) == (build.kept("name", "key", make, tmp_path), 1)
        assert build.kept("name", "other", make, tmp_path) != first
        assert [path.name for path in tmp_path.iterdir()] != [first.name]
        assert len(list(tmp_path.iterdir())) == 1

    def test_one_that_is_not_here_is_named(self):
        with pytest.raises(python.MissingPythonError, match=r"Python 3\.99 is not on this machine"):
            python.find("3.99")


@cuda.NEEDS_COMPILER
class TestCuda:
    @pytest.mark.parametrize(("version", "cuda_minor"), list(cuda.CUDNN))
    def test_is_opened_without_a_library_path(self, channel, cache, tmp_path, version, cuda_minor):
        records = solve(channel.url, f"cudnn {version}.*", f"cudatoolkit {cuda_minor}.*", cache=cache)
        prefix = install(records, tmp_path / "env", cache=cache)
        sonames = [name for record in records for name in sonames_of(prefix, record)]
        assert "libcudart.so." in " ".join(sonames)
        for soname in sonames:
            library = ctypes.CDLL(str(prefix / "lib" / soname))
            library.installed_prefix.restype = ctypes.c_char_p
            assert library.installed_prefix().decode() == str(prefix)
        assert ctypes.CDLL(str(prefix / f"lib/libcudnn.so.{version[0]}")).cudnnGetVersion() == cuda.number_of(version)

    @python.needs(ONE)
    def test_the_environments_python_opens_them(self, channel, cache, tmp_path):
        prefix = install(solve(channel.url, f"python {ONE}.*", "cudatoolkit 10.0.*", "cudnn", cache=cache), tmp_path / "env", cache=cache)
        program = (
            "import ctypes, sys; number = ctypes.c_int();"
            "ctypes.CDLL(sys.prefix + '/lib/libcudart.so.10.0').cudaRuntimeGetVersion(ctypes.byref(number)); print(number.value)"
        )
        assert run(prefix, "-c", program).strip() == "10000"

    def test_the_driver_is_a_constraint(self, channel, cache):
        assert "cudatoolkit" in names(solve(channel.url, "cudatoolkit 10.1.*", cache=cache))
        with pytest.raises(errors.SolverError):
            solve(channel.url, "cudatoolkit 10.1.*", virtual={**LINUX, "__cuda": ("10.0", "0")}, cache=cache)


def sonames_of(prefix: Path, record: object) -> Iterator[str]:
    """Yield the names by which a package's libraries are opened."""
    written = json.loads((prefix / f"conda-meta/{record.file_name.removesuffix('.conda')}.json").read_text())
    for path in written["files"]:
        if ".so." in path and (prefix / path).is_symlink():
            yield Path(path).name


@cuda.NEEDS_COMPILER
class TestTensorFlow:
    @pytest.mark.parametrize(
        ("spec", "virtual", "expected"),
        [
            ("tensorflow", {}, "2.19.1=cpu_py312h3234567_55"),
            ("tensorflow", {"__archspec": ("1", "skylake_avx512")}, "2.19.1=cpu_py312h3234567_55"),
            ("tensorflow", {"__archspec": ("1", "x86_64_v2")}, "2.19.1=cpu_py312h1234567_5"),
            ("tensorflow", {"__cuda": ("12.9", "0")}, "2.19.1=cuda128py312h3234567_255"),
            ("tensorflow", {"__cuda": ("11.8", "0")}, "2.19.1=cpu_py312h3234567_55"),
            ("tensorflow 2.10.*", {}, "2.10.0=cpu_py310h0234567_0"),
            ("tensorflow 2.10.*", {"__cuda": ("11.2", "0")}, "2.10.0=cuda112py310h0234567_0"),
            ("tensorflow 2.14.*", {"__cuda": ("12.4", "0")}, "2.14.0=cuda118py310h0234567_0"),
            ("tensorflow-sse3 * cpu_py312*", {}, "2.19.1=cpu_py312h1234567_5"),
        ],
    )
    def test_the_machine_chooses_the_build(self, stack, cache, spec, virtual, expected):
        assert names(solve(stack.url, spec, virtual={**LINUX, **virtual}, cache=cache))["tensorflow"] == expected

    @pytest.mark.parametrize(("subdir", "number"), [("linux-aarch64", 3), ("osx-arm64", 5)])
    def test_other_platforms_have_the_cpu_build(self, stack, cache, subdir, number):
        virtual = {"__osx": ("14.0", "0")} if subdir.startswith("osx") else {"__glibc": ("2.35", "0")}
        found = names(solve(stack.url, "tensorflow", virtual=virtual, subdir=subdir, cache=cache))
        assert found["tensorflow"] == f"2.19.1=cpu_py312h0234567_{number}"

    def test_windows_has_none_but_has_numpy(self, stack, cache):
        virtual = {"__win": ("0", "0")}
        assert "numpy" in names(solve(stack.url, "numpy", virtual=virtual, subdir="win-64", cache=cache))
        with pytest.raises(errors.SolverError, match="No candidates"):
            solve(stack.url, "tensorflow", virtual=virtual, subdir="win-64", cache=cache)

    def test_one_openmp_of_two(self, stack, cache):
        found = names(solve(stack.url, "tensorflow", "_openmp_mutex * *_kmp_llvm", cache=cache))
        assert found["_openmp_mutex"] == "4.5=2_kmp_llvm"
        assert "libgomp" not in found

    def test_it_can_be_installed(self, stack, cache, tmp_path):
        records = solve(stack.url, "tensorflow", cache=cache)
        prefix = install(records, tmp_path / "env", cache=cache)
        assert len(list((prefix / "conda-meta").glob("*.json"))) == len(records)
