"""The walk: what wins, what is read, what is refused and what is offered instead."""

import dataclasses

import pytest

from provisioner.choose import choose
from provisioner.choose.nearest import options
from provisioner.errors import CouldNotTellError, NoProfileError, UsageError
from provisioner.model.catalogue import KnownBad
from provisioner.model.facts import Libc, absent, known, unknown
from provisioner.model.request import Request
from tests.choose.values import NEW_ENV, Values, a_gpu, build, machine, python, pythons, release, with_driver, with_system

BOTH = pythons(python("3.10.1"), python("3.11.1"))
BAD = {"reason": "crashes there", "reference": "issue 1", "cause": "dependency-incompatible"}


def plain(**request):
    return machine(interpreters=BOTH), Request(env=NEW_ENV.path, **request)


def test_nothing_in_the_way_reads_one_release_and_one_lock():
    catalogue = Values(release("2.21.0"), release("2.20.0"), release("2.19.0"))
    choice = choose(*plain(), catalogue, NEW_ENV)
    assert (choice.release, choice.python, choice.device, choice.refusals) == ("2.21.0", "3.11", "cpu", ())
    assert catalogue.read == ["2.21.0", "2.21.0/3.11/cpu"]


def test_known_bad_python_is_passed_over_for_its_device_only():
    bad = KnownBad(**BAD, pythons=("3.11",), devices=("cuda",))
    catalogue = Values(release("2.21.0", known_bad=(bad,)))
    assert choose(*plain(), catalogue, NEW_ENV).python == "3.11"
    assert choose(*plain(device="cuda"), catalogue, NEW_ENV).python == "3.10"


def test_release_that_is_bad_altogether_is_refused_with_its_reason():
    catalogue = Values(release("2.21.0", known_bad=(KnownBad(**BAD),)), release("2.20.0"))
    choice = choose(*plain(), catalogue, NEW_ENV)
    (refusal,) = choice.refusals
    assert (choice.release, refusal.code, refusal.why) == ("2.20.0", "dependency-incompatible", "crashes there")
    assert "issue 1" in refusal.remedy


def test_what_is_bad_for_some_gpus_does_not_stop_the_cpu():
    bad = KnownBad(**BAD, capabilities=("12.0",))
    assert choose(*plain(), Values(release("2.21.0", known_bad=(bad,))), NEW_ENV).release == "2.21.0"


def test_floor_of_a_lock_moves_to_another_python_before_another_release():
    facts, request = plain()
    old = with_system(facts, libc=known(Libc(kind="glibc", version="2.17"), "t"))
    floors = {("2.21.0", "3.11"): "2.28"}
    assert choose(old, request, Values(release("2.21.0"), release("2.20.0"), glibc=floors), NEW_ENV).python == "3.10"
    floors[("2.21.0", "3.10")] = "2.27"
    choice = choose(old, request, Values(release("2.21.0"), release("2.20.0"), glibc=floors), NEW_ENV)
    assert (choice.release, choice.refusals[0].code) == ("2.20.0", "glibc-too-old")


def test_missing_locks_are_not_taken_for_missing_wheels():
    missing = [("2.21.0", python, "cuda") for python in ("3.10", "3.11")]
    catalogue = Values(release("2.21.0"), release("2.20.0"), missing=missing)
    choice = choose(*plain(device="cuda"), catalogue, NEW_ENV)
    assert (choice.release, choice.refusals[0].why) == ("2.20.0", "has no known-good set for CUDA yet")


def test_neighbours_with_the_same_obstacles_share_a_refusal():
    newer = build(pythons=("3.12", "3.13"))
    catalogue = Values(release("2.21.0", newer), release("2.20.0", newer), release("2.19.0", newer), release("2.18.0"))
    (refusal,) = choose(*plain(), catalogue, NEW_ENV).refusals
    assert refusal.candidate == "TensorFlow 2.19.0 to 2.21.0"


def test_prerelease_only_by_name():
    catalogue = Values(release("2.22.0rc0", prerelease=True), release("2.21.0"))
    assert choose(*plain(), catalogue, NEW_ENV).release == "2.21.0"
    assert choose(*plain(tensorflow=">=2.21"), catalogue, NEW_ENV).release == "2.21.0"
    chosen = choose(*plain(tensorflow="2.22.0rc0"), catalogue, NEW_ENV)
    assert chosen.release == "2.22.0rc0"
    assert "pre-release" in chosen.reasons[0]
    with pytest.raises(NoProfileError) as caught:
        choose(*plain(tensorflow="2.22"), catalogue, NEW_ENV)
    assert "2.22.0rc0" in caught.value.hint
    assert caught.value.nearest == ("--tensorflow 2.21",)


def test_cuda_without_a_cuda_build():
    with pytest.raises(NoProfileError) as caught:
        choose(*plain(device="cuda"), Values(release("2.21.0", build(cuda=None))), NEW_ENV)
    assert caught.value.nearest == ("--device cpu",)


def test_gpu_that_no_release_can_use_is_never_cpu_in_silence():
    facts = with_driver(machine(interpreters=BOTH, gpus=known((a_gpu(capability="3.7"),), "NVML")), release=known("470.1", "t"))
    with pytest.raises(NoProfileError) as caught:
        choose(facts, Request(env=NEW_ENV.path), Values(release("2.21.0"), release("2.20.0")), NEW_ENV)
    assert (caught.value.exit_code, caught.value.cause) == (12, "gpu-too-old")
    assert caught.value.nearest == ("--device cpu",)


