"""What a team allows binds a plan as it binds a lock."""

from __future__ import annotations

import pytest

from provisioner.choose import choose
from provisioner.choose.policy import check_set
from provisioner.errors import NoProfileError
from provisioner.model.catalogue import Proof
from provisioner.model.policy import Policy, SignOff
from provisioner.model.request import Request
from tests.choose.values import CUDA, NEW_ENV, Values, build, machine, python, pythons, release

FACTS = machine(interpreters=pythons(python("3.10.1"), python("3.11.1")))


def chosen(policy: Policy, cutoff: str = "", device: str = "cpu", **changes) -> str:
    catalogue = Values(release("2.21.0", cutoff="2026-11-01", **changes), release("2.20.0", cutoff="2026-01-01", **changes))
    return choose(FACTS, Request(env=NEW_ENV.path, policy=policy, cutoff=cutoff, device=device), catalogue, NEW_ENV).release


def test_without_one_the_newest_is_taken() -> None:
    assert chosen(Policy()) == "2.21.0"


@pytest.mark.parametrize(
    ("policy", "cutoff"),
    [
        (Policy(releases="<2.21"), ""),
        (Policy(signed_off=(SignOff(release="2.20.0", by="Ada", date="2026-02-01"),)), ""),
        (Policy(cool_down=60), "2026-10-01"),
    ],
)
def test_a_release_that_is_not_allowed_is_passed_over(policy: Policy, cutoff: str) -> None:
    assert chosen(policy, cutoff) == "2.20.0"


def test_where_nothing_is_allowed_it_says_what_is_in_the_way() -> None:
    with pytest.raises(NoProfileError) as caught:
        chosen(Policy(releases="<2"))
    assert "is not among the releases that the policy allows (<2)" in " ".join(caught.value.refusals)
    assert "[]" not in " ".join(caught.value.refusals)


def test_sets_that_nobody_has_run_and_old_drivers() -> None:
    with pytest.raises(NoProfileError, match="resolved and never run"):
        chosen(Policy(proven=True))
    with pytest.raises(NoProfileError, match=r"needs NVIDIA driver .* and the policy has machines with 470.57.02"):
        chosen(Policy(driver="470.57.02"), device="cuda", builds=(build(cuda=CUDA),))


def test_a_set_that_was_chosen_otherwise_is_held_against_it_too() -> None:
    catalogue = Values(release("2.21.0"))
    found, lock = catalogue.release("2.21.0"), catalogue.lock("2.21.0", "3.11", "linux-x86_64", "cpu")
    assert found is not None
    assert lock is not None
    check_set(found, lock, Proof(lock=lock.digest, level="run"), Policy(releases=">=2", proven=True), "")
    emulated = Proof(lock=lock.digest, level="emulated", emulator="wine 8.0")
    with pytest.raises(NoProfileError, match=r"run under wine 8\.0 alone"):
        check_set(found, lock, emulated, Policy(proven=True), "")
    with pytest.raises(NoProfileError, match=r"the policy does not allow TensorFlow 2\.21\.0"):
        check_set(found, lock, Proof(lock=lock.digest, level="resolved"), Policy(proven=True), "")
