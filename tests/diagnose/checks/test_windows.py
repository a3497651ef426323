"""Windows, decided on Linux: import tables of real wheels (``tests/diagnose/windows``, made by ``tools/windows_imports.py``)."""

from __future__ import annotations

import dataclasses
import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.diagnose.checks import vc_runtime
from provisioner.diagnose.checks import windows as checks
from provisioner.diagnose.checks.windows import LONGEST, over_long
from provisioner.diagnose.dlls import named_in_build, wanted
from provisioner.facts.pe import Pe
from provisioner.model.facts import Windows, absent, known, unknown
from tests.diagnose import cases
from tests.facts.fake_reader import FakeReader
from tests.facts.test_pe import made

CHECKS = (*vc_runtime.CHECKS, *checks.CHECKS)
RECORDED = sorted((Path(__file__).parents[1] / "windows").glob("*.json"))
ENV = "C:/tf-env"
SITE = f"{ENV}/Lib/site-packages"
BASE = "C:/Program Files/Python311"
SYSTEM = "C:/Windows/System32"
# What a Windows 11 without the redistributable has of the DLLs that TensorFlow's files import.
WINDOWS_OWN = (
    "advapi32.dll", "bcrypt.dll", "crypt32.dll", "dbghelp.dll", "kernel32.dll", "normaliz.dll", "ntdll.dll", "ole32.dll", "shell32.dll",
    "shlwapi.dll", "userenv.dll", "version.dll", "ws2_32.dll",
)  # fmt: skip
RUNTIME = ("msvcp140.dll", "msvcp140_1.dll", "vcruntime140.dll", "vcruntime140_1.dll", "concrt140.dll")


def tables(path: Path) -> dict[str, Pe]:
    data = json.loads(path.read_text())
    return {
        name: Pe(machine=group["machine"], linker=group["linker"], imports=tuple(group["imports"]), delayed=tuple(group["delayed"]))
        for group in data["files"]
        for name in group["files"]
    }


def build_info(path: Path) -> str:
    return "\n".join(json.loads(path.read_text())["build_info"])


def windows(wheel: str = "tensorflow_intel-2.15.0", *, runtime: tuple[str, ...] = RUNTIME, listed: bool = True, **changes):
    """A Windows machine with the files of a real wheel, remade from their import tables; ``runtime`` is what System32 has of it."""
    path = next(path for path in RECORDED if path.stem.startswith(wheel))
    files: dict[str, str | bytes | None] = {f"{SITE}/tensorflow/python/platform/build_info.py": build_info(path)}
    for name, pe in tables(path).items():
        files[f"{SITE}/{name.replace('tensorflow_core', 'tensorflow')}"] = made(list(pe.imports), list(pe.delayed))
    python = next(name for pe in tables(path).values() for name in pe.imports if name.startswith("python3")).removesuffix(".dll")
    for name in ("python.exe", f"{python}.dll", "vcruntime140.dll", "vcruntime140_1.dll"):
        files[f"{BASE}/{name}"] = ""
    if listed:
        files |= {f"{SYSTEM}/{name}": "" for name in (*WINDOWS_OWN, *runtime)}
    _, facts, _ = cases.host("windows-10")
    state = changes.pop("state", Windows(vc_runtime=known("14.38.33130", "registry"), long_paths=known(True, "registry")))
    files |= changes.pop("files", {})
    survey = cases.survey(machine="AMD64", version=f"3.{python.removeprefix('python3')}.4", prefix=ENV, base_prefix=BASE)
    return cases.make(
        dataclasses.replace(facts, windows=state),
        "2.15.0",
        reader=FakeReader(files, platform="win32"),
        env=ENV,
        python=f"{ENV}/Scripts/python.exe",
        survey=survey,
        distributions=(cases.distribution("tensorflow-intel", "2.15.0", site=SITE),),
        **changes,
    )


IMPORTED = (
    {"event": "start", "check": "import", "device": ""},
    {"event": "end", "check": "import", "device": "", "status": "passed", "detail": "", "seconds": 1.0, "data": {}},
)