@pytest.mark.parametrize("request_", [{"tensorflow": "newest"}, {"python": "three"}, {"python": "/no/such/python"}])
def test_nonsense_is_a_usage_error(request_):
    with pytest.raises(UsageError):
        choose(*plain(**request_), Values(release("2.21.0")), NEW_ENV)


def test_facts_without_an_operating_system():
    facts, request = plain()
    with pytest.raises(CouldNotTellError):
        choose(with_system(facts, os=unknown("t", "not asked")), request, Values(release("2.21.0")), NEW_ENV)


def test_absent_libc_refuses_and_unknown_warns():
    facts, request = plain()
    with pytest.raises(NoProfileError) as caught:
        choose(with_system(facts, libc=absent("t", "static system")), request, Values(release("2.21.0")), NEW_ENV)
    assert caught.value.cause == "platform-unsupported"
    (warning,) = choose(with_system(facts, libc=unknown("t", "not asked")), request, Values(release("2.21.0")), NEW_ENV).warnings
    assert "glibc" in warning


def test_empty_catalogue():
    with pytest.raises(NoProfileError) as caught:
        choose(*plain(), Values(), NEW_ENV)
    assert "is empty" in caught.value.refusals[0]


def test_nearest_keeps_the_other_options():
    catalogue = Values(release("2.21.0"), release("2.20.0", build(pythons=("3.9",))), release("2.19.0", build(pythons=("3.9",))))
    facts = machine(interpreters=pythons(python("3.9.1"), python("3.11.1")))
    with pytest.raises(NoProfileError) as caught:
        choose(
            facts,
            Request(env=NEW_ENV.path, tensorflow="2.21", python="3.9", device="cpu", extra=("pandas>=2",), offline=True),
            catalogue,
            NEW_ENV,
        )
    assert caught.value.nearest == (
        "--tensorflow 2.20 --python 3.9 --device cpu --with 'pandas>=2' --offline",
        "--tensorflow 2.21 --python 3.11 --device cpu --with 'pandas>=2' --offline",
    )


def test_nearest_leaves_out_what_would_be_nonsense_elsewhere():
    env = dataclasses.replace(NEW_ENV, kind="venv", python=f"{NEW_ENV.path}/bin/python", python_version="3.8.10")
    with pytest.raises(NoProfileError) as caught:
        choose(*plain(python=env.python), Values(release("2.21.0")), env)
    assert caught.value.nearest == (f"--python 3.11 --env {NEW_ENV.path}-3.11",)


def test_cuda_by_name_tells_of_a_driver_that_is_too_old():
    facts, request = plain(device="cuda")
    facts = with_driver(facts, release=known("470.57.02", "t"))
    _, second = choose(facts, request, Values(release("2.21.0")), NEW_ENV).warnings
    assert "470.57.02" in second


def test_python_that_nobody_could_read_and_that_does_not_fit():
    facts = machine(interpreters=unknown("t", "not asked"))
    with pytest.raises(NoProfileError) as caught:
        choose(facts, Request(env=NEW_ENV.path, python="3.9"), Values(release("2.21.0")), NEW_ENV)
    assert caught.value.nearest == ("--python 3.11",)


def test_nearest_release_is_the_one_beside_what_was_asked():
    sixteen = build(pythons=("3.12",))
    catalogue = Values(
        release("2.18.0", sixteen), release("2.17.0", sixteen), release("2.16.2", sixteen), release("2.15.1"), release("2.14.1")
    )
    with pytest.raises(NoProfileError) as caught:
        choose(machine(interpreters=pythons(python("3.12.1"))), Request(env=NEW_ENV.path, tensorflow="2.15"), catalogue, NEW_ENV)
    assert caught.value.nearest == ("--tensorflow 2.15 --kind conda", "--tensorflow 2.16")


@pytest.mark.parametrize(
    ("origins", "told"),
    [
        ({}, "no known-good `--tensorflow 2.20` fits"),
        ({"tensorflow": "option"}, "no known-good `--tensorflow 2.20` fits"),
        ({"tensorflow": "file tfsetup.yaml"}, "no known-good TensorFlow 2.20, which tfsetup.yaml asks for, fits"),
        ({"tensorflow": "variable TFSETUP_TENSORFLOW"}, "no known-good TensorFlow 2.20, which TFSETUP_TENSORFLOW asks for, fits"),
    ],
)
def test_who_asked_for_the_release_is_named(origins, told):
    catalogue = Values(release("2.20.0", build(pythons=("3.13",))))
    with pytest.raises(NoProfileError) as refused:
        choose(*plain(tensorflow="2.20", origins=origins), catalogue, NEW_ENV)
    assert str(refused.value).startswith(told)


@pytest.mark.parametrize(
    ("spec", "named"), [("==2.21.0", "2.21.0"), ("==2.15.*", "2.15"), ("== 2.22.0rc0", "2.22.0rc0"), (">=2.15,<2.17", "'>=2.15,<2.17'")]
)
def test_an_exact_version_is_written_as_a_person_names_it(spec: str, named: str) -> None:
    """A word that begins with `=` is a program's name to zsh."""
    assert options(Request(env="/e", tensorflow=spec), frozenset()) == f"--tensorflow {named}"
