"""Which Python an environment is made with."""

import pytest

from provisioner.choose.pythons import find_pythons, no_python, offers_for
from provisioner.errors import CouldNotTellError, UsageError
from provisioner.model.facts import known, unknown
from provisioner.model.plan import EnvState
from provisioner.model.request import Request
from tests.choose.values import NEW_ENV, machine, python, pythons

ALL = ("3.10", "3.11", "3.12", "3.13")


def found(*interpreters, asked="", env=NEW_ENV):
    return find_pythons(machine(interpreters=pythons(*interpreters)), Request(python=asked), env)


def best(*interpreters, asked=""):
    return offers_for(found(*interpreters, asked=asked), ALL)[0].interpreter.path


def test_newest_first_and_patch_counts():
    assert best(python("3.11.9"), python("3.12.2"), python("3.12.10"), python("3.9.1")) == "/opt/3.12.10/bin/python"


def test_real_before_virtual_before_nothing():
    virtual = python("3.13.1", virtual=True)
    assert best(virtual, python("3.11.9")) == "/opt/3.11.9/bin/python"
    assert best(virtual, python("3.9.1")) == "/opt/3.13.1/bin/python"


def test_conda_after_others_of_the_same_version():
    assert best(python("3.12.2", "/conda/bin/python", origin="conda"), python("3.12.2", "/usr/bin/python3.12")) == "/usr/bin/python3.12"


@pytest.mark.parametrize(
    "unfit",
    [
        {"bits": 32, "architecture": "i686"}, {"architecture": "aarch64"}, {"implementation": "PyPy"}, {"free_threaded": True},
    ],
)  # fmt: skip
def test_unfit_pythons_are_passed_over(unfit):
    assert best(python("3.13.1", **unfit), python("3.11.9")) == "/opt/3.11.9/bin/python"
    assert not found(python("3.13.1", **unfit)).offers


def test_asked_by_version_and_by_path():
    both = (python("3.11.9"), python("3.12.2"))
    assert best(*both, asked="3.11") == "/opt/3.11.9/bin/python"
    assert best(*both, asked=">=3.10,<3.12") == "/opt/3.11.9/bin/python"
    assert best(*both, asked="/opt/3.11.9/bin/python") == "/opt/3.11.9/bin/python"


def test_a_path_that_was_not_found_is_a_usage_error():
    with pytest.raises(UsageError) as caught:
        found(python("3.11.9"), asked="/usr/bin/python9")
    assert "/opt/3.11.9/bin/python" in caught.value.hint
    with pytest.raises(UsageError):
        find_pythons(machine(interpreters=unknown("t", "not asked")), Request(python="/usr/bin/python3"), NEW_ENV)


@pytest.mark.parametrize(
    ("unfit", "code"),
    [
        ({"bits": 32, "architecture": "i686"}, "python-32bit"), ({"architecture": "aarch64"}, "wrong-arch-binary"),
        ({"implementation": "PyPy"}, "python-unsupported"), ({"free_threaded": True}, "python-unsupported"),
    ],
)  # fmt: skip
def test_every_refusal_has_a_remedy(unfit, code):
    obstacle = no_python(found(python("3.13.1", **unfit)), ALL, "the CPU")
    assert obstacle.code == code
    assert obstacle.remedy


def test_remedy_names_a_python_that_was_asked_for():
    assert "uv python install 3.11" in no_python(found(python("3.9.1"), asked="3.11"), ALL, "the CPU").remedy
    assert "another Python than" in no_python(found(python("3.9.1"), asked="3.9"), ALL, "the CPU").remedy


def test_environment_decides():
    env = EnvState(path="/env", kind="venv", digest="", python="/env/bin/python", python_version="3.11.9")
    (offer,) = found(python("3.13.1"), env=env).offers
    assert (offer.minor, offer.interpreter) == ("3.11", None)
    assert found(python("3.13.1"), env=env, asked="3.11").offers
    refused = found(python("3.13.1"), env=env, asked="3.13")
    assert not refused.offers
    assert "/env" in no_python(refused, ALL, "the CPU").why


def test_environment_made_with_the_interpreter_that_is_asked_for():
    env = EnvState(path="/env", kind="venv", digest="", python="/env/bin/python", python_version="3.11.9")
    made_with, other = python("3.11.9"), python("3.12.1")
    assert found(made_with, other, env=env, asked=made_with.path).offers
    assert found(made_with, other, env=env, asked="/env/bin/python").offers
    assert not found(made_with, other, env=env, asked=other.path).offers


def test_environment_with_a_python_that_has_no_wheels():
    env = EnvState(path="/env", kind="venv", digest="", python="/env/bin/python", python_version="3.13.1")
    seen = found(python("3.13.1", "/env/bin/python", free_threaded=True), env=env)
    assert "free-threaded" in no_python(seen, ALL, "the CPU").why


def test_environment_whose_python_nobody_could_read():
    with pytest.raises(CouldNotTellError):
        found(env=EnvState(path="/env", kind="venv", digest=""))


def test_unknown_interpreters_are_assumed():
    seen = find_pythons(machine(interpreters=unknown("t", "not asked")), Request(python="<3.12"), NEW_ENV)
    assert [offer.minor for offer in offers_for(seen, ALL)] == ["3.11", "3.10"]


def test_other_architecture_of_the_machine():
    facts = machine(interpreters=known((python("3.12.1", architecture=""),), "t"))
    assert find_pythons(facts, Request(), NEW_ENV).offers, "an interpreter of unknown architecture is taken for the machine's"
