"""An existing environment keeps its release and its device unless it is asked otherwise."""

from __future__ import annotations

import pytest

from provisioner.environment.receipt import Receipt
from provisioner.model.request import Request
from provisioner.plan.remember import INSTALLED, RECEIPT, remembered
from tests.plan.test_make import ABSENT, make, site
from tests.support import verification


class Versions:
    def versions(self) -> tuple[str, ...]:
        return ("2.21.0", "2.20.0", "2.15.1")


def receipt(**changes) -> Receipt:
    made = make("six==2.0")
    return Receipt(tool="t", started="s", finished="f", plan=made, verification=verification("/e", passed=True), **changes)


def asked(**changes) -> Request:
    return Request(env="/e", **changes)


def kept(request: Request, *installed: str, by: Receipt | None = None) -> tuple[str, str]:
    found = remembered(request, site(*installed), by, Versions())
    return found.tensorflow, found.device


def test_the_receipt_is_what_it_is_for() -> None:
    found = remembered(asked(), site("tensorflow==2.21.0"), receipt(), Versions())
    assert (found.tensorflow, found.device) == ("==2.20.0", "cpu")
    assert (found.origins["tensorflow"], found.origins["device"]) == (RECEIPT, RECEIPT)


def test_without_one_it_is_what_is_installed() -> None:
    found = remembered(asked(), site("tensorflow-cpu==2.15.1"), None, Versions())
    assert (found.tensorflow, found.device, found.origins["tensorflow"]) == ("==2.15.1", "cpu", INSTALLED)
    # A plain `tensorflow` is for either: the machine decides.
    assert kept(asked(), "tensorflow==2.15.1") == ("==2.15.1", "auto")
    cuda = ("nvidia-cublas-cu12==12.2", "nvidia-cudnn-cu12==8.9")
    assert kept(asked(), "tensorflow==2.15.1", *cuda) == ("==2.15.1", "cuda")


def test_a_release_that_the_catalogue_lacks_stands_for_its_minor() -> None:
    assert kept(asked(), "tensorflow==2.15.0")[0] == "==2.15.*"
    assert kept(asked(), "tf-nightly==2.22.0.dev20260101")[0] == ""


@pytest.mark.parametrize("origin", ["option", "variable TFSETUP_TENSORFLOW", "file tfsetup.yaml"])
def test_what_somebody_says_wins(origin: str) -> None:
    said = asked(tensorflow="2.21", device="cuda", origins={"tensorflow": origin, "device": origin})
    assert kept(said, by=receipt()) == ("2.21", "cuda")
    # `--tensorflow latest` is a word, too.
    assert kept(asked(tensorflow="", origins={"tensorflow": origin}), by=receipt())[0] == ""


def test_upgrade_moves_the_release_and_nothing_else() -> None:
    assert kept(asked(upgrade=True), by=receipt()) == ("", "cpu")


def test_a_new_environment_has_nothing_to_keep() -> None:
    request = asked()
    assert remembered(request, site(state=ABSENT), None, Versions()) == request
    assert remembered(request, site("six==2.0"), None, Versions()) == request
