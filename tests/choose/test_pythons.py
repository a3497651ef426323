"""Which Python an environment is made with."""

from dataclasses import replace

import pytest

from provisioner.choose import choose
from provisioner.choose.pythons import find_pythons, no_python, offers_for
from provisioner.errors import CouldNotTellError, UsageError
from provisioner.model.facts import PythonDownload, absent, known, unknown
from provisioner.model.plan import EnvState
from provisioner.model.request import Request
from tests.choose.values import NEW_ENV, machine, python, pythons, shipped_catalogue, with_system

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


def test_a_python_without_a_module_that_tensorflow_does_without_comes_last():
    assert best(python("3.13.1", lacks=("_bz2",)), python("3.11.9")) == "/opt/3.11.9/bin/python"
    assert best(python("3.13.1", lacks=("_bz2",))) == "/opt/3.13.1/bin/python"


@pytest.mark.parametrize(
    ("system", "says"),
    [("linux", "`pyenv install 3.13`"), ("windows", "`winget install --exact --id Python.Python.3.13`"), ("macos", "`brew install")],
)
def test_a_python_is_had_in_the_way_of_the_system(system, says):
    here = with_system(machine(interpreters=pythons(python("3.9.1"))), os=known(system, "a test"))
    remedy = no_python(find_pythons(here, Request(), NEW_ENV), ALL, "the CPU").remedy
    assert says in remedy
    assert ("distribution" in remedy) == (system == "linux")


def test_one_that_was_too_slow_to_answer_is_named_where_none_fits():
    slow = "/opt/a/python was left out: it gave no answer (x); C:/Python310/python.exe was left out: it did not answer within 10 seconds"
    here = machine(interpreters=replace(pythons(python("3.9.1")), why=slow))
    remedy = no_python(find_pythons(here, Request(), NEW_ENV), ALL, "the CPU").remedy
    assert remedy.endswith("; C:/Python310/python.exe was left out: it did not answer within 10 seconds")
    assert "/opt/a" not in remedy


def test_conda_after_others_of_the_same_version():
    assert best(python("3.12.2", "/conda/bin/python", origin="conda"), python("3.12.2", "/usr/bin/python3.12")) == "/usr/bin/python3.12"


@pytest.mark.parametrize(
    "unfit",
    [
        {"bits": 32, "architecture": "i686"}, {"architecture": "aarch64"}, {"implementation": "PyPy"}, {"free_threaded": True},
        {"lacks": ("_ctypes",)},
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
        ({"lacks": ("_ctypes",)}, "python-unsupported"),
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


def fetchable(*versions):
    made = (
        PythonDownload(key=f"cpython-{version}-linux-x86_64-gnu", version=version, folder="/uv", source="a.example", size=1, unpacked=2)
        for version in versions
    )
    return known(tuple(made), "test")


def test_what_uv_can_fetch_comes_after_what_is_here():
    here = machine(interpreters=pythons(python("3.14.0")), downloads=fetchable("3.14.9", "3.13.2", "3.12.1"))
    offers = find_pythons(here, Request(), NEW_ENV)
    assert [offer.version for offer in offers.offers] == ["3.14.0", "3.14.9", "3.13.2", "3.12.1"]
    best = offers_for(offers, ALL)[0]
    assert best.interpreter.path == "/uv/cpython-3.13.2-linux-x86_64-gnu/bin/python3.13"
    assert best.download.version == "3.13.2"
    nothing = no_python(offers, ("3.6",), "the CPU")
    assert nothing.why.endswith("and here is only 3.14"), "what could be fetched is not here"
    assert "uv python install" not in nothing.remedy


def test_only_what_was_asked_for_is_fetched():
    nowhere = machine(interpreters=pythons(), downloads=fetchable("3.13.2", "3.12.1"))
    assert [offer.version for offer in find_pythons(nowhere, Request(python="3.12"), NEW_ENV).offers] == ["3.12.1"]
    assert find_pythons(nowhere, Request(python="3.9"), NEW_ENV).trouble is not None
    other = with_system(nowhere, architecture=known("aarch64", "test"))
    assert not find_pythons(other, Request(), NEW_ENV).offers


def test_why_uv_fetches_none_is_part_of_what_to_do():
    here = machine(interpreters=pythons(python("3.14.0")), downloads=absent("uv", "the reason"))
    assert no_python(find_pythons(here, Request(), NEW_ENV), ALL, "the CPU").remedy.startswith("the reason; so install Python 3.13")


def test_of_an_environment_a_python_that_no_release_has_is_said_first():
    env = EnvState(path="/env", kind="venv", digest="d", python="/env/bin/python", python_version="3.11.2")
    asked = find_pythons(machine(interpreters=pythons(python("3.11.2"))), Request(python="3.14"), env)
    assert "no known-good set for the Python that was asked for" in no_python(asked, ALL, "the CPU").why


def test_what_the_newest_needs_is_said_where_an_older_one_fits_the_pythons_here():
    old = choose(machine(interpreters=pythons(python("3.8.18"))), Request(), shipped_catalogue(), NEW_ENV)
    assert old.release.startswith("2.13.")
    assert any("uv fetches one with `--python 3.13`" in text for text in old.warnings)
    for request, own in ((Request(), "3.13.1"), (Request(python="3.8"), "3.8.18"), (Request(tensorflow="2.13"), "3.8.18")):
        found = choose(machine(interpreters=pythons(python(own))), request, shipped_catalogue(), NEW_ENV)
        assert not any("uv fetches" in text for text in found.warnings)
