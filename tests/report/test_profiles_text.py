"""`tfsetup profiles` on the shipped catalogue: table, filters, one release in full, the document."""

from __future__ import annotations

import functools
import re
from dataclasses import replace

import pytest

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.errors import UsageError
from provisioner.host.local import LocalHost
from provisioner.report.profiles_text import Entry, profiles_document, profiles_text, release_text, select


@functools.cache
def catalogue() -> Catalogue:
    return Catalogue.open(LocalHost(), find_profiles())


def chosen(**filters: str) -> tuple[Entry, ...]:
    return select(catalogue(), **{"release": "", "python": "", "device": "", **filters})


def test_the_table_has_a_line_for_each_release_and_a_column_for_each_python() -> None:
    lines = profiles_text(chosen(release="2.15", platform="linux-x86_64")).splitlines()
    assert lines[0].split() == ["release", "released", "3.9", "3.10", "3.11"]
    assert [line.split()[0] for line in lines[1:4]] == ["2.15.1", "2.15.0.post1", "2.15.0"]
    assert "cpu" in lines[1]


def test_what_conda_brings_the_libraries_for_stands_beside_the_rest() -> None:
    lines = profiles_text(chosen(release="2.5.0", platform="linux-x86_64")).splitlines()
    assert re.search(r"2\.5\.0 .* cpu cuda (conda|\(conda\))", lines[1]), "in brackets before somebody ran it"
    assert lines[0].index("3.7") == lines[1].index("cpu", 30), "columns are as wide as what is in them"
    assert "conda: cuda, with CUDA's libraries from conda" in lines
    assert not any("conda" in line for line in profiles_text(chosen(release="2.15", platform="linux-x86_64")).splitlines())
    told = release_text(catalogue(), chosen(release="2.5.0", platform="linux-x86_64"))
    assert "  CUDA's libraries from conda: cudatoolkit 11.2.*, cudnn 8.1.0.*" in told.splitlines()
    assert "Python 3.9 cuda (libraries from conda) " in told
    assert "cuda-conda" not in told


def test_what_was_not_run_stands_in_brackets() -> None:
    text = profiles_text(chosen(release="2.15.1", platform="macos-aarch64"))
    assert "(cpu)" in text.splitlines()[1]


def test_what_an_emulator_ran_has_brackets_of_its_own_and_what_failed_there_says_so() -> None:
    entry = replace(chosen(release="2.15.1", python="3.11", platform="windows-x86_64")[0], proof="resolved", fault="", emulator="")
    where = "Windows build 10.0.18362 as wine 8.0 gives it, on Linux"
    emulated = replace(entry, proof="emulated", proven="2026-11-30", machine=where, emulator="wine 8.0")
    table = profiles_text((emulated,)).splitlines()
    assert table[1].split()[-1] == "[cpu]"
    assert "[cpu], [cuda]: installed and verified under wine 8.0, on no real machine" in table
    assert "emulat" not in profiles_text((entry,))
    assert "[cpu]" not in profiles_text((entry,))
    assert release_text(catalogue(), (emulated,)).splitlines()[-1].endswith("; run on 2026-11-30 under wine 8.0")
    failed = release_text(catalogue(), (replace(entry, proven="2026-11-30", machine=where, fault="kernels: it ended"),)).splitlines()[-1]
    assert failed.endswith(f"; resolved; failed on 2026-11-30 on {where}: kernels: it ended")


@pytest.mark.parametrize(
    ("filters", "versions", "pythons", "devices"),
    [
        ({"release": "2.20.0", "platform": "linux-x86_64", "device": "cpu"}, {"2.20.0"}, {"3.9", "3.10", "3.11", "3.12", "3.13"}, {"cpu"}),
        ({"release": "2.20", "python": "3.12", "platform": "linux-x86_64"}, {"2.20.0"}, {"3.12"}, {"cpu", "cuda"}),
        (
            {"release": "2.4", "python": "3.8", "platform": "linux-x86_64"},
            {f"2.4.{patch}" for patch in range(5)},
            {"3.8"},
            {"cpu", "cuda-conda"},
        ),
        ({"release": "2.5.0", "device": "cuda"}, {"2.5.0"}, {"3.6", "3.7", "3.8", "3.9"}, {"cuda", "cuda-conda"}),
        ({"release": "2.5.0", "device": "cuda-conda"}, {"2.5.0"}, {"3.6", "3.7", "3.8", "3.9"}, {"cuda-conda"}),
    ],
)
def test_filters(filters: dict[str, str], versions: set[str], pythons: set[str], devices: set[str]) -> None:
    entries = chosen(**filters)
    assert ({entry.version for entry in entries}, {entry.python for entry in entries}) == (versions, pythons)
    assert {entry.device for entry in entries} == devices


def test_a_filter_that_nothing_meets_says_what_was_asked() -> None:
    with pytest.raises(UsageError, match=re.escape("set of TensorFlow 2.15.1 for Python 3.12 for cuda on linux-x86_64")):
        chosen(release="2.15.1", python="3.12", device="cuda", platform="linux-x86_64")


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("2.15.1", "add-ons that go with it: tensorflow-text ==2.15.*; tensorflow-addons >=0.23,<0.24;"),
        ("2.16.1", "add-ons without a release for it: tensorflow-addons, tensorflow-estimator"),
        ("2.15.1", "known bad for cuda on GPUs of compute capability 12.0, 12.1: the wheels have no code for Blackwell"),
        ("2.11.1", "known bad on linux-aarch64 with Python 3.8, 3.9, 3.10: has on aarch64 only an empty package"),
        ("2.4.0", "known bad for cuda: has a CUDA build that needs CUDA 11.0"),
        ("2.13.1", "macos-aarch64: Python 3.9, 3.10, 3.11; macOS 12.0 or newer; tensorflow-metal 1.0.0 for its GPU"),
    ],
)
def test_one_release_in_full(version: str, told: str) -> None:
    lines = release_text(catalogue(), chosen(release=version)).splitlines()
    assert any(line.startswith(told) for line in lines), lines


def test_the_document_holds_one_release_in_full_when_it_was_asked_for() -> None:
    entries = chosen(release="2.15.1")
    assert profiles_document(catalogue(), chosen(release="2.15.1"), in_full=False)["releases"] == []
    (release,) = profiles_document(catalogue(), entries, in_full=True)["releases"]
    assert release["version"] == "2.15.1"
    assert release["addons"]["tf-keras"] == "==2.15.*"
    assert {build["platform"] for build in release["builds"]} == {entry.platform for entry in entries}
