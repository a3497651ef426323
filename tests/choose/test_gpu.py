"""One GPU against one build."""

import dataclasses

import pytest

from provisioner.choose.gpu import code_of, gpu_warnings, judge, none_usable
from provisioner.model.catalogue import KnownBad
from provisioner.model.facts import known, unknown
from tests.choose.values import CUDA, a_gpu, gpu, release

MAXWELL = dataclasses.replace(CUDA, capabilities=("sm_50", "sm_60", "sm_70", "sm_75", "compute_80"))
NO_PTX = dataclasses.replace(CUDA, capabilities=("sm_60", "sm_70"))
BAD = KnownBad(reason="fails there", reference="", cause="gpu-too-new", devices=("cuda",), capabilities=("12.0", "12.1"))


def verdict(capability, build, *bad):
    return judge(a_gpu(capability=capability), build, release("2.20.0", known_bad=bad), None).verdict


@pytest.mark.parametrize(
    ("capability", "expected"),
    [
        ("3.7", "too old"), ("5.2", "too old"), ("6.0", "native"), ("6.1", "native"), ("7.0", "native"), ("7.5", "native"),
        ("8.0", "native"), ("8.6", "native"), ("8.9", "native"), ("9.0", "native"), ("10.0", "ptx"), ("10.3", "ptx"),
        ("11.0", "ptx"), ("12.0", "too new"),
    ],
)  # fmt: skip
def test_newest_builds(capability, expected):
    assert verdict(capability, CUDA, BAD) == expected


@pytest.mark.parametrize(
    ("capability", "expected"), [("3.5", "too old"), ("5.0", "native"), ("5.2", "native"), ("8.9", "native"), ("9.0", "ptx")]
)
def test_build_with_maxwell_and_ptx_of_ampere(capability, expected):
    assert verdict(capability, MAXWELL) == expected


def test_without_ptx_a_newer_major_is_too_new():
    assert verdict("8.0", NO_PTX) == "too new"


def test_machine_code_of_a_later_minor_does_not_run():
    assert verdict("8.6", dataclasses.replace(CUDA, capabilities=("sm_89",))) == "too old"


def test_code_names():
    code = code_of(dataclasses.replace(CUDA, capabilities=("sm_90a", "compute_120")))
    assert (code.machine, code.ptx) == (((9, 0), (12, 0)), ((12, 0),))


def test_what_is_bad_on_the_cpu_only_does_not_count():
    assert verdict("12.0", CUDA, dataclasses.replace(BAD, devices=("cpu",))) == "ptx"


def test_unknown_capability():
    judged = judge(a_gpu(compute_capability=unknown("NVML", "no answer")), CUDA, release("2.20.0"), None)
    assert (judged.verdict, judged.capability) == ("unknown", "")


def test_warnings_name_the_gpus_that_are_left():
    gpus = (a_gpu(name="GTX 970", capability="5.2"), a_gpu(index=1), a_gpu(name="GTX 970", capability="5.2", index=2))
    judged = tuple(judge(one, CUDA, release("2.20.0"), None) for one in gpus)
    first, hint = gpu_warnings(judged, gpus)
    assert first.startswith("GPU 0 and 2: GTX 970 cannot be used")
    assert "CUDA_VISIBLE_DEVICES=1`" in hint


def test_mig_without_instance_is_warned_of():
    mig = gpu(mig=known("enabled", "NVML"))
    (warning,) = gpu_warnings((judge(mig, CUDA, release("2.20.0"), None),), (mig,))
    assert "no instance" in warning


def test_all_reasons_are_told_once():
    gpus = (a_gpu(name="K80", capability="3.7"), a_gpu(name="K80", capability="3.7", index=1))
    obstacle = none_usable(tuple(judge(one, CUDA, release("2.20.0"), None) for one in gpus))
    assert obstacle.code == "gpu-too-old"
    assert obstacle.why.count("K80") == 1
