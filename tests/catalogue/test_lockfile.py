"""The text of a lock: round trip, selectors, glibc floors, and every fault at once."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.catalogue.lockfile import (
    LockFile,
    Set,
    digest_of,
    format_lockfile,
    glibc_floor,
    glibc_of,
    name_and_version,
    parse_lockfile,
    selectors,
)
from provisioner.errors import InputError
from provisioner.model.catalogue import LockedFile
from tests.catalogue.profiles import lock_text

SETS: tuple[Set, ...] = tuple((python, device) for python in ("3.9", "3.10", "3.11") for device in ("cpu", "cuda"))
MORE: tuple[Set, ...] = (("3.9", "cpu"), ("3.9", "cuda"), ("3.9", "cuda-conda"), ("3.10", "cpu"), ("3.10", "cuda-conda"))
TEXT = lock_text("2.20.0")


def test_what_is_parsed_is_formatted_back_byte_for_byte() -> None:
    assert format_lockfile(parse_lockfile(TEXT, file="f")) == TEXT


def test_each_set_has_its_own_files_and_floor() -> None:
    lockfile = parse_lockfile(TEXT, file="f")
    names = {
        (python, device): [file.name for file in lock.files] for python, device in lockfile.sets if (lock := lockfile.lock(python, device))
    }
    assert names == {
        ("3.10", "cpu"): ["numpy", "six"],
        ("3.10", "cuda"): ["numpy", "nvidia-cuda-runtime-cu12", "six"],
        ("3.11", "cpu"): ["numpy", "six", "tensorflow-cpu"],
        ("3.11", "cuda"): ["numpy", "nvidia-cuda-runtime-cu12", "six"],
    }
    floors = {device: lock.glibc for _, device in lockfile.sets if (lock := lockfile.lock("3.11", device))}
    assert floors == {"cpu": "2.28", "cuda": "2.17"}
    assert lockfile.lock("3.12", "cpu") is None


def test_digest_names_what_is_installed_and_nothing_else() -> None:
    lock = parse_lockfile(TEXT, file="f").lock("3.10", "cpu")
    assert lock is not None
    later = parse_lockfile(TEXT.replace("2024-02-01", "2024-03-01").replace("uv 0.9.0", "uv 1.0"), file="f").lock("3.10", "cpu")
    assert later is not None
    assert later.digest == lock.digest == digest_of("2.20.0", "linux-x86_64", "3.10", "cpu", reversed(lock.files))
    changed = parse_lockfile(TEXT.replace("b" * 64, "9" * 64), file="f")
    assert changed.lock("3.10", "cpu") != lock
    other = changed.lock("3.11", "cpu")
    assert other is not None
    assert other == parse_lockfile(TEXT, file="f").lock("3.11", "cpu")


@given(st.lists(st.sets(st.sampled_from(SETS), min_size=1), max_size=6))
def test_any_membership_survives_the_text(memberships: list[set[Set]]) -> None:
    members = tuple(
        (
            LockedFile(
                name=f"p{number}",
                version="1.0",
                filename=f"p{number}-1.0-py3-none-any.whl",
                sha256=f"{number:064x}",
                size=number,
                unpacked=2,
            ),
            frozenset(sets),
        )
        for number, sets in enumerate(memberships)
    )
    lockfile = LockFile(release="2.20.0", platform="linux-x86_64", cutoff="2024-02-01", resolver="uv 0.9.0", sets=SETS, members=members)
    assert parse_lockfile(format_lockfile(lockfile), file="f") == lockfile


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (SETS, "*"),
        ((("3.9", "cpu"),), "3.9/cpu"),
        ((("3.9", "cpu"), ("3.9", "cuda")), "3.9"),
        (tuple(item for item in SETS if item[1] == "cuda"), "cuda"),
        ((*(item for item in SETS if item[1] == "cuda"), ("3.9", "cpu")), "cuda,3.9"),
        ((("3.9", "cpu"), ("3.9", "cuda"), ("3.11", "cuda")), "3.9,3.11/cuda"),
    ],
)
def test_selectors_are_short(members: tuple[Set, ...], expected: str) -> None:
    assert selectors(frozenset(members), SETS) == expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (MORE, "*"),
        (tuple(item for item in MORE if item[1] == "cuda-conda"), "cuda-conda"),
        (tuple(item for item in MORE if item[1] != "cuda"), "cpu,cuda-conda"),
        ((("3.9", "cuda"), ("3.9", "cuda-conda")), "cuda,3.9/cuda-conda"),
        ((("3.10", "cpu"), ("3.10", "cuda-conda")), "3.10"),
    ],
)
def test_cuda_and_cuda_conda_are_two_devices(members: tuple[Set, ...], expected: str) -> None:
    assert selectors(frozenset(members), MORE) == expected
    file = LockedFile(name="a", version="1", filename="a-1-py3-none-any.whl", sha256="f" * 64, size=1, unpacked=2)
    lockfile = LockFile(
        release="2.5.0", platform="linux-x86_64", cutoff="2021-06-01", resolver="uv 1", sets=MORE, members=((file, frozenset(members)),)
    )
    assert parse_lockfile(format_lockfile(lockfile), file="f") == lockfile


def test_a_set_for_conda_has_a_digest_of_its_own() -> None:
    text = TEXT.replace("3.11/cpu 3.11/cuda\n", "3.11/cpu 3.11/cuda 3.11/cuda-conda\n")
    before, after = parse_lockfile(TEXT, file="f"), parse_lockfile(text, file="f")
    lock = after.lock("3.11", "cuda-conda")
    assert lock is not None
    assert [file.name for file in lock.files] == ["numpy", "six"]
    assert lock.digest == digest_of("2.20.0", "linux-x86_64", "3.11", "cuda-conda", lock.files)
    assert after.lock("3.11", "cuda") == before.lock("3.11", "cuda")
    assert before.lock("3.11", "cuda-conda") is None


def test_selectors_do_not_depend_on_the_order_of_a_set() -> None:
    members = SETS[1:4]
    assert len({selectors(frozenset(order), SETS) for order in itertools.permutations(members)}) == 1


@pytest.mark.parametrize(
    ("filename", "floor"),
    [
        ("a-1-cp39-cp39-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", (2, 17)),
        ("a-1-cp39-cp39-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl", (2, 27)),
        ("a-1-py2.py3-none-manylinux2010_x86_64.whl", (2, 12)),
        ("a-1-cp39-abi3-manylinux1_x86_64.whl", (2, 5)),
        ("a-1-py3-none-any.whl", (0, 0)),
        ("a-1-cp39-cp39-macosx_12_0_arm64.whl", (0, 0)),
    ],
)
def test_glibc_is_the_lowest_of_a_wheels_tags(filename: str, floor: tuple[int, int]) -> None:
    assert glibc_of(filename) == floor


def test_glibc_of_a_set_is_the_highest_of_its_files_as_a_number() -> None:
    assert glibc_floor(["a-1-cp39-cp39-manylinux_2_5_x86_64.whl", "b-1-cp39-cp39-manylinux_2_17_x86_64.whl"]) == "2.17"
    assert glibc_floor(["a-1-py3-none-any.whl"]) == ""


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("google_pasta-0.2.0-py3-none-any.whl", ("google-pasta", "0.2.0")),
        ("Markdown-3.5.1-py3-none-any.whl", ("markdown", "3.5.1")),
        ("a-1.0-1-py3-none-any.whl", ("a", "1.0")),
        ("tensorflow_cpu-2.15.0.post1-cp39-cp39-manylinux_2_17_x86_64.whl", ("tensorflow-cpu", "2.15.0.post1")),
        ("termcolor-1.1.0.tar.gz", ("termcolor", "1.1.0")),
    ],
)
def test_name_and_version(filename: str, expected: tuple[str, str]) -> None:
    assert name_and_version(filename) == expected


@pytest.mark.parametrize("filename", ["a.whl", "a-1.whl", "a-1-py3-any.whl", "a.tar.gz", "a-1.rpm", "a-1.tar.gz.sig", "-1.tar.gz"])
def test_other_names_are_refused(filename: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        name_and_version(filename)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("release 2.20.0", "release newest", "line 2: expected a version, found 'newest'"),
        ("platform linux-x86_64", "platform", "line 3: expected `platform` and its value"),
        ("3.11/cuda\n", "3.11/tpu\n", "line 6: expected sets such as 3.11/cpu, each once, found '3.11/tpu'"),
        ("sets 3.10/cpu", "sets 3.10/cpu 3.10/cpu", "line 6: expected sets such as 3.11/cpu, each once, found '3.10/cpu'"),
        (" 10 40 ", " 10 ", "line 11: expected file name, size, unpacked size, SHA-256 and sets"),
        (" 10 40 ", " ten 40 ", "line 11: expected two whole numbers of bytes, found 'ten' and '40'"),
        (" 10 40 ", " -1 40 ", "line 11: expected two whole numbers of bytes, found '-1' and '40'"),
        ("a" * 64, "A" * 64, f"line 11: expected a SHA-256 of 64 hexadecimal digits, found {'A' * 64!r}"),
        ("a" * 64 + " *", "a" * 64 + " 3.12", "line 11: no set is selected by '3.12'"),
        (
            "six-1.16.0-py2",
            "1six-1.16.0-py2",
            "line 11: expected file names in order, each once, found '1six-1.16.0-py2.py3-none-any.whl' after ",
        ),
        ("six-1.16.0-py2.py3-none-any.whl", "six.whl", "line 11: not the name of a wheel or a source distribution: 'six.whl'"),
        ("\n\n", "\n", "line 7: expected an empty line after the header, and one line end at the end of the file"),
    ],
)
def test_each_fault_has_its_line(old: str, new: str, fault: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_lockfile(TEXT.replace(old, new, 1), file="f.lock")
    assert caught.value.place == "f.lock"
    assert any(found.startswith(fault) for found in caught.value.faults), caught.value.faults


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        parse_lockfile(TEXT.replace(" 10 40 ", " x y ").replace("cutoff", "cut").replace("cuda\n", "gpu\n", 2), file="f")
    assert [fault.partition(":")[0] for fault in caught.value.faults] == ["line 4", "line 6", "line 10", "line 11"]


@pytest.mark.parametrize("text", ["", "tfsetup-lock 2\n", "\x00", TEXT[1:]])
def test_another_format_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a lock of a known format"):
        parse_lockfile(text, file="f")


@pytest.mark.parametrize("length", range(15, len(TEXT), 37))
def test_a_truncated_lock_is_refused(length: int) -> None:
    with pytest.raises(InputError):
        parse_lockfile(TEXT[:length], file="f")
