"""tools/prove.py: what has no proof, what is taken for the daily sample, and what is written."""

from __future__ import annotations

import json
from pathlib import Path

import proof_record
import prove
import pytest

from provisioner.catalogue import Catalogue
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import Lock, Proof
from tests.catalogue.profiles import make_profiles


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue.open(LocalHost(), str(make_profiles(tmp_path / "profiles", ("2.20", ("2.20.0",)))))


def all_locks(catalogue: Catalogue) -> list[Lock]:
    return [lock for device in ("cpu", "cuda") for lock in proof_record.locks(catalogue, versions=(), python="", device=device)]


def test_a_set_that_was_neither_run_nor_marked_is_missing_whatever_its_device(catalogue: Catalogue) -> None:
    locks = all_locks(catalogue)
    assert [(lock.python, lock.device) for lock in proof_record.missing(catalogue, {})] == [
        ("3.10", "cpu"), ("3.11", "cpu"), ("3.10", "cuda"), ("3.11", "cuda"),
    ]  # fmt: skip
    marked = {lock.digest: Proof(lock=lock.digest, level="resolved") for lock in locks}
    assert proof_record.missing(catalogue, marked) == []
    del marked[locks[3].digest]
    assert proof_record.missing(catalogue, marked) == [locks[3]]


def test_a_mark_is_no_proof(catalogue: Catalogue) -> None:
    lock = all_locks(catalogue)[0]
    assert not proof_record.was_run(lock, {})
    assert not proof_record.was_run(lock, {lock.digest: Proof(lock=lock.digest, level="resolved")})
    assert proof_record.was_run(lock, {lock.digest: Proof(lock=lock.digest, level="run")})


def test_every_set_has_its_turn_in_the_sample(catalogue: Catalogue) -> None:
    locks = all_locks(catalogue)
    taken = [lock.digest for day in range(2) for lock in prove.sample(locks, 2, day)]
    assert sorted(taken) == sorted(lock.digest for lock in locks)
    assert len(prove.sample(locks, 9, 0)) == len(locks)


def test_proofs_of_sets_that_are_no_more_are_not_written(catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof_record, "PROOFS", tmp_path / "proofs.json")
    locks = all_locks(catalogue)
    known = {lock.digest: Proof(lock=lock.digest, level="run", date="2026-11-20") for lock in locks}
    proof_record.write({"f" * 64: Proof(lock="f" * 64, level="run"), **known}, locks)
    assert proof_record.read() == known
    lines = (tmp_path / "proofs.json").read_text("utf-8").splitlines()
    assert [json.loads(line.rstrip(","))["lock"] for line in lines[1:-1]] == [lock.digest for lock in locks]
