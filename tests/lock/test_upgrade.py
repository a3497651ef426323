"""``lock --upgrade``: what is named moves and nothing else; TensorFlow goes to a newer proven set, and never back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioner.commands.lock_declared import LockRequest, choose
from provisioner.errors import UsageError
from tests.lock.conftest import Team
from tests.lock.index import NEW


def newer(team: Team) -> None:
    """Two packages with releases since the lock was made, one of them of the known-good set."""
    team.index.add("pandas", "2.5", "numpy", "pytz", uploaded=NEW)
    team.index.add("pytz", "2.0", uploaded=NEW)
    team.index.add("numpy", "1.27", uploaded=NEW)


def test_only_the_named_package_moves(team: Team) -> None:
    team.lock()
    newer(team)
    outcome = team.lock(cutoff="", upgrade=("PyTZ",))
    assert team.versions(outcome) == {"numpy": "1.26", "pandas": "2.0", "pytz": "2.0", "tensorflow-cpu": "2.20.0"}
    assert set(outcome.lock.cutoffs) == {"pytz"}
    # The next lock keeps what moved.
    assert team.lock(cutoff="").lock == outcome.lock


@pytest.mark.slow
def test_without_names_all_of_the_teams_own_move(team: Team) -> None:
    team.lock()
    newer(team)
    outcome = team.lock(cutoff="", upgrade=())
    assert team.versions(outcome) == {"numpy": "1.26", "pandas": "2.5", "pytz": "2.0", "tensorflow-cpu": "2.20.0"}


def test_a_package_of_the_known_good_set_stays_and_that_is_said(team: Team) -> None:
    team.lock()
    newer(team)
    before = team.written()
    outcome = team.lock(cutoff="", upgrade=("numpy",))
    assert outcome.warnings == ("numpy stays at 1.26: it is part of the known-good set, and moves only with TensorFlow",)
    assert team.written() == before


def test_a_package_that_is_not_locked_cannot_be_upgraded(team: Team) -> None:
    team.lock()
    with pytest.raises(UsageError, match="nonesuch: is not in the lock"):
        team.lock(cutoff="", upgrade=("nonesuch",))


def test_tensorflow_goes_to_a_newer_set_and_never_back(team: Team) -> None:
    before = team.lock().lock
    offered = {"2.19.0": [], "2.21.0": []}

    def releases(best: str, wanted: LockRequest) -> str:
        def pick(keep, cutoff, below):
            offered[best].append(keep)
            return tuple((target, replace(lock, release=keep.get(target.name, best)), proof) for target, lock, proof in team.sets())

        ((_, lock, _),) = choose(replace(team.declared(), choose=pick), before, wanted, "")
        return lock.release

    assert releases("2.21.0", LockRequest(upgrade=())) == "2.21.0"
    assert releases("2.21.0", LockRequest(upgrade=("tensorflow",))) == "2.21.0"
    assert releases("2.21.0", LockRequest(upgrade=("pandas",))) == "2.20.0"
    assert releases("2.21.0", LockRequest()) == "2.20.0"
    # The most proven set may be an older one; an upgrade does not go there.
    assert releases("2.19.0", LockRequest(upgrade=())) == "2.20.0"


@pytest.mark.slow
def test_naming_tensorflow_moves_no_other_package(team: Team) -> None:
    team.lock()
    newer(team)
    outcome = team.lock(cutoff="", upgrade=("tensorflow",))
    assert team.versions(outcome)["pandas"] == "2.0"
    assert outcome.lock.cutoffs == {}
