"""Judgement of the GPU half: which libraries the loader found, what the driver said, whether any GPU computed. Pure."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from provisioner.base.numbers import runs
from provisioner.base.sonames import bare, stem
from provisioner.model.finding import Check, Confidence, Evidence, LoadedLibrary, Severity
from provisioner.verify.events import Event
from provisioner.verify.raw import Child, Expected, Raw, ending

if TYPE_CHECKING:
    from provisioner.causes.findings import Findings
    from provisioner.model.cause import Order

NO_GPU_MEANT = "a build for GPUs where none is used: it needs none of them on the CPU"
# winerror.h: of a file that was found, ERROR_MOD_NOT_FOUND is said of what it needs.
_NOT_FOUND = 126
_REFUSALS = {127: "it lacks a function that is asked for", 193: "it is no DLL for 64 bit", 1114: "its start failed"}
# These belong to the driver, not to the environment.
DRIVERS = ("libcuda.so.1", "libnvidia-ml.so.1", "nvcuda.dll", "nvml.dll")


def judge(
    raw: Raw, expected: Expected, findings: Findings, *, env: str, require_gpu: bool
) -> tuple[list[Check], tuple[LoadedLibrary, ...]]:
    """Return the checks ``libraries``, ``toolkit`` and ``gpu``, and the table of libraries; ``env`` is the environment's root."""
    libraries = table(raw.libraries, expected, env) if raw.libraries is not None else ()
    here = require_gpu or bool(raw.around.gpus or raw.around.driver)
    # What only a GPU needs is no fault where there is none and none was asked for.
    wanted = require_gpu or expected.device == "cuda" or (expected.device != "cpu" and here)
    checks = [_libraries(raw, libraries, findings, env=env, wanted=wanted)]
    if raw.cuda_build:
        if wanted:
            _cudnn(libraries, expected, findings)
        _driver(raw, libraries, findings, here=here)
        checks.append(_toolkit(raw, findings) if wanted or raw.gpus else Check(name="toolkit", status="skipped", detail=NO_GPU_MEANT))
    checks.append(_gpu(raw, expected, findings, require_gpu=require_gpu))
    return checks, libraries


def table(child: Child | None, expected: Expected, env: str) -> tuple[LoadedLibrary, ...]:
    """The libraries in the order in which they were asked for, the required ones first."""
    if child is None:
        return ()
    required = set(expected.cuda.must_open) if expected.cuda else set()
    with_them: set[str] = set()
    if not required:
        required = {name for event in child.all("required") for name in event["sonames"]}
        with_them = {path for event in child.all("required") for path in event["loaded"]}
    versions = {event["kind"]: event["version"] for event in child.all("version")}
    found = []
    for event in child.all("library"):
        path = posixpath.normpath(event["path"]) if event["path"] else ""
        soname = event["asked"][0] if event["asked"] else posixpath.basename(path)
        if soname:
            found.append(
                LoadedLibrary(
                    soname=soname,
                    path=path,
                    version=str(versions.get(event["kind"], "")),
                    inside=bool(path) and path.startswith(env.rstrip("/") + "/"),
                    required=soname in required or (event["path"] in with_them and soname not in DRIVERS),
                )
            )
    found += _unnamed(child, required - {item.soname for item in found}, env)
    return tuple(sorted(found, key=lambda item: (not item.required, item.soname)))


def _unnamed(child: Child, required: set[str], env: str) -> list[LoadedLibrary]:
    """Return the required libraries that no handle was told of (so in 2.10), by the files that are loaded after TensorFlow has opened them."""
    events = child.all("required")
    paths = {posixpath.basename(path): posixpath.normpath(path) for event in events for path in event["loaded"]}
    return [
        LoadedLibrary(
            soname=soname,
            path=paths.get(soname, ""),
            version="",
            inside=paths.get(soname, "").startswith(env.rstrip("/") + "/"),
            required=True,
        )
        for soname in (required if events else ())
    ]