def answered(case, **dlls: str):
    """The case with what its Python says of DLLs; of those that are not named that they are in Windows' folder."""
    asked = {name: f"{SYSTEM}/{name}" for name in RUNTIME} | {f"{name}.dll": path for name, path in dlls.items()}
    return dataclasses.replace(case, survey=dataclasses.replace(case.survey, dlls=asked))


def found(case):
    said, findings = cases.run(case, *CHECKS)
    return said, {finding.cause: finding for finding in findings}


ABSENT = Windows(vc_runtime=absent("registry", "not installed"), long_paths=known(True, "registry"))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_real_wheels_are_healthy_where_the_runtime_is(path: Path) -> None:
    said, findings = found(windows(path.stem.rpartition("-")[0]))
    assert not findings
    assert "msvcp140.dll" in said["vc-runtime"]
    assert "could not" not in said["dll-imports"]


@pytest.mark.parametrize(
    ("wheel", "needed"),
    [
        ("tensorflow-1.15.5", {"msvcp140.dll", "concrt140.dll"}),
        ("tensorflow_cpu-2.1.0", {"msvcp140.dll", "msvcp140_1.dll"}),
        ("tensorflow_cpu-2.3.0", {"msvcp140.dll", "msvcp140_1.dll"}),
        ("tensorflow-2.6.0", {"msvcp140.dll", "msvcp140_1.dll"}),
        ("tensorflow_intel-2.10.1", {"msvcp140.dll", "msvcp140_1.dll"}),
        ("tensorflow-2.20.0", {"msvcp140.dll", "msvcp140_1.dll"}),
    ],
)
def test_the_runtime_that_python_does_not_bring_is_missing(wheel: str, needed: set[str]) -> None:
    _, findings = found(windows(wheel, runtime=(), state=ABSENT))
    finding = findings["msvc-redist-missing"]
    assert (finding.severity, finding.confidence) == ("error", "certain")
    assert {evidence.seen.split()[0] for evidence in finding.evidence[:-1]} == needed
    assert "winget install" in finding.remedy.steps[0]
    assert findings.keys() == {"msvc-redist-missing"}


def test_a_runtime_that_is_too_old_lacks_the_newer_parts() -> None:
    old = Windows(vc_runtime=known("14.0.24215", "registry"), long_paths=known(True, "registry"))
    _, findings = found(windows(runtime=("msvcp140.dll", "vcruntime140.dll"), state=old))
    assert [evidence.seen.split()[0] for evidence in findings["msvc-redist-missing"].evidence] == ["msvcp140_1.dll", "the"]


def test_what_this_python_finds_goes_before_what_lies_in_windows_folder() -> None:
    """A private copy is found, and one that Windows cannot load is not, whatever the folders hold."""
    assert not found(answered(windows(runtime=())))[1]
    _, findings = found(answered(windows(), msvcp140_1=""))
    assert [evidence.seen.split()[0] for evidence in findings["msvc-redist-missing"].evidence] == ["msvcp140_1.dll", "the"]


def test_what_is_missing_is_brought_into_the_environment_and_shown_to_windows() -> None:
    _, findings = found(answered(windows(), msvcp140_1=""))
    restore, *writes = findings["msvc-redist-missing"].repairs
    assert (restore.kind, restore.name, restore.version) == ("restore", "msvc-runtime", "14.44.35112")
    assert {repair.path for repair in writes} == {f"{SITE}/_tfsetup_dlls.py", f"{SITE}/tfsetup_dlls.pth"}
    # With the wheel there, only what shows it is missing.
    brought = {f"{ENV}/Scripts/{name}": "" for name in ("msvcp140.dll", "msvcp140_1.dll")}
    case = answered(windows(files=brought), msvcp140_1="")
    case = dataclasses.replace(case, distributions=(*case.distributions, cases.distribution("msvc-runtime", "14.44.35112", site=SITE)))
    assert {repair.kind for repair in found(case)[1]["msvc-redist-missing"].repairs} == {"write"}


def test_a_program_folder_of_the_environment_is_not_searched() -> None:
    """What `pip install msvc-runtime` does: its DLLs lie in Scripts, where Windows does not look for those of the Python under it."""
    files = {f"{ENV}/Scripts/{name}": "" for name in RUNTIME}
    case = dataclasses.replace(windows(runtime=(), files=files), config={"home": BASE})
    assert "msvc-redist-missing" in found(case)[1]


