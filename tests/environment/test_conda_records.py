"""Conda environments as they are read: records, owners of distributions, and what protects an environment."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from provisioner.environment.conda_records import distribution_owners, parse_record, protection, read_index, read_records
from provisioner.host.local import LocalHost
from provisioner.model.conda import CondaFile, CondaRecord
from tests.facts.fake_reader import FakeReader

META = "/env/conda-meta"
PLACEHOLDER = "/opt/placehold_placehold_placehold_placehold_placehold"
NAMED = CondaRecord(name="a", version="1", build="h_0", meta="conda-meta/a-1-h_0.json")


def _record(**fields: object) -> str:
    return json.dumps({"name": "a", "version": "1", "build": "h_0", **fields})


def test_the_index_reads_no_file() -> None:
    files = {
        f"{META}/cuda-nvcc_linux-64-12.4.131-h_0.json": OSError(5, "Input/output error"),
        f"{META}/history": "",
        f"{META}/odd.json": "{}",
    }
    found = read_index(FakeReader(files), "/env")
    assert [(item.name, item.version, item.build) for item in found] == [("cuda-nvcc_linux-64", "12.4.131", "h_0"), ("odd", "", "")]
    assert read_index(FakeReader({}), "/env") == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "no record"),
        ('{"name": "a"}', "no record"),
        ('{"name": "a", "version": 1, "build": ""}', "no record"),
        (PermissionError(13, "Permission denied"), "cannot be read: permission denied"),
        (b"\xff\xfe\x00", "not valid JSON"),
    ],
)
def test_a_broken_record_is_reported_and_still_has_its_name(text: object, problem: str) -> None:
    found = read_records(FakeReader({f"{META}/a-1-h_0.json": text}), "/env")
    assert [(item.name, item.version, item.build, item.files) for item in found] == [("a", "1", "h_0", ())]
    assert problem in found[0].problem


def test_paths_out_of_the_environment_are_left_out() -> None:
    paths = [{"_path": "/etc/passwd"}, {"_path": "../x"}, {"_path": "ok"}, {"_path": 3}, 4, {}]
    found = parse_record(_record(paths_data={"paths": paths}), NAMED)
    assert [file.path for file in found.files] == ["ok"]
    assert "/etc/passwd, ../x" in found.problem


def test_fields_of_another_kind_are_taken_for_missing() -> None:
    found = parse_record(
        _record(depends="x", size=True, channel=3, noarch=True, requested_spec="None", paths_data=[], files=["bin/x"]), NAMED
    )
    assert (found.depends, found.size, found.channel, found.noarch, found.requested) == ((), 0, "", "generic", ())
    assert found.files == (CondaFile(path="bin/x"),)


@pytest.mark.parametrize(
    ("data", "requested"),
    [({"requested_spec": "a >=1"}, ("a >=1",)), ({"requested_specs": ["a", "a <2"], "requested_spec": "b"}, ("a", "a <2")), ({}, ())],
)
def test_requested(data: dict, requested: tuple[str, ...]) -> None:
    assert parse_record(_record(**data), NAMED).requested == requested


def test_owners_of_distributions() -> None:
    def package(name: str, *paths: str) -> CondaRecord:
        return CondaRecord(name=name, version="1", build="0", meta="", files=tuple(CondaFile(path=path) for path in paths))

    records = [
        package("py-one", "lib/python3.11/site-packages/One_And.Half-1.0.dist-info/METADATA", "bin/x"),
        package("two", "site-packages/two-2.0-py3.8.egg-info", "lib/python3.8/site-packages/two/METADATA"),
        package("three", "lib/python3.8/site-packages/Three-3-py3.8.egg-info/PKG-INFO"),
        package("none", "lib/python3.8/site-packages/x-1.dist-info/RECORD"),
    ]
    assert distribution_owners(records) == {"one-and-half": "py-one", "two": "two", "three": "three"}


ROOT = "/opt/conda"
PROTECTED = {
    "nothing": ({}, "/env", ""),
    "frozen, empty": ({f"{META}/frozen": ""}, "/env", "it is frozen (conda-meta/frozen is there)"),
    "frozen, with a message": ({f"{META}/frozen": '{"message": "ask\\nme"}'}, "/env", "it is frozen: ask me"),
    "frozen, broken": ({f"{META}/frozen": "{"}, "/env", "it is frozen (conda-meta/frozen is there)"),
    "frozen, unreadable": ({f"{META}/frozen": PermissionError(13, "no")}, "/env", "it is frozen (conda-meta/frozen is there)"),
    "a known root": ({f"{ROOT}/conda-meta/history": ""}, ROOT, "it is conda's own environment (base)"),
    "conda in it, with environments": ({"/env/condabin/conda": "", "/env/envs/x/y": ""}, "/env", "it is conda's own environment (base)"),
    "conda in it, with packages": (
        {f"{META}/conda-24.1.2-py_0.json": "", "/env/pkgs/x": ""},
        "/env",
        "it is conda's own environment (base)",
    ),
    "conda in it alone": ({f"{META}/conda-24.1.2-py_0.json": "", "/env/condabin/conda": ""}, "/env", ""),
    "conda-build in it": ({f"{META}/conda-build-24.1.2-py_0.json": "", "/env/pkgs/x": ""}, "/env", ""),
    "pixi, by its place": ({"/p/.pixi/envs/default/conda-meta/x": ""}, "/p/.pixi/envs/default", "it belongs to pixi"),
    "pixi, elsewhere": ({f"{META}/pixi": "{}"}, "/env", "it belongs to pixi"),
    "PEP 668": ({"/env/lib/python3.12/EXTERNALLY-MANAGED": ""}, "/env", "its Python is managed by others"),
}


@pytest.mark.parametrize("name", PROTECTED)
def test_protection(name: str) -> None:
    files, root, expected = PROTECTED[name]
    found = protection(FakeReader({f"{META}/history": "", **files}), root)
    assert found.startswith(expected)
    assert bool(found) == bool(expected)


def test_a_root_that_a_link_names() -> None:
    machine = FakeReader({"/data/mamba/conda-meta/history": ""}, links={"/mamba": "/data/mamba"}, env={"MAMBA_ROOT_PREFIX": "/mamba"})
    assert "base" in protection(machine, "/data/mamba")


def test_what_rattler_writes_is_read(tmp_path: Path) -> None:
    rattler = pytest.importorskip("rattler")
    texts = {
        "bin/tool": f"#!{PLACEHOLDER}/bin/python\n",
        "lib/libx.so.1": "x",
        "lib/python3.11/site-packages/Foo_Bar-1.0.dist-info/METADATA": "Name: Foo.Bar\n",
    }
    archive = _package(tmp_path / "channel/linux-64/foo-bar-1.0-h_0.tar.bz2", texts)
    (tmp_path / "index.json").write_text(json.dumps(INDEX))
    record = rattler.PackageRecord.from_index_json(tmp_path / "index.json")
    record.sha256 = hashlib.sha256(archive.read_bytes()).digest()
    found = rattler.RepoDataRecord(record, archive.name, archive.as_uri(), (tmp_path / "channel").as_uri())
    env = tmp_path / "an env"
    asyncio.run(rattler.install(records=[found], target_prefix=env, cache_dir=tmp_path / "cache", show_progress=False))
    (package,) = read_records(LocalHost(), str(env))
    assert (package.name, package.version, package.build, package.problem) == ("foo-bar", "1.0", "h_0", "")
    assert (package.url, package.channel, package.subdir) == (archive.as_uri(), (tmp_path / "channel").as_uri(), "linux-64")
    assert package.sha256 == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert package.depends == ("libc >=1",)
    assert {file.path for file in package.files} == {*texts, "lib/libx.so"}
    for file in package.files:
        if file.kind == "hardlink":
            assert file.sha256 == hashlib.sha256((env / file.path).read_bytes()).hexdigest(), file.path
    tool = next(file for file in package.files if file.path == "bin/tool")
    assert (tool.mode, tool.placeholder, tool.rewritten) == ("text", PLACEHOLDER, True)
    assert next(file.kind for file in package.files if file.path == "lib/libx.so") == "softlink"
    assert distribution_owners([package]) == {"foo-bar": "foo-bar"}
    assert read_index(LocalHost(), str(env))[0].build == "h_0"


INDEX = {"name": "foo-bar", "version": "1.0", "build": "h_0", "build_number": 0, "depends": ["libc >=1"], "subdir": "linux-64"}


def _package(path: Path, texts: dict[str, str]) -> Path:
    """Write a conda package with those files and one link."""
    path.parent.mkdir(parents=True)
    entries = []
    with tarfile.open(path, "w:bz2") as archive:

        def add(name: str, text: str) -> None:
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(text), 0o755
            archive.addfile(info, io.BytesIO(text.encode()))

        for name, text in texts.items():
            add(name, text)
            digest = hashlib.sha256(text.encode()).hexdigest()
            entry = {"_path": name, "path_type": "hardlink", "sha256": digest, "size_in_bytes": len(text)}
            entries.append(entry | ({"file_mode": "text", "prefix_placeholder": PLACEHOLDER} if PLACEHOLDER in text else {}))
        link = tarfile.TarInfo("lib/libx.so")
        link.type, link.linkname = tarfile.SYMTYPE, "libx.so.1"
        archive.addfile(link)
        entries.append({"_path": "lib/libx.so", "path_type": "softlink", "sha256": hashlib.sha256(b"x").hexdigest(), "size_in_bytes": 1})
        add("info/paths.json", json.dumps({"paths": entries, "paths_version": 1}))
        add("info/index.json", json.dumps(INDEX))
    return path