def _libraries(raw: Raw, libraries: tuple[LoadedLibrary, ...], findings: Findings, *, env: str, wanted: bool) -> Check:
    """``wanted``: whether a GPU shall compute; a build for GPUs computes on the CPU without any of these."""
    child = raw.libraries
    if child is None:
        return Check(name="libraries", status="skipped", detail=raw.no_libraries)
    opening = [event["kind"] for event in child.all("opening")]
    if not child.done:
        what = f"opening {opening[-1]}" if opening else "loading TensorFlow's library"
        seen = Evidence(seen=f"{ending(child)} while {what}", where="the loader")
        tail = Evidence(seen="\n".join(child.err.rstrip().splitlines()[-5:]), where="standard error of the process")
        findings.add("unknown", "error", "possible", seen, tail, title=f"The libraries could not be loaded: {seen.seen}")
        status = "timed out" if child.timed_out else "crashed"
        return Check(name="libraries", status="timed out" if status == "timed out" else "crashed", detail=seen.seen, seconds=child.seconds)
    lost = [item for item in libraries if item.required and not item.path]
    if not wanted and not (raw.gpus and not lost):
        return Check(name="libraries", status="skipped", detail=NO_GPU_MEANT, seconds=child.seconds)
    missing = {event["asked"][0]: event["missing"] for event in child.all("library") if event["asked"]}
    refused = refusals(child)
    for item in lost:
        if item.soname in refused:
            path, words = refused[item.soname]
            own = path.lower().startswith(f"{env.lower().rstrip('/')}/")
            seen = Evidence(seen=refusal(item.soname, words), where=path)
            findings.add("install-corrupt" if own else "environment-leak", "error", "certain", seen)
            continue
        cause = "cudnn-missing" if stem(item.soname) == "cudnn" else "cuda-libs-missing"
        findings.add(cause, "error", "certain", *_why_lost(item, missing.get(item.soname, ""), raw.present))
    for item in libraries:
        if item.path and not item.inside and not item.soname.startswith(DRIVERS):
            severity: Severity = "warning" if item.required else "info"
            seen = Evidence(seen=f"{item.soname} {item.version} is loaded from outside the environment", where=item.path)
            findings.add("environment-leak", severity, "certain", seen)
    required = [item for item in libraries if item.required]
    detail = f"{len(required) - len(lost)} of {len(required)} required libraries found"
    if lost:
        return Check(name="libraries", status="failed", detail=f"{detail}; missing: {_names(lost)}", seconds=child.seconds)
    if not required:
        return Check(
            name="libraries", status="could not tell", detail="this build does not say which libraries it needs", seconds=child.seconds
        )
    return Check(name="libraries", status="passed", detail=detail, seconds=child.seconds)


def refusal(name: str, why: str) -> str:
    """Say that the file of a library which the system comes to first is none that it loads."""
    return f"{name} is found first here and cannot be loaded: {why}"


def refusals(child: Child) -> dict[str, tuple[str, str]]:
    """Return, by library, the file that Windows comes to first and refuses, and why; not where what that file needs is missing."""
    found = ((event, _REFUSALS.get(event["error"], "")) for event in child.all("refused") if event["error"] != _NOT_FOUND)
    return {event["asked"]: (event["path"], f"error {event['error']}{words and f', {words}'}") for event, words in found}


def _names(libraries: list[LoadedLibrary]) -> str:
    return ", ".join(item.soname for item in libraries)


def _why_lost(item: LoadedLibrary, missing: str, present: dict[str, str]) -> list[Evidence]:
    evidence = [Evidence(seen=f"{item.soname} is not found by TensorFlow's loader", where="dlopen by libtensorflow_framework")]
    if missing and missing != item.soname:
        evidence.append(Evidence(seen=f"{missing}, which it needs, is not found", where=item.soname))
    elif item.soname in present:
        evidence.append(Evidence(seen="the file is in the environment, but not where this build looks", where=present[item.soname]))
    return evidence


def _cudnn(libraries: tuple[LoadedLibrary, ...], expected: Expected, findings: Findings) -> None:
    """The loaded cuDNN must be of the same major and not older than the one built against (libraries.yaml, facts)."""
    if expected.cuda is None or not expected.cuda.cudnn:
        return
    for item in libraries:
        if bare(item.soname) == "cudnn" and _numbers(item.version) and not cudnn_fits(item.version, expected.cuda.cudnn):
            seen = Evidence(seen=f"cuDNN {item.version} is loaded, TensorFlow was built with {expected.cuda.cudnn}", where=item.path)
            findings.add("cudnn-version-mismatch", "error", "certain", seen)


def cudnn_fits(have: str, want: str) -> bool:
    """Whether a cuDNN serves a TensorFlow that was built with ``want``: of the same major and not older (cuDNN's API compatibility)."""
    found, wanted = _numbers(have), _numbers(want)
    return found[:1] == wanted[:1] and found[: len(wanted)] >= wanted[: len(found)]


def _numbers(version: str) -> tuple[int, ...]:
    return runs(version)[:3]


def _driver(raw: Raw, libraries: tuple[LoadedLibrary, ...], findings: Findings, *, here: bool) -> None:
    """What the driver said to ``cuInit``; a machine without a GPU has no driver, and that is no fault unless a GPU is required."""
    event: Event = raw.libraries.first("driver") if raw.libraries is not None else {}
    severity: Severity = "error" if here else "info"
    if event and event["code"] != 0:
        cause, confidence = driver_cause(event["code"], findings.messages.order)
        words = f"cuInit answers {event['code']} {event['name']}".rstrip()
        findings.add(cause, severity, confidence, Evidence(seen=words, where="libcuda.so.1"), *_surroundings(raw))
    runtime = next((item.version for item in libraries if bare(item.soname) == "cudart"), "")
    offered = str(event.get("version", "")) if event else ""
    # Within one CUDA major a driver runs newer runtimes (minor version compatibility, CUDA 11 and later).
    if runtime and offered and _numbers(offered)[:1] < _numbers(runtime)[:1]:
        words = f"the driver supports CUDA {offered}, the libraries are CUDA {runtime}"
        findings.add("driver-too-old", severity, "certain", Evidence(seen=words, where="libcuda.so.1"))