@pytest.mark.parametrize(
    ("said", "sure"),
    [("A dynamic link library (DLL) initialization routine failed", "likely"), ("No module named x", "possible")],
)
def test_an_old_file_is_known_by_its_own_version(said: str, sure: str) -> None:
    """The registry may say new: what is loaded counts."""
    failed = ({**IMPORTED[0]}, {**IMPORTED[1], "status": "failed", "detail": f"ImportError: DLL load failed: {said}"})
    old = b"MZ" + struct.pack("<IIII", 0xFEEF04BD, 0x00010000, 14 << 16, 24215 << 16)
    case = answered(windows(files={"C:/other/msvcp140.dll": old}, child=cases.child(events=failed)), msvcp140="C:/other/msvcp140.dll")
    finding = found(case)[1]["msvc-redist-missing"]
    assert (finding.severity, finding.confidence) == ("error", sure)
    assert (finding.evidence[0].where, "14.0.24215" in finding.evidence[0].seen) == ("C:/other/msvcp140.dll", True)
    assert finding.repairs[0].name == "msvc-runtime"


def test_without_a_list_of_windows_folder_the_registry_speaks() -> None:
    _, findings = found(windows(listed=False, state=ABSENT))
    assert findings["msvc-redist-missing"].confidence == "likely"
    assert not found(windows(listed=False))[1]
    said, findings = found(windows(listed=False, state=dataclasses.replace(ABSENT, vc_runtime=unknown("registry", "reg did not answer"))))
    assert said["vc-runtime"].startswith("could not tell")
    assert not findings


def test_a_runtime_older_than_the_linker_is_said_when_the_import_fails() -> None:
    old = Windows(vc_runtime=known("14.20.27508", "registry"), long_paths=known(True, "registry"))
    assert not found(windows(state=old))[1]
    assert not found(windows(state=old, child=cases.child(events=IMPORTED)))[1]
    _, findings = found(windows(state=old, child=cases.child(1, done=False)))
    assert findings["msvc-redist-missing"].confidence == "possible"


def test_an_extension_for_another_python() -> None:
    case = windows("tensorflow_intel-2.15.0")
    files = {path: data for path, data in case.reader.files.items() if not path.endswith("python311.dll")}
    reader = FakeReader({**files, f"{BASE}/python310.dll": ""}, platform="win32")
    _, findings = found(dataclasses.replace(case, reader=reader, survey=dataclasses.replace(case.survey, version="3.10.4")))
    assert findings.keys() == {"python-unsupported"}


def test_a_library_that_the_wheel_had_and_that_is_gone() -> None:
    case = windows("tensorflow-2.20.0")
    name = "tensorflow/python/_pywrap_tensorflow_common.dll"
    files = {path: data for path, data in case.reader.files.items() if not path.endswith(name)}
    record = {f"{case.distributions[0].metadata}/RECORD": f"{name},sha256=x,1\n"}
    _, findings = found(dataclasses.replace(case, reader=FakeReader({**files, **record}, platform="win32")))
    assert findings.keys() == {"install-corrupt"}


def test_an_import_that_is_nowhere() -> None:
    extra = {f"{SITE}/tensorflow/python/_x.pyd": made(["strange.dll", "api-ms-win-crt-heap-l1-1-0.dll"], [])}
    _, findings = found(windows(files=extra))
    assert [(finding.cause, finding.severity, finding.title) for finding in findings.values()] == [
        ("unknown", "warning", "strange.dll, which TensorFlow imports, is nowhere")
    ]
    assert not found(windows(files=extra, listed=False))[1]


def test_a_library_for_another_machine() -> None:
    extra = {f"{SITE}/tensorflow/python/_x.pyd": made([], [], machine=0xAA64)}
    assert found(windows(files=extra))[1].keys() == {"wrong-arch-binary"}


def test_cuda_of_the_system_matters_only_where_it_is_meant() -> None:
    extra = {f"{SITE}/tensorflow/python/_x.pyd": made(["cudart64_110.dll", "cudnn64_8.dll", "nvcuda.dll"], [])}
    assert not found(windows(files=extra))[1]
    meant = windows(files=extra, expected=cases.Expected(tensorflow="2.10.1", device="cuda"))
    assert found(meant)[1].keys() == {"cuda-libs-missing", "cudnn-missing"}


