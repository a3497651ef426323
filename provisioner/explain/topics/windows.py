"""Windows does not say which library it lacks; the module that was imported, the bits and the release tell what is likely."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provisioner.causes.grades import ALLOWS, GUESSES, HINTS, PROVES, TELLS
from provisioner.explain.context import numbers
from provisioner.explain.matches import Hit
from provisioner.explain.topics.loader import without_avx
from provisioner.explain.verdict import Case, Verdict, plain, says
from provisioner.remedies.names import NATIVE, OWN_MODULES

# pip's own folders come before what the message shows, and 260 letters are the limit (MAX_PATH).
NEAR_THE_LIMIT = 200
# Modules that are not TensorFlow's, whose own cause it is.
_OTHERS = (
    (re.compile(r"(importing|load failed:?) (_multiarray_umath|_umath|multiarray|mtrand|_mt19937|numpy)|numpy[\\/]"), "numpy-incompatible"),
    (re.compile(r"importing (_message|_api_implementation)|google[\\/]protobuf"), "protobuf-incompatible"),
    (
        re.compile(rf"importing (h5\w*|qh|win32\w*|{'|'.join(NATIVE)})"),
        "dependency-incompatible",
    ),
    # Python's own.
    (re.compile(rf"importing ({'|'.join(OWN_MODULES)})\b"), "install-corrupt"),
)
# Modules of TensorFlow 2.21 that import pywrap_tflite_common.dll, and the DLL that this was the first to ask for.
THREADS = re.compile(r"_pywrap_tensorflow_lite_metrics_wrapper|pywrap_tflite_common")
THREADS_DLL = "VCRUNTIME140_THREADS.dll"
# From this release on one redistributable serves all; before it the GPU build was linked with CUDA's DLLs (build_info.py of the wheels).
_OPENED_AT_RUN_TIME = (2, 1)


def dll(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """``DLL load failed`` with or without the words of the system."""
    hit = max(hits, key=lambda item: item.message.grade)
    around = case.log.text[max(0, hit.offset - 300) : hit.offset + 200]
    for pattern, cause in _OTHERS:
        if pattern.search(around):
            yield says(hit, cause, grade=HINTS)
            return
    now = case.circumstances
    if now.bits == 32 and hit.message.id != "dll-format":  # noqa: PLR2004 - bits
        yield says(hit, "python-32bit", "likely", grade=TELLS, why="the Python is a 32-bit one, the library a 64-bit one")
    if THREADS.search(around) and hit.message.id in {"dll-module", "dll-failed"}:
        yield says(
            hit,
            "msvc-redist-missing",
            "likely",
            grade=TELLS,
            why=f"since 2.21 this module needs {THREADS_DLL}, which older redistributables lack",
        )
    if hit.message.id == "dll-format":
        yield from _format(hit, case)
    elif hit.message.id == "dll-init":
        yield says(hit, "msvc-redist-missing", "possible", grade=ALLOWS)
        # TensorFlow uses AVX everywhere since 1.6.
        old = without_avx(case)
        why = "the processor that was told has no AVX" if old else ""
        yield says(hit, "cpu-no-avx", "likely" if old else "possible", grade=HINTS if old else GUESSES, why=why)
        yield says(hit, "install-corrupt", "possible", grade=GUESSES)
    elif hit.message.id == "dll-procedure":
        yield says(hit, "msvc-redist-missing", "possible", grade=ALLOWS)
        yield says(hit, "install-corrupt", "possible", grade=ALLOWS)
        yield says(hit, "extension-abi-mismatch", "possible", grade=GUESSES)
    else:
        gpu = "gpu" in now.told or "cuda" in case.log.text.lower() or bool(now.cudas)
        linked = bool(now.tensorflow) and numbers(now.tensorflow)[:2] < _OPENED_AT_RUN_TIME and gpu
        yield says(hit, "cuda-libs-missing" if linked else "msvc-redist-missing", "possible", grade=ALLOWS)
        yield says(hit, "msvc-redist-missing" if linked else "cpu-no-avx", "possible", grade=GUESSES)
        yield says(hit, "cuda-libs-missing" if not linked else "cpu-no-avx", "possible", grade=GUESSES)


def _format(hit: Hit, case: Case) -> Iterator[Verdict]:
    now = case.circumstances
    if now.bits == 32:  # noqa: PLR2004 - bits
        yield says(hit, "python-32bit", "likely", grade=PROVES, why="the Python is a 32-bit one")
    yield says(hit, "wrong-arch-binary", grade=TELLS)
    yield says(hit, "python-32bit", "possible", grade=ALLOWS)
    yield says(hit, "install-corrupt", "possible", grade=ALLOWS)


def self_check(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """Where the traceback stands in the check, the missing DLL is the one that it loads: the runtime of Visual C++, unless it names another."""
    if any(hit.message.id in {"dll-cuda-selfcheck", "msvcp"} for hit in case.hits):
        return
    cuda = re.search(r"build_info\.(cudart|cudnn|nvcuda|cuda)_dll", case.log.text)
    failed = case.has("dll-module", "dll-failed")
    if cuda:
        yield says(hits[0], "cuda-libs-missing", grade=TELLS)
    elif failed or "msvcp" in hits[0].seen:
        yield says(hits[0], "msvc-redist-missing", "likely", grade=PROVES)


def extra_of_cuda(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """``tensorflow[and-cuda]`` on Windows: NCCL has no wheel for it, so that every release is tried in turn."""
    now = case.circumstances
    if now.platform == "linux-aarch64" and case.ending.failed:
        yield says(
            hits[0],
            "platform-unsupported",
            grade=PROVES,
            why="the wheels for ARM are built without CUDA, so that this extra is not for them",
        )
        return
    failing = case.ending.failed or case.has("backtracking", "conflict", "no-version", "no-distribution")
    if now.native_windows and failing:
        yield says(hits[0], "windows-gpu-unsupported", grade=PROVES, why="the CUDA packages of this extra have no wheel for Windows (NCCL)")
    elif not now.os and hits[0].group("nccl") and failing:
        yield says(hits[0], "windows-gpu-unsupported", "possible", grade=HINTS, why="NCCL has wheels for Linux only")


def file_of_install(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """Pip could not write a file: on Windows most often because its path is too long, of which the line shows only a part."""
    hit = hits[0]
    after = case.log.text[hit.offset : hit.offset + 400]
    if re.search(r"Errno 2\]", after) and (case.circumstances.native_windows or re.search(r"['\" ][A-Za-z]:[\\/]", after)):
        yield says(
            hit,
            "windows-long-paths",
            "possible",
            grade=ALLOWS,
            why="a file that is not found while it is installed has too long a path, as a rule",
        )
        yield says(hit, "install-corrupt", "possible", grade=GUESSES)
    else:
        yield plain(hit)


def long_path(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A file that pip could not write on Windows: its path, with the folder that it is unpacked to, is over 260 characters."""
    hint = [hit for hit in hits if hit.message.id == "long-path-hint"]
    if hint:
        yield says(hint[0], "windows-long-paths", "likely" if case.circumstances.os in {"linux", "macos"} else "certain", grade=PROVES)
        return
    hit = hits[0]
    installing = re.search(r"install|pip|packages due to", case.log.text, re.IGNORECASE)
    longest = len(hit.group("longpath"))
    if (installing or longest >= NEAR_THE_LIMIT) and re.search(r"site-?packages|pip-|include|\\Temp\\|/Temp/|Lib", hit.seen):
        yield plain(hit)


JUDGEMENTS = {"dll": dll, "selfcheck": self_check, "longpath": long_path, "installfile": file_of_install, "andcuda": extra_of_cuda}
