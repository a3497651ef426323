"""tools/prove_elsewhere.py, and what is its own for each emulator: which sets are run in which order, and what is made of what `verify` said."""

from __future__ import annotations

import json

import proof_record
import prove
import prove_arm64
import prove_elsewhere
import prove_windows
import pytest

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import Proof
from tests.arm64 import machine as arm64
from tests.cli.support import Ended


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.open(LocalHost(), find_profiles())


def test_one_set_of_each_minor_release_comes_first_then_the_others_and_none_that_has_no_python_there(catalogue: Catalogue) -> None:
    locks = list(proof_record.locks(catalogue, versions=(), python="", device="cpu", platform=proof_record.WINDOWS))
    found = prove_windows.runnable(locks)
    minors = [tuple(map(int, lock.release.split(".")[:2])) for lock in found[:20]]
    assert minors == [(2, minor) for minor in range(21, 1, -1)]
    assert (found[0].python, found[19].python) == ("3.13", "3.8")
    assert {lock.digest for lock in found} == {lock.digest for lock in locks if lock.python in prove_windows.PYTHONS}
    assert len({lock.digest for lock in found}) == len(found)


def test_on_aarch64_one_suite_of_debian_comes_after_the_other(catalogue: Catalogue) -> None:
    locks = list(proof_record.locks(catalogue, versions=(), python="", device="cpu", platform=proof_record.AARCH64))
    found = prove_arm64.runnable(locks)
    assert [(lock.release, lock.python) for lock in found[:2]] == [("2.21.0", "3.11"), ("2.20.0", "3.11")]
    suites = [arm64.SUITES[lock.python] for lock in found]
    assert suites == sorted(suites, key=list(arm64.TOOL_PYTHONS).index)
    assert {lock.digest for lock in found} == {lock.digest for lock in locks if lock.python in arm64.SUITES}
    assert len({lock.digest for lock in found}) == len(found)


@pytest.mark.parametrize("platform", [platform for platform in proof_record.PLATFORMS if platform != proof_record.LINUX])
def test_each_platform_has_what_runs_its_sets(platform: str) -> None:
    module = prove.elsewhere(platform)
    assert all(callable(getattr(module, name)) for name in ("ready", "runnable", "prove"))


def said(code: int, *checks: tuple[str, str], findings: tuple[tuple[str, str], ...] = ()) -> Ended:
    document = {
        "checks": [{"name": name, "status": status, "detail": f"what {name} says"} for name, status in checks],
        "findings": [{"cause": cause, "title": "a title", "severity": severity} for cause, severity in findings],
    }
    return Ended(code, json.dumps(document), "")


@pytest.mark.parametrize(
    ("ended", "passed", "fault"),
    [
        (said(0, ("import", "passed"), ("xla", "passed"), ("gpu", "skipped"), findings=(("harmless", "info"),)), 2, ""),
        (said(14, ("import", "passed"), ("xla", "failed")), 1, "xla: what xla says"),
        (
            said(14, ("import", "crashed"), findings=(("install-corrupt", "error"),)),
            0,
            "install-corrupt: a title; import: what import says",
        ),
        (said(16, ("import", "passed")), 1, "verify ended with 16"),
        (Ended(1, "", "Traceback\n  of a thing"), 0, "verify ended with 1 and no document: Traceback of a thing"),
        (Ended(2, json.dumps({"error": {"message": "there is no Python in it"}}), ""), 0, "verify: there is no Python in it"),
    ],
)
def test_only_what_was_verified_in_full_counts(ended: Ended, passed: int, fault: str) -> None:
    assert prove_elsewhere.judged(ended) == (passed, fault)


def test_what_failed_is_not_tried_again_and_is_no_run(catalogue: Catalogue) -> None:
    lock = proof_record.every(catalogue, (proof_record.WINDOWS,))[0]
    failed = {lock.digest: Proof(lock=lock.digest, level="resolved", fault="xla: it ended")}
    assert (proof_record.was_tried(lock, failed), proof_record.was_run(lock, failed)) == (True, False)
    emulated = {lock.digest: Proof(lock=lock.digest, level="emulated", emulator="wine 8.0")}
    assert (proof_record.was_tried(lock, emulated), proof_record.was_run(lock, emulated)) == (True, True)
    assert not proof_record.was_tried(lock, {lock.digest: Proof(lock=lock.digest, level="resolved")})


@pytest.mark.parametrize(
    ("out", "fault"),
    [
        ('noise\r\n{"a.dll": "C:/p/env/Lib/a.dll", "b.dll": "c:/P/env/Lib/b.dll"}\r\n', ""),
        ('{"a.dll": "C:/p/env/Lib/a.dll", "b.dll": ""}', "TensorFlow did not open from inside the environment: b.dll (not loaded)"),
        (
            '{"a.dll": "C:/windows/system32/a.dll", "b.dll": "C:/p/env/b.dll"}',
            "TensorFlow did not open from inside the environment: a.dll (C:/windows/system32/a.dll)",
        ),
        ("", "TensorFlow ended with 3 while it looked for GPUs: it ended"),
    ],
)
def test_each_dll_must_have_come_from_inside_the_environment(out: str, fault: str) -> None:
    assert prove_windows.unopened(Ended(3, out, "it\r\nended"), ("a.dll", "b.dll"), "C:/p/env/") == fault
