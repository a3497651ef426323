"""Room in a known-good set, with real uv and a real index: how far its packages move, and where they do not."""

from __future__ import annotations

import pytest

from provisioner.errors import OperationError
from provisioner.model.policy import Policy
from provisioner.model.team import Moved
from tests.lock.conftest import Team
from tests.lock.index import Index


@pytest.fixture
def roomy(team: Team, index: Index) -> Team:
    """A set whose TensorFlow admits more NumPys than the one that was run."""
    team.files = (index.add("tensorflow-cpu", "2.20.0", "numpy<2.5", "six"), team.files[1], index.add("six", "1.16"))
    index.add("six", "1.17")
    index.add("numpy", "2.4")
    index.add("numpy", "2.6")
    return team


def test_only_what_must_move_moves(roomy: Team) -> None:
    roomy.requirements = ("pandas>=3",)
    outcome = roomy.lock()
    assert roomy.versions(outcome) == {"tensorflow-cpu": "2.20.0", "numpy": "2.4", "six": "1.16", "pandas": "3.0"}
    (target,) = outcome.lock.targets
    assert target.moved == (Moved(name="numpy", was="1.26", now="2.4", why="needed by pandas"),)
    assert [file.name for file in target.files if file.profile] == ["six", "tensorflow-cpu"]
    (warning,) = outcome.warnings
    assert "numpy 1.26 -> 2.4 (needed by pandas); this very set was not run" in warning


def test_a_requirement_of_ones_own_is_why(roomy: Team) -> None:
    roomy.requirements = ("numpy==2.0",)
    (target,) = roomy.lock().lock.targets
    assert target.moved == (Moved(name="numpy", was="1.26", now="2.0", why="`numpy==2.0`"),)


def test_tensorflows_own_limit_is_kept(roomy: Team) -> None:
    roomy.requirements = ("numpy==2.6",)
    with pytest.raises(OperationError) as caught:
        roomy.lock()
    assert caught.value.faults == ("numpy==2.6: 2.4 would do; TensorFlow 2.20.0 needs numpy<2.5",)


def test_strict_forbids_it(roomy: Team) -> None:
    roomy.requirements = ("pandas>=3",)
    roomy.settings["policy"] = Policy(proven=True)
    with pytest.raises(OperationError, match=r"`pandas>=3` does not go with TensorFlow 2\.20\.0"):
        roomy.lock()


def test_a_set_that_needs_no_room_is_as_it_was_run(roomy: Team) -> None:
    outcome = roomy.lock()
    assert outcome.lock.targets[0].moved == ()
    assert outcome.warnings == ()