def driver_cause(result: int, causes: Order) -> tuple[str, Confidence]:
    """What an answer of ``cuInit`` or ``cuDeviceGetCount`` other than 0 means, and how sure that is."""
    cause = causes.of_cuda_result(result) or "gpu-init-failed"
    # Memory may be taken by the very process that asks.
    return cause, "likely" if cause in {"gpu-init-failed", "gpu-memory"} else "certain"


def _surroundings(raw: Raw) -> list[Evidence]:
    around = raw.around
    evidence = [Evidence(seen="NVIDIA device " + ", ".join(around.gpus), where="/sys/bus/pci/devices")] if around.gpus else []
    if around.driver:
        evidence.append(Evidence(seen=f"kernel module {around.driver}", where="/proc/driver/nvidia/version"))
    if around.visible is not None:
        evidence.append(Evidence(seen=f"CUDA_VISIBLE_DEVICES is {around.visible!r}", where="environment variable"))
    return evidence


def _toolkit(raw: Raw, findings: Findings) -> Check:
    lost = [name for name, path in (("ptxas", raw.around.ptxas), ("libdevice", raw.around.libdevice)) if not path]
    if lost:
        where = "nvidia/cuda_nvcc beside tensorflow, PATH, /usr/local/cuda, XLA_FLAGS"
        seen = [Evidence(seen=f"{name} is not found", where=where) for name in lost]
        findings.add("cuda-toolkit-incomplete", "warning", "likely", *seen)
        return Check(name="toolkit", status="failed" if raw.gpus else "not proven", detail="not found: " + ", ".join(lost))
    return Check(name="toolkit", status="passed", detail=f"{raw.around.ptxas}, {raw.around.libdevice}")


def _gpu(raw: Raw, expected: Expected, findings: Findings, *, require_gpu: bool) -> Check:
    around = raw.around
    present = bool(around.gpus or around.driver)
    if raw.gpus:
        names = ", ".join(f"{gpu['device']} {gpu['name']} ({gpu['capability']})" for gpu in raw.gpus)
        return Check(name="gpu", status="passed", detail=f"TensorFlow uses {names}")
    if raw.cuda_build is False:
        return _cpu_build(raw, expected, findings, require_gpu=require_gpu)
    devices = raw.ran("devices")
    if devices is None or devices.status != "passed":
        status = "failed" if require_gpu else "could not tell"
        return Check(name="gpu", status="failed" if status == "failed" else "could not tell", detail="TensorFlow did not list its devices")
    libcuda = next(
        (event["path"] for event in (raw.libraries.all("library") if raw.libraries else ()) if event["kind"] == "CudaDriver"), ""
    )
    if not (require_gpu or present):
        return Check(name="gpu", status="not proven", detail="not proven here: no NVIDIA driver on this machine")
    severity: Severity = "error" if require_gpu else "warning"
    if around.visible is not None and around.visible.strip() in {"", "-1"}:
        findings.add("gpu-not-visible", severity, "certain", *_surroundings(raw))
    elif not libcuda:
        cause = "gpu-not-visible" if around.driver else "driver-missing"
        confidence: Confidence = "likely" if around.driver else "certain"
        findings.add(cause, severity, confidence, Evidence(seen="libcuda.so.1 is not found", where="the loader"), *_surroundings(raw))
    elif not findings.has_error():
        seen = Evidence(seen="the driver and the libraries are there, but TensorFlow lists no GPU", where="tf.config.list_physical_devices")
        findings.add("gpu-not-visible", severity, "possible", seen, *_surroundings(raw))
    return Check(name="gpu", status="failed" if require_gpu else "not proven", detail="TensorFlow uses no GPU here")


def _cpu_build(raw: Raw, expected: Expected, findings: Findings, *, require_gpu: bool) -> Check:
    seen = Evidence(seen="is_cuda_build is False", where="tensorflow/python/platform/build_info.py")
    if require_gpu or expected.device == "cuda":
        findings.add("cpu-only-build", "error", "certain", seen, *_surroundings(raw))
        return Check(name="gpu", status="failed", detail="this build uses no GPU")
    if raw.around.gpus and expected.device != "cpu":
        findings.add("cpu-only-build", "warning", "certain", seen, *_surroundings(raw))
    return Check(name="gpu", status="skipped", detail="a CPU build uses no GPU")
