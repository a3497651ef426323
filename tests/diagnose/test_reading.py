"""What is read from an environment may be anything: the readers give an answer for every text, in bounded time."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioner.diagnose import module_path, packages
from provisioner.diagnose.case import PathEntry
from provisioner.diagnose.installed import distributions
from provisioner.environment.config import parse_config
from provisioner.environment.metadata import parse_metadata
from provisioner.host.local import LocalHost
from provisioner.judge import integrity
from tests.support import FixedHost

ANY = st.one_of(st.binary(max_size=400), st.text(max_size=400).map(lambda text: text.encode("utf-8", "surrogatepass")))
ROWS = st.lists(
    st.sampled_from(
        [
            "a.py,sha256=x,1", "../../../../etc/passwd,,", "/etc/shadow,sha256=,9", '"a,b.py",,', "a.py,sha256=x," + "9" * 5000, "\0,\0,\0", ",,,",
            "../../../bin/x,,3", '"never closed', "x" * 200_000 + ",,", "a.py", "./a.py,,1", "é\ud800.py,,1", "\r", "a\\b.py,,1",
        ]
    ),
    max_size=8,
).map(lambda rows: "\n".join(rows).encode("utf-8", "surrogatepass"))  # fmt: skip
settings.register_profile("reading", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def environment(folder: Path, *, metadata: bytes, record: bytes) -> Path:
    info = folder / "lib/python3.11/site-packages/numpy-1.26.4.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_bytes(metadata)
    (info / "RECORD").write_bytes(record)
    (info / "WHEEL").write_bytes(metadata)
    return folder


@given(metadata=ANY, record=st.one_of(ANY, ROWS))
@settings(settings.get_profile("reading"))
def test_metadata_and_record_of_any_kind(tmp_path_factory, metadata, record):
    env = environment(tmp_path_factory.mktemp("env"), metadata=metadata, record=record)
    state = integrity.check(LocalHost(), str(env), deep=True)
    assert all(fault.path.startswith(str(env)) for fault in state.faults)
    site = str(env / "lib/python3.11/site-packages")
    (found,) = distributions(LocalHost(), (PathEntry(path=site, origin="environment"),))
    assert found.name
    assert found.version


def test_a_record_that_leads_out_is_not_followed(tmp_path):
    (tmp_path / "secret").write_text("1")
    env = environment(
        tmp_path / "env", metadata=b"Name: numpy\nVersion: 1.26.4\n", record=b"../../../../secret,sha256=x,5\n/etc/passwd,,1\n"
    )
    state = integrity.check(LocalHost(), str(env), deep=True)
    assert (state.faults, state.files) == ((), 0)


def test_a_record_that_is_no_table_ends_where_it_stops_to_be_one(tmp_path):
    env = environment(tmp_path, metadata=b"Name: numpy\nVersion: 1.26.4\n", record=b"numpy/a.py,,1\n" + b"x" * 300_000)
    assert [(fault.kind, Path(fault.path).name) for fault in integrity.check(LocalHost(), str(env)).faults] == [("missing", "a.py")]


@given(st.text(max_size=300))
@settings(settings.get_profile("reading"))
def test_any_text_as_metadata_and_configuration(text):
    parse_metadata(text)
    assert all(isinstance(value, str) for value in parse_config(text).values())


@pytest.mark.parametrize(
    ("text", "origin"),
    [("/somewhere/libs", "other"), ("libs", "pth"), ("import sys; sys.path.insert(1, '{libs}')", "pth"), ("# {libs}\0", "other")],
)
def test_where_an_entry_comes_from(tmp_path, text, origin):
    site, libs = tmp_path / "lib/python3.11/site-packages", tmp_path / "lib/python3.11/site-packages/libs"
    libs.mkdir(parents=True)
    (site / "one.pth").write_text(text.replace("{libs}", str(libs)))
    answer = {"path": [str(site), str(libs)], "prefix": "/p", "base_prefix": "/b", "user_site": "", "stdlib": ["/b/lib"]}
    first, second = module_path.entries(LocalHost(), answer, "/work", "")
    assert first.origin == "base"
    assert (second.origin, second.by) == (origin, str(site / "one.pth") if origin == "pth" else "")


def test_entries_of_pythonpath_and_of_the_working_folder(tmp_path):
    answer = {
        "path": ["/work", str(tmp_path), "/b/lib", "/u"],
        "prefix": "/p",
        "base_prefix": "/b",
        "user_site": "/u",
        "stdlib": ["/b/lib"],
    }
    found = module_path.entries(FixedHost({"PYTHONPATH": str(tmp_path)}), answer, "/work", "")
    assert [entry.origin for entry in found] == ["cwd", "PYTHONPATH", "stdlib", "user"]


@pytest.mark.parametrize(("version", "minor"), [("3.11.7", "3.11"), ("3.13.0rc1", "3.13"), ("", ""), ("x", "")])
def test_minor_versions(version, minor):
    assert packages.minor(version) == minor