LONG = "tensorflow/include/" + "x" * 200 + "/y.h"


@pytest.mark.parametrize(
    ("root", "there", "severity"), [(f"C:/{'d' * 60}", False, "error"), (f"C:/{'d' * 60}", True, "warning"), ("C:/e", False, "")]
)
def test_paths_that_are_too_long(root: str, there: bool, severity: str) -> None:
    off = Windows(vc_runtime=known("14.38.33130", "registry"), long_paths=known(False, "registry"))
    item = cases.distribution("tensorflow-intel", "2.15.0", site=root)
    files = {f"{item.metadata}/RECORD": f"{LONG},sha256=x,1\ntensorflow/__init__.py,sha256=x,1\n"}
    if there:
        files[f"{root}/{LONG}"] = ""
    case = dataclasses.replace(windows(state=off, files=files), distributions=(item,))
    _, findings = found(case)
    assert [finding.severity for cause, finding in findings.items() if cause == "windows-long-paths"] == ([severity] if severity else [])
    if severity:
        assert any("LongPathsEnabled" in step for step in findings["windows-long-paths"].remedy.steps)
        on = dataclasses.replace(off, long_paths=known(True, "registry"))
        assert not found(dataclasses.replace(case, facts=dataclasses.replace(case.facts, windows=on)))[1]


@given(length=st.integers(200, LONGEST), names=st.lists(st.text(st.sampled_from("ab/.\\"), min_size=1, max_size=70)))
def test_the_paths_named_are_those_that_are_too_long(length: int, names: list[str]) -> None:
    """About as long as Windows takes, where a rule that errs by one is seen; what climbs is no path below the root."""
    root = "C:/" + "r" * (length - 3)
    long = {f"{root}/{name}" for name in names if ".." not in name and len(f"{root}/{name}") > LONGEST}
    assert set(over_long(root, names)) == {path.replace("/", "\\") for path in long}


def test_what_build_info_names() -> None:
    assert {path.stem: named_in_build(build_info(path)) for path in RECORDED} == {
        path.stem: ("msvcp140.dll",) if "1.15" in path.stem else ("msvcp140.dll", "msvcp140_1.dll") for path in RECORDED
    }
    assert named_in_build("build_info = {}") == ()


def test_each_dll_is_wanted_once() -> None:
    pe = Pe(
        machine="x86_64", linker="14.29", imports=("KERNEL32.dll", "kernel32.dll", "api-ms-win-crt-heap-l1-1-0.dll"), delayed=("x.dll",)
    )
    assert [item.name for item in wanted({"b": pe, "a": pe}, ("MSVCP140.dll",), "c")] == ["kernel32.dll", "msvcp140.dll"]


@pytest.mark.parametrize("name", ["debian-12", "apple-m1"])
def test_elsewhere_nothing_is_said(name: str) -> None:
    said, findings = found(cases.recorded(name))
    assert set(said.values()) == {"skipped: this is not Windows"}
    assert not findings


def test_an_old_dll_beside_python_goes_before_all_others_and_no_package_helps() -> None:
    failed = (IMPORTED[0], {**IMPORTED[1], "status": "failed", "detail": "ImportError: DLL load failed"})
    old = b"MZ" + struct.pack("<IIII", 0xFEEF04BD, 0x00010000, 14 << 16, 24215 << 16)
    case = answered(windows(files={f"{BASE}/msvcp140.dll": old}, child=cases.child(events=failed)), msvcp140=f"{BASE}/msvcp140.dll")
    case = dataclasses.replace(
        case, survey=dataclasses.replace(case.survey, refused={"msvcp140.dll": "[WinError 1114]", "msvcp140_1.dll": "it"})
    )
    assert "msvc-redist-missing" not in found(case)[1], "the newer part needs the one beside Python, and fails with it"
    finding = found(case)[1]["environment-leak"]
    assert (finding.repairs, finding.confidence) == ((), "likely")
    assert "msvcp140.dll" in finding.remedy.words
