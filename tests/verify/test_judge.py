"""The judge on what came back from machines that are not here: cases in ``runs.yaml``."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
import yaml

from provisioner.environment.distributions import Installed
from provisioner.judge.integrity import Integrity
from provisioner.model.catalogue import CudaBuild
from provisioner.report.verify_text import verification_text
from provisioner.verify.events import parse_events
from provisioner.verify.judge import judge
from provisioner.verify.judge_gpu import table
from provisioner.verify.raw import Child, Expected, Raw
from provisioner.verify.surroundings import Surroundings
from tests.verify.support import wording

CASES = yaml.safe_load((Path(__file__).parent / "runs.yaml").read_text(encoding="utf-8"))
INSTALLED = Installed(name="numpy", version="2.1.0", metadata="/env/numpy.dist-info", site="/env")
INTEGRITY = Integrity(distributions=(INSTALLED,), rivals=(), faults=(), files=1)


def ended(name, device, status, detail, data=None):
    start = {"event": "start", "check": name, "device": device}
    end = {"event": "end", "check": name, "device": device, "status": status, "detail": detail, "seconds": 0.1, "data": data or {}}
    return [start] if status is None else [start, end]


def probe(case):
    events = [{"event": "interpreter", "markers": {"python_version": "3.12"}}]
    events += ended("import", "", *case.get("import", ["passed", "/env/tensorflow"]))
    if "import" not in case:
        events += ended("versions", "", "passed", "", {"tensorflow": "2.21.0", "modules": {}, "file": "/env/tensorflow/__init__.py"})
        events += ended("devices", "", "passed", "", {"gpus": case.get("gpus", [])})
    for item in case.get("probe", []):
        events += ended(*item)
    end = {"code": 0, "timed_out": False, **case.get("end", {})}
    if "end" not in case:
        events += [{"event": "loaded", "modules": [], "libraries": []}, {"event": "done"}]
    return Child(seconds=1.0, limit=300.0, err=case.get("err", ""), events=tuple(events), **end)


def libraries(case):
    asked = case.get("libraries", [["CudaRuntime", "libcudart.so.12", "env/libcudart.so.12", "12.5"]])
    events = [{"event": "required", "sonames": ["libcudart.so.12"], "loaded": []}]
    for kind, name, path, version in asked:
        events.append(
            {"event": "library", "kind": kind, "asked": [name], "path": path.replace("env/", "/env/"), "missing": "" if path else name}
        )
        events += [{"event": "version", "kind": kind, "version": version}] if path else []
    events += [{"event": "driver", **case["driver"]}] if "driver" in case else []
    return Child(code=0, timed_out=False, seconds=0.1, limit=60.0, err="", events=(*events, {"event": "done"}))


def judged(case):
    around = dict(case.get("around", {}))
    for name in ("gpus", "flags"):
        around[name] = (tuple if name == "gpus" else frozenset)(around.get(name, ()))
    raw = Raw(
        probe=probe(case),
        libraries=libraries(case) if case["cuda_build"] else None,
        no_libraries="a CPU build opens no GPU libraries",
        cuda_build=case["cuda_build"],
        integrity=INTEGRITY,
        unmet=(),
        around=Surroundings(**around),
    )
    expected = Expected(**case.get("expected", {}))
    return judge(raw, expected, env="/env", python="/env/bin/python", require_gpu=case.get("require_gpu", False), wording=wording())


@pytest.mark.parametrize("case", CASES, ids=[item["name"] for item in CASES])
def test_case(case):
    found = judged(case)
    serious = [item for item in found.findings if item.severity != "info"]
    assert [item.cause for item in serious] == case["causes"]
    assert found.passed is case["passed"]
    assert [item.severity for item in serious] == case.get("severities", [item.severity for item in serious])
    assert [item.confidence for item in serious] == case.get("confidences", [item.confidence for item in serious])
    titles = [item.title for item in found.findings if item.severity == "info" and item.cause != "harmless-message"]
    assert titles == case.get("infos", titles if not case.get("err") else [])
    statuses = {f"{item.name} {item.device}".rstrip(): item.status for item in found.checks}
    for name, status in case.get("checks", {}).items():
        assert statuses[name] == status
    text = verification_text(found, verbose=True)
    assert all(item.cause in text for item in found.findings)


def test_every_finding_has_evidence_and_a_remedy():
    for case in CASES:
        for finding in judged(case).findings:
            assert finding.evidence, case["name"]
            assert finding.remedy.words, case["name"]


def test_errors_come_first_and_a_cause_before_its_symptom():
    case = {
        "cuda_build": True,
        "require_gpu": True,
        "around": {"gpus": ["0000:01:00.0"]},
        "libraries": [["CudaRuntime", "libcudart.so.12", "", ""], ["CudaDriver", "libcuda.so.1", "", ""]],
    }
    assert [item.cause for item in judged(case).findings] == ["driver-missing", "cuda-libs-missing", "cuda-toolkit-incomplete"]


def test_checks_that_fail_with_the_same_unknown_words_are_one_finding():
    failed = [[name, "", "failed", "OddError: nobody knows this"] for name in ("matmul", "convolution", "function")]
    case = {"cuda_build": False, "probe": [*failed, ["xla", "", "failed", "OddError: something else"]]}
    first, second = judged(case).findings
    assert first.title == "3 checks failed: OddError: nobody knows this"
    assert [item.where for item in first.evidence if item.where.startswith("check")] == [
        "check matmul",
        "check convolution",
        "check function",
    ]
    assert second.title == "check xla failed: OddError: something else"


def test_text_shows_more_when_asked():
    found = judged(next(case for case in CASES if case["name"] == "unknown output is kept"))
    assert "something new" not in verification_text(found, verbose=False)
    assert "something new" in verification_text(found, verbose=True)
    finding = dataclasses.replace(found.findings[0], severity="warning", evidence=found.findings[0].evidence * 5)
    many = dataclasses.replace(found, findings=(finding,))
    assert "6 more with --verbose" in verification_text(many, verbose=False)
    assert "Verified: " in verification_text(many, verbose=False)
    assert "1 warning" in verification_text(many, verbose=False)


def test_a_proof_that_passed_is_one_line_and_all_of_it_when_asked():
    found = judged(next(case for case in CASES if case["passed"] and not case["causes"]))
    line = verification_text(found, verbose=False).rstrip("\n")
    assert re.fullmatch(r"Verified: TensorFlow \S* \(\w*\), \d+ checks?, \d+\.\d s(; not proven: .*)?", line), line
    full = verification_text(found, verbose=True)
    assert line in full
    assert all(check.name in full for check in found.checks)


def test_events_survive_noise_and_a_cut():
    text = 'x\nMARK {"event": "done"}\nMARKER {"event": "no"}\nMARK {"event": 1}\nMARK []\nMARK {"event": "sta'
    assert parse_events(text, "MARK") == ({"event": "done"},)


def test_a_required_library_that_no_handle_names_is_judged_by_the_files_loaded():
    """TensorFlow 2.10 hands out no names of libraries: what it opened is read from the process."""
    cuda = CudaBuild(version="11.2", cudnn="8.1", capabilities=(), must_open=("libcudart.so.11.0", "libcudnn.so.8"), may_open=(), driver="")
    events = (
        {"event": "required", "sonames": list(cuda.must_open), "loaded": ["/env/lib/libcudart.so.11.0"]},
        {"event": "library", "kind": "Cudart", "asked": [], "path": "", "missing": ""},
        {"event": "done"},
    )
    child = Child(code=0, timed_out=False, seconds=0.1, limit=60.0, err="", events=events)
    found = {item.soname: (item.path, item.inside, item.required) for item in table(child, Expected(cuda=cuda), "/env")}
    assert found == {
        "libcudart.so.11.0": ("/env/lib/libcudart.so.11.0", True, True),
        "libcudnn.so.8": ("", False, True),
    }


def judged_on_windows(cuda, *events):
    """The judgement of what the script that opens DLLs has told, in an environment on drive C."""
    child = Child(code=0, timed_out=False, seconds=0.1, limit=60.0, err="", events=(*events, {"event": "done"}))
    raw = Raw(
        probe=child, libraries=child, no_libraries="", cuda_build=True, integrity=Integrity(distributions=(), rivals=(), faults=(), files=0),
        unmet=(), around=Surroundings(),
    )  # fmt: skip
    asked = {"env": "C:/env", "python": "C:/env/Scripts/python.exe", "require_gpu": False}
    return judge(raw, Expected(device="cuda", cuda=cuda), wording=wording(), **asked)


@pytest.mark.parametrize(
    ("path", "error", "cause"),
    [
        ("C:/Windows/System32/cudnn64_8.dll", 1114, "environment-leak"),
        ("C:/env/Lib/site-packages/nvidia/cudnn/bin/cudnn64_8.dll", 193, "install-corrupt"),
        # What is missing is what it needs, and that is told by itself.
        ("C:/env/Lib/site-packages/nvidia/cudnn/bin/cudnn64_8.dll", 126, "cudnn-missing"),
    ],
)
def test_a_dll_that_windows_comes_to_first_and_refuses_is_named(path, error, cause):
    cuda = CudaBuild(version="11.2", cudnn="8.1", capabilities=(), must_open=("cudnn64_8.dll",), may_open=(), driver="")
    found = judged_on_windows(
        cuda,
        {"event": "library", "kind": "cudnn", "asked": ["cudnn64_8.dll"], "path": "", "missing": "cudnn64_8.dll"},
        {"event": "refused", "asked": "cudnn64_8.dll", "path": path, "error": error},
    )
    first = next(item for item in found.findings if item.cause == cause)
    assert (first.evidence[0].where == path) == (error != 126)


def test_windows_names_are_judged_as_linux_are():
    """A cuDNN that is too old, one that is lost, one from outside: by names that end in .dll and paths on a drive."""
    names = ("cudart64_110.dll", "cublas64_11.dll", "cudnn64_8.dll")
    cuda = CudaBuild(version="11.2", cudnn="8.1", capabilities=(), must_open=names, may_open=(), driver="")
    inside = "C:/env/Lib/site-packages/nvidia"
    paths = (f"{inside}/cuda_runtime/bin/{names[0]}", "", f"C:/other/{names[2]}")
    events = [
        {"event": "library", "kind": kind, "asked": [name], "path": path, "missing": "" if path else name}
        for kind, name, path in zip(("cudart", "cublas", "cudnn"), names, paths, strict=True)
    ]
    found = judged_on_windows(cuda, *events, {"event": "version", "kind": "cudnn", "version": "8.0.5"})
    assert {item.soname: (item.inside, item.required) for item in found.libraries} == dict(
        zip(names, ((True, True), (False, True), (False, True)), strict=True)
    )
    causes = {item.cause: item.evidence[0].seen for item in found.findings}
    assert "cublas64_11.dll" in causes["cuda-libs-missing"]
    assert "8.0.5" in causes["cudnn-version-mismatch"]
    assert "cudnn64_8.dll" in causes["environment-leak"]
